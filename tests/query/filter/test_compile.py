"""What filters select, sentence by sentence, and the mistakes that only the index shows."""

import math
import random
import sqlite3
import threading
from typing import Any

import pytest

from gage.query.filter.calculate import calculate
from gage.query.filter.compile import compile_filter
from gage.query.filter.errors import FilterError
from gage.query.filter.names import Names, likely_name, matching_names, nearest
from gage.query.filter.parse import parse_filter
from gage.query.index.schema import CONFIG, METRIC, NAN
from tests.query.filter.oracle import Run
from tests.query.filter.tables import NOW_S, Tables

HOUR, DAY = 3600, 86_400


def run(
    metrics: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
    attributes: dict[str, Any] | None = None,
    **fields: Any,
) -> Run:
    values = {"metrics": metrics or {}, "config": config or {}, "attributes": attributes or {}}
    return {"status": "completed", **values, **fields}


def selected(text: str, *runs: Run) -> list[int]:
    return Tables(runs).select(text)


def mistake(text: str, *runs: Run) -> FilterError:
    with pytest.raises(FilterError) as caught:
        Tables(runs).compiled(text)
    return caught.value


LOSSES = [run({"loss": value}) for value in (0.05, 0.5, math.nan, math.inf, "high", None)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("loss < 0.1", [1]),
        ("loss <= 0.5", [1, 2]),
        ("loss > 0.1", [2, 4]),
        ("loss >= 0.5", [2, 4]),
        ("loss = 0.5", [2]),
        ("loss == .5", [2]),
        ("loss != 0.5", [1, 3, 4, 5]),
        ("loss = high", [5]),
        ("loss != high", [1, 2, 3, 4]),
        ("loss < zzz", [5]),
        ("loss > a", [5]),
        ("loss in [0.05, 0.5]", [1, 2]),
        ("loss in (0.05 high)", [1, 5]),
        ("loss not in [0.5]", [1, 4, 5]),
        ("loss = inf", [4]),
        ("loss != `loss`", [3]),
        ("loss is undefined", [6]),
        ("loss is not undefined", [1, 2, 3, 4, 5]),
        ("not loss < 0.1", [2, 3, 4, 5, 6]),
        ("not loss != 0.5", [2, 6]),
        ("loss =~ ig", [5]),
        ("loss !~ ig", []),
        ("not loss =~ ig", [1, 2, 3, 4, 6]),
        ("loss contains ig", [5]),
        ("loss not contains ig", []),
        ("0.1 > loss", [1]),
        ("0.5 = loss", [2]),
        ("loss * 2 < 0.5", [1]),
        ("loss < 1 / 2", [1]),
        ("loss < 0.25 * 2 + 0", [1]),
        ("loss ** 2 = 0.25", [2]),
        ("loss + 1 != 3", [1, 2, 3, 4]),
        ("loss + 1 is undefined", [5, 6]),
        ("loss + 1 is not undefined", [1, 2, 3, 4]),
        ("loss / (loss - 0.5) < 100", [1]),
        ("loss * 1e308 * 1e308 > 0", [4]),
        ("-loss < 0", None),
        ("- loss < 0", [1, 2, 4]),
        ("loss < `loss` + 1", [1, 2]),
    ],
)
def test_a_metric(text: str, expected: list[int] | None) -> None:
    if expected is None:
        assert mistake(text, *LOSSES).message.startswith("No name '-loss'")
    else:
        assert selected(text, *LOSSES) == expected


def test_a_number_and_a_text_are_never_equal() -> None:
    runs = [run(config={"a": 1}), run(config={"a": "1"}), run(config={"a": 1.0})]

    assert selected("a = 1", *runs) == [1, 3]
    assert selected("a = '1'", *runs) == [2]
    assert selected("a != 1", *runs) == [2]
    assert selected("a > 0", *runs) == [1, 3]
    assert selected("a < '2'", *runs) == [2]


