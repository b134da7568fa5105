"""Versions and specifiers such as `>=0.2,<1`, compared as Python packages do it (PEP 440)."""

import re

__all__ = ["matches", "version_key"]

_VERSION = re.compile(
    r"v?(?P<release>\d+(\.\d+)*)"
    r"([-_.]?(?P<pre>a|alpha|b|beta|c|rc|pre|preview)[-_.]?(?P<pre_number>\d*))?"
    r"([-_.]?(?P<post>post|rev|r)[-_.]?(?P<post_number>\d*))?"
    r"([-_.]?(?P<dev>dev)[-_.]?(?P<dev_number>\d*))?"
    r"(\+(?P<local>[a-z0-9]+([-_.][a-z0-9]+)*))?",
    re.IGNORECASE,
)
_SPECIFIER = re.compile(r"\s*(?P<operator>~=|===?|!=|<=|>=|<|>)?\s*(?P<version>[^\s,]+)\s*")
_PRE_ORDER = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}

_Key = tuple[tuple[int, ...], tuple[int, int], int, float]
_FINAL = ((9, 0), -1, float("inf"))


def version_key(text: str) -> _Key:
    """A key that sorts versions: `1.0.dev1` before `1.0rc1` before `1.0` before `1.0.post1`.

    Raises:
        ValueError: `text` is no version.
    """
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no version")
    release = [int(part) for part in found["release"].split(".")]
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    post = int(found["post_number"] or 0) if found["post"] else -1
    dev = float(found["dev_number"] or 0) if found["dev"] else float("inf")
    if found["pre"]:
        pre = (_PRE_ORDER[found["pre"].lower()], int(found["pre_number"] or 0))
    else:
        # A development release without more comes before all pre-releases of its version.
        pre = (-1, 0) if found["dev"] and post < 0 else _FINAL[0]
    return tuple(release), pre, post, dev


def matches(version: str, specifier: str) -> bool:
    """Whether `version` satisfies every part of `specifier`; a bare version stands for `==`.

    Raises:
        ValueError: a part of `specifier` is none.
    """
    # Every part is looked at: one that is no specifier is an error wherever it stands.
    found = [_matches_one(version, part) for part in specifier.split(",")]
    return all(found)


def _matches_one(version: str, part: str) -> bool:
    found = _SPECIFIER.fullmatch(part)
    if found is None:
        raise ValueError(f"{part.strip()!r} is no version specifier")
    operator, wanted = found["operator"] or "==", found["version"]
    if wanted.endswith(".*") and operator in {"==", "!="}:
        return _has_prefix(version, wanted[:-2]) == (operator == "==")
    have, want = version_key(version), version_key(wanted)
    if operator == "~=":
        return have >= want and _has_prefix(version, _parent(wanted))
    if operator in {"<", ">"} and have[0] == want[0] and want[1:] == _FINAL:
        # '<1' does not mean '1.0rc1', nor '>1' the same version's '1.post1'.
        return False
    compared = {"==": have == want, "===": have == want, "!=": have != want}
    compared |= {"<": have < want, "<=": have <= want, ">": have > want, ">=": have >= want}
    return compared[operator]


def _has_prefix(version: str, prefix: str) -> bool:
    have, want = _release(version), _release(prefix)
    have += [0] * (len(want) - len(have))
    return have[: len(want)] == want


def _parent(version: str) -> str:
    release = _release(version)
    if len(release) < 2:
        raise ValueError(f"'~={version}' needs a version of at least two numbers")
    return ".".join(map(str, release[:-1]))


def _release(version: str) -> list[int]:
    version_key(version)
    return [int(part) for part in re.findall(r"^v?(\d+(?:\.\d+)*)", version.strip())[0].split(".")]
