"""Settings: which source counts, where a value is from, and what is wrong with a file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gage.core import settings as module
from gage.core.settings import SETTINGS, Origin, load_settings, project_file, user_file
from gage.core.settings_file import SettingsError, UnknownSetting, settings_source


class Sources:
    """Files of settings in a directory of their own, one of each source."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.project = self.home / "work" / "project"
        self.organisation = root / "etc" / "config.toml"
        self.project.mkdir(parents=True)

    def write(self, path: str | Path, text: str) -> Path:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
        return target

    def user(self, text: str) -> Path:
        return self.write(user_file(), text)

    def in_project(self, text: str, directory: Path | None = None) -> Path:
        return self.write(project_file(directory or self.project), text)


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sources:
    made = Sources(tmp_path)
    for name in os.environ:
        if name.startswith(("GAGE_", "XDG_")) or name in {"VISUAL", "EDITOR"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(made.home))
    monkeypatch.setattr(module, "ORGANISATION_FILE", str(made.organisation))
    return made


def test_without_files_defaults_hold(sources: Sources) -> None:
    settings = load_settings(sources.project)

    assert {name: settings.get(name) for name in SETTINGS} == {
        name: setting.default for name, setting in SETTINGS.items()
    }
    assert settings.origin("runs.limit") == Origin(20, "default")
    assert settings.problems == ()


def test_reading_nothing_loads_no_parser(sources: Sources) -> None:
    code = (
        "import sys; from gage.core.settings import load_settings;"
        "assert load_settings('.').get('colour') == 'auto';"
        "assert not {'tomllib', 'tomli', 'json', 'difflib'} & sys.modules.keys()"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}

    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-S", "-c", code], cwd=root, env=env, check=True)


