import pytest

from gage.capture import outputtail
from gage.capture.outputtail import OutputTail, SummaryPatternError


def summary(*chunks: str, pattern: bool | str = True) -> str | None:
    tail = OutputTail(pattern)
    for chunk in chunks:
        tail(chunk.encode(), 0.0)
    return tail.summary()


@pytest.mark.parametrize(
    "text",
    [
        '--- summary --- {"a": 1} ---\n',
        '--- summary ---\n{"a": 1}\n---\n',
        'before\n--- summary ---{"a": 1}---after',
        '--- summary ---\n{"a": 9}\n---\nmore\n--- summary ---\n{"a": 1}\n---\n',
        '--- summary --- {"a": 1} ---\n--- summary --- {"a": 2}',
        '--- summary --- {"a": 1} ---\n--- summary ---',
    ],
)
def test_the_last_whole_block_counts(text: str) -> None:
    found = summary(text)

    assert found is not None
    assert found.strip() == '{"a": 1}'


def test_a_block_may_hold_its_own_end_mark() -> None:
    assert summary('--- summary --- {"a": "x --- y"} ---') == '{"a": "x --- y"}'


def test_what_is_no_json_is_still_the_block() -> None:
    assert summary("--- summary ---\n{oops\n---\n") == "{oops\n"


@pytest.mark.parametrize(
    "text", ["", "hello\n", "--- summary ---\n{", '--- summary --- {"a": 1} -']
)
def test_without_a_whole_block_there_is_none(text: str) -> None:
    assert summary(text) is None


def test_false_turns_it_off() -> None:
    assert summary('--- summary --- {"a": 1} ---\n', pattern=False) is None


def test_a_pattern_finds_another_form_and_its_last_match_counts() -> None:
    text = 'RESULT {"a": 2} END\nnoise\nRESULT {"a":\n1} END\n'

    assert summary(text, pattern="RESULT (.*?) END") == '{"a":\n1}'
    assert summary("nothing", pattern="RESULT (.*?) END") is None


@pytest.mark.parametrize(("pattern", "reason"), [("(", "missing"), ("x", "it has 0 groups")])
def test_a_wrong_pattern_is_an_error(pattern: str, reason: str) -> None:
    with pytest.raises(SummaryPatternError, match="output-summary") as raised:
        OutputTail(pattern)

    assert reason in raised.value.message


def test_a_pattern_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputtail, "_PATTERN_TIME_S", 0.05)

    with pytest.raises(ValueError, match="takes too long"):
        summary("a" * 60 + "!", pattern="((?:a+)+)$")


def test_only_the_end_of_the_output_is_kept() -> None:
    tail = OutputTail(pattern=True)
    tail(b'--- summary --- {"a": 1} ---\n', 0.0)
    for _ in range(30):
        tail(b"x" * 99_999 + b"\n", 0.0)
    assert tail.summary() is None

    tail(b'--- summary --- {"a": 2} ---\n', 0.0)
    assert tail.summary() == '{"a": 2}'


def test_it_says_whether_anything_came_since() -> None:
    tail = OutputTail(pattern=True)
    states = [tail.is_new]
    tail(b"hello\n", 0.0)
    states.append(tail.is_new)
    tail.summary()
    states.append(tail.is_new)

    assert states == [False, True, False]
