"""Globs match as documented, and in time linear in the path."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gage.core.globs import Glob, GlobError


@pytest.mark.parametrize(
    ("glob", "matching", "others"),
    [
        ("train.py", ["train.py", "train.py/x"], ["a/train.py", "train.pyc", "xtrain.py"]),
        ("*.py", ["a.py", ".py"], ["a/b.py", "a.pyc", "a.py\n"]),
        ("**/*.py", ["a.py", "a/b/c.py"], ["a.p", "a.py/b"]),
        ("src/**/*.py", ["src/a.py", "src/x/y/a.py"], ["a.py", "xsrc/a.py", "src.py"]),
        ("data", ["data", "data/a", "data/a/b"], ["a/data", "database", "dat"]),
        ("data/", ["data/a", "data/a/b"], ["data", "a/data/b"]),
        ("**/data/", ["data/data", "x/data/y"], ["data", "x/data"]),
        ("**/node_modules", ["node_modules/a", "x/node_modules/a/b"], ["x/node_module"]),
        ("a?.txt", ["a.txt", "ab.txt"], ["abc.txt", "a/.txt"]),
        ("*_test_*.py", ["a_test_b.py", "_test_.py"], ["test_b.py", "a_test_b/c.py"]),
        ("?a?a?", ["aa", "xaa", "xaxax"], ["a", "xaxxa"]),
        ("a/**/b/**/c*", ["a/b/c", "a/x/b/y/z/cd"], ["a/c", "b/c", "a/b/x/d"]),
        ("a/**/**/b*", ["a/b", "a/x/b1"], ["b"]),
        ("./a//b", ["a/b"], ["a", "b"]),
        (r"\*.py", ["*.py"], ["a.py"]),
        (r"a\\b", ["a\\b"], ["ab"]),
        ("[ab].py", ["[ab].py"], ["a.py"]),
        ("ä ö/*", ["ä ö/x\ny"], ["a o/x"]),
        ("a**b", ["ab", "axxb"], ["a/b"]),
        ("*?*", ["a", "abc"], ["a/b"]),
        ("**/*", ["a", "a/b"], []),
    ],
)
def test_glob_matches_whole_paths(glob: str, matching: list[str], others: list[str]) -> None:
    compiled = Glob(glob)
    assert [path for path in matching if not compiled.matches(path)] == []
    assert [path for path in others if compiled.matches(path)] == []


@pytest.mark.parametrize(
    ("glob", "reason"),
    [
        ("", "empty"),
        ("/", "absolute"),
        ("/etc/passwd", "absolute"),
        ("../x", "leaves"),
        ("a/../b", "leaves"),
        ("**", "matches no file"),
        ("src/**", "matches no file"),
        ("a\\", "backslash"),
        ("*/", "needs a name"),
    ],
)
def test_glob_that_means_nothing_is_an_error(glob: str, reason: str) -> None:
    with pytest.raises(GlobError, match=reason):
        Glob(glob)


@pytest.mark.parametrize(
    ("glob", "directory", "expected"),
    [
        ("**/*.py", "a/b", True),
        ("src/*.py", "src", True),
        ("src/*.py", "src/a", False),
        ("src/*.py", "data", False),
        ("src/**/x?y*", "src/a/b", True),
        ("data", "data/a/b", True),
        ("data", "other", False),
        ("*/?b*/c", "x", True),
    ],
)
def test_glob_knows_what_it_can_match_below(glob: str, directory: str, expected: bool) -> None:
    assert Glob(glob).can_match_below(directory) is expected


@pytest.mark.parametrize(
    ("glob", "directory", "expected"),
    [
        (".github/*.yml", ".github", True),
        (".github/a/b.yml", ".github/a", True),
        ("**/*", ".github", False),
        (".git*/x", ".github", False),
        ("data", "data", True),
        ("data", "data/a", False),
    ],
)
def test_glob_knows_directories_it_spells_out(glob: str, directory: str, expected: bool) -> None:
    assert Glob(glob).names_directory(directory) is expected


_PATTERNS = st.lists(
    st.one_of(st.just("**"), st.text("ab*?", min_size=1, max_size=5)), min_size=1, max_size=5
).map("/".join)
_PATHS = st.lists(st.text("abc\n", min_size=1, max_size=5), min_size=1, max_size=6).map("/".join)


@given(_PATTERNS, _PATHS)
@settings(max_examples=1500, deadline=None)
def test_glob_agrees_with_trying_everything(pattern: str, path: str) -> None:
    try:
        compiled = Glob(pattern)
    except GlobError:
        assert pattern.endswith("**")
        return
    expected = _try_everything(pattern.split("/"), path.split("/"))
    assert compiled.matches(path) is expected
    directory = path.rpartition("/")[0]
    if expected and directory:
        assert compiled.can_match_below(directory)


def _try_everything(patterns: list[str], parts: list[str]) -> bool:
    exact = not set("*?") & set(patterns[-1])

    def paths(ps: list[str], ss: list[str]) -> bool:
        if not ps:
            return not ss or exact
        if ps[0] == "**":
            return any(paths(ps[1:], ss[i:]) for i in range(len(ss) + 1))
        return bool(ss) and component(ps[0], ss[0]) and paths(ps[1:], ss[1:])

    def component(p: str, s: str) -> bool:
        if not p:
            return not s
        if p[0] == "*":
            return any(component(p[1:], s[i:]) for i in range(len(s) + 1))
        if p[0] == "?":
            return component(p[1:], s) or (bool(s) and component(p[1:], s[1:]))
        return s[:1] == p[0] and component(p[1:], s[1:])

    return paths(patterns, parts)


@pytest.mark.parametrize(
    "glob",
    [
        "**/*.py",
        "**/a/**/a/**/a/**/b",
        "**/*a*a*a*a*b",
        "**/a/a/a/a/*b",
        "a/**/a?a?a?a?a?a?ab",
        "**/" + "a?" * 30 + "b",
        "/".join(["*a*"] * 50),
        "/".join(["**", "a"] * 100),
    ],
)
@pytest.mark.parametrize(
    "path", ["/".join(["a"] * 10_000), "a" * 10_000, "/".join(["a" * 200] * 200)]
)
def test_time_is_linear_in_the_path(glob: str, path: str) -> None:
    """A backtracking matcher would need longer than the universe has."""
    compiled = Glob(glob)
    started = time.process_time()
    compiled.matches(path)
    compiled.can_match_below(path)
    assert time.process_time() - started < 5
