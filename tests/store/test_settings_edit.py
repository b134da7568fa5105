"""A setting is changed, and the rest of the file stays."""

import os
import stat
from pathlib import Path

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gage.core.settings import SETTINGS, SettingValue
from gage.core.settings_file import SettingsError, settings_source
from gage.store.errors import StoreError
from gage.store.settings_edit import NotSet, set_setting, unset_setting

FULL = """\
# What I like
editor   =  'vi'  # for now

[user]  # me
name = "Ann"
# The old address:
# email = "old@example.com"

[ runs ]
columns = [
  "name",  # first
  "status",
]
limit = 1_0
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gage" / "config.toml"


def write(path: Path, text: str | bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)


def change(path: Path, name: str, value: SettingValue) -> str:
    set_setting(str(path), SETTINGS[name], value)
    return path.read_bytes().decode()


def test_a_file_is_made_with_what_is_above_it(path: Path) -> None:
    assert change(path, "user.name", "Ann") == '[user]\nname = "Ann"\n'
    assert path.stat().st_mode & 0o077 & ~0o044 == 0


@pytest.mark.parametrize(
    ("name", "value", "old", "new"),
    [
        ("editor", "code --wait", "'vi'  # for now", '"code --wait"  # for now'),
        ("user.name", 'A "B"\n', 'name = "Ann"', 'name = "A \\"B\\"\\n"'),
        ("runs.limit", 30, "limit = 1_0", "limit = 30"),
    ],
)
def test_only_the_value_changes(
    path: Path, name: str, value: SettingValue, old: str, new: str
) -> None:
    write(path, FULL)

    assert change(path, name, value) == FULL.replace(old, new)


def test_a_new_setting_goes_into_its_table(path: Path) -> None:
    write(path, FULL)

    text = change(path, "user.email", "ann@example.com")

    assert text.replace('email = "ann@example.com"\n', "", 1) == FULL
    assert text.index("\nemail =") < text.index("[ runs ]")


@pytest.mark.parametrize("text", ["user.name = 'a' # x\n", "user = {name = 'a'} # x\n"])
def test_other_ways_to_write_a_table_are_kept(path: Path, text: str) -> None:
    write(path, text)

    assert change(path, "user.name", "b") == text.replace("'a'", '"b"')


def test_removing_takes_the_line_alone(path: Path) -> None:
    write(path, FULL)

    unset_setting(str(path), "runs.limit")

    assert path.read_text("utf-8") == FULL.replace("limit = 1_0\n", "")


@pytest.mark.parametrize("name", ["user.email", "colour", "editor.x", "zzz.a.b", "runs.x"])
def test_what_is_not_there_cannot_be_removed(path: Path, name: str) -> None:
    write(path, FULL)

    with pytest.raises(NotSet):
        unset_setting(str(path), name)
    assert path.read_text("utf-8") == FULL


def test_what_is_not_there_cannot_be_removed_from_no_file(path: Path) -> None:
    with pytest.raises(NotSet):
        unset_setting(str(path), "colour")
    assert not path.exists()


def test_a_mistake_can_be_removed(path: Path) -> None:
    write(path, "colour = 'never'\n[user]\nnmae = 1\n")

    unset_setting(str(path), "user.nmae")

    assert path.read_text("utf-8") == "colour = 'never'\n[user]\n"


def test_permissions_stay(path: Path) -> None:
    write(path, FULL)
    path.chmod(0o600)

    change(path, "runs.limit", 3)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    """Many keep such files in a repository of their own, and link them."""
    real = tmp_path / "dotfiles" / "gage.toml"
    write(real, FULL)
    path.parent.mkdir()
    path.symlink_to(real)

    change(path, "runs.limit", 3)

    assert path.is_symlink()
    assert "limit = 3\n" in real.read_text("utf-8")


def test_line_ends_and_a_byte_order_mark_stay(path: Path) -> None:
    write(path, b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode())

    change(path, "user.email", "a@example.com")

    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf# What")
    assert content.count(b"\n") == content.count(b"\r\n") == FULL.count("\n") + 1


@pytest.mark.parametrize("text", ["[user\n", "user = 3\n", "[[user]]\nname = 'a'\n", b"\xff"])
def test_a_file_that_is_not_understood_is_left_alone(path: Path, text: str | bytes) -> None:
    write(path, text)
    before = path.read_bytes()

    with pytest.raises(SettingsError):
        change(path, "user.name", "Ann")
    assert path.read_bytes() == before


def test_a_directory_in_place_of_the_file_is_an_error(path: Path) -> None:
    path.mkdir(parents=True)

    with pytest.raises(SettingsError, match="Cannot read these settings"):
        change(path, "colour", "never")


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises((SettingsError, StoreError)):
        set_setting(str(tmp_path / "file" / "config.toml"), SETTINGS["colour"], "never")
    assert os.listdir(tmp_path) == ["file"]


texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("'\"\\\n\t#="), min_size=1
)
tables = st.fixed_dictionaries(
    {"note": texts},
    optional={
        "user": st.fixed_dictionaries({"name": texts, "other": texts}),
        "runs": st.dictionaries(st.sampled_from(["limit", "a b", "x.y"]), st.integers(1, 9)),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(tables, st.sampled_from(["user.name", "runs.columns", "editor"]), texts)
def test_what_is_set_is_read_back_and_the_rest_is_equal(
    path: Path, before: dict[str, object], name: str, value: str
) -> None:
    write(path, tomlkit.dumps(before))
    given: SettingValue = (value, value) if name == "runs.columns" else value + "x"

    change(path, name, given)

    content = path.read_bytes()
    assert settings_source(str(path), "user", content).values[name] == given
    unset_setting(str(path), name)
    after = tomlkit.parse(path.read_text("utf-8")).unwrap()
    assert after["note"] == before["note"]
