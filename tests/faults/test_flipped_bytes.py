"""One changed byte anywhere in a run names its file."""

import shutil
import subprocess
from pathlib import Path
from random import Random

import pytest

from gage.store.attributes import write_record
from gage.store.history import HistoryWriter
from gage.store.runs import Run
from gage.store.users import User
from gage.store.verify import Verification, verify_run
from tests.faults.flips import Flips, copy_of, files_of
from tests.project import Project

SEED = 20261120
GAGEFILE = """
[train]
exec = '''
printf 'step: 1\\nloss: 0.5\\nnote\\nstep: 2\\nloss: 0.25\\n'; echo oops >&2
mkdir -p out/empty; printf '\\000\\001\\002' > out/model.bin
: > out/nothing; ln -s model.bin out/last
'''

[[train.config]]
name = "lr"
default = 0.1
"""


@pytest.fixture(scope="module")
def full_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with source in git, output, metrics, files, late rows and what people said."""
    from tests.project import clean_env

    folder = tmp_path_factory.mktemp("flips")
    (folder / "project").mkdir()
    (folder / "home").mkdir()
    project = Project(folder / "project", folder / "home", clean_env(folder / "home"))
    project.write("gage.toml", GAGEFILE)
    project.write("train.py", "lr = 0.1\n")
    for args in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "Start"]):
        subprocess.run(["git", *args], cwd=project.dir, env=project.env, check=True)
    project.write("train.py", "lr = 0.2\n")
    run = Run(Path(project.run("train", "lr=0.3")["dir"]).parent)
    late = HistoryWriter(run.dir, run.id, source="sdk")
    late.log({"late": 1.0})
    late.close()
    key = folder / "key"
    if shutil.which("ssh-keygen"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
        subprocess.run(command, check=True)
    ann = User("Ann", "ann@example.com", str(key) if key.exists() else None)
    write_record(run, "label", fields={"text": "best"}, user=ann)
    write_record(run, "comment", fields={"text": "ü"}, user=User("Bob", None, None))
    return run


def paths_named(verification: Verification) -> set[str]:
    return {finding.path for finding in verification.findings}


def missed(run: Run, path: Path, random: Random, count: int | None) -> list[str]:
    """The flips in one file that no error names it for."""
    name = path.relative_to(run.dir).as_posix()
    found = []
    for flip in Flips(path).each(random, count):
        errors = [each for each in verify_run(run).findings if each.severity == "error"]
        if name not in {error.path for error in errors}:
            found.append(flip)
    return found


def test_a_sound_run_has_nothing_to_tell(full_run: Run) -> None:
    verification = verify_run(full_run)
    assert verification.is_sound and verification.is_complete
    assert paths_named(verification) <= {"user"}, verification.findings


def test_some_flipped_bytes_of_every_file_name_it(full_run: Run, tmp_path: Path) -> None:
    run = copy_of(full_run, tmp_path)
    random = Random(SEED)
    for path in files_of(run):
        assert missed(run, path, random, 6) == []
    assert verify_run(run).is_sound


@pytest.mark.full
def test_every_flipped_byte_of_every_file_names_it(full_run: Run, tmp_path: Path) -> None:
    run = copy_of(full_run, tmp_path)
    random = Random(SEED)
    for path in files_of(run):
        assert missed(run, path, random, None if path.stat().st_size < 4000 else 500) == []
