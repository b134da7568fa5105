"""What people are told about a faulty Gage file, word for word."""

from pathlib import Path

import pytest

from gage.gagefile.faults import fault_warning, faults_of, format_fault
from gage.gagefile.load import load_gagefile
from gage.gagefile.model import Fault
from tests.gagefile.conftest import Faults

OPERATION = '[train]\nexec = "python train.py"\n'
PHASES = "stage-sourcecode, stage-runtime, stage-dependencies, run or finalize"
KINDS = "project-files, run-files, runs-summary, dvcfile, url or module"
COMMAND = "a shell command, a list of arguments, or a table of phases"

TOML = {
    "unknown key of exec": (
        '[train]\nexec = { rnu = "python train.py" }\n',
        [
            f"2:10: operation 'train', key 'exec.rnu': unknown key, expected {PHASES}",
            "Did you mean 'run'?",
        ],
    ),
    "unknown platform": (
        '[train.exec]\nrun = "x"\n"run[linx]" = "y"\n',
        [
            f"3:1: operation 'train', key 'exec.run[linx]': unknown key, expected {PHASES}",
            "Did you mean 'run[linux]'?",
        ],
    ),
    "unknown platform in a table": (
        '[train.exec.run]\nlinx = "x"\n',
        [
            "2:1: operation 'train', key 'exec.run.linx': "
            "unknown key, expected linux, macos or windows",
            "Did you mean 'linux'?",
        ],
    ),
    "misspelt key of an operation": (
        '[train]\nexce = "python train.py"\n',
        ["2:1: operation 'train', key 'exce': unknown key", "Did you mean 'exec'?"],
    ),
    "key one level too high": (
        OPERATION + 'filename = "summary.json"\n',
        ["3:1: operation 'train', key 'filename': unknown key", "Did you mean 'summary.filename'?"],
    ),
    "key with an underscore": (
        OPERATION + "output_summary = true\n",
        [
            "3:1: operation 'train', key 'output_summary': unknown key",
            "Did you mean 'output-summary'?",
        ],
    ),
    "number for a command": (
        "[train]\nexec = 3\n",
        [f"2:8: operation 'train', key 'exec': must be {COMMAND}, not 3"],
    ),
    "empty command": (
        '[train]\nexec = ""\n',
        [f"2:8: operation 'train', key 'exec': must be {COMMAND}, not empty text"],
    ),
    "blank command": (
        '[train]\nexec = "  "\n',
        ["2:8: operation 'train', key 'exec': names no program to run"],
    ),
    "list without a program": (
        '[train]\nexec = ["", "x"]\n',
        ["2:8: operation 'train', key 'exec': names no program to run"],
    ),
    "number among the arguments": (
        '[train]\nexec = ["sleep",\n  3]\n',
        ["3:3: operation 'train', key 'exec.1': must be text, not 3"],
    ),
    "phase without a program": (
        '[train.exec]\nrun = { linux = " " }\nfinalize = " "\n',
        [
            "2:17: operation 'train', key 'exec.run.linux': names no program to run",
            "3:12: operation 'train', key 'exec.finalize': names no program to run",
        ],
    ),
    "platform given twice": (
        '[train.exec]\nrun = { linux = "x" }\n"run[linux]" = "y"\n',
        ["3:1: operation 'train', key 'exec.run[linux]': is given twice, here and as 'run.linux'"],
    ),
    "neither exec nor steps": (
        '[train]\ndescription = "Train"\n',
        ["1:1: operation 'train': needs 'exec' (a command) or 'steps' (operations)"],
    ),
    "both exec and steps": (
        OPERATION + '[all]\nexec = "x"\nsteps = ["train"]\n',
        ["5:1: operation 'all', key 'steps': cannot stand beside 'exec', keep one of them"],
    ),
    "step that does not exist": (
        OPERATION + '[all]\nsteps = ["tain lr=1"]\n',
        [
            "4:10: operation 'all', key 'steps.0': no operation 'tain' here",
            "Did you mean 'train'?",
        ],
    ),
    "step that cannot be read": (
        '[all]\nsteps = ["it\'s"]\n',
        [
            "2:10: operation 'all', key 'steps.0': "
            "must be an operation such as 'train lr=0.1', quotes closed"
        ],
    ),
    "steps that are no list": (
        '[all]\nsteps = "train"\n',
        [
            "2:9: operation 'all', key 'steps': "
            "must be a list of operations such as 'train lr=0.1', not 'train'"
        ],
    ),
    "steps in a circle": (
        '[a]\nsteps = ["b"]\n[b]\nsteps = ["a", "b.py", "b.py"]\n',
        [
            "2:10: operation 'a', key 'steps.0': leads back to 'a', which would never end",
            "4:10: operation 'b', key 'steps.0': leads back to 'b', which would never end",
        ],
    ),
    "two defaults": (
        '[a]\nexec = "x"\ndefault = true\n[b]\nexec = "x"\ndefault = true\n',
        ["6:11: operation 'b', key 'default': only one operation can be the default, and 'a' is"],
    ),
    "wrong type of default": (
        OPERATION + 'default = "yes"\n',
        ["3:11: operation 'train', key 'default': must be true or false, not 'yes'"],
    ),
    "version with blanks": (
        OPERATION + 'version = "a b"\n',
        [
            "3:11: operation 'train', key 'version': "
            "must be text without blanks, a number or null, not 'a b'"
        ],
    ),
    "environment": (
        OPERATION + 'env = { A = true, "B=" = "x", C = { value = "x", secrte = true } }\n',
        [
            "3:13: operation 'train', key 'env.A': "
            "must be text, a number, or a table with 'value' and 'secret', not true",
            "3:19: operation 'train', key 'env.B=': is not a name a variable can have",
            "3:50: operation 'train', key 'env.C.secrte': unknown key, expected value or secret",
            "Did you mean 'secret'?",
        ],
    ),
    "variable without a value": (
        OPERATION + "env.A = { secret = true }\n",
        ["3:9: operation 'train', key 'env.A': needs 'value'"],
    ),
    "pattern that is no regular expression": (
        OPERATION + 'metrics = { loss = "loss=(" }\n',
        [
            "3:20: operation 'train', key 'metrics.loss': is not a valid regular expression: "
            "missing ), unterminated subpattern at position 5"
        ],
    ),
    "patterns without one group": (
        OPERATION + "metrics.loss = 'loss'\noutput-summary = '(a)(b)'\n",
        [
            "3:16: operation 'train', key 'metrics.loss': "
            r"must have one group, such as 'loss: (\S+)', but has none",
            "4:18: operation 'train', key 'output-summary': "
            r"must have one group, such as 'loss: (\S+)', but has 2",
        ],
    ),
    "duration": (
        OPERATION + 'timeout = "soon"\nretries = -1\n',
        [
            "3:11: operation 'train', key 'timeout': must be a positive number of seconds, "
            "or a duration such as '90s' or '2h', not 'soon'",
            "4:11: operation 'train', key 'retries': must be a whole number from 0, not -1",
        ],
    ),
    "unit of a duration": (
        OPERATION + 'timeout = "3 parsecs"\n[b]\nexec = "x"\ntimeout = "0s"\n',
        [
            "3:11: operation 'train', key 'timeout': must be a positive number of seconds, "
            "or a duration such as '90s' or '2h', not '3 parsecs'",
            "6:11: operation 'b', key 'timeout': must be a positive number of seconds, "
            "or a duration such as '90s' or '2h', not '0s'",
        ],
    ),
    "name of a summary": (
        OPERATION + 'summary.filename = "summary.txt"\n',
        [
            "3:20: operation 'train', key 'summary.filename': "
            "must end in .json, .toml, .yaml or .yml"
        ],
    ),
    "summary that is no table": (
        OPERATION + 'summary = "s.json"\n',
        ["3:11: operation 'train', key 'summary': must be a table with 'filename', not 's.json'"],
    ),
    "progress": (
        OPERATION + 'progress = { run = "tdqm", fin = "tqdm" }\n',
        [
            "3:20: operation 'train', key 'progress.run': must be 'tqdm', not 'tdqm'",
            "Did you mean 'tqdm'?",
            f"3:28: operation 'train', key 'progress.fin': unknown key, expected {PHASES}",
        ],
    ),
    "tags": (
        OPERATION + 'tags = "baseline"\nlisting.description = [1]\n',
        [
            "3:8: operation 'train', key 'tags': must be a list of texts, not 'baseline'",
            "4:24: operation 'train', key 'listing.description.0': must be text, not 1",
        ],
    ),
    "attribute without a value": (
        OPERATION + "attributes = { team = { label = 'x' } }\n",
        ["3:23: operation 'train', key 'attributes.team': needs 'value'"],
    ),
    "config entry": (
        OPERATION + '[[train.config]]\nnmae = "lr"\n[[train.config]]\nkeys = 3\ntype = "itn"\n',
        [
            "4:1: operation 'train', key 'config.0.nmae': unknown key",
            "Did you mean 'name'?",
            "6:8: operation 'train', key 'config.1.keys': must be text or a list of texts, not 3",
            "7:8: operation 'train', key 'config.1.type': "
            "must be int, float, number, bool, string, list or map, not 'itn'",
            "Did you mean 'int'?",
        ],
    ),
    "config entry without a subject": (
        OPERATION + 'config = { type = "int" }\n',
        [
            "3:10: operation 'train', key 'config': "
            "needs 'keys' (what to read from files) or 'name' (a key of its own)"
        ],
    ),
    "config values": (
        OPERATION
        + '[[train.config]]\nname = "a"\ntype = "int"\ndefault = true\nchoices = [1, "x"]\n'
        + '[[train.config]]\nname = "b"\ndefault = 3\nchoices = [1, 2]\n'
        + '[[train.config]]\nname = "c"\ndefault = 3\nmin = 4\nmax = 1\n'
        + '[[train.config]]\nname = "c"\nkeys = "x.py"\ndefault = 3\nmin = 0\nmax = 5\n',
        [
            "6:11: operation 'train', key 'config.0.default': must be of type int, not true",
            "7:15: operation 'train', key 'config.0.choices.1': must be of type int, not 'x'",
            "10:11: operation 'train', key 'config.1.default': must be 1 or 2, not 3",
            "14:11: operation 'train', key 'config.2.default': 3 is outside of 'min' and 'max'",
            "15:7: operation 'train', key 'config.2.min': must not be above 'max', which is 1",
            "18:8: operation 'train', key 'config.3.name': 'c' is declared twice",
            "19:1: operation 'train', key 'config.3.keys': "
            "cannot stand beside 'name', which declares a key of the Gage file",
        ],
    ),
    "config patterns": (
        OPERATION + 'config = ["train.py", "-#", { keys = "t.py", rename = "x" }]\n',
        [
            "3:23: operation 'train', key 'config.1': "
            "must be a pattern such as 'train.py#lr', 'train.py' or '#lr'",
            "3:55: operation 'train', key 'config.2.rename': "
            "must be a table of key to new name where 'keys' selects more than one",
        ],
    ),
    "dependency as text": (
        OPERATION + 'depends = ["runfile: op=x", "dvcfile:", "data.csv"]\n',
        [
            "3:12: operation 'train', key 'depends.0': "
            f"must be written 'TYPE: WHAT' with TYPE one of {KINDS}",
            "Did you mean 'runfiles'?",
            "3:29: operation 'train', key 'depends.1': needs something after 'dvcfile:'",
            "3:41: operation 'train', key 'depends.2': "
            f"must be written 'TYPE: WHAT' with TYPE one of {KINDS}",
        ],
    ),
    "dependency as table": (
        OPERATION
        + 'depends = [{ type = "url", ulr = "x" }, { type = "ulr" }, { target = "x" },\n'
        + '  { type = "dvcfile" }, { type = "file" }, 3, { type = "run-files" },\n'
        + '  { type = "url", url = "x", sha256 = "12" }]\n',
        [
            "3:28: operation 'train', key 'depends.0.ulr': "
            "unknown key, expected type, description, url, sha256, unpack or target",
            "Did you mean 'url'?",
            f"3:50: operation 'train', key 'depends.1.type': must be {KINDS}, not 'ulr'",
            "Did you mean 'url'?",
            f"3:59: operation 'train', key 'depends.2': needs 'type': {KINDS}",
            "4:3: operation 'train', key 'depends.3': needs 'path'",
            "4:25: operation 'train', key 'depends.4': needs 'files' or 'path'",
            "4:44: operation 'train', key 'depends.5': "
            "must be text such as 'file: data.csv', or a table, not 3",
            "4:47: operation 'train', key 'depends.6': needs 'operation' or 'run-select'",
            "5:39: operation 'train', key 'depends.7.sha256': "
            "must be a SHA-256 digest: 64 hexadecimal digits, not '12'",
        ],
    ),
    "dependency named like a config key": (
        OPERATION
        + 'config = [{ name = "data" }, "train.py#lr", { keys = ["a.py#b"] }]\n'
        + 'depends = [{ operation = "data" }, "runfiles: op=lr",\n'
        + '  { operation = "x", name = "b" }, { operation = "data", name = "y" }]\n',
        [
            "4:12: operation 'train', key 'depends.0': "
            "the dependency's name 'data' is a config key too, give it another 'name'",
            "4:36: operation 'train', key 'depends.1': "
            "the dependency's name 'lr' is a config key too, give it another 'name'",
            "5:3: operation 'train', key 'depends.2': "
            "the dependency's name 'b' is a config key too, give it another 'name'",
        ],
    ),
    "only dependency named like the only config key": (
        OPERATION + 'config = "#data"\ndepends = "runfiles: op=data"\n',
        [
            "4:11: operation 'train', key 'depends': "
            "the dependency's name 'data' is a config key too, give it another 'name'"
        ],
    ),
    "file rules": (
        OPERATION + 'sourcecode = ["**/*.py", "a size<3x"]\ndepends = { files = "x bad" }\n',
        [
            "3:26: operation 'train', key 'sourcecode.1': file rule 'a size<3x': '3x' is no size",
            "4:21: operation 'train', key 'depends.files': file rule 'x bad': unknown word 'bad'",
        ],
    ),
    "empty file rule": (
        OPERATION + "sourcecode = ['']\n",
        ["3:15: operation 'train', key 'sourcecode.0': must be a file rule, not empty text"],
    ),
    "keys of the file": (
        '"$runs-dir" = 3\n"$namespac" = "x"\n"$project-id" = "a b"\n',
        [
            "1:15: key '$runs-dir': must be a directory, not 3",
            "2:1: key '$namespac': unknown key, "
            "expected $schema, $namespace, $project-id, $runs-dir or $archives-dir",
            "Did you mean '$namespace'?",
            "3:17: key '$project-id': must be text without blanks, not 'a b'",
        ],
    ),
    "keys of the file without their $": (
        'namespace = "x"\nruns_dir = "r"\nother = "x"\n',
        [
            "1:13: operation 'namespace': "
            "must be a table such as { exec = \"python train.py\" }, not 'x'",
            "Did you mean '$namespace'?",
            "2:12: operation 'runs_dir': "
            "must be a table such as { exec = \"python train.py\" }, not 'r'",
            "Did you mean '$runs-dir'?",
            "3:9: operation 'other': "
            "must be a table such as { exec = \"python train.py\" }, not 'x'",
        ],
    ),
    "names of operations": (
        '["-x"]\nexec = "x"\n["a=b"]\nexec = "x"\n[""]\nexec = "x"\n["x\\ty"]\nexec = "x"\n',
        [
            "1:1: operation '-x': "
            "is not a name an operation can have: no '=', no leading '-' or blank",
            "3:1: operation 'a=b': "
            "is not a name an operation can have: no '=', no leading '-' or blank",
            "5:1: operation '': "
            "is not a name an operation can have: no '=', no leading '-' or blank",
            "7:1: operation 'x\\x09y': "
            "is not a name an operation can have: no '=', no leading '-' or blank",
        ],
    ),
    "operation that is no table": (
        'train = "python train.py"\n',
        [
            "1:9: operation 'train': "
            "must be a table such as { exec = \"python train.py\" }, not 'python train.py'"
        ],
    ),
    "values too long to show": (
        OPERATION + f'default = "{"x" * 50}"\nconfirm = []\nlabel = {{}}\nretries = 1.5\n',
        [
            f"3:11: operation 'train', key 'default': must be true or false, not '{'x' * 37}...'",
            "4:11: operation 'train', key 'confirm': must be true or false, not an empty list",
            "5:9: operation 'train', key 'label': must be text, not an empty table",
            "6:11: operation 'train', key 'retries': must be a whole number from 0, not 1.5",
        ],
    ),
}

