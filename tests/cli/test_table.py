"""Tables that fit."""

import pytest

from gage.cli.table import Column, table_lines
from gage.cli.terminal import text_width

COLUMNS = (
    Column("#", right=True),
    Column("name"),
    Column("state", rank=1, colours={"bad": "\x1b[31m"}),
    Column("label", least=5, rank=2, share=4),
    Column("text", least=8, rank=3),
)
ROWS = [
    ["1", "kafom", "good", "a label that is long", "lr=0.1 epochs=10 loss=0.25"],
    ["12", "zubik", "bad", "", "训练训练训练训练训练训练"],
]


def lines(width: int | None, *, colour: bool = False) -> list[str]:
    return table_lines(COLUMNS, ROWS, width=width, colour=colour)


@pytest.mark.parametrize("width", range(12, 90))
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(text_width, lines(width))) <= width


def test_without_a_terminal_nothing_is_cut() -> None:
    assert lines(None) == [
        " #  name   state  label                 text",
        " 1  kafom  good   a label that is long  lr=0.1 epochs=10 loss=0.25",
        "12  zubik  bad                          训练训练训练训练训练训练",
    ]


def test_columns_shrink_before_they_give_way() -> None:
    assert lines(40) == [
        " #  name   state  label       text",
        " 1  kafom  good   a label t…  lr=0.1 ep…",
        "12  zubik  bad                训练训练…",
    ]


def test_the_last_rank_gives_way_first() -> None:
    assert lines(27)[0] == " #  name   state  label"
    assert lines(20)[0] == " #  name   state"
    assert lines(12)[0] == " #  name"


def test_what_must_stay_stays_where_there_is_no_room() -> None:
    assert table_lines([Column("name")], [["a long name"]], width=4) == ["name", "a long name"]


def test_an_empty_column_is_left_out() -> None:
    rows = [["1", "a", "", "", "t"]]

    assert table_lines(COLUMNS, rows, width=None)[0] == "#  name  text"


def test_a_share_is_no_limit_where_there_is_room() -> None:
    rows = [["1", "a", "b", "a label that is long", "text"]]

    assert table_lines(COLUMNS, rows, width=50)[1].endswith("a label that is long  text")
    assert table_lines(COLUMNS, rows, width=36)[1].endswith("a label that …  text")


def test_hostile_text_cannot_leave_its_cell() -> None:
    rows = [["1", "a", "\x1b[2J", "x\ny", "\r"]]

    shown = "\n".join(table_lines(COLUMNS, rows, width=80))

    assert shown.isprintable() is False  # the line feed between the two lines
    assert all(line.isprintable() for line in shown.split("\n"))


def test_colours_are_outside_of_the_widths() -> None:
    plain, coloured = lines(60), lines(60, colour=True)

    assert "\x1b[31mbad  \x1b[0m" in coloured[2]
    stripped = [line.replace("\x1b[1m", "").replace("\x1b[31m", "") for line in coloured]
    assert [line.replace("\x1b[0m", "").rstrip() for line in stripped] == plain
