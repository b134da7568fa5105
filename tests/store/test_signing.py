"""Signatures by real keys: who said it, and whether it is as it was said."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gage.store.attributes import StoredRecord, read_records, write_record
from gage.store.runs import Run, Runs
from gage.store.signing import SigningError, Trust, sign, verify, verify_record
from gage.store.users import User
from tests.store.conftest import finished

KINDS = ("ed25519", "rsa")


def make_key(folder: Path, kind: str, passphrase: str = "") -> Path:
    path = folder / f"{kind}{len(list(folder.iterdir()))}"
    options = ["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", str(path)]
    subprocess.run(["ssh-keygen", *options], check=True)
    return path


def allow(folder: Path, **keys: str) -> str:
    """A file of allowed signers: `ann=KEY` allows ann@example.com, with options before the key."""
    path = folder / f"allowed{len(list(folder.iterdir()))}"
    path.write_text("".join(f"{who}@example.com {key}\n" for who, key in keys.items()))
    return str(path)


def public(key: Path) -> str:
    return key.with_name(f"{key.name}.pub").read_text().strip()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return make_key(tmp_path, "ed25519")


@pytest.fixture
def run(runs: Runs) -> Run:
    return finished(runs)


@pytest.fixture
def signed(run: Run, key: Path) -> StoredRecord:
    write_record(run, "label", fields={"text": "mine"}, user=ann(key))
    return only(run)


def ann(key: Path) -> User:
    return User("Ann", "ann@example.com", str(key))


def only(run: Run) -> StoredRecord:
    [stored] = read_records(run.user_dir)
    return stored


@pytest.mark.parametrize("kind", KINDS)
def test_a_signed_record_is_verified_as_its_authors(run: Run, tmp_path: Path, kind: str) -> None:
    key = make_key(tmp_path, kind)
    write_record(run, "comment", fields={"text": "mine\x00é"}, user=ann(key))
    verdict = verify_record(
        only(run), allow(tmp_path, bob=public(make_key(tmp_path, kind)), ann=public(key))
    )
    assert verdict == (Trust.VERIFIED, "ann@example.com", None)


def test_the_author_is_known_by_name_where_there_is_no_address(
    run: Run, tmp_path: Path, key: Path
) -> None:
    write_record(run, "label", fields={"text": "x"}, user=User("Ann Lee", None, str(key)))
    path = tmp_path / "allowed"
    path.write_text(f'"Ann Lee" {public(key)}\n')
    assert verify_record(only(run), str(path)).trust is Trust.VERIFIED


def test_an_unsigned_record_says_so(run: Run, tmp_path: Path, key: Path) -> None:
    write_record(run, "label", fields={"text": "x"}, user=ann(key), sign=False)
    verdict = verify_record(only(run), allow(tmp_path, ann=public(key)))
    assert (verdict.trust, str(verdict.trust)) == (Trust.UNSIGNED, "unsigned")


def test_without_allowed_signers_nothing_can_be_said(signed: StoredRecord) -> None:
    assert verify_record(signed, None).trust is Trust.UNCHECKED


def change(stored: StoredRecord, old: bytes, new: bytes, run: Run) -> StoredRecord:
    """Change the file as somebody would who also puts the digest right."""
    from hashlib import sha256

    path = Path(stored.path)
    path.chmod(0o644)
    line, rest = path.read_bytes().split(b"\n", 1)
    line = line.replace(old, new)
    digest = sha256(line + b"\n").hexdigest().encode()
    path.write_bytes(line + b"\n" + re.sub(rb"[0-9a-f]{64}", digest, rest, count=1))
    changed = only(run)
    assert changed.fault is None
    return changed


def test_a_record_that_was_edited_after_signing_is_invalid(
    run: Run, signed: StoredRecord, tmp_path: Path, key: Path
) -> None:
    changed = change(signed, b"mine", b"ours", run)
    verdict = verify_record(changed, allow(tmp_path, ann=public(key)))
    assert verdict.trust is Trust.INVALID
    assert verdict.reason == "its signature is not one of its content"


def test_an_edit_that_forgets_the_digest_is_invalid_and_does_not_count(
    run: Run, signed: StoredRecord
) -> None:
    path = Path(signed.path)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"mine", b"ours"))
    assert verify_record(only(run), None) == (Trust.INVALID, None, "its content has changed")
    assert Run(run.dir).label is None


def test_a_signature_that_was_removed_is_missed(run: Run, signed: StoredRecord) -> None:
    path = Path(signed.path)
    path.chmod(0o644)
    path.write_bytes(signed.signed)
    assert verify_record(only(run), None) == (Trust.INVALID, None, "its signature was removed")


def test_a_record_moved_to_another_run_is_invalid(
    runs: Runs, run: Run, signed: StoredRecord, tmp_path: Path, key: Path
) -> None:
    other = finished(runs)
    shutil.copytree(run.user_dir, other.user_dir)
    verdict = verify_record(only(other), allow(tmp_path, ann=public(key)))
    assert (verdict.trust, verdict.reason) == (Trust.INVALID, f"it is a record of run {run.id}")
    moved = change_run(only(other), run, other)
    assert verify_record(moved, allow(tmp_path, ann=public(key))).trust is Trust.INVALID


def change_run(stored: StoredRecord, old: Run, new: Run) -> StoredRecord:
    return change(stored, old.id.encode(), new.id.encode(), new)


def test_a_key_that_nobody_is_known_by_is_unknown(
    signed: StoredRecord, tmp_path: Path, key: Path
) -> None:
    other = make_key(tmp_path, "ed25519")
    verdict = verify_record(signed, allow(tmp_path, ann=public(other)))
    assert verdict.trust is Trust.UNKNOWN
    assert "SHA256:" in str(verdict.reason)


def test_the_key_of_another_person_is_invalid(
    signed: StoredRecord, tmp_path: Path, key: Path
) -> None:
    verdict = verify_record(signed, allow(tmp_path, bob=public(key)))
    assert verdict.trust is Trust.INVALID
    assert verdict.reason == "it is signed by bob@example.com, and not by ann@example.com"


def test_a_key_for_other_things_or_other_times_is_not_enough(
    signed: StoredRecord, tmp_path: Path, key: Path
) -> None:
    other = verify_record(signed, allow(tmp_path, ann=f'namespaces="git" {public(key)}'))
    assert (other.trust, other.signer) == (Trust.INVALID, "ann@example.com")
    over = verify_record(signed, allow(tmp_path, ann=f'valid-before="20200101" {public(key)}'))
    assert over.trust in {Trust.INVALID, Trust.UNKNOWN}
    until = allow(tmp_path, ann=f'valid-before="29990101" {public(key)}')
    assert verify_record(signed, until).trust is Trust.VERIFIED


def test_hostile_authors_and_signatures_are_only_invalid(tmp_path: Path, key: Path) -> None:
    allowed = allow(tmp_path, ann=public(key))
    good = sign(b"data", str(key))
    for author in ("\0", "\ud800", "-x", "*", "ann@example.com\nx"):
        assert verify(b"data", good, author, allowed).trust is Trust.INVALID
    for signature in ("", "\ud800", "-----BEGIN SSH SIGNATURE-----\n!\n", good[:200]):
        assert verify(b"data", signature, "ann@example.com", allowed).trust is Trust.INVALID
    assert verify(b"data", good, "ann@example.com", allowed, at_s=1e300).trust is Trust.VERIFIED


def test_a_missing_key_is_an_error_before_anything_is_written(run: Run, tmp_path: Path) -> None:
    with pytest.raises(SigningError, match="No signing key at") as caught:
        write_record(run, "label", fields={"text": "x"}, user=ann(tmp_path / "lost"))
    assert "--no-sign" in str(caught.value.hint)
    assert not run.user_dir.exists()


def test_a_key_that_cannot_be_used_is_an_error(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_ASKPASS", "false")
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    locked = make_key(tmp_path, "ed25519", passphrase="secret")
    damaged = tmp_path / "damaged"
    damaged.write_text("no key\n")
    damaged.chmod(0o600)
    for path in (locked, damaged):
        with pytest.raises(SigningError, match="Cannot sign with"):
            write_record(run, "label", fields={"text": "x"}, user=ann(path))
    assert not run.user_dir.exists()


def test_without_ssh_keygen_the_error_says_so(
    signed: StoredRecord, tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SigningError, match="ssh-keygen is not installed"):
        sign(b"x", str(key))
    with pytest.raises(SigningError, match="ssh-keygen is not installed"):
        verify_record(signed, allow(tmp_path, ann=public(key)))
    (tmp_path / "ssh-keygen").write_text("no program")
    with pytest.raises(SigningError, match="ssh-keygen cannot be started: permission denied"):
        sign(b"x", str(key))


def test_a_list_of_signers_that_cannot_be_read_is_an_error(
    signed: StoredRecord, tmp_path: Path
) -> None:
    with pytest.raises(SigningError, match="Cannot read the allowed signers"):
        verify_record(signed, str(tmp_path / "nowhere"))
    os.mkfifo(tmp_path / "pipe")
    for endless in (str(tmp_path / "pipe"), "/dev/zero"):
        with pytest.raises(SigningError, match=f"signers {endless}: it is no file"):
            verify_record(signed, endless)


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An agent of the test's own."""
    socket = tmp_path / "agent"
    process = subprocess.Popen(
        ["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    process.stdout.readline()  # it listens by then
    monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
    yield
    process.terminate()
    process.stdout.close()
    process.wait(10)


@pytest.mark.usefixtures("agent")
def test_an_agent_signs_for_a_public_key(run: Run, tmp_path: Path, key: Path) -> None:
    subprocess.run(["ssh-add", "-q", str(key)], check=True)
    key.unlink()
    user = ann(key.with_name(f"{key.name}.pub"))
    write_record(run, "label", fields={"text": "x"}, user=user)
    assert verify_record(only(run), allow(tmp_path, ann=public(key))).trust is Trust.VERIFIED


def test_a_signature_leaves_no_file_behind(
    signed: StoredRecord, tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    verify_record(signed, allow(tmp_path, ann=public(key)))
    assert os.listdir(scratch) == []
