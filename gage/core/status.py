"""What can be said about a run."""

from enum import Enum

__all__ = ["Status"]


class Status(str, Enum):
    """The status of a run, worked out from its life cycle whenever it is asked for.

    Attributes:
        STAGED: ready to be started.
        PENDING: being prepared.
        RUNNING: the process lives.
        COMPLETED: it ended well.
        ERROR: it failed by itself: exit status, exception, failed phase.
        TERMINATED: it was ended: signal, time limit, lost supervisor.
        PRUNED: it was stopped because it did not look promising.
        UNKNOWN: it cannot be known from here, or the record is damaged.
    """

    STAGED = "staged"
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    ERROR = "error"
    TERMINATED = "terminated"
    PRUNED = "pruned"
    UNKNOWN = "unknown"

    @property
    def is_active(self) -> bool:
        """Whether a process is at work on the run."""
        return self in {Status.PENDING, Status.RUNNING}

    def __str__(self) -> str:
        return self.value
