"""Ids ascend, differ, and say what they should."""

import os
import re
import threading
import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gage.core import ids


def test_ids_are_version_7_of_the_present_time() -> None:
    before = int(time.time() * 1000)
    run_id = ids.new_run_id()
    assert uuid.UUID(run_id).version == 7
    assert uuid.UUID(run_id).variant == uuid.RFC_4122
    assert before - 1 <= ids.id_time(run_id).timestamp() * 1000 <= time.time() * 1000 + 5000
    assert ids.is_run_id(run_id)


def test_ids_of_one_process_ascend_and_differ() -> None:
    drawn = [ids.new_run_id() for _ in range(20_000)]
    assert drawn == sorted(drawn)
    assert len(set(drawn)) == len(drawn)


def test_two_ids_of_one_millisecond_differ_and_ascend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_clock", ids._Clock())
    monkeypatch.setattr(time, "time_ns", lambda: 1_800_000_000_000_000_000)
    drawn = [ids.new_run_id() for _ in range(10_000)]
    assert drawn == sorted(set(drawn))


def test_ids_ascend_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_clock", ids._Clock())
    first = ids.new_run_id()
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000_000_000_000)
    assert first < ids.new_run_id() < ids.new_run_id()
    assert ids.new_record_id() < ids.new_record_id()


def test_threads_draw_different_ids() -> None:
    drawn: list[str] = []
    threads = [
        threading.Thread(target=lambda: drawn.extend(ids.new_run_id() for _ in range(2000)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(drawn)) == 8000


def test_a_forked_child_draws_ids_of_its_own() -> None:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(write, ids.new_run_id().encode())
        os._exit(0)
    os.waitpid(pid, 0)
    theirs = os.read(read, 100).decode()
    os.close(read)
    os.close(write)
    assert ids.is_run_id(theirs)
    assert theirs[-16:] != ids.new_run_id()[-16:]


@given(st.text(max_size=40))
def test_only_ids_look_like_ids(text: str) -> None:
    try:
        expected = len(text) == 36 and str(uuid.UUID(text)) == text and uuid.UUID(text).version == 7
    except ValueError:
        expected = False
    assert ids.is_run_id(text) or not expected


@pytest.mark.parametrize("text", ["", "x" * 36, "01a1fb42-33c2-41b5-b2b7-0e52ce61ef1c"])
def test_other_names_are_no_ids(text: str) -> None:
    assert not ids.is_run_id(text)


def test_a_name_is_the_proquint_of_the_last_32_bits() -> None:
    # The example of the proquint proposal: 127.0.0.1 is lusab-babad.
    assert ids.run_name("0193aaaa-bbbb-7ccc-8ddd-eeee7f000001") == "lusab-babad"
    assert re.fullmatch(r"[a-z]{5}-[a-z]{5}", ids.run_name(ids.new_run_id()))


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_different_ends_have_different_names(one: int, other: int) -> None:
    names = [ids.run_name(f"0193aaaa-bbbb-7ccc-8ddd-eeee{bits:08x}") for bits in (one, other)]
    assert (names[0] == names[1]) == (one == other)


@given(st.integers(0, 2**32 - 1), st.integers(0, 11))
def test_the_beginning_of_a_name_gives_the_leading_bits(bits: int, length: int) -> None:
    name = ids.run_name(f"0193aaaa-bbbb-7ccc-8ddd-eeee{bits:08x}")
    found = ids.name_bits(name[:length])
    assert found is not None
    value, count = found
    assert bits >> (32 - count) == value
    assert length < 11 or count == 32


@pytest.mark.parametrize("text", ["a", "ba-", "lusab-babad-", "lusab babad", "lusaba"])
def test_no_name_begins_otherwise(text: str) -> None:
    assert ids.name_bits(text) is None


def test_writer_ids_name_the_rank() -> None:
    assert re.fullmatch(r"3-[0-9a-f]{16}", ids.new_writer_id(3))
    assert ids.new_writer_id() != ids.new_writer_id()


def test_record_ids_sort_after_what_was_known() -> None:
    later_ms = int(time.time() * 1000) + 100_000
    record_id = ids.new_record_id(after_ms=later_ms)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", record_id)
    assert ids.new_record_id() < record_id
