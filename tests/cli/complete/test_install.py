"""`gage completion`: the script is printed, or written where the shell looks for it."""

import os
import re
import stat
from pathlib import Path

import pytest

from gage import __version__
from gage.cli.commands import ALIASES, COMMANDS, load_command
from gage.cli.complete import install
from gage.cli.complete.install import apply, changes_for
from gage.cli.complete.shells import SHELLS, script
from gage.cli.completion import COMMAND
from tests.cli.complete.conftest import find_shell
from tests.cli.complete.terminal import ENTER, Terminal
from tests.project import Project

MARK = "# completion of gage"


@pytest.fixture
def home(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR", "BASH_COMPLETION_USER_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(project.home))
    return project.home


@pytest.fixture
def without_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the package bash-completion."""
    monkeypatch.setattr(install, "_LOADERS", ())


@pytest.fixture
def with_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "_LOADERS", (__file__,))


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_knows_every_command_and_option(project: Project, shell: str) -> None:
    text = project.gage("completion", shell).stdout

    assert text == script(shell)
    assert f"Completion of gage {__version__} in {shell}" in text
    assert not re.search("@[A-Z]+@", text)
    for name in [*COMMANDS, *ALIASES]:
        assert name in text
    for name in COMMANDS:
        for option in load_command(name).COMMAND.options:
            assert all(spelled in text for spelled in option.names)


def test_the_shells_of_the_command_are_those_there_are() -> None:
    assert COMMAND.arguments[0].choices == SHELLS


PLACES = {
    "bash": ".local/share/bash-completion/completions/gage",
    "zsh": ".local/share/gage/gage.zsh",
    "fish": ".config/fish/completions/gage.fish",
    "nushell": ".config/nushell/autoload/gage.nu",
}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_installed_once(project: Project, shell: str) -> None:
    done = project.gage("completion", shell, "--install", "-y")
    path = project.home / PLACES[shell]

    assert path.read_text("utf-8") == script(shell)
    assert str(path) in done.stdout
    assert f"remove {path}" in done.stderr
    again = project.gage("completion", shell, "--install").stdout
    assert again == f"Completion for {shell} is installed already\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_nothing_is_installed_unasked(project: Project, shell: str) -> None:
    done = project.gage("completion", shell, "--install", check=False)

    assert done.returncode == 2
    assert "Nobody is there to answer: Install it?" in done.stderr
    assert f"Write {project.home / PLACES[shell]}" in done.stderr
    assert not (project.home / PLACES[shell]).exists()


def test_someone_who_says_no_is_heeded(project: Project) -> None:
    argv = [find_shell("bash"), "-c", "gage completion fish --install; echo status $?"]
    with Terminal(argv, cwd=project.dir, env=project.env) as terminal:
        terminal.wait_for("Install it? [y/N]")
        terminal.send(f"n{ENTER}")
        terminal.wait_for("status 2")
    assert not (project.home / PLACES["fish"]).exists()


def test_other_directories_are_heeded(
    home: Path, monkeypatch: pytest.MonkeyPatch, with_loader: None
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("ZDOTDIR", str(home / "zsh"))
    places = {shell: [change.path for change in changes_for(shell)] for shell in SHELLS}

    assert places == {
        "bash": [f"{home}/data/bash-completion/completions/gage"],
        "zsh": [f"{home}/data/gage/gage.zsh", f"{home}/zsh/.zshrc"],
        "fish": [f"{home}/config/fish/completions/gage.fish"],
        "nushell": [f"{home}/config/nushell/autoload/gage.nu"],
    }
    monkeypatch.setenv("BASH_COMPLETION_USER_DIR", str(home / "own"))
    assert changes_for("bash")[0].path == f"{home}/own/completions/gage"
    monkeypatch.setenv("XDG_CONFIG_HOME", "not/absolute")
    assert changes_for("fish")[0].path == f"{home}/.config/fish/completions/gage.fish"


def test_bash_without_its_loader_gets_a_line(home: Path, without_loader: None) -> None:
    (home / ".bashrc").write_text("alias x=y")
    apply(changes_for("bash"))

    lines = (home / ".bashrc").read_text("utf-8").splitlines()
    assert lines[0] == "alias x=y"
    assert lines[1].startswith(f"[ -r '{home}/.local/share/bash-completion/completions/gage' ]")
    assert lines[1].endswith(MARK)
    assert len(lines) == 2
    assert changes_for("bash") == []


def test_bash_with_its_loader_needs_no_line(home: Path, with_loader: None) -> None:
    apply(changes_for("bash"))

    assert not (home / ".bashrc").exists()


def test_a_line_from_before_is_replaced_and_the_rest_stays(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rc = home / ".zshrc"
    rc.write_bytes(b"one\xff\r\n" + f". /old  {MARK}\n".encode() + b"two\n")
    rc.chmod(0o600)
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "it's"))

    apply(changes_for("zsh"))

    content = rc.read_bytes()
    assert content.startswith(b"one\xff\r\ntwo\n[ -r '")
    assert content.count(MARK.encode()) == 1
    assert rb"it'\''s" in content
    assert stat.S_IMODE(rc.stat().st_mode) == 0o600


def test_a_linked_file_stays_a_link(home: Path) -> None:
    (home / "dotfiles").mkdir()
    (home / "dotfiles" / "zshrc").write_text("# mine\n")
    (home / ".zshrc").symlink_to(home / "dotfiles" / "zshrc")

    apply(changes_for("zsh"))

    assert (home / ".zshrc").is_symlink()
    assert MARK in (home / "dotfiles" / "zshrc").read_text("utf-8")


def test_an_old_script_is_replaced(home: Path) -> None:
    path = home / PLACES["fish"]
    path.parent.mkdir(parents=True)
    path.write_text("# of an older gage\n")

    (change,) = changes_for("fish")
    assert change.what == f"Replace {path}"
    apply([change])
    assert path.read_text("utf-8") == script("fish")


def test_a_place_that_cannot_be_written_is_named(project: Project) -> None:
    (project.home / ".config").write_text("in the way")

    done = project.gage("completion", "fish", "--install", "-y", check=False)

    assert done.returncode == 1
    assert ".config" in done.stderr
    assert os.listdir(project.home) == [".config"]


def test_the_line_in_bashrc_loads_the_script(
    project: Project, home: Path, monkeypatch: pytest.MonkeyPatch, without_loader: None
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "it's mine"))
    apply(changes_for("bash"))

    show = "declare -F _gage >/dev/null && echo it is known"
    argv = [find_shell("bash"), "--norc", "--noprofile", "-c", f". ~/.bashrc; {show}"]
    with Terminal(argv, cwd=project.dir, env=project.env) as terminal:
        terminal.wait_for("it is known")


def test_the_line_in_zshrc_loads_the_script(
    project: Project, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "it's mine"))
    apply(changes_for("zsh"))

    show = "typeset -f _gage >/dev/null && print -r -- it is known"
    argv = [find_shell("zsh"), "-f", "-i", "-c", f". ~/.zshrc; {show}"]
    with Terminal(argv, cwd=project.dir, env=project.env) as terminal:
        terminal.wait_for("it is known")
