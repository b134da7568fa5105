"""A status is its word."""

import json

from gage.core.status import Status


def test_a_status_prints_as_its_word() -> None:
    assert f"{Status.COMPLETED}" == "completed" == str(Status("completed"))
    assert json.dumps(Status.ERROR) == '"error"'


def test_pending_and_running_are_active() -> None:
    assert {status for status in Status if status.is_active} == {Status.PENDING, Status.RUNNING}
