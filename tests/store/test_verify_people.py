"""Who said what of a run, and whether that is certain."""

import json
import os
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from gage.store.attributes import write_record
from gage.store.ownsum import check_own_digest
from gage.store.runs import Run, Runs
from gage.store.users import User
from gage.store.verify import Statement, verify_run
from tests.store.verifying import found, sound_run, write

ANN, BOB = "ann@example.com", "bob@example.com"


def key_of(folder: Path, name: str) -> str:
    path = folder / name
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)]
    subprocess.run(command, check=True)
    return str(path)


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, str]:
    """Keys of Ann, whom everybody believes, and of Bob."""
    return {name: key_of(tmp_path, name) for name in ("ann", "bob")}


@pytest.fixture
def allowed(tmp_path: Path, keys: dict[str, str]) -> str:
    """A file of allowed signers that names Ann alone."""
    public = Path(f"{keys['ann']}.pub").read_text("utf-8")
    path = tmp_path / "allowed"
    path.write_text(f'{ANN} namespaces="gage" {public}')
    return str(path)


def say(run: Run, text: str, user: User, *, sign: bool = True) -> Path:
    record = write_record(run, "comment", fields={"text": text}, user=user, sign=sign)
    return run.user_dir / f"{record.id}.json"


def ann(keys: dict[str, str]) -> User:
    return User("Ann", ANN, keys["ann"])


def statements(run: Run, allowed: str | None) -> list[Statement]:
    return list(verify_run(run, allowed_signers=allowed).statements)


def test_a_signature_of_an_allowed_signer_is_verified(
    runs: Runs, keys: dict[str, str], allowed: str
) -> None:
    run = sound_run(runs)
    path = say(run, "good", ann(keys))
    [told] = statements(run, allowed)
    assert (told.author, told.op, told.trust) == (f"Ann <{ANN}>", "comment", "verified")
    assert (told.signer, told.reason, told.path) == (ANN, None, f"user/{path.name}")
    assert told.said.endswith("Z")
    assert verify_run(run, allowed_signers=allowed).findings == ()


def test_signatures_of_others_are_not_believed(
    runs: Runs, keys: dict[str, str], allowed: str
) -> None:
    run = sound_run(runs)
    unknown = say(run, "who am I", User("Bob", BOB, keys["bob"]))
    posing = say(run, "I am Bob", User("Bob", BOB, keys["ann"]))
    verification = verify_run(run, allowed_signers=allowed)
    assert [told.trust for told in verification.statements] == ["unknown", "invalid"]
    assert found(verification) == [f"user/{posing.name}: it is signed by {ANN}, and not by {BOB}"]
    [warning] = found(verification, "warning")
    assert warning.startswith(f"user/{unknown.name}: nobody is known by its key")


def test_without_a_file_of_signers_a_note_says_so(runs: Runs, keys: dict[str, str]) -> None:
    run = sound_run(runs)
    say(run, "one", ann(keys))
    say(run, "two", ann(keys))
    assert [told.trust for told in statements(run, None)] == ["unchecked", "unchecked"]
    assert found(run, "note") == [
        "user: nobody can tell whose the signatures are: there is no file of allowed signers"
    ]


def test_a_record_edited_after_signing_is_named(
    runs: Runs, keys: dict[str, str], allowed: str
) -> None:
    run = sound_run(runs)
    path = say(run, "good", ann(keys))
    write(path, path.read_text("utf-8").replace('"good"', '"best"'))
    assert found(run) == [f"user/{path.name}: its content has changed"]
    line, closing = path.read_bytes().splitlines(keepends=True)
    told = json.loads(closing) | {"sha256": sha256(line).hexdigest()}
    write(path, line + json.dumps(told, separators=(",", ":")).encode() + b"\n")
    text = f"user/{path.name}: its signature is not one of its content"
    assert found(run) == [text]
    assert found(verify_run(run, allowed_signers=allowed)) == [text]


def test_a_removed_signature_is_missed(runs: Runs, keys: dict[str, str]) -> None:
    run = sound_run(runs)
    path = say(run, "good", ann(keys))
    line, closing = path.read_bytes().splitlines(keepends=True)
    digest = json.loads(closing)["sha256"]
    write(path, line + b'{"sha256":"%s"}\n' % digest.encode())
    assert found(run) == [f"user/{path.name}: its signature was removed"]


def test_an_unsigned_record_beside_signed_ones_is_a_warning(
    runs: Runs, keys: dict[str, str]
) -> None:
    run = sound_run(runs)
    say(run, "good", ann(keys))
    other = say(run, "better", ann(keys), sign=False)
    say(run, "I never sign", User("Bob", BOB))
    assert found(run) == []
    assert found(run, "warning") == [
        f"user/{other.name}: it is not signed, other records of the same author are"
    ]
    assert [told.trust for told in statements(run, None)][1:] == ["unsigned", "unsigned"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"sha256":"', b'"sha257":"'),
        (b'{"sha256', b'{ "sha256'),
        (b"signature", b"Signature"),
        (b"\\n-----END", b"=\\n-----END"),
    ],
)
def test_the_second_line_is_as_gage_writes_it(
    runs: Runs, keys: dict[str, str], old: bytes, new: bytes
) -> None:
    run = sound_run(runs)
    path = say(run, "good", ann(keys))
    content = path.read_bytes()
    assert old in content
    write(path, content.replace(old, new))
    [error] = found(run)
    assert error.startswith(f"user/{path.name}: ")