def test_booleans_are_true_and_false() -> None:
    runs = [run(config={"amp": True}), run(config={"amp": False}), run(config={"amp": "true"})]

    assert selected("amp = true", *runs) == [1, 3]
    assert selected("amp = True", *runs) == [1, 3]
    assert selected("amp != FALSE", *runs) == [1, 3]


def test_lists_and_maps_contain_values_and_keys() -> None:
    runs = [
        run(config={"a": [64, "x", True, [1], None]}),
        run(config={"a": {"x": 1}}),
        run(config={"a": []}),
        run(config={"a": 64}),
        run(config={"a": "64 x"}),
    ]

    assert selected("a contains 64", *runs) == [1, 5]
    assert selected("a contains x", *runs) == [1, 2, 5]
    assert selected("a contains true", *runs) == [1]
    assert selected("a not contains x", *runs) == [3]
    assert selected("a = 64", *runs) == [4]
    assert selected("a < 100", *runs) == [4]
    assert selected("a != 64", *runs) == [1, 2, 3, 5]


def test_lists_equal_lists() -> None:
    same = run(config={"a": [1, 2], "b": [1, 2]})
    other = run(config={"a": [1, 2], "b": [2, 1]})

    assert selected("a = `b`", same, other) == [1]
    assert selected("a != `b`", same, other) == [2]
    assert selected("a <= `b`", same, other) == []


def test_a_clash_is_settled_in_each_run() -> None:
    runs = [
        run({"x": 1}, {"x": 2}, {"x": 3}),
        run(config={"x": 2}, attributes={"x": 3}),
        run(attributes={"x": 3}),
        run({"x": math.nan}, {"x": 2}),
        run({"x": None}, {"x": 2}),
    ]

    assert selected("x = 1", *runs) == [1]
    assert selected("x = 2", *runs) == [2, 5]
    assert selected("x = 3", *runs) == [3]
    assert selected("x in [1, 3]", *runs) == [1, 3]
    assert selected("x + 0 = 2", *runs) == [2, 5]
    assert selected("config:x = 2", *runs) == [1, 2, 4, 5]
    assert selected("attribute:x is undefined", *runs) == [4, 5]
    assert selected("metric:x != 1", *runs) == [4]


def test_run_fields_come_first_and_a_prefix_names_a_kind() -> None:
    runs = [run(config={"label": "b"}, label="a"), run({"duration": 5}, duration=90.0)]

    assert selected("label = a", *runs) == [1]
    assert selected("`label` = b", *runs) == []
    assert selected("config:label = b", *runs) == [1]
    assert selected("run:label = a", *runs) == [1]
    assert selected("metric:duration = 5", *runs) == [2]
    assert selected("duration = 90", *runs) == [2]


def test_a_metric_has_figures() -> None:
    figures = {"min": 0.1, "max": 2.0, "mean": 1.0, "count": 3, "step": 7}
    runs = [run({"loss": 0.5}, summaries={"loss": figures}), run({"loss": 0.1})]

    assert selected("loss.min < 0.2", *runs) == [1]
    assert selected("metric:loss.max >= 2", *runs) == [1]
    assert selected("`loss.mean` = 1 and loss.count = 3 and loss.step > 6", *runs) == [1]
    assert selected("loss.last < 0.2", *runs) == [2]
    assert selected("loss.min != '0.1'", *runs) == [1]
    assert selected("loss.min = '0.1'", *runs) == []
    assert selected("loss.min is undefined", *runs) == [2]
    assert selected("loss > `loss.min`", *runs) == [1]


def test_a_key_of_the_very_name_comes_before_a_figure() -> None:
    runs = [run({"loss": 0.5}, summaries={"loss": {"min": 0.1}}), run(config={"loss.min": 3})]

    assert selected("loss.min > 0", *runs) == [2]
    assert selected("metric:loss.min > 0", *runs) == [1]


