"""Finding an operation's config in its files."""

import subprocess
import sys
from pathlib import Path

import pytest

from gage.core.values import ConfigValue
from gage.gagefile.model import ConfigEntry
from gage.run.config import ConfigSet, Location, read_config
from gage.run.config.errors import ConfigFileError

TRAIN = "lr = 0.1\nlayers = [64, 32]\nopt = {'beta': 0.9}\n"
CONF = "model:\n  dim: 64\n  name: x\nlr: 1\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "conf.yaml").write_text(CONF)
    (tmp_path / "sub" / "more.toml").write_text("[a]\nb = 1\n")
    (tmp_path / "data.csv").write_text("x\n")
    return tmp_path


FILES = ["conf.yaml", "data.csv", "sub/more.toml", "train.py"]


def read(root: Path, *entries: ConfigEntry | str) -> ConfigSet:
    made = tuple(ConfigEntry(keys=(e,)) if isinstance(e, str) else e for e in entries)
    return read_config(root, made, FILES)


@pytest.mark.parametrize(
    ("patterns", "values"),
    [
        (["train.py"], {"lr": 0.1, "layers": [64, 32]}),
        (["train.py#lr"], {"lr": 0.1}),
        (["train.py#**.*"], {"lr": 0.1, "layers.0": 64, "layers.1": 32, "opt.beta": 0.9}),
        (["train.py", "train.py#**.*"], {"lr": 0.1, "layers": [64, 32], "opt.beta": 0.9}),
        (["train.py#layers.*"], {"layers.0": 64, "layers.1": 32}),
        (["train.py#**.*", "-#layers"], {"lr": 0.1, "opt.beta": 0.9}),
        (["train.py#**.*", "-train.py#layers.1", "-#opt.*"], {"lr": 0.1, "layers.0": 64}),
        (["train.py", "-conf.yaml#lr"], {"lr": 0.1, "layers": [64, 32]}),
        (["conf.yaml", "#model.*"], {"lr": 1, "model.dim": 64, "model.name": "x"}),
        (["conf.yaml#model.*", "-conf.yaml"], {}),
        (["**/*#**.*", "-*.py", "-conf.yaml"], {"a.b": 1}),
        (["*.py#opt.beta", "#lr"], {"opt.beta": 0.9, "lr": 0.1}),
        (["sub"], {}),
        (["sub#**.*"], {"a.b": 1}),
    ],
)
def test_patterns_select_keys(
    root: Path, patterns: list[str], values: dict[str, ConfigValue]
) -> None:
    assert read(root, *patterns).values == values


def test_values_say_where_they_stand(root: Path) -> None:
    found = read(root, "train.py", "conf.yaml#model.dim")

    assert found.origin == {"lr": "train.py", "layers": "train.py", "model.dim": "conf.yaml"}
    assert found.locations["model.dim"] == (Location("conf.yaml", "model.dim"),)


def test_names_are_made_from_keys(root: Path) -> None:
    entry = ConfigEntry(
        keys=("conf.yaml#**.*",),
        strip_prefix="model.",
        prefix="m.",
        rename={"lr": "rate", "dim": "d"},
    )

    assert read(root, entry).values == {"m.d": 64, "m.name": "x", "m.rate": 1}


def test_entries_add_up_for_one_key(root: Path) -> None:
    found = read(
        root,
        ConfigEntry(keys=("train.py#lr",), min=0, type="float", description="rate"),
        ConfigEntry(keys=("#lr",), max=1, choices=[0.1], required=True),
        ConfigEntry(name="lr", default=0.5, has_default=True, secret=True),
    )

    entry = found.entries["lr"]
    assert (entry.min, entry.max, entry.type, entry.choices) == (0, 1, "float", [0.1])
    assert (entry.description, entry.required, entry.secret) == ("rate", True, True)
    assert (entry.default, found.values["lr"]) == (0.5, 0.1)
    assert found.locations["lr"] == (Location("train.py", "lr"),)


def test_keys_of_the_gage_file_need_no_file(root: Path) -> None:
    found = read(
        root,
        ConfigEntry(name="msg", default="hi", has_default=True),
        ConfigEntry(name="n", type="int"),
    )

    assert found.values == {"msg": "hi", "n": None}
    assert found.origin == {"msg": "Gage file", "n": "Gage file"}


def test_one_key_in_two_files_is_warned_about_when_they_differ(root: Path) -> None:
    found = read(root, "train.py#lr", "conf.yaml#lr")

    assert found.values == {"lr": 1}
    assert found.locations["lr"] == (Location("train.py", "lr"), Location("conf.yaml", "lr"))
    assert found.warnings == (
        "Config key 'lr' is 0.1 in train.py and 1 in conf.yaml; the last one is recorded",
    )


