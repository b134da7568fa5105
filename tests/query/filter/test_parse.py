"""Text to tree, and the messages where there is none."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gage.cli.terminal import clean, text_width
from gage.query.filter.errors import FilterError
from gage.query.filter.parse import parse_filter
from gage.query.filter.tokens import MAX_LENGTH, number_of
from gage.query.filter.tree import (
    And,
    Arithmetic,
    Compare,
    Contains,
    In,
    Name,
    Node,
    Not,
    Number,
    Or,
    Text,
    Undefined,
    Within,
    Word,
    filter_names,
)


def mistake(text: str) -> FilterError:
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    return caught.value


def same(text: str, other: str) -> bool:
    """Whether two filters say the same, wherever their parts stand."""
    return shape(parse_filter(text)) == shape(parse_filter(other))


def shape(part: object) -> object:
    if isinstance(part, tuple):
        fields = getattr(part, "_fields", None)
        if fields is None:
            return [shape(each) for each in part]
        skipped = {"start", "is_bare"}
        kept = [name for name in fields if name not in skipped]
        if isinstance(part, Number):
            kept = ["value"]
        return type(part).__name__, [shape(getattr(part, name)) for name in kept]
    return part


def test_a_comparison_has_a_name_and_a_value() -> None:
    tree = parse_filter("loss < 0.1")

    loss = Name("", "loss", 0, is_bare=True)
    assert repr(tree) == repr(Compare("<", loss, Number(0.1, "0.1", 7), 5))


@pytest.mark.parametrize("sign", ["=", "!=", "<", "<=", ">", ">=", "=~", "!~"])
def test_every_sign_compares(sign: str) -> None:
    tree = parse_filter(f"a{sign}b")

    assert isinstance(tree, Compare)
    assert tree.operator == sign


def test_two_equal_signs_are_one() -> None:
    assert same("a == b", "a = b")


def test_and_binds_tighter_than_or_and_not_tighter_than_both() -> None:
    assert same("a or b and not c = 1", "a or (b and (not (c = 1)))")
    assert same("not a and b", "(not a) and b")
    assert same("A AND NOT b OR c", "(A and (not b)) or c")


def test_joined_conditions_are_one_level() -> None:
    tree = parse_filter("a and b and c")

    assert isinstance(tree, And)
    assert len(tree.nodes) == 3


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("a + b * c > 1", "a + (b * c) > 1"),
        ("a - b - c > 1", "(a - b) - c > 1"),
        ("a / b * c > 1", "(a / b) * c > 1"),
        ("a * b ** 2 > 1", "a * (b ** 2) > 1"),
        ("a ** 2 ** 3 > 1", "a ** (2 ** 3) > 1"),
        ("-(a) ** 2 > 1", "0 - (a ** 2) > 1"),
        ("+ a > 1", "a > 1"),
        ("a+b > 1", "a + b > 1"),
        ("(a + 1) * 2 < 3", "((a) + (1)) * 2 < 3"),
        ("a > 2 * b", "a > 2 * `b`"),
    ],
)
def test_arithmetic_binds_as_everywhere(text: str, other: str) -> None:
    assert same(text, other)


def test_words_hold_dashes_slashes_colons_and_dots() -> None:
    tree = parse_filter("val/loss-2.x = hf:org/model-1_b@3")

    assert isinstance(tree, Compare)
    assert isinstance(tree.left, Name)
    assert isinstance(tree.right, Text)
    assert (tree.left.name, tree.right.text) == ("val/loss-2.x", "hf:org/model-1_b@3")


def test_dash_and_slash_are_operators_between_blanks() -> None:
    tree = parse_filter("a - b / c > 1")

    assert isinstance(tree, Compare)
    assert isinstance(tree.left, Arithmetic)
    assert tree.left.operator == "-"


@pytest.mark.parametrize(
    ("text", "prefix", "name"),
    [
        ("loss < 1", "", "loss"),
        ("`val/loss` < 1", "", "val/loss"),
        ("`a``b` < 1", "", "a`b"),
        ('"val loss" < 1', "", "val loss"),
        ("'it''s' < 1", "", "it's"),
        ("metric:loss < 1", "metric", "loss"),
        ("config:`a b` < 1", "config", "a b"),
        ('attribute:"a b" < 1', "attribute", "a b"),
        ("run:status = error", "run", "status"),
        ("`metric:loss` < 1", "", "metric:loss"),
        ("hf:x = 1", "", "hf:x"),
    ],
)
def test_names(text: str, prefix: str, name: str) -> None:
    (found,) = filter_names(parse_filter(text))

    assert (found.prefix, found.name) == (prefix, name)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'a b'", "a b"),
        ('"a b"', "a b"),
        ("'it''s'", "it's"),
        ('"say ""hi"""', 'say "hi"'),
        (r'"say \"hi\""', 'say "hi"'),
        (r'"\d+"', r"\d+"),
        (r'"C:\\"', "C:\\"),
        (r"'C:\'", "C:\\"),
        ("two words", "two words"),
        ("hf:org/model", "hf:org/model"),
        ("日本", "日本"),
        ("🚀", "🚀"),
    ],
)
def test_texts(text: str, value: str) -> None:
    tree = parse_filter(f"label = {text}")

    assert isinstance(tree, Compare)
    assert isinstance(tree.right, Text)
    assert tree.right.text == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-1", -1),
        ("+1", 1),
        ("1_000", 1000),
        ("0x1f", 31),
        (".5", 0.5),
        ("1e-3", 0.001),
        ("1e+3", 1000.0),
        ("-1e+3", -1000.0),
        ("inf", float("inf")),
        ("-.inf", float("-inf")),
        ("99999999999999999999", 1e20),
        ("9" * 5000, float("inf")),
        ("9" * 400, float("inf")),
        ("-" + "9" * 400, float("-inf")),
    ],
)
def test_numbers(text: str, value: float) -> None:
    tree = parse_filter(f"x = {text}")

    assert isinstance(tree, Compare)
    assert isinstance(tree.right, Number)
    assert (tree.right.value, type(tree.right.value)) == (value, type(value))


