import math
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gage.capture import scan
from gage.capture.scan import LineScanner, MetricPatternError, OutputMetrics, Scanned
from gage.store.history import HistoryWriter, fold_metrics, read_segments
from gage.store.owned import OwnedRun


def found(text: str | bytes, metrics: dict[str, str] | bool | None = None) -> list[Scanned]:
    return LineScanner(metrics).feed(text if isinstance(text, bytes) else text.encode())


def values(text: str | bytes, metrics: dict[str, str] | bool | None = None) -> dict[str, float]:
    return {key: value for key, value, _ in found(text, metrics)}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("loss: 0.25", {"loss": 0.25}),
        ("  loss: 0.25  ", {"loss": 0.25}),
        ("loss:\t0.25", {"loss": 0.25}),
        ("loss : 0.25", {"loss": 0.25}),
        ("val/acc: 1", {"val/acc": 1}),
        ("top-1: -1e-3", {"top-1": -1e-3}),
        ("mAP@0.5: .5", {"mAP@0.5": 0.5}),
        ("x.y_z: +3.", {"x.y_z": 3.0}),
        ("précision: 0.5", {"précision": 0.5}),
        ("loss: inf", {"loss": math.inf}),
        ("loss: -Infinity", {"loss": -math.inf}),
        ("loss: 1e999", {"loss": math.inf}),
        ("loss: 1, acc: 2", {"loss": 1, "acc": 2}),
        ("loss: 1 - acc: 2", {"loss": 1, "acc": 2}),
        ("loss: 1 acc: 2;f1: 3 | auc: 4", {"loss": 1, "acc": 2, "f1": 3, "auc": 4}),
        ("loss: 1 acc: 2 ,", {"loss": 1, "acc": 2}),
        ("\x1b[1mloss\x1b[0m: \x1b[32m0.25\x1b[0m", {"loss": 0.25}),
        ("\x1b]0;title\x07loss: 0.25", {"loss": 0.25}),
        ("downloading\rloss: 0.25\r", {"loss": 0.25}),
        ("loss: 0.25\r\n", {"loss": 0.25}),
    ],
)
def test_lines_of_keys_and_numbers_are_metrics(line: str, expected: dict[str, float]) -> None:
    assert values(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "",
        ":",
        "loss",
        "loss: ",
        "loss:0.25",
        "loss: 0.25 s",
        "loss: 0.25s",
        "loss: 12%",
        "loss: 1 acc",
        "loss: 1 acc:",
        "loss: 1acc: 2",
        "loss: nano",
        "the loss is: 0.25",
        "Epoch 1 loss: 0.25",
        "12:30: 5",
        "http://host: 80",
        "train.py:10: 5",
        "{'loss': 0.25}",
        "loss: tensor(0.25)",
        "loss: 1_000",
        "loss: 0x10",
        b"\xff\xfe\xfd: 1",
    ],
)
def test_other_lines_are_not(line: str | bytes) -> None:
    assert found(line) == []


def test_nan_is_a_value() -> None:
    assert math.isnan(values("loss: nan")["loss"])


def test_whole_numbers_stay_whole() -> None:
    assert isinstance(values("count: 3")["count"], int)
    assert isinstance(values("count: 3.0")["count"], float)


def test_signed_whole_numbers_stay_whole() -> None:
    assert repr(values("count: -3")["count"]) == "-3"
    assert repr(values("x=-3", {"x": r"x=(\S+)"})["x"]) == "-3"
    assert values("x=-+3", {"x": r"x=(\S+)"}) == {}


@pytest.mark.parametrize("number", [f"{1e300:.4f}", f"-{1e300:.0f}", f"{5e-320:.330f}"])
def test_numbers_of_hundreds_of_digits_are_values(number: str) -> None:
    assert values(f"loss: {number}") == {"loss": float(number)}
    assert values(f"loss={number},", {"loss": r"loss=(\S+)"}) == {"loss": float(number)}


def test_numbers_of_more_than_400_digits_are_none() -> None:
    assert values(f"n: {'9' * 400}") == {"n": int("9" * 400)}
    assert values(f"n: {'9' * 401}") == {}


