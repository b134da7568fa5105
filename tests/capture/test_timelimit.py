import re
import signal
import threading

import pytest

from gage.capture.timelimit import TimedOut, TimeLimit

_ENDLESS = re.compile("(?:a+)+$")


def test_a_match_that_does_not_end_is_ended() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(TimedOut), TimeLimit() as limit:
        limit.start(0.05)
        _ENDLESS.match("a" * 60 + "!")

    assert signal.getsignal(signal.SIGALRM) is before


def test_what_ends_in_time_is_left_alone() -> None:
    with TimeLimit() as limit:
        limit.start(60)
        limit.stop()

    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_outside_the_main_thread_there_is_no_limit() -> None:
    reached = []

    def work() -> None:
        with TimeLimit() as limit:
            limit.start(60)
            reached.append(signal.getitimer(signal.ITIMER_REAL)[0])
            limit.stop()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)

    assert reached == [0]