@pytest.mark.parametrize(
    "word", ["007", "1.2.3", "1__0", "--1", "nan", "infinity", "٣", "1a", "_1"]
)
def test_what_only_looks_like_a_number_is_a_word(word: str) -> None:
    assert number_of(word) is None


def test_lists_take_commas_blanks_and_either_bracket() -> None:
    assert same("x in [a, 1]", "x in [a 1]")
    assert same("x in (a, 1)", "x in [a,1,]")
    tree = parse_filter("x not in [a]")
    assert isinstance(tree, In)
    assert tree.negated


def test_spans_of_time_are_words_after_in() -> None:
    tree = parse_filter("started in last 7 days and x")

    assert isinstance(tree, And)
    span = tree.nodes[0]
    assert isinstance(span, Within)
    assert span.phrase.text == "last 7 days"
    assert same("started in 'last 7 days'", "started in last 7 days")
    assert isinstance(parse_filter("started not in today"), Within)


def test_undefined_and_contains_have_their_negation() -> None:
    for text, kind in (("x is undefined", Undefined), ("x contains a", Contains)):
        assert type(parse_filter(text)) is kind
    negated = parse_filter("x is not undefined")
    assert isinstance(negated, Undefined)
    assert negated.negated
    other = parse_filter("x not contains a")
    assert isinstance(other, Contains)
    assert other.negated


@pytest.mark.parametrize("text", ["train", "'my tag'", "2024", "train.py", "contains", "in"])
def test_a_text_alone_is_a_condition(text: str) -> None:
    tree = parse_filter(text)

    assert isinstance(tree, Word)
    assert tree.text == text.strip("'")


def test_a_constant_may_come_first() -> None:
    assert isinstance(parse_filter("(a or b) and not c"), And)
    tree = parse_filter("0.1 > loss")
    assert isinstance(tree, Compare)
    assert isinstance(tree.right, Name)


def test_names_are_listed_once_in_their_order() -> None:
    text = "(b < 1 or a + metric:c > 2) and not b in [x] and d is undefined and started in today"

    names = [(name.prefix, name.name) for name in filter_names(parse_filter(text))]

    assert names == [("", "b"), ("", "a"), ("metric", "c"), ("", "d"), ("", "started")]
    assert filter_names(parse_filter("train or (not x)")) == ()


