"""Config in Python sources."""

import ast
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gage.core.values import ConfigValue, is_same_value
from gage.run.config.edit import edit_document
from gage.run.config.errors import ConfigFileError, EditError
from gage.run.config.formats import load_document
from gage.run.config.python import spell_like
from tests.run.config.files import edited, read, values


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("0x10", 16),
        ("0o17", 15),
        ("0b11", 3),
        ("1_000", 1000),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("-1", -1),
        ("+1", 1),
        ("--1", 1),
        ("~5", -6),
        ("-1.5", -1.5),
        ("1e999", math.inf),
        ("True", True),
        ("None", None),
        ("'a'", "a"),
        ('"a\\n"', "a\n"),
        ('r"\\d+"', "\\d+"),
        ('u"é"', "é"),
        ('"""a\nb"""', "a\nb"),
        ("'a' \"b\"", "ab"),
        ("('a'\n  'b')", "ab"),
        ("(1)", 1),
        ("[]", []),
        ("()", []),
        ("{}", {}),
    ],
)
def test_every_spelling_of_a_literal_is_read(literal: str, value: ConfigValue) -> None:
    assert is_same_value(values("t.py", f"x = {literal}\n")["x"], value)


@pytest.mark.parametrize(
    "literal",
    [
        *(
            "f()",
            "b'x'",
            "1j",
            "...",
            "f'{y}'",
            "a + 1",
            "1 + 1",
            "not True",
            "-True",
            "~1.5",
            "{1, 2}",
        ),
        *(
            "lambda: 1",
            "y",
            "-y",
            "'a' f'{y}'",
            "x if y else z",
            "[*y]",
            "{**y}",
            "{(1,): 2}",
            "{None: 1}",
        ),
    ],
)
def test_what_is_no_literal_is_no_config_and_breaks_nothing(literal: str) -> None:
    assert values("t.py", f"a = 1\nx = {literal}\nb = 2\n") == {"a": 1, "b": 2}


def test_containers_are_flattened() -> None:
    text = "x = [1, (2, 'a'), {'k': 3, 4: [5]}]\ny = {'a': f(), 'b': {'c': 1}}\nz = 1, 2\n"

    assert values("t.py", text) == {
        "x.0": 1,
        "x.1.0": 2,
        "x.1.1": "a",
        "x.2.k": 3,
        "x.2.4.0": 5,
        "y.b.c": 1,
        "z.0": 1,
        "z.1": 2,
    }
    lists = {key: literal.value for key, literal in read("t.py", text).lists.items()}
    assert lists == {
        "x": [1, [2, "a"], {"k": 3, "4": [5]}],
        "x.1": [2, "a"],
        "x.2.4": [5],
        "z": [1, 2],
    }


def test_what_a_spread_may_replace_is_no_config() -> None:
    text = "x = {'a': 1, **y, 'b': 2}\nz = [1, *y, 2]\n"

    assert values("t.py", text) == {"x.b": 2, "z.0": 1}
    assert not read("t.py", text).lists


def test_only_module_level_names_count() -> None:
    text = (
        "a: int = 1\nb: str\nc, d = 1, 2\ne.f = 3\ng[0] = 4\nh += 5\n__version__ = '1'\n"
        "if a:\n    i = 6\nclass J:\n    k = 7\ndef l():\n    m = 8\n"
        "for n in []: o = 9\nwith p: q = 10\ntry:\n    r = 11\nfinally:\n    pass\ns = t = 12\n"
    )

    assert values("t.py", text) == {"a": 1, "s": 12, "t": 12}


def test_the_last_literal_assignment_counts_and_is_changed() -> None:
    text = "x = 1\nx = 2\nx = int(x)\nd = {'a': 1}\nd = {'b': 2}\n"

    assert values("t.py", text) == {"x": 2, "d.b": 2}
    assert edited("t.py", text, {"x": 3}) == text.replace("x = 2", "x = 3")


@pytest.mark.parametrize(
    ("old", "value", "new"),
    [
        ("'a'", "b", "'b'"),
        ('"a"', 'say "hi"', '"say \\"hi\\""'),
        ("'a'", "it's", "'it\\'s'"),
        ("'a'", "a\\b", "'a\\\\b'"),
        ("'a'", "a\nb\t\0", "'a\\nb\\t\\x00'"),
        ("'a'", "é\u2028😀", "'é\\u2028😀'"),
        ("'a'", "\ud800", "'\\ud800'"),
        ('r"a"', "\\d", 'r"\\d"'),
        ('r"a"', 'a"\\', '"a\\"\\\\"'),
        ('R"a"', "x\\", '"x\\\\"'),
        ('u"a"', "b", 'u"b"'),
        ('"""a"""', 'x\ny"', '"""x\ny\\""""'),
        ("'''a'''", "'''", "'''\\''\\''''"),
        ("'a' 'b'", "c", "'c'"),
        ("1", 2, "2"),
        ("0x10", 17, "17"),
        ("-1", 5, "5"),
        ("1", -5, "-5"),
        ("0.1", 1e-05, "1e-05"),
        ("0.1", math.inf, "1e999"),
        ("0.1", -math.inf, "-1e999"),
        ("True", False, "False"),
        ("None", "x", '"x"'),
        ("None", True, "True"),
        ("[1, 2]", [1, 3], "[1, 3]"),
        ("[1, 2]", [3], "[3]"),
        ("[1, 2]", ["a", {"b": None}, []], '["a", {"b": None}, []]'),
        ("(1, 2)", [3], "(3,)"),
        ("(1, 2)", [], "()"),
        ("1, 2", [1, 2, 3], "(1, 2, 3)"),
        ("[]", [1], "[1]"),
        ("{}", {"a": 1}, '{"a": 1}'),
    ],
)
def test_a_literal_is_replaced_in_its_own_style(old: str, value: ConfigValue, new: str) -> None:
    text = "# before\nx = %s  # after\ny = 1\n"

    assert edited("t.py", text % old, {"x": value}) == text % new


