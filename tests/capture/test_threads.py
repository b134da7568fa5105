"""Work on many files keeps its order, ends at the first error, and leaves no thread behind."""

import threading

import pytest

from gage.capture.threads import in_threads


@pytest.mark.parametrize("count", [0, 1, 63, 64, 1000])
def test_results_are_in_the_order_of_the_items(count: int) -> None:
    assert in_threads(lambda item: item * 2, range(count)) == [2 * i for i in range(count)]


@pytest.mark.parametrize("count", [10, 1000])
def test_first_error_ends_the_work(count: int) -> None:
    done: list[int] = []

    def work(item: int) -> None:
        if item == 5:
            raise KeyError(item)
        done.append(item)

    with pytest.raises(KeyError):
        in_threads(work, range(count))
    assert threading.active_count() == 1
    assert len(done) < max(count, 500)


def test_interruption_of_the_caller_ends_the_threads() -> None:
    main = threading.current_thread()

    def work(item: int) -> None:
        if threading.current_thread() is main:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_threads(work, range(100_000))
    assert threading.active_count() == 1