TAGGED = [run(tag=["a", "b"]), run(tag=["b"]), run()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tag = a", [1]),
        ("tags = a", [1]),
        ("tag != a", [2]),
        ("not tag = a", [2, 3]),
        ("tag in [a, c]", [1]),
        ("tag not in [a]", [2]),
        ("tag contains b", [1, 2]),
        ("tags not contains a", [2]),
        ("tag =~ '^[a]$'", [1]),
        ("tag !~ a", [2]),
        ("tag < b", [1]),
        ("tag is undefined", [3]),
        ("tag is not undefined", [1, 2]),
        ("a", [1]),
        ("a and b", [1]),
    ],
)
def test_a_tag_is_one_of_several(text: str, expected: list[int]) -> None:
    assert selected(text, *TAGGED) == expected


def test_identifiers_are_several_too() -> None:
    runs = [run(identifier=["hf:org/model", "doi:1"]), run()]

    assert selected("identifier = hf:org/model", *runs) == [1]
    assert selected("identifier =~ '^doi:'", *runs) == [1]


def test_a_word_is_an_operation_a_status_a_tag_or_part_of_the_label() -> None:
    runs = [
        run(operation="train"),
        run(operation="x", tag=["train"]),
        run(label="to train it"),
        run(status="error"),
        run(operation="trainer"),
        run(),
    ]

    assert selected("train", *runs) == [1, 2, 3]
    assert selected("error", *runs) == [4]
    assert selected("'to train'", *runs) == [3]
    assert selected("not train", *runs) == [4, 5, 6]


def test_a_project_is_its_id_or_its_name() -> None:
    runs = [run(project="p1", project_name="cats"), run(project_name="p1"), run(project="x"), run()]

    assert selected("project = p1", *runs) == [1, 2]
    assert selected("project = cats", *runs) == [1]
    assert selected("project != p1", *runs) == [3]
    assert selected("project =~ '^c'", *runs) == [1]
    assert selected("project is undefined", *runs) == [4]
    assert selected("project in [cats, x]", *runs) == [1, 3]


def test_a_commit_is_found_by_its_first_digits() -> None:
    runs = [run(git_commit="1a2b3c" + "0" * 34), run(git_commit="1a2c" + "f" * 36), run()]

    assert selected("git.commit = 1a2b", *runs) == [1]
    assert selected("git.commit = 1A2B3C", *runs) == [1]
    assert selected("git.commit != 1a2b", *runs) == [2]
    assert selected("git.commit in [1a2b, 1a2c]", *runs) == [1, 2]
    assert selected("git.commit = 1111", *runs) == []


TIMED = [
    run(started=NOW_S - age, stopped=NOW_S - age + 90, duration=90.0)
    for age in (60, 3 * HOUR, 2 * DAY, 8 * DAY)
] + [run()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("started > 2h ago", [1]),
        ("started > 2 hours ago", [1]),
        ("started < 1 week ago", [4]),
        ("started <= now", [1, 2, 3, 4]),
        ("started > now - 2h", [1]),
        ("started in last 7 days", [1, 2, 3]),
        ("started not in last 7 days", [4]),
        ("started > 2026-11-01", [1, 2, 3, 4]),
        ("started < '2026-11-01 12:30'", []),
        ("started = 2026", [1, 2, 3, 4]),
        ("started != 2026", []),
        ("started in 2026-11", [1, 2, 3, 4]),
        ("started in [2025, 2026]", [1, 2, 3, 4]),
        ("started in [2025, 2027]", []),
        ("started not in [2025]", [1, 2, 3, 4]),
        ("started is undefined", [5]),
        ("stopped - started = 90", [1, 2, 3, 4]),
        ("stopped - started > 1m", [1, 2, 3, 4]),
        ("stopped > `started`", [1, 2, 3, 4]),
        ("now - started > 1 * 2h", [2, 3, 4]),
        ("duration > 89s", [1, 2, 3, 4]),
        ("duration = 1m30s", [1, 2, 3, 4]),
        ("duration > 2h", []),
        ("duration < 1.5", []),
        ("duration in [90s, 2h]", [1, 2, 3, 4]),
        ("duration < 1h + 5m", [1, 2, 3, 4]),
    ],
)
def test_times(text: str, expected: list[int]) -> None:
    assert selected(text, *TIMED) == expected


