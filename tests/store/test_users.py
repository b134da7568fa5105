"""Who is at work, with any configuration or none."""

import getpass
from pathlib import Path

import pytest

from gage.store.users import User, current_user, login_name


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without any settings, and no variables that tell who is there."""
    for name in ("GAGE_USER", "GAGE_USER_EMAIL", "GAGE_SIGNING_KEY", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GAGE_CONFIG_DIR", str(home / "gage"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.chdir(home)
    return home


def test_without_any_configuration_it_is_the_login_name() -> None:
    assert current_user() == User(login_name(), None, None)
    assert login_name() == getpass.getuser()


def test_gits_user_is_the_user(home: Path) -> None:
    (home / "gitconfig").write_text("[user]\n name = Ann Lee\n email = ann@example.com\n")
    assert current_user() == User("Ann Lee", "ann@example.com", None)


def test_a_variable_comes_first_and_leaves_gits_address_to_git(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "gitconfig").write_text("[user]\n name = Ann\n email = ann@example.com\n")
    monkeypatch.setenv("GAGE_USER", "ci")
    monkeypatch.setenv("GAGE_SIGNING_KEY", "key")
    assert current_user() == User("ci", None, str(home / "key"))


def test_settings_come_before_git(home: Path) -> None:
    (home / "gitconfig").write_text("[user]\n name = Ann\n")
    (home / "gage").mkdir()
    text = '[user]\nname = "Bob"\nemail = "bob@example.com"\nsigning-key = "~/id"\n'
    (home / "gage" / "config.toml").write_text(text)
    assert current_user(home) == User("Bob", "bob@example.com", str(home / "id"))


def test_a_name_is_one_line_of_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAGE_USER", " Ann\n\tLee \udcff")
    assert current_user().name == "Ann Lee ?"


def test_without_git_it_works_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert current_user().name == login_name()


def test_a_uid_without_an_entry_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 987_654_321)
    monkeypatch.delenv("LOGNAME", raising=False)
    assert login_name() == "987654321"
