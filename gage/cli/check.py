"""`gage check`: what is installed, which project and runs are meant here, and what is wrong."""

import json as jsonlib
import sys

from gage.cli.choice import WHERE
from gage.cli.options import JSON, RUNS, Argument, Command, flag, option
from gage.cli.terminal import clean
from gage.core.errors import GageError, UsageError

__all__ = ["COMMAND", "VersionDiffers", "run"]

COMMAND = Command(
    about="""
        The exit status is 1 if something is wrong. Missing extras and GPUs are not.

        SPEC is a version or a specifier as for pip: '>=0.2,<1'.

        With --run every file of the runs RUN is read and compared with its digest. Warnings and
        notes leave the exit status 0.
    """,
    arguments=(
        Argument(
            "RUN", "refs", "Name the runs to check with --run: index, slice, name or id", many=True
        ),
    ),
    options=(
        option("--version", metavar="SPEC", help="Test the version of Gage, and nothing else"),
        flag("--schema", help="Print the JSON Schema of Gage files, for editors"),
        flag(
            "--fix", help="Complete or remove what interrupted commands left in the runs location"
        ),
        flag("--run", dest="verify", help="Check runs: digests, formats, references, signatures"),
        WHERE,
        RUNS,
        JSON,
    ),
    exclusive=(
        ("version", "schema", "fix", "verify"),
        ("schema", "json"),
        ("version", "runs_dir"),
        ("schema", "runs_dir"),
    ),
)


class VersionDiffers(GageError):
    """The version of Gage is not the one asked for."""

    def __init__(self, version: str, wanted: str) -> None:
        super().__init__(
            f"Gage is version {version}, not {wanted}",
            hint="Upgrade Gage, or install a version that fits",
        )
        self.version = version
        self.wanted = wanted


def run(
    *,
    refs: tuple[str, ...],
    version: str | None,
    schema: bool,
    fix: bool,
    verify: bool,
    where: str | None,
    runs_dir: str | None,
    json: bool,
) -> int:
    """Report what Gage finds here, or verify runs; 1 if something is wrong."""
    if verify:
        return _verify(refs, where=where, runs_dir=runs_dir, json=json)
    if refs or where is not None:
        raise UsageError("Runs are checked with --run", hint="Try 'gage check --run RUN'")
    if version is not None:
        _check_version(version)
        return 0
    if schema:
        from gage.gagefile.schema import schema_text

        sys.stdout.write(schema_text().rstrip("\n") + "\n")
        return 0
    from gage.cli.checkup import checkup, report_lines

    report = checkup(runs_dir, fix=fix)
    if json:
        text = jsonlib.dumps(report, indent=2)
    else:
        text = "\n".join(clean(line) for line in report_lines(report))
    sys.stdout.write(text + "\n")
    return 0 if report["ok"] else 1


def _verify(refs: tuple[str, ...], *, where: str | None, runs_dir: str | None, json: bool) -> int:
    """Verify runs one after the other; 1 if one is damaged."""
    from gage.cli.choice import choose_runs
    from gage.cli.verifying import Verifier

    verifier = Verifier(choose_runs(refs, where=where, runs_dir=runs_dir))
    if json:
        sys.stdout.write(jsonlib.dumps([*verifier.facts()], indent=2) + "\n")
    else:
        for line in verifier.lines():
            sys.stdout.write(f"{line}\n")
    return 1 if verifier.is_any_damaged else 0


def _check_version(wanted: str) -> None:
    from gage import __version__
    from gage.core.versions import matches

    try:
        fits = matches(__version__, wanted)
    except ValueError as error:
        raise UsageError(f"Option '--version': {error}", hint="Write it like '>=0.2,<1'") from None
    if not fits:
        raise VersionDiffers(__version__, wanted)