def test_whole_numbers_beyond_64_bits_reach_the_record(run: OwnedRun) -> None:
    large = int("9" * 350)
    history = HistoryWriter(run.dir, run.id, source="output")
    output = OutputMetrics(LineScanner(None), history)

    output(f"up: {large}\ndown: -{large}\n".encode(), 0.0)
    output.close()

    folds = fold_metrics(run.dir)
    assert (folds["up"].value, folds["down"].value) == (large, -large)


def test_without_a_step_the_values_of_a_key_are_counted() -> None:
    lines = "loss: 3\nacc: 1\nloss: 2\nloss: 1\n"

    assert found(lines) == [("loss", 3, 0), ("acc", 1, 0), ("loss", 2, 1), ("loss", 1, 2)]


def test_the_latest_step_or_epoch_names_the_step() -> None:
    scanner = LineScanner(None)

    first = scanner.feed(b"loss: 9\nstep: 100\nloss: 3\n")
    second = scanner.feed(b"loss: 2\nEpoch: 7\nloss: 1\n")

    assert [item for item in first if item.key == "loss"] == [("loss", 9, 0), ("loss", 3, 100)]
    assert [item for item in second if item.key == "loss"] == [("loss", 2, 100), ("loss", 1, 7)]


def test_a_step_on_the_line_counts_for_the_whole_line_and_beats_an_epoch() -> None:
    assert found("loss: 1 step: 20 epoch: 3") == [
        ("loss", 1, 20),
        ("step", 20, 20),
        ("epoch", 3, 20),
    ]


@pytest.mark.parametrize("step", ["1.5", "-1", "nan", "inf", "99999999999999999999"])
def test_what_is_no_step_is_only_a_metric(step: str) -> None:
    (_, loss) = found(f"epoch: {step}\nloss: 1")

    assert loss == ("loss", 1, 0)


def test_patterns_find_metrics_anywhere_in_a_line() -> None:
    metrics = {"loss": r"loss[:=]\s*(\S+)", "step": r"Step (\d+)"}

    assert found("Step 12 of 100, loss=0.5, done\n", metrics) == [
        ("loss", 0.5, 12),
        ("step", 12, 12),
    ]


def test_a_pattern_replaces_the_default_for_its_key_alone() -> None:
    lines = "loss: 1\nacc: 2\nLOSS 3\n"

    assert found(lines, {"loss": r"LOSS (\d)"}) == [("acc", 2, 0), ("loss", 3, 0)]


def test_every_match_of_a_pattern_on_a_line_counts() -> None:
    assert found("a=1 a=2\n", {"a": r"a=(\d)"}) == [("a", 1, 0), ("a", 2, 1)]


@pytest.mark.parametrize("text", ["x=", "x=abc", "x=" + "9" * 900])
def test_what_a_pattern_finds_and_is_no_number_is_left_out(text: str) -> None:
    assert found(text, {"x": r"x=(\S+)|(?:x=$)"}) == []


def test_patterns_see_text_that_is_not_utf8() -> None:
    assert values(b"\xff loss=1", {"loss": r"loss=(\d)"}) == {"loss": 1}


def test_metrics_false_turns_it_off_and_true_is_the_default() -> None:
    assert found("loss: 1", metrics=False) == []
    assert values("loss: 1", metrics=True) == {"loss": 1}


@pytest.mark.parametrize(
    ("pattern", "reason"), [("(", "missing"), ("loss", "0 groups"), ("(a)(b)", "2 groups")]
)
def test_a_wrong_pattern_is_an_error_that_names_the_metric(pattern: str, reason: str) -> None:
    with pytest.raises(MetricPatternError, match="metric 'loss'") as raised:
        LineScanner({"loss": pattern})

    assert reason in raised.value.message
    assert raised.value.hint is not None


@pytest.mark.parametrize(
    "line",
    [
        b"a" * 2_000_000,
        b"a: " * 600_000,
        b"a: 1 " * 400_000 + b"x",
        b" " * 2_000_000 + b"x",
        b"loss: " + b"1" * 2_000_000,
        b"\x1b[" * 1_000_000,
        b"\x1b]" * 1_000_000,
        b"1e" * 1_000_000,
        b":" * 2_000_000,
        b"\n" * 1_000_000,
    ],
)
def test_hostile_lines_take_no_time(line: bytes) -> None:
    begun_s = time.process_time()

    assert found(line) == []

    assert time.process_time() - begun_s < 5


