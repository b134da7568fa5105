"""Secrets that lie about in a project or its environment are in no record."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.faults.sound import assert_sound
from tests.project import Project

SECRET = "s3cr3t-5f1e"
FILES = [".env", ".env.local", "conf/.env", "id_rsa", "deploy/id_ed25519", "server.key", "cert.pem"]
GAGEFILE = """
[t]
exec = "python t.py"
config = "t.py"
env = { SERVICE_TOKEN = "%s" }
"""


@pytest.fixture
def leaky(project: Project) -> Project:
    project.write("gage.toml", GAGEFILE % SECRET)
    project.write("t.py", "import os\nprint('has_token:', int('SERVICE_TOKEN' in os.environ))\n")
    for name in FILES:
        project.write(name, f"PRIVATE KEY={SECRET}\n")
    return project


def _git(project: Project, *args: str) -> None:
    subprocess.run(
        ["git", *args], cwd=project.dir, env=project.env, check=True, capture_output=True
    )


def _holders(project: Project, *, below: str) -> list[str]:
    """Files of the newest run that hold the secret."""
    run_dir = Path(project.show()["dir"]).parent
    found = [p for p in (run_dir / below).rglob("*") if p.is_file()]
    return [str(p.relative_to(run_dir)) for p in found if SECRET.encode() in p.read_bytes()]


def test_secret_files_are_not_staged(leaky: Project) -> None:
    run = leaky.run("t")
    assert {file["path"] for file in run["files"]}.isdisjoint(FILES)
    assert run["metrics"]["has_token"] == 1


def test_no_record_holds_a_secret(leaky: Project) -> None:
    leaky.env["MY_API_KEY"] = SECRET
    leaky.run("t", "--attr", f"api-token={SECRET}")
    assert _holders(leaky, below="meta") == []
    assert SECRET not in leaky.gage("show", "1", "--json").stdout
    assert_sound(leaky)


def test_patch_of_uncommitted_changes_leaves_secret_files_out(leaky: Project) -> None:
    leaky.write("gage.toml", '[t]\nexec = "true"\n')
    _git(leaky, "init", "-q")
    _git(leaky, "add", "-A", "-f")
    _git(leaky, "commit", "-q", "-m", "Start")
    for name in FILES:
        leaky.write(name, f"changed {SECRET}\n")
    leaky.write("t.py", "print('changed: 1')\n")
    leaky.run("t")
    patch = Path(leaky.show()["dir"]).parent / "meta" / "git.patch"
    assert "changed: 1" in patch.read_text()
    assert _holders(leaky, below=".") == []


def test_preview_shows_no_secret(leaky: Project) -> None:
    shown = leaky.gage("run", "t", "--preview")
    assert SECRET not in shown.stdout + shown.stderr
    assert SECRET not in leaky.gage("run", "t", "--preview", "--json").stdout


HOLDING = [
    (f'env = {{X = {{value = "{SECRET}", secret = true}}}}', []),
    (f'env = {{MY_PASSPHRASE = "{SECRET}", CREDENTIALS = "{SECRET}"}}', []),
    (f'env = {{URL = "https://ann:{SECRET}@host/"}}', []),
    ('[[t.config]]\nname = "pin"\nsecret = true\ndefault = "x"', [f"pin=a '{SECRET}"]),
    ('[[t.config]]\nname = "db"\nsecret = true\ndefault = {host = "x"}', [f"db.host=a {SECRET}"]),
    (
        f'[[t.config]]\nkeys = "t.py#pin"\nsecret = true\ndefault = "{SECRET}"\n'
        f'choices = ["{SECRET}", "0"]',
        [],
    ),
    ("", ["--attr", f"password=a b {SECRET}"]),
    ("", [f"--attr=note=Authorization: Bearer {SECRET}"]),
]


@pytest.mark.parametrize(("settings", "args"), HOLDING)
def test_no_record_and_no_preview_holds_what_is_declared(
    project: Project, settings: str, args: list[str]
) -> None:
    project.write("gage.toml", f'[t]\nexec = "true"\n{settings}\n')
    project.write("t.py", "pin = '0'\n")
    shown = [
        project.gage("run", "t", *args, "--preview").stdout,
        project.gage("run", "t", *args, "--preview", "--json").stdout,
        project.gage("run", "t", "--help-op").stdout,
        project.gage("run", "t", "--help-op", "--json").stdout,
    ]
    assert [text for text in shown if SECRET in text] == []
    project.run("t", *args)
    assert _holders(project, below="meta") == []


@pytest.mark.parametrize(
    "command",
    [
        f'["echo", "--token", "{SECRET}"]',
        f'["echo", "a b", "password=a \'{SECRET}"]',
        f"""'''#!/bin/sh\nPASSWORD="{SECRET}"\ntest -n "$PASSWORD"'''""",
        f"\"curl() {{ :; }}; curl -H 'Authorization: Bearer {SECRET}'\"",
    ],
)
def test_commands_are_recorded_without_secrets(project: Project, command: str) -> None:
    project.write("gage.toml", f"[t]\nexec = {command}\n")
    shown = project.gage("run", "t", "--preview").stdout
    assert SECRET not in shown + project.gage("run", "t", "--help-op", "--json").stdout
    project.run("t")
    assert _holders(project, below="meta/log") == []
    assert [path for path in _holders(project, below="meta") if "output" not in path] == []


def test_script_with_a_secret_is_gone_after_the_phase(project: Project, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    project.env["TMPDIR"] = str(scratch)
    script = f'#!/bin/sh\nPASSWORD={SECRET}\nls -l "$0"\n'
    project.write("gage.toml", f"[t]\nexec = '''{script}'''\n")
    assert project.gage("run", "t").stdout.startswith("-rw------- ")
    assert list(scratch.iterdir()) == []


def test_script_without_a_secret_is_in_the_record(project: Project) -> None:
    project.write("gage.toml", "[t]\nexec = '''#!/bin/sh\necho hello'''\n")
    run = project.run("t")
    assert Path(run["dir"]).parent.joinpath("meta", "run.script").read_text() == "echo hello"


@pytest.mark.parametrize(
    ("env", "name"),
    [
        (f'{{URL = "https://ann:{SECRET}@host/"}}', "URL"),
        (f'{{ARGS = "--key {SECRET}"}}', "ARGS"),
        (f'{{ADDRESS = "https://host/?token={SECRET}"}}', "ADDRESS"),
    ],
)
def test_staged_run_demands_variables_that_held_a_secret(
    project: Project, env: str, name: str
) -> None:
    project.write("gage.toml", f"[t]\nexec = 'test \"${name}\" = mine'\nenv = {env}\n")
    project.gage("run", "t", "--stage", "-y")
    refused = project.gage("run", "--start", "1", check=False)
    assert refused.returncode != 0
    assert f"The run needs {name}, and secrets are never recorded" in refused.stderr
    project.gage("run", "--start", "1", env={name: "mine"})


def test_staged_run_demands_secrets_that_the_gage_file_gave(project: Project) -> None:
    config = '[[t.config]]\nname = "pin"\nsecret = true\ndefault = "x"\n'
    config += '[[t.config]]\nname = "password"\ntype = "string"\n'
    project.write("gage.toml", f"[t]\nexec = 'test \"$PIN\" = x'\n{config}")
    project.gage("run", "t", "--stage", "-y")
    refused = project.gage("run", "--start", "1", check=False)
    assert "The run needs PIN, and" in refused.stderr
    project.gage("run", "--start", "1", env={"PIN": "x"})


def test_messages_hold_no_secret_values(project: Project) -> None:
    config = f'[[t.config]]\nname = "pin"\nsecret = true\nchoices = ["{SECRET}", "b"]\n'
    config += '[[t.config]]\nname = "db"\nsecret = true\ndefault = {pin = 1}\n'
    config += f'[[t.config]]\nname = "password"\ndefault = "a"\nchoices = ["a", "{SECRET}"]\n'
    project.write("gage.toml", f'[t]\nexec = "true"\n{config}')
    for given in ("pin=c", f"db.pin={SECRET}", "password=b", f"db=[{SECRET}]"):
        told = project.gage("run", "t", given, check=False)
        assert told.returncode != 0
        assert SECRET not in told.stderr + told.stdout, given


def test_default_of_the_wrong_type_is_not_told(project: Project) -> None:
    config = f'[[t.config]]\nkeys = "t.py#pin"\nsecret = true\ndefault = "{SECRET}"\n'
    project.write("gage.toml", f'[t]\nexec = "true"\n{config}')
    project.write("t.py", "pin = 1\n")
    told = project.gage("run", "t", check=False)
    assert told.returncode != 0
    assert SECRET not in told.stderr


def test_map_with_a_secret_item_stands_in_no_command(project: Project) -> None:
    config = f'[[t.config]]\nname = "db"\ndefault = {{password = "{SECRET}"}}\n'
    for setting in ('exec = "echo {db}"', 'exec = ["echo", "{db}"]', 'exec = ":"\nlabel = "{db}"'):
        project.write("gage.toml", f"[t]\n{setting}\n{config}")
        refused = project.gage("run", "t", check=False)
        assert "'db' is secret and is never put into a command" in refused.stderr
        assert "'db' is secret" in project.gage("check", check=False).stdout + refused.stderr


def test_secret_item_of_a_list_is_not_written_into_files(project: Project) -> None:
    project.write(
        "gage.toml", '[t]\nexec = "python -c \'import os; print(os.environ[\\"DBS\\"])\'"\n'
    )
    project.write("c.yaml", "dbs:\n- {host: a, password: b}\n")
    with project.dir.joinpath("gage.toml").open("a") as file:
        file.write('config = "c.yaml"\n')
    done = project.gage("run", "t", f"dbs.0.password={SECRET}")
    assert SECRET in done.stdout
    assert "Config key 'dbs' is secret" in done.stderr
    assert _holders(project, below="files") == []
    assert [path for path in _holders(project, below="meta") if "output" not in path] == []


def test_copy_of_a_staged_run_knows_what_was_declared_secret(project: Project) -> None:
    config = '[[t.config]]\nname = "pin"\nsecret = true\ndefault = "x"\n'
    project.write("gage.toml", f"[t]\nexec = 'echo \"pin: $PIN\" > out.txt'\n{config}")
    project.gage("run", "t", "--stage", "-y")
    staged = Path(project.show()["dir"]).parent
    elsewhere = project.dir.parent / "elsewhere"
    shutil.copytree(staged, elsewhere / staged.name)
    summary = elsewhere / staged.name / "meta" / "run.json"
    record = json.loads(summary.read_text())
    record["commands"]["run"] = {"shell": f"true pin={SECRET}"}
    summary.chmod(0o644)
    summary.write_text(json.dumps(record))
    started = project.gage("run", "--runs", str(elsewhere), "--start", "1", env={"PIN": "x"})
    assert started.returncode == 0
    new = next(path for path in elsewhere.glob("*/meta") if path.parent.name != staged.name)
    assert [path for path in new.rglob("*") if path.is_file() and SECRET in path.read_text()] == []