YAML = {
    "repeated key": (
        "train:\n  exec: x\n  env:\n    A: '1'\n    B: '2'\n    A: '3'\ntrain:\n  exec: y\n",
        [
            "6:5: operation 'train', key 'env.A': is given twice, first in line 4",
            "7:1: operation 'train': is given twice, first in line 1",
        ],
    ),
    "nothing behind a key": (
        "train:\n  exec:\n  label:\n",
        [
            f"2:8: operation 'train', key 'exec': must be {COMMAND}, not null",
            "3:9: operation 'train', key 'label': must be text, not null",
        ],
    ),
    "in a list": (
        "train:\n  exec:\n    - python\n    - 3\n  tags: [a, 1.5]\n",
        [
            "4:7: operation 'train', key 'exec.1': must be text, not 3",
            "5:13: operation 'train', key 'tags.1': must be text, not 1.5",
        ],
    ),
}

JSON = {
    "repeated key": (
        '{\n  // twice\n  "train": {"exec": "x", "env": {},\n    "exec": "y"}\n}\n',
        ["4:5: operation 'train', key 'exec': is given twice, first in line 3"],
    ),
    "below comments": (
        '{ /* one\n two */ "train": {\n  "exec": ["x", /* three */ 3,],\n  "tgas": [],},}\n',
        [
            "3:29: operation 'train', key 'exec.1': must be text, not 3",
            "4:3: operation 'train', key 'tgas': unknown key",
            "Did you mean 'tags'?",
        ],
    ),
}