MESSAGES = [
    ("", 0, "The filter is empty", "Try 'loss < 0.1'"),
    ("  ", 2, "The filter is empty", "Try 'loss < 0.1'"),
    ("a <", 3, "The filter ends too early", "Write a name or a value"),
    ("a and", 5, "The filter ends too early", "Write a name or a value"),
    ("a < and b", 4, "Unexpected 'and'", "Write a condition on both sides of it"),
    ("(a = 1", 0, "A ')' is missing", None),
    ("a = 1)", 5, "Unexpected ')'", None),
    ("(a = 1]", 6, "Unexpected ']'", None),
    ("a < 1, b < 2", 5, "Unexpected ','", "Write 'and' or 'or' between conditions"),
    ("a b", 2, "Expected an operator before 'b'", None),
    ("a = 1 b = 2", 6, "Expected an operator before 'b'", None),
    ("a -5 > 1", 2, "Expected an operator before '-5'", "Write blanks on both sides of '-'"),
    ("a after b", 2, "Unknown operator 'after'", "Write '>'"),
    ("a && b", 2, "Unknown operator '&&'", "Write 'and'"),
    ("a || b", 2, "Unknown operator '||'", "Write 'or'"),
    ("!a", 0, "Unknown operator '!'", "Write 'not'"),
    ("a <> b", 2, "Unknown operator '<>'", "Write '!='"),
    ("a === b", 2, "Unknown operator '==='", "Write '='"),
    ("a ≤ b", 2, "Unknown operator '≤'", "Write '<='"),
    ("a % 2 = 1", 2, "Unknown operator '%'", "Put text with it in quotes"),
    ("a ^ 2 = 1", 2, "Unknown operator '^'", "Write '**'"),
    ("label = “x”", 8, "A quote that is not straight: “", "Write straight quotes, \" or '"),
    ("label = {x}", 8, "Unexpected character '{'", "Put it in quotes"),
    ("label = 'x", 8, "No end to the text that begins with '", None),
    ("`x = 1", 0, "No end to the text that begins with `", None),
    ("label = '\udcff'", 8, "A text that is not UTF-8", None),
    ("a < b < c", 6, "Two comparisons in one", "Join them with 'and'"),
    ("(a < b) < c", 8, "A comparison cannot be compared: '<'", "Join two with 'and'"),
    ("a + (b < c) > 1", 4, "A condition stands where a value is expected", None),
    ("a + not b > 1", 4, "'not' stands where a value is expected", None),
    ("x in []", 5, "The list is empty", "Write 'in [a, b]'"),
    ("x in [a", 5, "The list has no end: ']' is missing", None),
    ("x in (a", 5, "A ')' is missing", None),
    ("x in [a < b]", 8, "Unexpected '<' in a list", "Put text in quotes"),
    ("x in [`a`]", 6, "A list holds values, not names", "Put text in straight quotes"),
    ("x in = 3", 5, "Expected a list after 'in'", "Write 'in [a, b]'"),
    (
        "x = [64, 32]",
        4,
        "Unexpected '['",
        "Write 'in [a, b]' for one of several, 'contains' for what a list holds",
    ),
    ("a [b]", 2, "Unexpected '['", None),
    ("x is null", 5, "Unknown 'null' after 'is'", "Write 'is undefined'"),
    ("x is not None", 9, "Unknown 'None' after 'is'", "Write 'is not undefined'"),
    ("x is defined", 5, "Unknown 'defined' after 'is'", "Write 'is not undefined'"),
    ("x is 3", 5, "Expected 'undefined' after 'is'", "Write '=' to compare, or 'is undefined'"),
    ("metric:loss", 0, "A name alone is no condition", None),
    ("`loss`", 0, "A value alone is no condition", None),
    ("a + b", 0, "A value alone is no condition", None),
    ("''", 0, "An empty text is no condition", None),
    ("a = 1 and (b + 1)", 10, "A value alone is no condition", None),
]


@pytest.mark.parametrize(("text", "start", "problem", "hint"), MESSAGES)
def test_a_mistake_is_told_with_its_place(
    text: str, start: int, problem: str, hint: str | None
) -> None:
    error = mistake(text)

    assert error.message.split("\n")[0] == problem
    assert error.column == start + 1
    assert hint is None or error.hint == hint
    assert error.exit_status == 2


def test_the_caret_stands_under_the_mistake() -> None:
    assert mistake("loss < 0.1 && x").message.split("\n")[1:] == [
        "  loss < 0.1 && x",
        "             ^",
    ]