@pytest.mark.parametrize(
    ("pattern", "warning"),
    [
        ("trian.py", "Config pattern 'trian.py' matches no file of the run"),
        ("train.py#lrr", "Config pattern 'train.py#lrr' matches no key"),
    ],
)
def test_a_pattern_that_matches_nothing_is_warned_about(
    root: Path, pattern: str, warning: str
) -> None:
    assert read(root, pattern).warnings == (warning,)


@pytest.mark.parametrize("pattern", ["none.py", "none.py#*", "none.py#*.*", "none.py#**.*"])
def test_a_file_without_config_is_nothing_to_warn_about(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "none.py").write_text("print(1)\n")

    found = read_config(tmp_path, (ConfigEntry(keys=(pattern,)),), ["none.py"])

    assert (found.values, found.warnings) == ({}, ())


@pytest.mark.parametrize(
    ("patterns", "keys"),
    [
        (["p.py"], ["lr"]),
        (["p.py#**.*"], ["lr", "opt._b"]),
        (["p.py#?x"], []),
        (["p.py#_x"], ["_x"]),
        (["p.py", "p.py#_*"], ["lr", "_x", "_l"]),
        (["p.py#_l.*"], ["_l.0"]),
        (["p.yaml"], ["_x"]),
    ],
)
def test_private_names_of_a_program_must_be_named(
    tmp_path: Path, patterns: list[str], keys: list[str]
) -> None:
    (tmp_path / "p.py").write_text("lr = 1\n_x = 2\n_l = [1]\nopt = {'_b': 1}\n")
    (tmp_path / "p.yaml").write_text("_x: 1\n")
    entries = tuple(ConfigEntry(keys=(pattern,)) for pattern in patterns)

    assert list(read_config(tmp_path, entries, ["p.py", "p.yaml"]).values) == keys


def test_a_data_file_named_in_full_must_be_readable(root: Path) -> None:
    (root / "conf.yaml").write_text("a: 1\n---\nb: 2\n")

    with pytest.raises(ConfigFileError, match=r"conf\.yaml:2: more than one YAML document"):
        read(root, "conf.yaml")
    found = read(root, "*.yaml", "train.py")
    assert found.values == {"lr": 0.1, "layers": [64, 32]}
    assert "more than one YAML document" in found.warnings[0]


def test_a_broken_program_is_left_to_its_interpreter(root: Path) -> None:
    (root / "train.py").write_text("lr = 0.1\nx = (\n")

    found = read(root, "train.py")

    assert found.values == {}
    problem = found.warnings[0]
    assert problem.startswith("Cannot read config of train.py:")
    assert len(found.warnings) == 1


def test_a_missing_file_is_an_error(root: Path) -> None:
    (root / "train.py").unlink()

    with pytest.raises(ConfigFileError, match="No such file"):
        read(root, "train.py")


def test_a_file_of_no_known_format_is_an_error(root: Path) -> None:
    with pytest.raises(ConfigFileError, match="not a config file"):
        read(root, "data.csv")


def test_a_key_that_two_places_claim_is_left_out(root: Path) -> None:
    (root / "conf.yaml").write_text("a.b: 1\na:\n  b: 2\nc: 3\n")

    found = read(root, "conf.yaml#**.*")

    assert found.values == {"c": 3}
    assert found.warnings[0] == "Two values claim the key 'a.b' of conf.yaml:3; left out"


def test_without_entries_there_is_no_config(root: Path) -> None:
    assert read(root) == ConfigSet()
    assert read(root, ConfigEntry()).values == {}


@pytest.mark.parametrize(
    ("file", "allowed"),
    [
        ("train.py", {"ast", "_ast", "warnings", "bisect", "_bisect"}),
        ("conf.json", {"bisect", "_bisect"}),
    ],
)
def test_only_the_parser_of_the_format_is_loaded(
    tmp_path: Path, file: str, allowed: set[str]
) -> None:
    (tmp_path / file).write_text("lr = 0.1\n" if file == "train.py" else '{"lr": 0.1}')
    code = (
        "import sys; from pathlib import Path; import gage.gagefile.model, gage.core.secrets;"
        "from gage.run.config import *; import json, re; before = set(sys.modules);"
        f"root = Path({str(tmp_path)!r});"
        f"entry = gage.gagefile.model.ConfigEntry(keys=({file!r},));"
        f"found = read_config(root, (entry,), [{file!r}]);"
        "resolved = resolve_config(found, flags=['lr=0.5']); apply_config(root, resolved);"
        "print(*(set(sys.modules) - before))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    ours = ("gage.", "importlib")
    loaded = {name for name in done.stdout.split() if not name.startswith(ours)}
    assert loaded <= allowed
    assert "0.5" in (tmp_path / file).read_text()
