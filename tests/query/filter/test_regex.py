"""Regular expressions: what Python's find is found, in linear time."""

import random
import re
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gage.query.filter.regex import Regex, RegexTooHard, check_regex
from gage.query.filter.regex_parse import RegexError, parse_regex


def is_in(pattern: str, text: str) -> bool:
    return Regex(parse_regex(pattern)).is_in(text)


CHARS = ["a", "b", "é", ".", r"\.", r"\x41", r"\u00e9", r"\n", "{", "a{,", "-"]
CLASSES = [r"\w", r"\d", r"\s", r"\W", "[ab]", "[^a]", "[a-c1]", r"[^\w]", r"[\d-]", "[]x]"]
atoms = st.sampled_from([*CHARS, *CLASSES, r"\b", r"\B", "^", "$", r"\A"])
repeats = st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{,2}", "{2,}", "*?", "+?", "{1,2}?"])
patterns = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}|{two[1]})"),
        st.tuples(inner, repeats).map(lambda two: f"(?:{two[0]}){two[1]}"),
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(["", "(?i)", "(?s)", "(?is)"]),
    patterns,
    st.text("abcABé1 \n.-{,", min_size=1, max_size=8),
)
def test_it_finds_what_python_finds(flags: str, pattern: str, text: str) -> None:
    # Python's `$` also stands before a line feed at the end.
    expected = re.search(flags + pattern.replace("$", r"\Z"), text) is not None

    assert is_in(flags + pattern, text) == expected


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+)+$", "a" * 100_000 + "b"),
        ("^(a|aa)*$", "a" * 100_000 + "b"),
        ("(.*a){20}", "a" * 19 + "b" * 100_000),
        ("(x+x+)+y", "x" * 100_000),
        ("^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 100_000),
        (".*.*.*=.*", "x" * 100_000),
    ],
)
def test_what_takes_python_forever_is_answered(pattern: str, text: str) -> None:
    began = time.process_time()
    check_regex(pattern)
    found = is_in(pattern, text)
    took_s = time.process_time() - began

    assert not found
    assert took_s < 2  # a twentieth of a second is usual


@pytest.mark.parametrize(
    "pattern", ["(a|b)*a(a|b){14}$", ".{0,1000}x", "(?:a?){500}a{500}", "(.{1,30}){1,30}x"]
)
def test_what_leads_to_too_many_states_is_refused(pattern: str) -> None:
    began = time.process_time()
    with pytest.raises(RegexError, match="too long"):
        check_regex(pattern)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("flags", ["", "(?i)"])
def test_hundreds_of_alternatives_are_no_trouble(flags: str) -> None:
    chance = random.Random(1)
    names = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz-", k=11)) for _ in range(200)]
    pattern = flags + "|".join(names)

    check_regex(pattern)

    assert all(is_in(pattern, f"x {name} y") for name in names[::20])
    assert not is_in(pattern, "x" * 1000)


@pytest.mark.parametrize(
    "pattern",
    [
        "[0-9a-f]{64}",
        r"^\w+@\w+\.(com|org)$",
        r"(\w+,)+\w+",
        r"lr=[0-9.e-]+ bs=\d{1,4}",
        "(?i)(resnet|vit)[-_ ]?(18|50|b|l).*(?:seed|try) ?[1-9]",
        r"foo.{0,30}bar",
        ".*a.*b.*c.*",
    ],
)
def test_usual_expressions_are_accepted(pattern: str) -> None:
    check_regex(pattern)


def test_a_text_that_is_harder_than_all_trials_ends_the_search() -> None:
    chance = random.Random(1)
    text = "".join(chance.choice("ab") for _ in range(20_000))

    with pytest.raises(RegexTooHard):
        is_in("(a|b)*a(a|b){14}$", text)


def test_it_ends_in_another_thread_too() -> None:
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(is_in("(a+)+$", "a" * 50_000 + "b")))
    thread.start()
    thread.join(timeout=60)

    assert found == [False]


@pytest.mark.parametrize(
    ("pattern", "position", "problem"),
    [
        ("(a", 0, "a '(' without a ')'"),
        ("a)", 1, "a ')' without a '('"),
        ("[a", 0, "a '[' without a ']'"),
        ("*a", 0, "nothing to repeat before '*'"),
        ("a**", 2, "a repeat of a repeat"),
        ("a{2}{3}", 4, "a repeat of a repeat"),
        ("a{3,2}", 5, "the second number is less than the first"),
        ("a{1,5000}", 0, "more than 1,000 repeats"),
        ("a\\", 1, "unknown escape '\\'"),
        (r"\q", 0, r"unknown escape '\q'"),
        (r"\xZZ", 0, "a character has no such number"),
        (r"\U99999999", 0, "a character has no such number"),
        (r"\u12", 0, "a character has no such number"),
        ("[z-a]", 1, "a range that goes backwards: 'z-a'"),
        (r"[\d-z]", 1, "a range from or to many characters"),
        ("(?=a)", 0, "looking ahead or behind is not supported"),
        ("(?<!a)", 0, "looking ahead or behind is not supported"),
        (r"(a)\1", 3, "references to groups are not supported"),
        ("a(?i)", 1, "an unknown kind of group"),
        ("(?x)a", 0, "an unknown kind of group"),
        ("(?P=a)", 0, "an unknown kind of group"),
        ("(" * 60 + "a" + ")" * 60, 50, "groups nested deeper than 50"),
        ("((((a{10}){10}){10}){10}){10}", 0, "it is too large"),
    ],
)
def test_a_mistake_has_its_place(pattern: str, position: int, problem: str) -> None:
    with pytest.raises(RegexError) as caught:
        parse_regex(pattern)

    assert (str(caught.value), caught.value.position) == (problem, position)


@settings(deadline=None)
@given(st.text("ab()[]{}*+?|^$.\\-,12diwsbxuPAZ<>:=!", max_size=20))
def test_garbage_is_read_or_refused(pattern: str) -> None:
    try:
        check_regex(pattern)
    except RegexError as error:
        assert 0 <= error.position <= len(pattern)
    else:
        is_in(pattern, "abab12 ba")


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"[\b]", "\b", True),
        ("a.b", "a\nb", False),
        ("(?s)a.b", "a\nb", True),
        ("(?i)STRASSE", "strasse", True),
        ("a$", "a\n", False),
        ("", "", True),
        ("^$", "", True),
        ("a{x}", "a{x}", True),
        (r"\0\t\a", "\0\t\a", True),
        ("(?P<n>a)", "a", True),
        ("(?P<na", "a", None),
        ("[a-]", "-", True),
        ("[]a]", "]", True),
        ("[^]a]", "]", False),
    ],
)
def test_details(pattern: str, text: str, expected: bool | None) -> None:
    if expected is None:
        with pytest.raises(RegexError):
            parse_regex(pattern)
    else:
        assert is_in(pattern, text) is expected
