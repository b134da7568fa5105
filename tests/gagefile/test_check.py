"""Checks of Gage files out of proportion."""

import time
from pathlib import Path

import pytest

from gage.gagefile.check import check_document
from gage.gagefile.document import Document
from gage.gagefile.errors import GagefileError

PLAIN = 'exec = "true"\n'


@pytest.mark.parametrize(
    "body",
    [
        PLAIN,
        'steps = ["op{next}"]\n',
        'steps = ["op{next}", "op{next}", "op{after}"]\n',
        'steps = ["nop{next}"]\n',
    ],
)
def test_time_grows_with_the_operations_not_with_their_square(body: str) -> None:
    few, many = _cost_s(body, 250), _cost_s(body, 2000)

    assert many < 24 * few


def _cost_s(body: str, count: int) -> float:
    text = "".join(
        f"[op{i}]\n" + body.format(next=i + 1, after=i + 2).replace(f"op{count}", "op0")
        for i in range(count)
    )
    text = text.replace(f'"op{count + 1}"', '"op1"')
    document = Document(Path("gage.toml"), text)
    costs = []
    for _ in range(2):
        begun_s = time.process_time()
        check_document(document)
        costs.append(time.process_time() - begun_s)
    return min(costs)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("gage.json", f'{{"a": {"[" * 900}{"]" * 900}}}', "nested too deeply"),
        ("gage.json", f"{'[' * 100_000}", "nested too deeply"),
        ("gage.toml", f"[{'.'.join('a' * 20_000)}]", "nested too deeply"),
        ("gage.toml", f"[{'.'.join('a' * 40)}]", "nested too deeply"),
        ("gage.yaml", f"a: {'[' * 100}{']' * 100}", "nested too deeply"),
        ("gage.toml", f"[a]\nretries = 0x{'f' * 6000}", "more than 300 digits"),
        ("gage.json", f'{{"a": {{"timeout": {"9" * 400}}}}}', "more than 300 digits"),
    ],
)
def test_what_no_one_can_walk_or_show_is_refused(name: str, text: str, problem: str) -> None:
    with pytest.raises(GagefileError, match=problem):
        Document(Path(name), text)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        *(
            (f"timeout = {value}", "must be a positive number of seconds")
            for value in ("nan", "inf", "1e400", "1e300", "0", "'99999999999h'")
        ),
        ("retries = inf", "must be a whole number from 0, not inf"),
        ("retries = nan", "must be a whole number from 0, not nan"),
        ("retries = -inf", "must be a whole number from 0, not -inf"),
        ("retries = 1e18", "must be at most 1,000,000"),
        ("retries = 2000000", "must be at most 1,000,000"),
        ('env = { A = "a\\u0000b" }', "holds a NUL"),
        ('env = { A = { value = "a\\u0000b" } }', "holds a NUL"),
        ('exec = "a\\u0000b"', "holds a NUL"),
        ('exec = ["a", "\\u0000b"]', "holds a NUL"),
        ('exec = { run = "a", finalize = "\\u0000b" }', "holds a NUL"),
    ],
)
def test_values_beyond_use_are_faults(line: str, message: str) -> None:
    plain = "" if line.startswith("exec") else PLAIN
    (fault,) = check_document(Document(Path("gage.toml"), f"[a]\n{plain}{line}\n"))

    assert fault.message.startswith(message)
    assert fault.line == (2 if line.startswith("exec") else 3)