CASES = [
    pytest.param(name, text, expected, id=f"{name}: {title}")
    for name, cases in (("gage.toml", TOML), ("gage.yaml", YAML), ("gage.json", JSON))
    for title, (text, expected) in cases.items()
]


@pytest.mark.parametrize(("name", "text", "expected"), CASES)
def test_faults_are_told_in_these_words(
    faults: Faults, name: str, text: str, expected: list[str]
) -> None:
    places = [line if line.startswith("Did you") else f"{name}:{line}" for line in expected]

    assert faults(name, text) == places


@pytest.mark.parametrize(("name", "text", "expected"), CASES)
def test_no_message_speaks_of_schemas(
    faults: Faults, name: str, text: str, expected: list[str]
) -> None:
    told = "\n".join(faults(name, text)).lower().replace("$schema", "")

    assert not [word for word in ("instance", "schema", "validat") if word in told]


def test_a_fault_takes_two_lines_at_most(tmp_path: Path) -> None:
    path = tmp_path / "gage.yaml"
    path.write_text('train:\n  "ex\\nce": x\n', encoding="utf-8")

    lines = [format_fault(fault, "gage.yaml") for fault in load_gagefile(path).faults]

    assert [[line.count("\n") for line in fault] for fault in lines] == [[0, 0]]