def test_numbers_beside_text_fields_are_text() -> None:
    runs = [run(label="007", batch="12", tag=["2024"]), run(label="7")]

    assert selected("label = 007", *runs) == [1]
    assert selected("label contains 7", *runs) == [1, 2]
    assert selected("tag = 2024", *runs) == [1]
    assert selected("batch in [12, 13]", *runs) == [1]


def test_odd_names_are_found() -> None:
    names = [
        "val/loss",
        "a b",
        "it's",
        'say "hi"',
        "back`quote",
        "größe",
        "x; drop table run",
        "日本",
    ]
    runs = [run({name: number}) for number, name in enumerate(names, 1)]

    for number, name in enumerate(names, 1):
        quoted = name.replace("`", "``")
        assert selected(f"`{quoted}` = {number}", *runs) == [number]
        assert selected(f"metric:`{quoted}` < 99", *runs) == [number]


def test_nothing_is_put_into_the_sql() -> None:
    tables = Tables([run({"a": 1}, label="x")])

    condition = tables.compiled("label = \"x' or 1=1 --\" or a in ['\"; drop table run'] or 'y\"`'")

    assert "drop" not in condition.sql
    assert "--" not in condition.sql
    assert tables.select('label = "x\' or 1=1 --"') == []


def test_in_a_location_without_runs_every_name_is_undefined() -> None:
    tables = Tables()

    for text in (
        "loss < 1",
        "loss is undefined",
        "loss + 1 > 2",
        "metric:x.min = `y`",
        "not a = b",
    ):
        assert tables.select(text) == []
    condition = compile_filter(parse_filter("x is undefined"), Names({}, False), text="", now_s=0)
    assert condition.sql == "1"


