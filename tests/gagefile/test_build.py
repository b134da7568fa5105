"""Operations made from the values of a Gage file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gage.gagefile.load import load_gagefile
from gage.gagefile.model import Command, ConfigEntry, Operation, PhaseCommands, platform_name

Load = Callable[[str], Operation]


@pytest.fixture
def operation(tmp_path: Path) -> Load:
    """Return the only operation `op` of a Gage file in TOML, without faults."""

    def load(text: str) -> Operation:
        path = tmp_path / "gage.toml"
        path.write_text(f"[op]\n{text}\n", encoding="utf-8")
        gagefile = load_gagefile(path)
        assert gagefile.faults == ()
        return gagefile.operations["op"]

    return load


def test_defaults(operation: Load) -> None:
    made = operation('exec = "x"')

    assert made == Operation(
        name="op",
        phases={"run": PhaseCommands(Command(shell="x"))},
        definition={"exec": "x"},
    )


def test_a_list_is_an_argument_vector(operation: Load) -> None:
    assert operation('exec = ["a", ""]').phases == {"run": PhaseCommands(Command(argv=("a", "")))}


def test_phases_and_platforms(operation: Load) -> None:
    made = operation(
        'exec = { finalize = "f", run = { linux = "l", macos = ["m"] }, "run[windows]" = "w",'
        ' "stage-runtime[linux]" = "s", stage-sourcecode = "c", "stage-sourcecode[macos]" = "d" }'
    )

    assert list(made.phases) == ["stage-sourcecode", "stage-runtime", "run", "finalize"]
    run = made.phases["run"]
    assert run.for_platform("linux") == Command(shell="l")
    assert run.for_platform("macos") == Command(argv=("m",))
    assert run.for_platform("windows") == Command(shell="w")
    assert made.phases["stage-runtime"].for_platform("windows") is None
    assert made.phases["stage-sourcecode"].for_platform("windows") == Command(shell="c")
    assert made.phases["stage-sourcecode"].for_platform("macos") == Command(shell="d")


def test_environment(operation: Load) -> None:
    made = operation(
        'exec = "x"\nenv = { A = "a", N = 4, F = 0.5, S = { value = 1, secret = true } }'
    )

    assert made.env == {"A": "a", "N": "4", "F": "0.5", "S": "1"}
    assert made.secret_env == {"S"}


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ('config = "a.py#x"', [ConfigEntry(keys=("a.py#x",))]),
        ('config = ["a", "-b"]', [ConfigEntry(keys=("a",)), ConfigEntry(keys=("-b",))]),
        ("config = []", []),
        (
            'config = { keys = ["a", "b"], prefix = "p", strip-prefix = "s", rename.x = "y" }',
            [ConfigEntry(keys=("a", "b"), prefix="p", strip_prefix="s", rename={"x": "y"})],
        ),
        (
            'config = { keys = "a.py#b", rename = "c" }',
            [ConfigEntry(keys=("a.py#b",), rename={"b": "c"})],
        ),
        (
            'config = { name = "n", default = 2, description = "d", type = "int", choices = [1, 2],'
            " min = 0, max = 3, required = true, secret = true }",
            [
                ConfigEntry(
                    name="n",
                    default=2,
                    has_default=True,
                    description="d",
                    type="int",
                    choices=(1, 2),
                    min=0,
                    max=3,
                    required=True,
                    secret=True,
                )
            ],
        ),
    ],
)
def test_config(operation: Load, text: str, entries: list[ConfigEntry]) -> None:
    assert operation(f'exec = "x"\n{text}').config == tuple(entries)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("version = 2", "version", "2"),
        ('version = "a"', "version", "a"),
        ("sourcecode = true", "sourcecode", None),
        ("sourcecode = false", "sourcecode", ()),
        ("sourcecode = []", "sourcecode", ()),
        ('sourcecode = "*.py"', "sourcecode", ("*.py",)),
        ('sourcecode = ["*.py", "-x"]', "sourcecode", ("*.py", "-x")),
        ('depends = "file: a"', "depends", ("file: a",)),
        ('depends = [{ files = "a" }]', "depends", ({"files": "a"},)),
        ("metrics = true", "metrics", None),
        ("metrics = false", "metrics", False),
        ("metrics.a = '(b)'", "metrics", {"a": "(b)"}),
        ("output-summary = '(b)'", "output_summary", "(b)"),
        ("output-summary = false", "output_summary", False),
        ('summary.filename = "a.json"', "summary_filename", "a.json"),
        ('progress = "tqdm"', "progress", {"run": "tqdm"}),
        ('progress.finalize = "tqdm"', "progress", {"finalize": "tqdm"}),
        ('listing.description = ["a"]', "listing_description", ("a",)),
        ("listing = {}", "listing_description", None),
        ("timeout = 90", "timeout_s", 90.0),
        ('timeout = "2h"', "timeout_s", 7200.0),
        ("retries = 2", "retries", 2),
        ("confirm = true", "confirm", True),
        ("default = true", "default", True),
        ('label = "l={lr}"', "label", "l={lr}"),
        ('tags = ["a"]', "tags", ("a",)),
        ("attributes = { a = 1, b = { value = 2 } }", "attributes", {"a": 1, "b": {"value": 2}}),
        ('description = "d"', "description", "d"),
    ],
)
def test_keys_of_an_operation(operation: Load, text: str, name: str, value: object) -> None:
    assert getattr(operation(f'exec = "x"\n{text}'), name) == value


def test_steps(operation: Load) -> None:
    made = operation('steps = ["train.py lr=1"]')

    assert made.steps == ("train.py lr=1",)
    assert made.phases == {}


def test_this_platform_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    for platform in ("linux", "darwin", "win32"):
        monkeypatch.setattr("sys.platform", platform)
        names.append(platform_name())

    assert names == ["linux", "macos", "windows"]