def test_a_fault_without_a_place_names_the_file_alone() -> None:
    fault = Fault(Path("gage.toml"), 0, 0, None, "$x", "is odd")

    assert format_fault(fault, "gage.toml") == ["gage.toml: key '$x': is odd"]


def test_faults_belong_to_their_operation(tmp_path: Path) -> None:
    path = tmp_path / "gage.toml"
    path.write_text('"$x" = 1\n[a]\n[b]\nexec = 1\n[c]\nexec = "x"\n', encoding="utf-8")

    gagefile = load_gagefile(path)

    assert list(gagefile.operations) == ["c"]
    assert [fault.key for fault in faults_of(gagefile, "b")] == ["exec"]
    assert [fault.key for fault in faults_of(gagefile, None)] == ["$x"]
    assert faults_of(gagefile, "c") == ()
    assert fault_warning(gagefile, "gage.toml") == "gage.toml has 3 mistakes, try 'gage check'"


def test_the_warning_counts(tmp_path: Path) -> None:
    path = tmp_path / "gage.toml"
    path.write_text("[a]\n", encoding="utf-8")
    assert fault_warning(load_gagefile(path), "g") == "g has a mistake, try 'gage check'"

    path.write_text("", encoding="utf-8")
    assert fault_warning(load_gagefile(path), "g") is None
