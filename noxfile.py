"""Sessions of `nox`: each check on its own, and the same over several Pythons."""

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "types", "imports", "tests", "docs"]
PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]


def install(session: nox.Session) -> None:
    session.install("-e", ".[dev]")
    session.env.pop("PYTHONDONTWRITEBYTECODE", None)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and format."""
    session.install("ruff")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types, strictly."""
    install(session)
    session.run("mypy")


@nox.session
def imports(session: nox.Session) -> None:
    """Rooms import downwards only."""
    install(session)
    session.run("lint-imports")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """All tests with branch coverage; `-- --full` adds the long sweeps."""
    install(session)
    session.run("python", "-m", "pytest", "-n", "auto", "--cov", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Pages, links, examples: every console block is executed."""
    install(session)
    session.run("python", "-m", "pytest", "-n", "auto", "tests/docs", "tests/examples")


@nox.session
def bench(session: nox.Session) -> None:
    """The table of docs/explanation/performance.md, measured here."""
    install(session)
    session.run("python", "-m", "bench", *session.posargs)