@pytest.mark.parametrize(
    "before",
    [
        "日本 = 1 and\t",
        "e\u0301 = 1 ",
        "label = '\x1b[31m\x00' and ",
        "label = 'a\tb\nc' and ",
        "🚀🚀 ",
    ],
)
def test_the_caret_is_right_after_wide_and_odd_characters(before: str) -> None:
    line, caret = mistake(f"{before}&& x").message.split("\n")[1:]

    assert clean(line) == line
    shown = line[: line.index("&&")]
    assert caret == " " * text_width(shown) + "^"


def test_of_a_long_expression_the_part_around_the_mistake_is_shown() -> None:
    text = " or ".join(f"lr = {i}" for i in range(50)) + " && x or " + "y or " * 50 + "z"

    _, line, caret = mistake(text).message.split("\n")

    assert len(line) < 80
    assert line.startswith("  …")
    assert line.endswith("…")
    assert line[caret.index("^") :].startswith("&& x")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("(" * 10_000 + "a" + ")" * 10_000, "Nested too deeply: at most 20 levels"),
        ("not " * 10_000 + "a", "Nested too deeply: at most 20 levels"),
        ("- " * 10_000 + "a > 1", "Nested too deeply: at most 20 levels"),
        ("a > " + "2 ** " * 10_000 + "2", "Nested too deeply: at most 20 levels"),
        ("a > " + "1 + " * 10_000 + "1", "More than 100 values in one comparison"),
        (" or ".join(["a=1"] * 9_000), "More than 500 conditions"),
        (f"a in [{'1 ' * 20_000}]", "More than 10,000 values in lists"),
        ("a" * 1_000_000, "The filter has 1,000,000 characters, and at most 65,536 are read"),
        ("a and " * 200_000, "The filter has 1,200,000 characters, and at most 65,536 are read"),
        ('"' + "\\" * 65_000, 'No end to the text that begins with "'),
        ("`" * 65_535, "No end to the text that begins with `"),
        ("a " * 30_000, "Expected an operator before 'a'"),
        ("=" * 65_000, "Unknown operator '==='"),
    ],
    ids=range(13),
)
def test_what_is_huge_is_refused(text: str, problem: str) -> None:
    began = time.process_time()
    error = mistake(text)
    took_s = time.process_time() - began

    assert error.message.split("\n")[0] == problem
    assert took_s < 2  # a tenth of a second is usual; only what grows with a power takes as long


def test_twenty_levels_are_read() -> None:
    assert isinstance(parse_filter("(" * 20 + "a" + ")" * 20), Word)
    assert isinstance(parse_filter("(((a)))" + " or (b)" * 400), Or)
    assert isinstance(parse_filter("not not a"), Not)


PIECES = [
    *(
        "a",
        "loss",
        "`b c`",
        "'x'",
        '"y"',
        "1",
        "-2",
        "1e5",
        "started",
        "tag",
        "2h ago",
        "metric:",
        "run:",
    ),
    *("=", "==", "!=", "<", ">=", "=~", "!~", "+", "-", "*", "/", "**", "(", ")", "[", "]", ","),
    *(
        "and",
        "or",
        "not",
        "in",
        "is",
        "undefined",
        "contains",
        "last 7 days",
        "this",
        "'",
        "`",
        "\\",
    ),
]


@settings(deadline=None)
@given(
    st.one_of(
        st.lists(st.sampled_from(PIECES), max_size=15).map(" ".join),
        st.lists(st.sampled_from(PIECES), max_size=15).map("".join),
        st.text(max_size=40),
    )
)
def test_garbage_is_read_or_refused(text: str) -> None:
    try:
        tree: Node | None = parse_filter(text)
    except FilterError as error:
        lines = error.message.split("\n")
        assert len(lines) == 3
        assert all(line.isprintable() for line in lines)
        assert 1 <= error.column <= len(text) + 1
    else:
        assert tree is not None
        assert len(text) <= MAX_LENGTH


def test_numbers_are_spelled_as_in_flags() -> None:
    from gage.core.values import parse_flag_value

    words = [
        "1",
        "0",
        "-0",
        "+5",
        "1_0",
        "0x1F",
        "0b1",
        "0o7",
        "1.",
        ".5",
        "1.5e-7",
        "1_0.5",
        "inf",
    ]
    words += ["-inf", "007", "1.2.3", "abc", "1e", "e5", "0x", "1__0", "_1", "."]

    for word in words:
        value = parse_flag_value(word)
        expected = value if isinstance(value, (int, float)) else None
        assert number_of(word) == expected, word