def test_a_record_without_a_second_line_is_a_warning(runs: Runs) -> None:
    run = sound_run(runs)
    path = say(run, "good", User("Bob"))
    write(path, path.read_bytes().splitlines(keepends=True)[0])
    assert found(run) == []
    assert found(run, "warning") == [
        f"user/{path.name}: nothing vouches for it: it has no second line"
    ]


def test_two_files_of_one_id_are_a_warning(runs: Runs) -> None:
    run = sound_run(runs)
    path = say(run, "good", User("Bob"))
    line = path.read_bytes().splitlines(keepends=True)[0].replace(b"good", b"best")
    write(run.user_dir / f"{path.stem}.2.json", line)
    warnings = found(run, "warning")
    assert any("another file of the same id counts" in text for text in warnings)
    assert found(run) == []


def test_files_that_are_no_records_are_named(runs: Runs, tmp_path: Path) -> None:
    run = sound_run(runs)
    path = say(run, "good", User("Bob"))
    write(run.user_dir / ".x.json.1-ab.tmp", "")
    write(run.user_dir / "note.txt", "hello")
    write(run.user_dir / "00000000000000000000000000.json", "{}\n")
    (run.user_dir / "folder").mkdir()
    os.mkfifo(run.user_dir / "01AAAAAAAAAAAAAAAAAAAAAAAA.json")
    (run.user_dir / "01BBBBBBBBBBBBBBBBBBBBBBBB.json").symlink_to(path)
    assert found(run) == [
        "user/00000000000000000000000000.json: its format version, None, is not one this Gage"
        " reads",
        "user/01AAAAAAAAAAAAAAAAAAAAAAAA.json: it is a pipe, not a file",
        "user/01BBBBBBBBBBBBBBBBBBBBBBBB.json: it is a link, not a file",
        "user/folder: it is a directory, not a file",
    ]
    assert found(run, "warning") == [
        "user/.x.json.1-ab.tmp: a command that was killed left it",
        "user/note.txt: it is no record, or another file says the same",
    ]


def test_a_record_of_another_run_is_named(runs: Runs) -> None:
    run, other = sound_run(runs), sound_run(runs)
    path = say(other, "good", User("Bob"))
    run.user_dir.mkdir()
    (run.user_dir / path.name).write_bytes(path.read_bytes())
    assert found(run) == [f"user/{path.name}: it is a record of run {other.id}"]


def test_a_record_from_far_ahead_is_a_warning(runs: Runs) -> None:
    run = sound_run(runs)
    run.user_dir.mkdir()
    ahead = "7ZZZZZZZZZ0000000000000000"
    line = {"v": 1, "id": ahead, "run": run.id, "author": "Eve", "op": "delete"}
    write(run.user_dir / f"{ahead}.json", json.dumps(line) + "\n")
    assert f"user/{ahead}.json: it is from more than a day ahead" in found(run, "warning")


def test_without_ssh_keygen_signatures_are_not_checked(
    runs: Runs, keys: dict[str, str], allowed: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = sound_run(runs)
    say(run, "good", ann(keys))
    monkeypatch.setenv("PATH", str(tmp_path))
    [told] = statements(run, allowed)
    assert told.trust == "unchecked"
    [note] = verify_run(run, allowed_signers=allowed).findings
    assert (note.path, note.severity) == ("user", "note")
    assert note.what.startswith("signatures cannot be checked: ")


def test_signers_that_cannot_be_read_hide_no_change(
    runs: Runs, keys: dict[str, str], tmp_path: Path
) -> None:
    run = sound_run(runs)
    path = say(run, "good", ann(keys))
    say(run, "fine", ann(keys))
    line, closing = path.read_bytes().splitlines(keepends=True)
    line = line.replace(b'"good"', b'"best"')
    told = json.loads(closing) | {"sha256": sha256(line).hexdigest()}
    write(path, line + json.dumps(told, separators=(",", ":")).encode() + b"\n")
    verification = verify_run(run, allowed_signers=str(tmp_path / "nowhere"))
    assert found(verification) == [f"user/{path.name}: its signature is not one of its content"]
    [warning] = found(verification, "warning")
    assert warning.startswith("user: nobody can tell whose the signatures are: Cannot read the ")
    assert [told.trust for told in verification.statements] == ["invalid", "unchecked"]


def test_a_link_in_place_of_the_records_is_not_followed(runs: Runs, tmp_path: Path) -> None:
    run = sound_run(runs)
    say(run, "good", User("Bob"))
    run.user_dir.rename(tmp_path / "user")
    run.user_dir.symlink_to(tmp_path / "user")
    assert found(run) == ["user: it is a link, not a directory"]
    assert statements(run, None) == []


def test_a_line_without_a_digest_has_none() -> None:
    assert check_own_digest(b"{}\n") is None
