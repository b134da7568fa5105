"""Text that is safe to print, and how wide it is."""

import pytest

from gage.cli.terminal import clean, fit, is_colour, terminal_width, text_width


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Übung 训练", "Übung 训练"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb", "a\\u202eb"),
        ("\x9b2J", "\\x9b2J"),
        ("lone \udcff", "lone \\udcff"),
        ("\U000e0041", "\\U000e0041"),
        ("no\u00a0break", "no\u00a0break"),
        ("👩\u200d💻", "👩\u200d💻"),
    ],
)
def test_what_could_move_the_cursor_is_escaped(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("训练", 4), ("e\u0301", 1), ("ｆｕｌｌ", 8), ("é", 1)]
)
def test_wide_characters_take_two_columns(text: str, columns: int) -> None:
    assert text_width(text) == columns


@pytest.mark.parametrize(
    ("text", "width", "fitted"),
    [
        ("abc", 5, "abc  "),
        ("abcdef", 4, "abc…"),
        ("训练训练", 5, "训练…"),
        ("训练训练", 4, "训… "),
        ("abc", 1, "…"),
    ],
)
def test_text_is_cut_to_its_columns(text: str, width: int, fitted: str) -> None:
    assert fit(text, width) == fitted
    assert text_width(fitted) == width


@pytest.mark.parametrize(("columns", "width"), [("60", 60), ("5", 20)])
def test_columns_of_the_environment_count(
    monkeypatch: pytest.MonkeyPatch, columns: str, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)

    assert terminal_width() == width


@pytest.mark.parametrize("columns", ["", "wide", "0", "-3"])
def test_columns_that_are_no_number_do_not_count(
    monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr("os.get_terminal_size", lambda _: _no_terminal())

    assert terminal_width() is None


def _no_terminal() -> None:
    raise OSError


def test_a_pipe_takes_no_colours() -> None:
    assert not is_colour()
