"""Gage files read as a whole."""

from pathlib import Path

import pytest

from gage.gagefile.errors import GagefileError
from gage.gagefile.load import load_gagefile


def _write(tmp_path: Path, text: str, name: str = "gage.toml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_faulty_operations_do_not_stop_the_good_ones(tmp_path: Path) -> None:
    path = _write(tmp_path, 'odd = 3\n[good]\nexec = "x"\n[bad]\nexec = 3\n[fine]\nexec = "y"\n')

    for _ in ("parsed", "recalled"):
        gagefile = load_gagefile(path)
        assert list(gagefile.operations) == ["good", "fine"]
        assert [fault.operation for fault in gagefile.faults] == ["odd", "bad"]
        assert gagefile.path == path


def test_keys_of_the_file_are_read(tmp_path: Path) -> None:
    text = '"$namespace" = "n"\n"$project-id" = "p"\n"$runs-dir" = "r"\n'

    gagefile = load_gagefile(_write(tmp_path, text))

    assert (gagefile.namespace, gagefile.project_id, gagefile.runs_dir) == ("n", "p", "r")
    assert gagefile.operations == {}
    assert gagefile.faults == ()


def test_faulty_keys_of_the_file_are_left_out(tmp_path: Path) -> None:
    gagefile = load_gagefile(_write(tmp_path, '"$namespace" = 3\n[a]\nexec = "x"\n'))

    assert gagefile.namespace is None
    assert list(gagefile.operations) == ["a"]


def test_a_missing_file_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(GagefileError) as caught:
        load_gagefile(tmp_path / "gage.toml")

    assert caught.value.message == "Cannot read gage.toml: No such file or directory"
    assert caught.value.hint == "Correct the file, then try 'gage check'"


def test_a_syntax_error_is_an_error_each_time(tmp_path: Path) -> None:
    path = _write(tmp_path, "[a\n")

    for _ in range(2):
        with pytest.raises(GagefileError, match=r"gage\.toml:1:3: "):
            load_gagefile(path)


# Every key that Gage had in 2024, in the forms it had them.
FIRST_GAGE = {
    "gage.json": """
{
  // A comment on a line of its own
  "$runs-dir": "my-runs",
  "train": {
    "version": 1, "description": "Train", "default": true,
    "exec": {
      "stage-sourcecode": "echo source", "stage-runtime": ["echo", "runtime"],
      "stage-dependencies": "echo deps", "run": "python $project_dir/train.py", "finalize": "echo"
    },
    "progress": {"run": "tqdm"},
    "sourcecode": ["**/* text size<10000", "-**/*.json"],
    "config": [{"keys": "train.py"}, {"keys": ["a.py#x", "-b.py"], "prefix": "m.",
      "strip-prefix": "n.", "description": "Values"}, {"keys": "c.py#lr", "rename": "rate"}],
    "depends": [{"type": "project-files", "files": "data/*", "link": true, "description": "Data"},
      {"run-select": "operation = prepare", "files": ["x", "y"], "type": "run-files"},
      {"type": "runs-summary", "runs-select": "train", "summary-filename": "all.json"},
      {"files": "more"}, {"run-select": "op = prepare"}],
    "output-summary": "---(.*)---", "listing": {"description": ["x", "loss"]}
  },
  "null": {"exec": "true", "version": null, "sourcecode": false, "config": [],
    "output-summary": false, "progress": "tqdm"},
  "all": {"exec": ["python", "x.py", ""], "sourcecode": true, "config": {"keys": ["a", "b"]},
    "depends": {"files": ["a"]}, "output-summary": true}
}
""",
    "gage.yaml": """
$archives-dir: old
hello:
  version: v1.2-a
  exec: |
    #!python
    import sys
    print("x")
  sourcecode: '*.py'
  config: hello.py#name
  summary: {filename: out.yaml}
pages:
  exec:
    run: [echo, x]
  config: ['a.py#*', '-#b*']
""",
    "gage.toml": """
[hello]
description = "Say hello"
exec = "python hello.py"
config = ["hello.py"]
[hello.summary]
filename = "s.toml"
""",
}


@pytest.mark.parametrize(("name", "text"), FIRST_GAGE.items())
def test_gage_files_of_2024_load_unchanged(tmp_path: Path, name: str, text: str) -> None:
    gagefile = load_gagefile(_write(tmp_path, text, name))

    assert gagefile.faults == ()
    assert gagefile.operations
