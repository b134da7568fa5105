"""Signatures by SSH keys, made and checked by `ssh-keygen -Y`, as git does."""

import os
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from gage.store.errors import StoreError

if TYPE_CHECKING:
    from gage.store.attributes import StoredRecord

__all__ = [
    "NAMESPACE",
    "SigningError",
    "Trust",
    "Verdict",
    "check_signers",
    "sign",
    "verify",
    "verify_record",
]

NAMESPACE = "gage"
"""A signature of anything else, such as a commit, is none of a record."""

_PROGRAM = "ssh-keygen"


class SigningError(StoreError):
    """Something could not be signed, or signatures cannot be checked here."""


class Trust(str, Enum):
    """What a signature is worth; formats.md has the list."""

    VERIFIED = "verified"
    UNSIGNED = "unsigned"
    UNKNOWN = "unknown"
    INVALID = "invalid"
    UNCHECKED = "unchecked"

    def __str__(self) -> str:
        return self.value


class Verdict(NamedTuple):
    """What is to be thought of a record.

    Attributes:
        signer: who signed it, as the file of allowed signers names them; None if nobody is known.
        reason: why it is not verified; None if it is.
    """

    trust: Trust
    signer: str | None = None
    reason: str | None = None


def sign(data: bytes, key: str) -> str:
    """The signature of `data`, in its armour.

    Args:
        data: what is signed.
        key: the path of a private key, or of a public key whose private one an agent holds. A
            key with a passphrase asks for it on the terminal.

    Raises:
        SigningError: there is no such key, or it cannot be used.
    """
    path = os.path.expanduser(key)
    if not os.path.isfile(path):
        raise SigningError(
            f"No signing key at {key}",
            hint="Correct 'user.signing-key' or GAGE_SIGNING_KEY, or leave it out with --no-sign",
            path=path,
        )
    done = _ssh_keygen("sign", "-n", NAMESPACE, "-f", path, data=data)
    armoured = done.stdout.decode("ascii", "replace")
    if done.returncode or not armoured.startswith("-----BEGIN SSH SIGNATURE-----"):
        raise SigningError(
            f"Cannot sign with {key}: {_last_line(done.stderr)}",
            hint="Load it into ssh-agent, name another key, or leave it out with --no-sign",
            path=path,
        )
    return armoured


def verify(
    data: bytes,
    signature: str,
    author: str,
    allowed_signers: str | None,
    *,
    at_s: float | None = None,
) -> Verdict:
    """Whether `signature` of `data` is that of `author`.

    Args:
        data: what was signed.
        signature: in its armour.
        author: what the author is called in the file of allowed signers.
        allowed_signers: that file, None where there is none.
        at_s: when it was signed, in seconds since 1970, for keys that hold for some time only.

    Raises:
        SigningError: there is no `ssh-keygen`, or the file cannot be read.
    """
    if allowed_signers is None:
        return Verdict(Trust.UNCHECKED, reason="there is no file of allowed signers")
    check_signers(allowed_signers)
    # A record may hold anything, an argument of a process may not.
    identity = author.encode(errors="replace").decode().replace("\0", "?")
    with _signature_file(signature) as path:
        return _verdict(data, path, identity, allowed_signers, _moment(at_s))


def verify_record(stored: "StoredRecord", allowed_signers: str | None) -> Verdict:
    """Whether a record is by its author, and counts.

    Raises:
        SigningError: as `verify`.
    """
    record = stored.record
    if record is None or stored.fault is not None:
        return Verdict(Trust.INVALID, reason=stored.fault)
    if stored.signature is None and record.fields.get("signed"):
        return Verdict(Trust.INVALID, reason="its signature was removed")
    if stored.signature is None:
        return Verdict(Trust.UNSIGNED, reason="it has no signature")
    author = record.email or record.author
    at_s = record.said_ms / 1000
    return verify(stored.signed, stored.signature, author, allowed_signers, at_s=at_s)


def check_signers(path: str) -> None:
    """Refuse a file of allowed signers that cannot be read.

    Raises:
        SigningError: it cannot be read, or is no file.
    """
    try:
        with open(path, "rb", opener=_not_blocking) as file:
            mode = os.fstat(file.fileno()).st_mode
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
    else:
        # It is read by several processes, one after the other: a pipe would hold up the second.
        if stat.S_ISREG(mode) or path == os.devnull:
            return
        reason = "it is no file"
    raise SigningError(
        f"Cannot read the allowed signers {path}: {reason}",
        hint="Correct 'user.allowed-signers' or GAGE_ALLOWED_SIGNERS",
        path=path,
    )


def _verdict(data: bytes, path: str, author: str, allowed: str, moment: list[str]) -> Verdict:
    signed = ["-n", NAMESPACE, "-s", path]
    if _is_good("verify", *signed, "-I", author, "-f", allowed, *moment, data=data):
        return Verdict(Trust.VERIFIED, signer=author)
    checked = _ssh_keygen("check-novalidate", *signed, data=data)
    if checked.returncode:
        return Verdict(Trust.INVALID, reason="its signature is not one of its content")
    signers = _principals(path, allowed, moment)
    if not signers:
        key = checked.stdout.decode(errors="replace").strip().rpartition(" key ")[2]
        return Verdict(Trust.UNKNOWN, reason=f"nobody is known by its key, {key}")
    signer = ", ".join(signers)
    if author in signers:
        reason = f"the key of {signer} is not allowed to sign here"
    else:
        reason = f"it is signed by {signer}, and not by {author}"
    return Verdict(Trust.INVALID, signer=signer, reason=reason)


def _principals(path: str, allowed: str, moment: list[str]) -> list[str]:
    """Whom the key of the signature is known by."""
    # With the moment, a key that had run out by then is nobody's.
    found = _ssh_keygen("find-principals", "-s", path, "-f", allowed, *moment)
    return [line for line in found.stdout.decode(errors="replace").splitlines() if line]


def _is_good(*args: str, data: bytes) -> bool:
    return _ssh_keygen(*args, data=data).returncode == 0


def _ssh_keygen(*args: str, data: bytes | None = None) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(
            [_PROGRAM, "-Y", *args], input=data or b"", capture_output=True, check=False
        )
    except FileNotFoundError:
        raise SigningError(
            f"Cannot sign or verify: {_PROGRAM} is not installed",
            hint="Install OpenSSH, 8.9 or later",
        ) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SigningError(
            f"Cannot sign or verify: {_PROGRAM} cannot be started: {reason}",
            hint="Correct PATH, or install OpenSSH, 8.9 or later",
        ) from None


def _moment(at_s: float | None) -> list[str]:
    if at_s is None:
        return []
    try:
        # Local time: only new versions know any other.
        return [f"-Overify-time={time.strftime('%Y%m%d%H%M%S', time.localtime(at_s))}"]
    except (ValueError, OverflowError, OSError):
        return []  # a time beyond all calendars


def _not_blocking(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


@contextmanager
def _signature_file(signature: str) -> Iterator[str]:
    """The signature as a file, which is how `ssh-keygen` wants it."""
    import tempfile

    fd, path = tempfile.mkstemp(prefix="gage-", suffix=".sig")
    try:
        with open(fd, "wb") as file:
            file.write(signature.encode(errors="replace"))
        yield path
    finally:
        os.unlink(path)


def _last_line(output: bytes) -> str:
    lines = [line.strip() for line in output.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "ssh-keygen failed"
