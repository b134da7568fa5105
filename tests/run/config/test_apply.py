"""Writing config into staged files, and the diff of it."""

import os
import resource
import subprocess
from pathlib import Path

import pytest

from gage.gagefile.model import ConfigEntry
from gage.run.config import (
    ResolvedConfig,
    apply_config,
    preview_config,
    read_config,
    resolve_config,
)
from gage.run.config.errors import ConfigFileError, EditError

LINES = "".join(f"# line {i}\n" for i in range(10))


def resolved(root: Path, *flags: str, files: tuple[str, ...] = ("train.py",)) -> ResolvedConfig:
    return resolve_config(read_config(root, (ConfigEntry(keys=files),), files), flags=flags)


def test_the_staged_file_changes_and_the_diff_says_how(tmp_path: Path) -> None:
    project, staged = tmp_path / "project", tmp_path / "staged"
    for folder in (project, staged):
        folder.mkdir()
        (folder / "train.py").write_text("lr = 0.1  # rate\nname = 'a'\n")
    config = resolved(project, "lr=0.5")

    preview = preview_config(staged, config)
    assert (staged / "train.py").read_text() == "lr = 0.1  # rate\nname = 'a'\n"
    diff = apply_config(staged, config)

    assert (
        diff
        == preview
        == (
            "--- a/train.py\n+++ b/train.py\n@@ -1,2 +1,2 @@\n"
            "-lr = 0.1  # rate\n+lr = 0.5  # rate\n name = 'a'\n"
        )
    )
    assert (staged / "train.py").read_text() == "lr = 0.5  # rate\nname = 'a'\n"
    assert (project / "train.py").read_text() == "lr = 0.1  # rate\nname = 'a'\n"
    assert os.listdir(staged) == ["train.py"]


def test_without_changes_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("lr = 0.1\n")
    before = (tmp_path / "train.py").stat()

    assert apply_config(tmp_path, resolved(tmp_path, "lr=0.1")) == ""
    assert preview_config(tmp_path, resolved(tmp_path)) == ""
    assert (tmp_path / "train.py").stat() == before


@pytest.mark.parametrize(
    "text",
    [
        f"a = 1\n{LINES}b = 2\n{LINES}c = 3\n",
        f"{LINES}a = 1\n# x\n# y\nb = 2\nc = 3",
        "a = 1; b = 2; c = 3",
        "a = 1\r\nb = 2\r\n\r\nc = 3\r\n",
        f"a = [1,\n 2]\nb = '''x\ny\nz'''\n{LINES}c = (1,\n)\n",
    ],
)
@pytest.mark.parametrize("name", ["train.py", "my train.py"])
def test_the_diff_can_be_applied_by_git(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / name).write_bytes(text.encode())
    flags = ["a=[9]", "b=new", "c=[5,6]"] if "[" in text else ["a=10", "b=20", "c=30"]
    config = resolved(tmp_path, *flags, files=(name,))
    after = config.rewrites[name].after.data
    (tmp_path / "patch").write_bytes(preview_config(tmp_path, config).encode())

    subprocess.run(["git", "apply", "patch"], cwd=tmp_path, check=True)

    assert (tmp_path / name).read_bytes() == after


def test_secrets_are_masked_in_the_diff(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(
        '{"lr": 1, "api_key": "sesame",\n "db": {"password": "open"}}\n'
    )

    diff = preview_config(tmp_path, resolved(tmp_path, "lr=2", files=("c.json",)))

    assert diff.splitlines()[3:] == [
        '-{"lr": 1, "api_key": ***,',
        '+{"lr": 2, "api_key": ***,',
        '  "db": {"password": ***}}',
    ]


def test_a_file_that_a_hook_changed_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("lr = 0.1\n")
    config = resolved(tmp_path, "lr=0.5")
    (tmp_path / "train.py").write_text("# made by a hook\nlr = 0.2\n")

    apply_config(tmp_path, config)

    assert (tmp_path / "train.py").read_text() == "# made by a hook\nlr = 0.5\n"
    (tmp_path / "train.py").write_text("rate = 0.2\n")
    with pytest.raises(EditError, match="the staged file has no such key"):
        apply_config(tmp_path, config)
    (tmp_path / "train.py").unlink()
    with pytest.raises(ConfigFileError, match="No such file"):
        apply_config(tmp_path, config)


def test_modes_stay_and_hard_links_are_cut(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("lr = 0.1\n")
    (tmp_path / "train.py").chmod(0o751)
    os.link(tmp_path / "train.py", tmp_path / "other.py")

    apply_config(tmp_path, resolved(tmp_path, "lr=0.5"))

    assert (tmp_path / "train.py").stat().st_mode & 0o7777 == 0o751
    assert (tmp_path / "other.py").read_text() == "lr = 0.1\n"


def test_a_link_inside_the_run_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real.py").write_text("lr = 0.1\n")
    (tmp_path / "train.py").symlink_to("real.py")

    apply_config(tmp_path, resolved(tmp_path, "lr=0.5"))

    assert (tmp_path / "train.py").is_symlink()
    assert (tmp_path / "real.py").read_text() == "lr = 0.5\n"


def test_a_link_out_of_the_run_is_never_written_through(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (tmp_path / "train.py").write_text("lr = 0.1\n")
    (run / "train.py").symlink_to(tmp_path / "train.py")

    with pytest.raises(ConfigFileError, match="leaves the run"):
        apply_config(run, resolved(run, "lr=0.5"))

    assert (tmp_path / "train.py").read_text() == "lr = 0.1\n"


def test_several_files_change_together(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("lr = 0.1\n")
    (tmp_path / "b.toml").write_text("lr = 0.1\n")

    diff = apply_config(tmp_path, resolved(tmp_path, "lr=0.5", files=("b.toml", "a.py")))

    assert diff.count("@@ -1 +1 @@") == 2
    assert diff.index("a/a.py") < diff.index("a/b.toml")
    assert (tmp_path / "a.py").read_text() == (tmp_path / "b.toml").read_text() == "lr = 0.5\n"


def test_a_file_that_cannot_be_replaced_leaves_no_draft(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("lr = 0.1\n")
    config = resolved(tmp_path, "lr=0.5")
    (tmp_path / f".train.py.gage-{os.getpid()}").mkdir()

    with pytest.raises(OSError, match="exists"):
        apply_config(tmp_path, config)

    assert (tmp_path / "train.py").read_text() == "lr = 0.1\n"


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(f"lr = 0.1\n{LINES}")
    config = resolved(tmp_path, "lr=0.5")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            apply_config(tmp_path, config)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert (tmp_path / "train.py").read_text() == f"lr = 0.1\n{LINES}"
    assert os.listdir(tmp_path) == ["train.py"]