MISTAKES = [
    ("los < 3", 0, "No name 'los' in any run", "Did you mean 'loss'?"),
    ("lsos < 3", 0, "No name 'lsos' in any run", "Did you mean 'loss'?"),
    ("LOSS < 3", 0, "No name 'LOSS' in any run", "Did you mean 'loss'?"),
    ("vall/acc > 3", 0, "No name 'vall/acc' in any run", "Did you mean 'val/acc'?"),
    ("acc > 3", 0, "No name 'acc' in any run", "Did you mean 'val/acc'?"),
    ("a_b > 3", 0, "No name 'a_b' in any run", "Did you mean '`a b`'?"),
    ("stauts = x", 0, "No name 'stauts' in any run", "Did you mean 'status'?"),
    ("state = x", 0, "No name 'state' in any run", "Did you mean 'status'?"),
    ("flag:lr = 1", 0, "No name 'flag:lr' in any run", "Did you mean 'config:lr'?"),
    ("params.lr = 1", 0, "No name 'params.lr' in any run", "Did you mean 'config:lr'?"),
    ("runs.status = 1", 0, "No name 'runs.status' in any run", "Did you mean 'status'?"),
    ("metric:lr = 1", 0, "No metric 'metric:lr' in any run", "Did you mean 'config:lr'?"),
    ("config:lrr = 1", 0, "No config key 'config:lrr' in any run", "Did you mean 'config:lr'?"),
    ("run:statu = x", 0, "No run field 'run:statu' in any run", "Did you mean 'status'?"),
    ("run:loss = 1", 0, "No run field 'run:loss' in any run", "Did you mean 'metric:loss'?"),
    (
        "lr = `metric:loss`",
        5,
        "No name 'metric:loss' in any run",
        "Write the prefix before the quotes: metric:`loss`",
    ),
    (
        "comment contains bad",
        0,
        "No name 'comment' in any run",
        "Try 'gage query' with 'select run, text from comments'",
    ),
    ("deleted = true", 0, "No name 'deleted' in any run", "Try 'gage runs --deleted'"),
    ("zzzzz = 1", 0, "No name 'zzzzz' in any run", None),
    ("loss < 1 and zzzzz is undefined", 13, "No name 'zzzzz' in any run", None),
    ("loss < 2 * zzzzz", 11, "No name 'zzzzz' in any run", None),
    ("lr = `zzzzz`", 5, "No name 'zzzzz' in any run", None),
    ("status = complete", 9, "No status 'complete'", "Did you mean 'completed'?"),
    ("status = failed", 9, "No status 'failed'", "Did you mean 'error'?"),
    ("status in [runing]", 11, "No status 'runing'", "Did you mean 'running'?"),
    ("status != xyz", 10, "No status 'xyz'", None),
    ("batch = 32", 0, "'batch' is a field of every run here, and holds no number", None),
    ("loss < lr", 7, "'lr' is read as text here", None),
    ("loss < duration", 7, "'duration' is read as text here", None),
    ("loss < 2h", 7, "Only times of runs are compared with '2h'", None),
    ("duration < foo", 11, "Not a duration: 'foo'", None),
    ("duration < lr", 11, "'lr' is read as text here", None),
    ("exit_code = x", 12, "'exit_code' is a number, 'x' is not", None),
    ("started > foo", 10, "Not a time: 'foo'", None),
    ("started = foo", 10, "Not a time: 'foo'", None),
    ("started = now", 10, "This is but a moment, which no run has", "Compare it with '<' or '>'"),
    ("started = now - 2h", 10, "This is but a moment, which no run has", None),
    ("started in last x", 11, "Not a span of time: 'last x'", None),
    ("loss in last week", 8, "Expected a list after 'in': 'loss' is no time", None),
    ("loss in foo", 8, "Expected a list after 'in': 'loss' is no time", None),
    ("started =~ x", 0, "'started' is a time, and '=~' compares text", None),
    ("duration contains 1", 0, "'duration' is a duration, and 'contains' compares text", None),
    ("git.commit = main", 13, "Not a commit: 'main'", None),
    ("git.commit = abc", 13, "Not a commit: 'abc'", None),
    ("loss = nan", 7, "Nothing equals NaN", "Write 'loss != `loss`' for what is NaN"),
    ("metric:loss = null", 14, "Nothing equals what is undefined", None),
    ("1 < 2", 0, "No name is compared here", None),
    ("loss / 0 < 1 / 0", 13, "This is undefined", None),
    ("loss < 1 / 0", 9, "This is undefined", None),
    ("label + 1 > 2", 0, "'label' is text, and cannot be calculated with", None),
    ("tag + 1 > 2", 0, "'tag' is text, and cannot be calculated with", None),
    ("tag = `loss`", 0, "A run may have several values of 'tag'", None),
    ("loss + 1 = abc", 11, "A sum is no text: 'abc'", None),
    ("loss + 1 in [2]", 5, "Expected a name before 'in' or 'contains'", None),
    ("loss contains `lr`", 14, "Expected a text after 'contains'", None),
    ("lr =~ `loss`", 6, "'=~' compares a name with a text", None),
    ("lr + 1 =~ 'a'", 3, "'=~' compares a name with a text", None),
    ("1 =~ loss", 0, "A regular expression stands on the right", None),
    ("label =~ '(a'", 10, "Not a regular expression: a '(' without a ')'", None),
    ("label =~ *a", 9, "Unexpected '*'", None),
    ("label !~ 'x(?=a)'", 11, None, "Write two conditions and join them with 'and'"),
    (
        "label =~ '(a|b)*a(a|b){14}$'",
        10,
        "Not a regular expression: it takes too long on some texts",
        None,
    ),
]


