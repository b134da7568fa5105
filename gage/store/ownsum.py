"""Lines of JSON that end with a digest of themselves, where no seal can cover them."""

__all__ = ["check_own_digest", "with_own_digest"]

_KEY = b',"sha256":"'
_END = b'"}'
_TAIL = len(_KEY) + 64 + len(_END)


def with_own_digest(line: bytes) -> bytes:
    r"""`line`, one JSON object and `\n`, with its digest as the last key: `"sha256"`."""
    body = line.removesuffix(b"}\n")
    return b"".join((body, _KEY, _digest(body), _END, b"\n"))


def check_own_digest(line: bytes) -> bool | None:
    """Whether a line still is what its own digest says; None if it has none.

    Every byte counts, also the form of the digest itself: what was flipped there makes it another
    line, or one without.
    """
    text = line.removesuffix(b"\n")
    body, tail = text[:-_TAIL], text[-_TAIL:]
    if not (tail.startswith(_KEY) and tail.endswith(_END)):
        return None
    return tail[len(_KEY) : -len(_END)] == _digest(body)


def _digest(body: bytes) -> bytes:
    from hashlib import sha256  # 4 ms, which commands that only list runs need not pay

    return sha256(body).hexdigest().encode()
