"""Metrics and attributes of a run: read from output and files while it lives and at its end."""

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, cast

from gage.core.values import JsonValue
from gage.run.launch import Launch
from gage.run.tree import FileTree
from gage.store.runs import OwnedRun

if TYPE_CHECKING:
    from gage.capture.copying import Stamp
    from gage.capture.scan import OutputMetrics
    from gage.capture.summaries import Summaries, SummaryCollector

__all__ = ["Results"]

_FIRST_REFRESH_S = 2.0
_LINE_BYTES = 16 * 1024  # of a longer line only the beginning counts


class Results:
    """What the program says of itself.

    Call `begin` when the inputs are frozen, and `collect` at the end; between them the console
    feeds `take_lines`. Nothing is loaded for a program that says nothing and writes nothing.
    """

    def __init__(self, run: OwnedRun, launch: Launch, tree: FileTree) -> None:
        self._run = run
        self._launch = launch
        self._tree = tree
        self._inputs: Mapping[str, Stamp] | None = None
        self._collector: SummaryCollector | None = None
        self._output: OutputMetrics | None = None
        self._next_s = 0.0
        self._warned: set[str] = set()

    def begin(self) -> None:
        """Take note of what is there before the command starts: it is no result."""
        self._inputs = self._tree.input_stamps()
        self._next_s = time.monotonic() + _FIRST_REFRESH_S

    def take_lines(self, lines: bytes, t_s: float) -> None:
        """Take lines of output of the `run` phase, which came at epoch second `t_s`."""
        if self._output is None:
            self._output = self._open_output()
        self._output(lines, t_s)
        self._files().output(lines, t_s)

    def refresh_when_due(self) -> None:
        """Bring the summaries up to date, every few seconds at most."""
        if self._inputs is None or time.monotonic() < self._next_s:
            return
        if self._files().due():
            self._write(self._files().refresh())

    def collect(self) -> None:
        """Read everything that is there; may be repeated."""
        if self._output is not None:
            self._output.close()
        if self._inputs is None or not self._has_any():
            return
        summaries = self._files().refresh(final=True)
        self._files().close()
        self._write(summaries)
        self._warn([*summaries.warnings, *(self._output.warnings if self._output else ())])

    def read_output_again(self) -> None:
        """Read the recorded output of a run whose supervisor was lost.

        Metrics that the supervisor had no time or no room to write are added to the history:
        what is there already are the first of those that the output holds.
        """
        recorded = _recorded_values(self._run)
        output = self._open_output(skip=recorded)
        rest = {0: b"", 1: b""}
        for chunk in self._run.output("run"):
            lines, end, last = (rest[chunk.stream] + chunk.data).rpartition(b"\n")
            rest[chunk.stream] = last[:_LINE_BYTES]
            if end:
                output(lines + end, self._began_s() + chunk.t_ms / 1000)
                self._files().output(lines + end, 0.0)
        for line in filter(None, rest.values()):
            output(line, self._began_s())
            self._files().output(line, 0.0)
        self._output = output

    def _has_any(self) -> bool:
        """Whether there may be any result: most short commands leave none."""
        return (
            self._collector is not None
            or self._tree.has_outputs
            or bool(self._launch.attributes)
            or self._run.history_dir.exists()
        )

    def _files(self) -> "SummaryCollector":
        """What reads summaries from files and from the block in the output."""
        if self._collector is None:
            from gage.capture.summaries import SummaryCollector, SummarySettings

            settings = SummarySettings(
                attributes=self._launch.attributes,
                output_summary=self._launch.output_summary,
                filename=self._launch.summary_filename,
            )
            self._collector = SummaryCollector(
                self._run.dir, self._run.id, settings, self._inputs or {}
            )
        return self._collector

    def _open_output(self, skip: int = 0) -> "OutputMetrics":
        from gage.capture.scan import LineScanner, OutputMetrics
        from gage.store.history import HistoryWriter

        history = HistoryWriter(self._run.dir, self._run.id, source="output")
        return OutputMetrics(LineScanner(self._launch.metrics), history, skip=skip)

    def _began_s(self) -> float:
        """When the command started, in seconds since 1970."""
        started = self._run.state().started
        return started.timestamp() if started else time.time()

    def _write(self, summaries: "Summaries") -> None:
        attributes = dict(summaries.attributes)
        if summaries.label is not None:
            attributes["_label"] = {"value": summaries.label, "origin": "summary"}
        found = cast("Mapping[str, JsonValue]", summaries.metrics)
        self._run.write_summaries(found, cast("Mapping[str, JsonValue]", attributes))

    def _warn(self, warnings: Iterable[str]) -> None:
        """Say each warning once, in the record."""
        for warning in warnings:
            if warning not in self._warned:
                self._warned.add(warning)
                self._run.log(f"Warning: {warning}")


def _recorded_values(run: OwnedRun) -> int:
    """How many values of output lines are in the history."""
    from gage.store.history import read_segments

    return sum(
        len(row.values)
        for segment in read_segments(run.dir, "metrics")
        if segment.source == "output"
        for row in segment.rows()
    )