def test_every_source_overrides_the_one_below_it(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    organisation = sources.write(
        sources.organisation, "[defaults.runs]\nlimit = 1\n\n[enforced.runs]\nlimit = 6\n"
    )
    user = sources.user("[runs]\nlimit = 2\n")
    above = sources.in_project("runs.limit = 3\n", sources.project.parent)
    project = sources.in_project("# ours\nruns = { limit = 4 }\n")
    monkeypatch.setenv("GAGE_RUNS_LIMIT", "5")

    origin = load_settings(sources.project, overrides={"runs.limit": 7}).origin("runs.limit")

    assert origin[:3] == (6, "enforced", f"{organisation}:5")
    assert [each[:3] for each in origin.overridden] == [
        (7, "command line", "--limit"),
        (5, "environment", "GAGE_RUNS_LIMIT"),
        (4, "project", f"{project}:2"),
        (3, "project", f"{above}:1"),
        (2, "user", f"{user}:2"),
        (1, "organisation", f"{organisation}:2"),
        (20, "default", None),
    ]
    assert load_settings(sources.project).number("runs.limit") == 6


def test_what_was_not_given_on_the_command_line_overrides_nothing(sources: Sources) -> None:
    sources.user("runs.limit = 2\n")

    assert load_settings(overrides={"runs.limit": None}).number("runs.limit") == 2


def test_variables_of_other_programs_come_before_the_default_alone(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "ed")
    assert load_settings().origin("editor")[:3] == ("ed", "default", "EDITOR")

    monkeypatch.setenv("VISUAL", "vi -e")
    sources.user('editor = "emacs"\n')
    origin = load_settings().origin("editor")

    assert origin[:2] == ("emacs", "user")
    assert [each.place for each in origin.overridden] == ["VISUAL", "EDITOR", None]


def test_paths_count_from_the_file_that_names_them(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = sources.user('[user]\nsigning-key = "keys/id"\nallowed-signers = "~/signers"\n')
    settings = load_settings()

    assert settings.text("user.signing-key") == str(user.parent / "keys" / "id")
    assert settings.text("user.allowed-signers") == str(sources.home / "signers")
    monkeypatch.chdir(sources.project)
    monkeypatch.setenv("GAGE_SIGNING_KEY", "id")
    assert load_settings().text("user.signing-key") == str(sources.project / "id")


def test_lists_are_texts_or_one_with_commas(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources.user('[runs]\ncolumns = ["name", "metric:loss"]\n')
    assert load_settings().words("runs.columns") == ("name", "metric:loss")

    monkeypatch.setenv("GAGE_RUNS_COLUMNS", " name , status,")
    assert load_settings().words("runs.columns") == ("name", "status")


def test_directories_between_a_project_and_the_home_count(sources: Sources) -> None:
    sources.in_project("runs.limit = 3\n", sources.home)
    assert load_settings(sources.project).number("runs.limit") == 20

    sources.in_project("runs.limit = 4\n", sources.project.parent)
    assert load_settings(sources.project).number("runs.limit") == 4
    assert load_settings(sources.home).number("runs.limit") == 3, "a project of its own"
    assert load_settings().number("runs.limit") == 20


def test_outside_of_the_home_only_the_project_itself_counts(sources: Sources) -> None:
    project = sources.root / "shared" / "project"
    project.mkdir(parents=True)
    sources.in_project("runs.limit = 3\n", project.parent)

    assert load_settings(project).number("runs.limit") == 20


@pytest.mark.parametrize(
    "name", [name for name, setting in SETTINGS.items() if not setting.in_project]
)
def test_a_project_sets_nothing_that_is_a_persons(sources: Sources, name: str) -> None:
    """A clone must not choose a program to be run, a key, or whose signatures are believed."""
    value = SETTINGS[name].choices[-1] if SETTINGS[name].choices else "theirs"
    path = sources.in_project(f"runs.limit = 3\n{name} = '{value}'\n")
    settings = load_settings(sources.project)

    assert settings.get(name) == SETTINGS[name].default
    assert settings.number("runs.limit") == 3
    (problem,) = settings.problems
    assert problem.message == f"{path}:2: Setting '{name}' is not a project's to set"


def test_what_makes_gage_run_or_believe_something_is_a_persons() -> None:
    """The list of what a project may set, in full: whoever adds to it has to think."""
    free = {name for name, setting in SETTINGS.items() if setting.in_project}

    assert free == {"runs.limit", "runs.columns"}


WRONG = [
    ("[user]\nnmae = 'a'\n", 2, "Unknown setting 'user.nmae'", "Did you mean 'user.name'?"),
    ("\n[zzz]\na.b = 1\nc = 2\n", 2, "Unknown setting 'zzz'", "Try 'gage config list'"),
    ("'user.name' = 'a'\n", 1, "Unknown setting 'user.name'", "Did you mean 'user.name'?"),
    ("user = 'ann'\n", 1, "Unknown setting 'user'", "Try 'gage config list'"),
    ("runs.limit = true\n", 1, "Setting 'runs.limit' needs a whole number, 1 or more", "Try"),
    ("runs.limit = 0\n", 1, "Setting 'runs.limit' needs a whole number, 1 or more", "Try"),
    ("runs.limit = '1e3'\n", 1, "Setting 'runs.limit' needs a whole number, 1 or more", "Try"),
    ("runs.columns = [1]\n", 1, "Setting 'runs.columns' needs a list of texts", "Try"),
    ("user.name = 3\n", 1, "Setting 'user.name' needs a text", "Try"),
    ("user.name = ' '\n", 1, "Setting 'user.name' needs a text", "Try"),
    ("colour = 1\n", 1, "Setting 'colour' needs one of auto, always, never", "Try"),
    ("colour = 'red'\n", 1, "Setting 'colour' needs one of auto, always, never", "Try"),
]


@pytest.mark.parametrize(("text", "line", "message", "hint"), WRONG)
def test_a_mistake_in_a_file_is_named_and_does_not_count(
    sources: Sources, text: str, line: int, message: str, hint: str
) -> None:
    path = sources.user(text + "[runs]\n" * ("[" not in text and "runs" not in text))
    settings = load_settings()

    (problem,) = settings.problems
    assert problem.message == f"{path}:{line}: {message}"
    assert (problem.hint or "").startswith(hint)
    assert all(settings.get(name) == SETTINGS[name].default for name in SETTINGS)


BROKEN = [
    (b"a = 1\nb = \n", 2, "Not valid as TOML: Invalid value"),
    (b"a = [\n\n", 3, "Not valid as TOML: "),
    (b"a = 1\nb = '\xff'\n", 2, "The file is not UTF-8"),
    (b"a = " + b"[" * 10_000, 0, "The values are nested too deeply"),
    (b"a = 1\na = 2\n", 2, "Not valid as TOML: Cannot overwrite a value"),
]


@pytest.mark.parametrize(("content", "line", "message"), BROKEN)
def test_a_broken_file_sets_nothing(
    sources: Sources, content: bytes, line: int, message: str
) -> None:
    path = sources.user("")
    path.write_bytes(content)

    (problem,) = load_settings().problems
    where = f"{path}:{line}" if line else str(path)
    assert problem.message.startswith(f"{where}: {message}")


def test_a_file_that_cannot_be_read_is_a_problem(sources: Sources) -> None:
    Path(user_file()).mkdir(parents=True)

    (problem,) = load_settings().problems
    assert problem.message == f"{user_file()}: Cannot read these settings: is a directory"


def test_a_file_where_a_directory_should_be_is_no_file(sources: Sources) -> None:
    sources.write(sources.project / ".gage", "")

    assert load_settings(sources.project).problems == ()


def test_a_variable_that_does_not_fit_does_not_count(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources.user("runs.limit = 3\n")
    monkeypatch.setenv("GAGE_RUNS_LIMIT", "many")
    monkeypatch.setenv("GAGE_COLOUR", "")
    settings = load_settings()

    assert settings.number("runs.limit") == 3
    (problem,) = settings.problems
    assert problem.message == "GAGE_RUNS_LIMIT: 'many' is not a whole number, 1 or more"


ORGANISATION = [
    ("enforced = 1\n", 1, "Expected the tables [enforced] and [defaults], not 'enforced'"),
    ("[enforced]\n[user]\nname = 'a'\n", 2, "Expected the tables [enforced] and [defaults]"),
    ("[enforced]\nnone = 1\n", 2, "Unknown setting 'none'"),
    ("[enforced]\n\nruns.limit = 'all'\n", 3, "Setting 'runs.limit' needs a whole number"),
    ("[enforced\n", 1, "Not valid as TOML: "),
]


@pytest.mark.parametrize(("text", "line", "message"), ORGANISATION)
def test_what_is_enforced_must_be_understood(
    sources: Sources, text: str, line: int, message: str
) -> None:
    path = sources.write(sources.organisation, text)

    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert caught.value.message.startswith(f"{path}:{line}: {message}")


def test_an_organisations_file_that_cannot_be_read_is_an_error(sources: Sources) -> None:
    sources.organisation.mkdir(parents=True)

    with pytest.raises(SettingsError, match="Cannot read these settings: is a directory"):
        load_settings()


def test_a_mistake_in_the_defaults_of_an_organisation_is_a_problem(sources: Sources) -> None:
    path = sources.write(sources.organisation, "[defaults]\ncolour = 'red'\nruns.limit = 9\n")
    settings = load_settings()

    assert settings.number("runs.limit") == 9
    assert [problem.place for problem in settings.problems] == [f"{path}:2"]


def test_no_variable_leads_away_from_what_is_enforced(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources.write(sources.organisation, "[enforced]\ncolour = 'never'\n")
    for name in ("HOME", "GAGE_CONFIG_DIR", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"):
        monkeypatch.setenv(name, str(sources.root / "elsewhere"))
    monkeypatch.setenv("GAGE_COLOUR", "always")

    assert load_settings(overrides={"colour": "always"}).text("colour") == "never"


def test_the_file_is_where_administrators_look() -> None:
    assert module.ORGANISATION_FILE == "/etc/gage/config.toml"


def test_lines_are_found_however_the_file_is_written(sources: Sources) -> None:
    text = (
        '\ufeff# name = "not this"\r\n'
        'editor = """\r\n'
        "[user]\r\n"
        "name = 'nor this'\r\n"
        '"""\r\n'
        "[runs]\r\n"
        "limit = 7\r\n"
        "\r\n"
        "[ 'user' ]  # name\r\n"
        '"name" = "Ann"\r\n'
        'email = "a\\u0085b"  # \u2028\r\n'
        "columns = [\r\n"
        "]\r\n"
    )
    Path(user_file()).parent.mkdir(parents=True)
    Path(user_file()).write_bytes(text.encode())
    settings = load_settings()

    lines = {name: settings.origin(name).place for name in SETTINGS if settings.get(name)}
    assert lines["editor"] == f"{user_file()}:2"
    assert lines["runs.limit"] == f"{user_file()}:7"
    assert lines["user.name"] == f"{user_file()}:10"
    assert lines["user.email"] == f"{user_file()}:11"
    assert [problem.place for problem in settings.problems] == [f"{user_file()}:12"]


def test_an_unknown_setting_names_the_nearest() -> None:
    assert UnknownSetting("user.emial").near == "user.email"
    assert UnknownSetting("color").hint == "Did you mean 'colour'?"
    assert UnknownSetting("zzz").hint == "Try 'gage config list'"


def test_a_value_is_taken_as_its_kind_alone(sources: Sources) -> None:
    settings = load_settings()

    assert settings.text("runs.limit") is None
    with pytest.raises(TypeError, match="no number"):
        settings.number("user.name")
    with pytest.raises(TypeError, match="no list"):
        settings.words("user.name")


@given(st.binary(max_size=200))
def test_no_file_is_more_than_a_problem(content: bytes) -> None:
    source = settings_source("/x/config.toml", "user", content)

    assert set(source.values) <= set(SETTINGS)
    assert all(problem.place.startswith("/x/config.toml") for problem in source.problems)


names = st.sampled_from(["user.name", "runs.limit", "editor", "runs", "user", "a.b", "'x.y'"])
values = st.sampled_from(["1", "'a'", "[]", "['a']", "{}", "{name = 'b'}", "{limit = 3}", "true"])


@given(st.lists(st.tuples(names, values), max_size=5))
def test_each_mistake_stands_on_its_line(pairs: list[tuple[str, str]]) -> None:
    lines = [f"{name} = {value}" for name, value in pairs]
    source = settings_source("/x", "user", "\n".join(lines).encode())

    for problem in source.problems:
        if "TOML" not in problem.message:
            key = problem.message.split("'")[1]
            assert lines[int(problem.place.split(":")[1]) - 1].startswith(
                (key, f"'{key}'", key.split(".")[0])
            )
    for name in source.values:
        line = lines[int(source.place(name).split(":")[1]) - 1]
        assert line.startswith((name, name.split(".")[0]))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_project_cannot_make_a_command_wait_or_read_for_ever(sources: Sources) -> None:
    path = sources.in_project("")
    path.unlink()
    os.mkfifo(path)
    (problem,) = load_settings(sources.project).problems
    assert problem.message == f"{path}: Cannot read these settings: it is no file"

    path.unlink()
    path.symlink_to("/dev/zero")
    (problem,) = load_settings(sources.project).problems
    assert problem.message == f"{path}: Cannot read these settings: it is no file"

    path.unlink()
    path.write_text("# long\n" * 10_000)
    (problem,) = load_settings(sources.project).problems
    assert problem.message == f"{path}: Cannot read these settings: it has more than 65,536 bytes"


def test_of_very_many_mistakes_the_lines_are_not_searched(sources: Sources) -> None:
    path = sources.in_project("".join(f"k{i} = 1\n" for i in range(5000)))
    places = [problem.place for problem in load_settings(sources.project).problems]
    assert places == [str(path)] * 5000

    sources.in_project("".join(f"k{i} = 1\n" for i in range(20)))
    places = [problem.place for problem in load_settings(sources.project).problems]
    assert places == [f"{path}:{i}" for i in range(1, 11)] + [str(path)] * 10


def test_a_number_that_no_table_has_lines_for_is_a_mistake(sources: Sources) -> None:
    path = sources.user(f"[runs]\nlimit = {10**20}\n")
    (problem,) = load_settings().problems
    assert problem.message == f"{path}:2: Setting 'runs.limit' needs a smaller number"
