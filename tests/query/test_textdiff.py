"""Texts are compared line by line, in bounded time."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gage.query.textdiff import MOST_BYTES, MOST_LINES, lines_of, unified, without_patch

LINES = st.lists(st.sampled_from(["a\n", "b\n", "-- c\n", "++ d\n", "\n"]), max_size=30)
NAMES = ("one/f", "two/f")


def text_of(lines: list[str], last: str = "") -> str:
    return "".join(lines) + last


def patch_of(before: list[str], after: list[str], path: str = "f") -> str:
    """A patch as `meta/config.patch` holds it."""
    found = unified(before, after, (f"a/{path}", f"b/{path}"))
    assert found is not None
    return "".join(f"{line}\n" for line in found)


@settings(deadline=None)
@given(LINES, LINES, st.sampled_from(["", "x"]), st.sampled_from(["", "x"]))
def test_a_diff_taken_back_gives_what_was_before(
    one: list[str], other: list[str], end: str, other_end: str
) -> None:
    before = [*one, *([end] if end else [])]
    after = [*other, *([other_end] if other_end else [])]
    assert without_patch(after, patch_of(before, after), "f") == before


@settings(deadline=None)
@given(LINES, LINES, LINES)
def test_what_is_equal_at_the_ends_changes_no_line_number(
    one: list[str], other: list[str], same: list[str]
) -> None:
    head = [f"head {i}\n" for i in range(20)]
    before, after = [*head, *one, *same], [*head, *other, *same]
    assert without_patch(after, patch_of(before, after), "f") == before
    assert (patch_of(before, after) == "") is (before == after)


def test_line_numbers_are_those_of_the_whole_file() -> None:
    before = [f"{i}\n" for i in range(100)]
    after = [*before[:50], "new\n", *before[51:]]
    found = list(unified(before, after, NAMES) or ())
    assert found[2] == "@@ -48,7 +48,7 @@"
    assert found[6:8] == ["-50", "+new"]


def test_a_missing_newline_at_the_end_is_told() -> None:
    found = list(unified(["a\n", "b"], ["a\n", "b\n"], NAMES) or ())
    assert found[-3:] == ["-b", "\\ No newline at end of file", "+b"]


def test_too_many_lines_are_not_compared() -> None:
    many = [f"{i}\n" for i in range(MOST_LINES + 1)]
    assert unified([], many, NAMES) is None
    assert unified(many, [*many, "more\n"], NAMES) is not None


def test_what_is_no_text_has_no_lines() -> None:
    assert lines_of(b"a\0b") is None
    assert lines_of(b"\xff") is None
    assert lines_of(b"x" * (MOST_BYTES + 1)) is None
    assert lines_of("é\r\n\u2028x\n\ny".encode()) == ["é\r\n", "\u2028x\n", "\n", "y"]
    assert lines_of(b"") == []


def test_a_masked_patch_cannot_be_taken_back() -> None:
    patch = patch_of(["key = 'x'\n"], ["key = '***'\n"])
    assert without_patch(["key = 'real'\n"], patch, "f") is None


def test_a_patch_of_another_file_changes_nothing() -> None:
    patch = patch_of(["1\n"], ["2\n"], "other") + patch_of(["a\n"], ["b\n"])
    assert without_patch(["b\n"], patch, "f") == ["a\n"]
    assert without_patch(["2\n"], patch, "none") == ["2\n"]