@pytest.mark.parametrize(("text", "start", "problem", "hint"), MISTAKES)
def test_a_mistake_is_no_empty_table(
    text: str, start: int, problem: str | None, hint: str | None
) -> None:
    runs = [run({"loss": 1, "val/acc": 1}, {"lr": 1, "a b": 2, "batch": 32})]

    error = mistake(text, *runs)

    assert problem is None or error.message.split("\n")[0] == problem
    assert error.column == start + 1
    assert hint is None or error.hint == hint


@pytest.mark.parametrize(
    "text",
    [
        "started > 'a\nb\x1b[31m'",
        f"git.commit = {'z' * 5000}",
        f"{'z' * 5000} > 1",
        "`a\nb` > 1",
        f"status = '{'z' * 5000}'",
        f"loss {'z' * 5000}",
    ],
)
def test_a_message_repeats_no_more_than_a_line(text: str) -> None:
    lines = mistake(text, run({"loss": 1, "a\nbc": 2})).message.split("\n")

    assert len(lines) == 3
    assert all(line.isprintable() and len(line) < 120 for line in lines)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("loss = nan", "loss != `loss`"),
        ("metric:loss = nan", "metric:loss != metric:loss"),
        ("`a b` = nan", "`a b` != `a b`"),
        ("config:`a b` = NaN", "config:`a b` != config:`a b`"),
    ],
)
def test_what_a_hint_says_works(text: str, hint: str) -> None:
    runs = [run({"loss": math.nan}, {"a b": math.nan}), run({"loss": 1}, {"a b": 1})]

    assert mistake(text, *runs).hint == f"Write '{hint}' for what is NaN"
    assert selected(hint, *runs) == [1]


def test_names_that_are_long_or_many_have_no_near_one() -> None:
    names = Names({(METRIC, f"metric{i}"): i for i in range(30_000)})

    assert likely_name("", "metrics1", names) is None
    assert likely_name("", "Metric-1", names) == "metric1"
    assert nearest("x" * 300, ["x" * 299]) is None


def test_names_are_completed_fields_first() -> None:
    names = Names({(METRIC, "stat"): 1, (CONFIG, "stat"): 2, (METRIC, "loss"): 3})

    assert matching_names("sta", names) == ["started", "status", "stat"]


def test_the_keys_that_are_read_are_told() -> None:
    tables = Tables([run({"a": 1, "b": 1}, {"a": 2, "c": 3})])

    condition = tables.compiled("a > 1 and (b + 1 > 2 or status = error)")

    assert condition.kids == {tables.keys[0, "a"], tables.keys[1, "a"], tables.keys[0, "b"]}


DRIVEN = [
    "loss < 0.1",
    "loss = 1",
    "loss in [1, 2, a]",
    "loss > a",
    "x >= 3",
    "loss =~ a",
    "loss is not undefined",
    "loss.min < 3",
    "tag = a",
    "tags contains a",
    "tag in [a, b]",
    "identifier = x",
    "status = error",
    "op = train",
    "label = x",
    "name = x",
    "id = x",
    "git.commit = 1a2b",
    "started > 2h ago",
    "started in this week",
    "started in [2026-11-01, 2026-11-02]",
    "duration > 2h",
    "exit_code = 1",
    "user = a",
    "loss < 0.1 or x > 3 or tag = a or status = error",
    "(loss < 0.1 and train) or (user = p and not x = 1)",
]


@pytest.mark.parametrize("text", DRIVEN)
def test_an_index_gives_the_runs_that_can_match(text: str) -> None:
    runs = [run({"loss": 1, "x": 2}, {"x": 3}, operation="train") for _ in range(20)]
    tables = Tables(runs)

    drivers = tables.compiled(text).drivers

    assert drivers
    for driver, parameters in drivers:
        plan = tables.plan(driver, parameters)
        assert not any(step.startswith("SCAN") for step in plan), plan


UNDRIVEN = [
    "train",
    "project = p",
    "not loss < 1",
    "label =~ a",
    "loss + 1 < 2",
    "loss < 1 or train",
    "tag != a",
]


