"""Patterns of config keys."""

import random
import re

import pytest

from gage.run.config.errors import ConfigError
from gage.run.config.keys import KeyGlob, parse_key_rule


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("*", ["lr", ""], ["a.b"]),
        ("lr", ["lr"], ["lrs", "a.lr"]),
        ("l?", ["l", "lr"], ["lrs", "l.r"]),
        ("a.*", ["a.b"], ["a", "a.b.c"]),
        ("*.b", ["a.b"], ["b", "a.c.b"]),
        ("**.*", ["a", "a.b", "a.b.c"], []),
        ("**.lr", ["lr", "a.lr", "a.b.lr"], ["lrs", "lr.a"]),
        ("a.**.*", ["a.b", "a.b.c"], ["a", "b.a"]),
        ("a.**.z.*", ["a.z.1", "a.b.z.c", "a.z.z.z"], ["a.z", "a.b.z"]),
        ("**.b.**.d", ["b.d", "a.b.c.d", "b.b.d"], ["a.d", "b"]),
        ("**", [], ["a", "a.b", ""]),
        ("a.**", [], ["a", "a.b"]),
        ("\\*", ["*"], ["a"]),
        ("a\\.b", ["a.b"], []),
        ("x*y*z", ["xyz", "xaybz"], ["xy", "x.yz"]),
        ("*??", ["", "a", "abc"], ["a.b"]),
    ],
)
def test_globs_match_by_level(pattern: str, yes: list[str], no: list[str]) -> None:
    glob = KeyGlob(pattern)

    assert [key for key in yes if not glob.matches(key)] == ([] if pattern != "a\\.b" else yes)
    assert [key for key in no if glob.matches(key)] == []


def test_matching_is_linear() -> None:
    """A pattern that would keep a backtracking matcher busy for ages; it ends at once."""
    key = ".".join(["a" * 200] * 50)

    assert not KeyGlob("**.*a*a*a*a*a*a*a*ab.**.*a*a*a*ab").matches(key)


def test_globs_agree_with_regular_expressions() -> None:
    draw = random.Random(3)
    for _ in range(3000):
        levels = draw.choices(["*", "a", "b?", "a*b", "?", "**"], k=draw.randint(1, 4))
        if levels[-1] == "**":
            levels.append("*")
        expression = "".join(
            r"(?:[^.]*\.)*" if level == "**" else _regex(level) + r"\." for level in levels
        ).removesuffix(r"\.")
        key = ".".join(
            "".join(draw.choices("ab", k=draw.randint(0, 3))) for _ in range(draw.randint(1, 4))
        )

        expected = re.fullmatch(expression, key) is not None
        assert KeyGlob(".".join(levels)).matches(key) == expected, (levels, key)


def _regex(level: str) -> str:
    return level.replace("*", "[^.]*").replace("?", "[^.]?")


def test_a_file_alone_means_its_top_level() -> None:
    rule = parse_key_rule(" train.py ")

    assert rule.takes_file("train.py")
    assert not rule.takes_file("sub/train.py")
    assert rule.key.matches("lr")
    assert not rule.key.matches("a.b")


def test_files_are_globs() -> None:
    rule = parse_key_rule("conf/**/*.y?ml#**.lr")

    assert rule.file_name is None
    assert rule.takes_file("conf/a/b.yaml")
    assert rule.takes_file("conf/b.yml")
    assert not rule.takes_file("b.yaml")


def test_a_key_alone_means_every_file() -> None:
    rule = parse_key_rule("#lr")

    assert rule.file is None
    assert rule.takes_file("anything")


def test_an_exclude_drops_a_file_or_keys() -> None:
    assert parse_key_rule("-a.py").drops_files
    assert parse_key_rule("- a.py").takes_file("a.py")
    assert not parse_key_rule("-a.py#x").drops_files
    assert parse_key_rule("-#x").file is None
    assert parse_key_rule("a.py#").key.matches("x")


def test_backslashes_take_the_next_character_as_it_is() -> None:
    rule = parse_key_rule("a\\#b.py#x")

    assert rule.takes_file("a#b.py")
    assert parse_key_rule("\\-a.py").takes_file("-a.py")


@pytest.mark.parametrize("text", ["", "-", "#", "/abs.py", "../x.py"])
def test_a_pattern_that_means_nothing_is_an_error(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_key_rule(text)
