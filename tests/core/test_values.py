"""Values as text and as JSON."""

import json
import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gage.core.errors import UsageError
from gage.core.values import (
    ConfigValue,
    JsonValue,
    flag_text,
    format_value,
    from_stored,
    is_same_value,
    parse_assignment,
    parse_duration,
    parse_flag_value,
    parse_size,
    split_assignment,
    to_public,
    to_stored,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=3) | st.sampled_from(["$f", "$i", "$m"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("True", True),
        ("TRUE", True),
        ("false", False),
        ("False", False),
        ("null", None),
        ("None", None),
        ("10", 10),
        ("-5", -5),
        ("+3", 3),
        ("0", 0),
        ("1_000", 1000),
        ("0x1f", 31),
        ("-0x10", -16),
        ("0o17", 15),
        ("0b101", 5),
        ("0.1", 0.1),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e-3", 0.001),
        ("1E5", 1e5),
        ("-1.5e+3", -1500.0),
        ("inf", math.inf),
        ("-.inf", -math.inf),
        ('"a b"', "a b"),
        ('"tab\\tquote\\""', 'tab\tquote"'),
        ("'it''s'", "it's"),
        ("[1, 2]", [1, 2]),
        ('{"a": null}', {"a": None}),
        ("", ""),
        ("abc", "abc"),
        ("a\\b", "a\\b"),
        (" padded ", " padded "),
    ],
)
def test_a_flag_value_is_read_like_yaml(text: str, value: ConfigValue) -> None:
    assert is_same_value(parse_flag_value(text), value)


@pytest.mark.parametrize(
    "text",
    [
        *("007", "1.2.3", "1e400", "1__0", "0x", "12:30", "yes", "nul", "[1, 2", "[a, b]"),
        *('"open', "'it's'", '"bad \\q"', "{a: 1}", "[" * 100_000, "9" * 5000, "+", ".", "e5", '"'),
    ],
)
def test_what_only_looks_like_a_value_is_text(text: str) -> None:
    assert parse_flag_value(text) == text


def test_nan_is_a_float() -> None:
    value = parse_flag_value(".nan")

    assert isinstance(value, float)
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("lr=0.1", "lr", 0.1),
        ("a.b-c=x", "a.b-c", "x"),
        ("lr = 0.1", "lr", 0.1),
        ("name==", "name", "="),
        ("name=", "name", ""),
        ('"a=b"=1', "a=b", 1),
        ('"q\\"q" = 1', 'q"q', 1),
        ("'a b'=1", "a b", 1),
        ("val/loss=2", "val/loss", 2),
    ],
)
def test_an_assignment_has_a_key_and_a_value(text: str, key: str, value: ConfigValue) -> None:
    assert parse_assignment(text) == (key, value)


def test_text_after_an_equals_sign_stays_as_typed() -> None:
    assert split_assignment("msg= x ") == ("msg", " x ")


@pytest.mark.parametrize("text", ["lr", "=3", "", "--lr=1", '""=1', "a b=1"])
def test_what_is_no_assignment_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_assignment(text)

    assert caught.value.hint == "Write a value as in 'lr=0.1'"


@given(VALUES)
def test_stored_values_come_back_exactly(value: ConfigValue) -> None:
    stored = json.loads(json.dumps(to_stored(value), allow_nan=False))

    assert is_same_value(from_stored(stored), value)


def test_stored_numbers_beyond_json_are_marked() -> None:
    assert to_stored(math.nan) == {"$f": "nan"}
    assert to_stored([math.inf, -math.inf]) == [{"$f": "inf"}, {"$f": "-inf"}]
    assert to_stored(2**64) == {"$i": "18446744073709551616"}
    assert to_stored(2**63 - 1) == 2**63 - 1
    assert to_stored({"$f": "nan"}) == {"$m": {"$f": "nan"}}
    assert from_stored({"$m": {"$f": "nan"}}) == {"$f": "nan"}
    assert from_stored([{"$f": "inf"}, {"$i": "5"}]) == [math.inf, 5]


def test_an_integer_of_any_length_is_stored() -> None:
    assert from_stored(to_stored(10**6000)) == 10**6000


def test_a_marker_that_nobody_wrote_stays_a_map() -> None:
    assert from_stored({"$m": 1}) == {"$m": 1}
    assert from_stored({"$f": "x"}) == {"$f": "x"}
    assert from_stored({"$i": [1]}) == {"$i": [1]}
    assert from_stored({"$secret": True}) == {"$secret": True}


def test_public_values_name_what_json_lacks() -> None:
    value: ConfigValue = {"a": [math.nan, math.inf, -math.inf, 1.5], "b": None}

    assert to_public(value) == {"a": ["NaN", "Infinity", "-Infinity", 1.5], "b": None}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.1235"),
        (1e-9, "1e-09"),
        (True, "true"),
        (None, "null"),
        (10**12, "1000000000000"),
        ("a b", "a b"),
        ([1, 0.5, "x"], "1, 0.5, x"),
        ({"a": 1}, "{a: 1}"),
        (math.nan, "nan"),
    ],
)
def test_values_for_people_are_short(value: ConfigValue, text: str) -> None:
    assert format_value(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (1e-05, "1e-05"),
        (True, "true"),
        (None, "null"),
        ("x y", "x y"),
        ([1, "é"], '[1, "é"]'),
    ],
)
def test_values_for_commands_are_exact(value: ConfigValue, text: str) -> None:
    assert flag_text(value) == text


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.lists(st.integers()))
def test_a_flag_says_the_value_again(value: ConfigValue) -> None:
    assert is_same_value(parse_flag_value(flag_text(value)), value)


def test_same_values_have_the_same_type() -> None:
    assert not is_same_value(1, 1.0)
    assert not is_same_value(1, True)
    assert not is_same_value(0.0, -0.0)
    assert not is_same_value([1], [1, 2])
    assert not is_same_value({"a": 1}, {"b": 1})
    assert is_same_value({"a": [math.nan]}, {"a": [math.nan]})


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512", 512),
        ("10kb", 10_000),
        ("2 MB", 2_000_000),
        ("2MiB", 2 * 2**20),
        ("1.5k", 1500),
        ("1b", 1),
    ],
)
def test_sizes_are_bytes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1d 2h", 93600),
        ("250ms", 0.25),
        ("1.5m", 90),
    ],
)
def test_durations_are_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "x", "-1", "10xb", "1h 5", "1 2"])
def test_no_size_and_no_duration_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        parse_size(text)
    with pytest.raises(UsageError):
        parse_duration(text)


def test_reading_a_flag_loads_nothing_new() -> None:
    code = (
        "import sys, gage.core.values as v; import re, json; before = set(sys.modules);"
        "v.parse_assignment('lr=0.1'); v.parse_duration('2h'); print(set(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"


@pytest.mark.parametrize("key", ["$f", "$i", "$m"])
def test_what_only_looks_stored_stays_as_it_is(key: str) -> None:
    assert from_stored({"a": {key: "zz"}}) == {"a": {key: "zz"}}


def test_absurdly_deep_values_are_cut_where_they_are_read() -> None:
    deep: JsonValue = 1
    for _ in range(450):
        deep = {"a": [deep]}

    assert json.dumps(from_stored(deep)).count("[") == 50
    assert json.dumps(to_public(deep)).count("\\u2026") == 1


def test_integers_too_long_for_digits_are_shown_as_hexadecimal() -> None:
    long = 1 << 20_000

    assert format_value(long) == flag_text(long) == to_public(long) == hex(long)
    assert format_value(10**30) == "1" + "0" * 30
    assert (format_value(True), flag_text(True)) == ("true", "true")