@pytest.mark.parametrize("text", UNDRIVEN)
def test_where_no_index_helps_there_is_no_driver(text: str) -> None:
    assert Tables([run({"loss": 1})]).compiled(text).drivers == ()


def test_very_many_alternatives_have_no_driver() -> None:
    tables = Tables([run({"loss": 1})])

    assert tables.compiled(" or ".join(["loss = 1"] * 101)).drivers == ()
    assert tables.select(" or ".join(["loss = 1"] * 500)) == [1]
    assert tables.compiled(f"started in [{'2026-11-01 ' * 30}]").drivers == ()


def test_the_likely_shortest_driver_comes_first() -> None:
    drivers = Tables([run({"loss": 1})]).compiled("loss =~ a and loss < 3 and tag = a").drivers

    assert [driver.split(" where ")[0].split()[-1] for driver, _ in drivers] == [
        "tag",
        "value",
        "value",
    ]
    assert "v <" in drivers[1][0]


@pytest.mark.parametrize(
    "text", [*DRIVEN, *UNDRIVEN, "x + loss > 2 * x", "x is undefined", "tag !~ a"]
)
def test_a_condition_reads_no_other_table_wholly(text: str) -> None:
    runs = [run({"loss": 1, "x": 2}, {"x": 3}, tag=["a"]) for _ in range(20)]
    tables = Tables(runs)
    condition = tables.compiled(text)

    plan = tables.plan(f"select rid from run where {condition.sql}", condition.parameters)

    for table in ("value", "tag", "identifier"):
        assert not any(step.startswith(f"SCAN {table}") for step in plan), plan


def test_the_deepest_and_widest_filter_is_compiled() -> None:
    tables = Tables([run({"loss": 1})])
    deep = "loss = 1"
    for _ in range(6):
        deep = f"not (loss = 2 or ({deep} and loss < 5))"

    assert tables.select(deep) in ([], [1])
    assert tables.select("loss = " + " + ".join(["`loss`"] * 99)) == []
    assert tables.select(f"loss in [{' '.join(map(str, range(10_000)))}]") == [1]


@pytest.mark.parametrize(
    ("left", "sign", "right", "expected"),
    [
        (2, "+", 3, 5),
        (2**62, "*", 4, 2.0**64),
        (1, "/", 2, 0.5),
        (1, "/", 0, None),
        (2, "**", 10, 1024),
        (2, "**", -1, 0.5),
        (10**18, "**", 10**18, None),
        (-8, "**", 0.5, None),
        (0, "**", -1, None),
        (1e308, "*", 10, None),
        (math.inf, "*", 10, math.inf),
        (math.inf, "-", math.inf, NAN),
        (NAN, "+", 1, NAN),
        ("1", "+", 1, None),
        (b"[1]", "+", 1, None),
        (None, "+", 1, None),
    ],
)
def test_what_sums_come_to(left: Any, sign: str, right: Any, expected: Any) -> None:
    result = calculate(f". . {sign}", left, right)

    assert (result, type(result)) == (expected, type(expected))


def test_a_search_for_a_hard_expression_ends_with_the_reason() -> None:
    tables = Tables()
    text = "".join(random.Random(1).choices("ab", k=20_000))

    with pytest.raises(sqlite3.OperationalError):
        tables.connection.execute("select gage_match(?, ?)", ("(a|b)*a(a|b){14}$", text))

    assert tables.functions.error is not None
    problem = tables.functions.error.message.split("\n")[0]
    assert problem == "This regular expression takes too long"


def test_a_filter_works_in_another_thread() -> None:
    found: list[list[int]] = []

    def search() -> None:
        tables = Tables([run(label="a" * 30_000 + "b")])
        found.append(tables.select("label =~ '(a+)+$'"))

    thread = threading.Thread(target=search)
    thread.start()
    thread.join(timeout=60)

    assert found == [[]]