def test_a_pattern_that_does_not_end_is_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "_PATTERN_TIME_S", 0.1)
    scanner = LineScanner({"bad": r"((?:a+)+)$", "good": r"good=(\d)"})

    first = scanner.feed(b"a" * 60 + b"! good=1\nloss: 2\n")
    second = scanner.feed(b"good=3\n")

    assert first == [("good", 1, 0), ("loss", 2, 0)]
    assert second == [("good", 3, 1)]
    assert scanner.warnings == [
        "The pattern of metric 'bad' takes too long on a line of output and is off"
    ]


def test_ever_new_keys_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "_MAX_KEYS", 3)
    scanner = LineScanner(None)

    kept = scanner.feed(b"a: 1\nb: 1\nc: 1\nd: 1\ne: 1\na: 2\n")

    assert [item.key for item in kept] == ["a", "b", "c", "a"]
    assert len(scanner.warnings) == 1


@given(st.binary(max_size=300))
def test_any_bytes_are_fine(data: bytes) -> None:
    for item in found(data):
        assert item.key


@given(st.floats(allow_nan=False), st.from_regex(r"[a-z_][a-z0-9/_.-]{0,20}", fullmatch=True))
def test_what_python_prints_is_read_back(value: float, key: str) -> None:
    assert values(f"{key}: {value}\n")[key] == value


def test_lines_become_rows_of_the_history_at_their_time(run: OwnedRun) -> None:
    history = HistoryWriter(run.dir, run.id, source="output")
    metrics = OutputMetrics(LineScanner(None), history)

    metrics(b"step: 1\nloss: 3\nacc: 0.5\n", 1_700_000_000.0)
    metrics(b"step: 2\nloss: 1\nloss: 2\n", 1_700_000_010.0)
    metrics(b"nothing here\n", 1_700_000_020.0)
    metrics.close()

    (segment,) = read_segments(run.dir)
    rows = [(row.step, row.values) for row in segment.rows()]
    assert segment.source == "output"
    assert rows == [
        (1, {"step": 1, "loss": 3, "acc": 0.5}),
        (2, {"step": 2, "loss": 1}),
        (2, {"loss": 2}),
    ]
    fold = fold_metrics(run.dir)["loss"].to_json()
    assert (fold["last"], fold["min"], fold["max"], fold["count"]) == (2, 2, 3, 2)
    assert metrics.warnings == []


def test_no_metrics_leave_no_segment(run: OwnedRun, tmp_path: Path) -> None:
    metrics = OutputMetrics(LineScanner(None), HistoryWriter(run.dir, run.id, source="output"))
    metrics(b"hello\n", 0.0)
    metrics.close()

    assert read_segments(run.dir) == []


_PIECES = (
    *("a", "loss", "step", "Epoch", "x/y", "nan", "infinity", ": ", ":", ":\t", " ", "\t", ", "),
    *(" - ", "-", "|", ";", "1", "0.5", "-3", "+7", ".5", "5.", "1e5", "1e", "1.5.3", "\n", "\r\n"),
    *("\x1b[31m", "é", "_k", "text and more", "a: 1", "step: 3, acc: 0.5", ",,", "@1", "\0"),
)


@settings(deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=16))
def test_lines_mean_the_same_together_and_one_by_one(pieces: list[str]) -> None:
    text = "".join(pieces).encode()
    together, alone = LineScanner(None), LineScanner(None)
    # A pattern that finds nothing takes the lines one by one.
    alone._patterns = {"none": re.compile("(?!)()")}
    assert repr(together.feed(text)) == repr(alone.feed(text))


@pytest.mark.parametrize("more", [b" , b: 2" * 3000, b"," * 9000, b" " * 9000 + b", b: 1"])
def test_lines_that_are_too_long_hold_no_pairs(more: bytes) -> None:
    assert LineScanner(None).feed(b"a: 1" + more + b"\nc: 3\n") == [Scanned("c", 3, 0)]