def test_comments_between_parts_of_a_text_stay() -> None:
    text = 'x = ("a"  # one\n     "b"  # two\n     \'c\')\n'

    assert edited("t.py", text, {"x": "d"}) == 'x = ("d"  # one\n     ""  # two\n     \'\')\n'


def test_items_are_changed_one_by_one() -> None:
    text = "x = [\n    1,  # one\n    (2, 3),  # two\n]\n"

    assert edited("t.py", text, {"x": [1, [2, 4]]}) == text.replace("3", "4")


def test_several_values_on_a_line() -> None:
    text = "a = 1; b = 'x'; c = [1, 2]\n"

    assert (
        edited("t.py", text, {"c.1": 30, "a": 100, "b": "yy"}) == "a = 100; b = 'yy'; c = [1, 30]\n"
    )


def test_names_of_one_literal_change_together() -> None:
    text = "a = b = 1\nc = d = [1, 2]\n"

    assert (
        edited("t.py", text, {"a": 2})
        == edited("t.py", text, {"b": 2})
        == text.replace("= 1\n", "= 2\n")
    )
    assert edited("t.py", text, {"d": [3]}) == text.replace("[1, 2]", "[3]")
    with pytest.raises(EditError, match="shares one literal"):
        edited("t.py", text, {"a": 2, "b": 3})


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\f\n", "\t\n", "# coding: utf-8\n"])
def test_line_ends_marks_and_blanks_stay(end: str, start: str) -> None:
    text = (start + 'é = "ü"; lr =\t0.1 # x\nt = """a\nb"""\ndef f():\n    lr = 3\n').replace(
        "\n", end
    )

    after = edit_document(
        load_document("t.py", text.encode()), {"lr": 0.25, "é": "ß", "t": "c\nd"}
    ).after

    expected = text.replace("0.1", "0.25").replace('"ü"', '"ß"')
    body = "c\r\nd" if end == "\r\n" else "c\nd"
    assert after.data.decode() == expected.replace(f'"""a{end}b"""', f'"""{body}"""')


def test_an_encoding_cookie_is_followed() -> None:
    data = "# -*- coding: latin-1 -*-\nx = 'é'  # ü\n".encode("latin-1")

    document = load_document("t.py", data)

    assert document.leaves["x"].value == "é"
    after = edit_document(document, {"x": "ö → €"}).after.data
    assert after == "# -*- coding: latin-1 -*-\nx = 'ö → €'  # ü\n".encode(
        "latin-1", "backslashreplace"
    ).replace("ö".encode("latin-1"), b"\\xf6")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"x = (\n", "t.py:1"),
        (b"x = 'a\n", "t.py:1"),
        (b"x = 1\0\n", "null"),
        (b"x = '\xff'\n", "not text"),
        (b"# coding: nonsense\nx = 1\n", "not text"),
        (b"x = " + b"(" * 5000, "t.py"),
        (b"x = " + b"-" * 100_000 + b"1", "t.py"),
    ],
)
def test_what_is_no_python_is_said_with_its_place(data: bytes, problem: str) -> None:
    with pytest.raises(ConfigFileError, match=problem):
        load_document("t.py", data)


def test_nan_cannot_be_written() -> None:
    with pytest.raises(EditError, match="no literal for NaN"):
        edited("t.py", "x = 0.1\n", {"x": math.nan})


def test_an_odd_encoding_is_not_rewritten_with_losses() -> None:
    data = b"# coding: utf-7\nx = 1 # +AOk-\ny = '+AOkA6Q-'\n"

    with pytest.raises(EditError, match=r"more than one spelling|broken"):
        edit_document(load_document("t.py", data + b"# +AGE-\n"), {"x": 2})


def test_odd_escapes_give_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    assert values("t.py", "x = '\\d'\n") == {"x": "\\d"}
    assert not recwarn.list


def test_a_spelling_that_is_not_understood_is_refused() -> None:
    with pytest.raises(ValueError, match="not understood"):
        spell_like("1", "a", "b", ascii_only=False)


@given(st.text(), st.sampled_from(['"', "'", '"""', "'''", 'r"', "R'''"]))
def test_any_text_reads_back_in_any_quotes(value: str, quote: str) -> None:
    text = f"x = {quote}a{quote.lstrip('rR')}\n"

    namespace: dict[str, object] = {}
    exec(edited("t.py", text, {"x": value}), namespace)  # the program's own reading

    assert namespace["x"] == value


def test_the_result_is_python() -> None:
    text = "x = {'a': [1, 'b'], 'c': (None,)}\n"

    result = edited("t.py", text, {"x.a": ["z"], "x.c": [1, 2]})

    assert ast.literal_eval(result.removeprefix("x = ")) == {"a": ["z"], "c": (1, 2)}
