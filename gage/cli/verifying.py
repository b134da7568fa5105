"""How commands tell whether runs are as they were recorded."""

import json as jsonlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from gage.cli.progress import Progress
from gage.cli.table import Column, table_lines
from gage.cli.terminal import clean, is_colour, terminal_width
from gage.cli.words import plural, size_text

if TYPE_CHECKING:
    from gage.core.values import JsonValue
    from gage.store.run import Run
    from gage.store.verify import Finding, Statement, Verification

__all__ = ["Verifier", "show_verification"]

_VERDICT = Column("verdict", least=10)
_MOST_TOLD = 50  # of one run: a directory that is gone has thousands of files


class Verifier:
    """Verifies runs one after the other, and tells each before the next.

    Attributes:
        is_any_damaged: whether one was, of those looked at so far.
    """

    def __init__(self, runs: "Sequence[Run]") -> None:
        self.is_any_damaged = False
        self._runs = runs
        self._verdicts: dict[str, int] = {}

    def lines(self) -> Iterator[str]:
        """What people read: the findings of each run, and how many runs are sound."""
        for number, run in enumerate(self._runs, 1):
            with Progress() as progress:  # its line is gone before others are printed
                verification = self._verified(run, number, progress)
            yield from _finding_lines(run, verification)
        counted = ", ".join(f"{count:,} {word}" for word, count in self._verdicts.items())
        yield f"{plural(len(self._runs), 'run')}: {counted}"

    def facts(self) -> "Iterator[dict[str, JsonValue]]":
        """The same for `--json`."""
        with Progress() as progress:
            for number, run in enumerate(self._runs, 1):
                yield _verification_json(run, self._verified(run, number, progress))

    def _verified(self, run: "Run", number: int, progress: Progress) -> "Verification":
        def tell(_files: int, size_bytes: int) -> None:
            progress.told(f"runs, now {run.name}, {size_text(size_bytes)}", number, len(self._runs))

        verification = _verified(run, tell)
        word = _verdict(verification)
        self._verdicts[word] = self._verdicts.get(word, 0) + 1
        self.is_any_damaged = self.is_any_damaged or not verification.is_sound
        return verification


def show_verification(run: "Run", *, json: bool) -> int:
    """Tell who said what of a run, and whether that and the run itself are certain; 1 if not."""
    with Progress() as progress:
        verification = _verified(run, lambda _, size: progress.told(size_text(size), 1, 1))
    if json:
        facts = _verification_json(run, verification)
        sys.stdout.write(jsonlib.dumps(facts, indent=2) + "\n")
    else:
        lines = [_record_line(run, verification), *_statement_lines(verification)]
        sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0 if verification.is_sound else 1


def _verified(run: "Run", progress: Callable[[int, int], None] | None = None) -> "Verification":
    """Verify a run by the signers that the settings allow."""
    from gage.cli.settings import settings
    from gage.store.verify import verify_run

    allowed = settings().text("user.allowed-signers")
    return verify_run(run, allowed_signers=allowed, progress=progress)


def _verdict(verification: "Verification") -> str:
    """What a verification comes to, in a word or three."""
    if verification.is_gone:
        return "removed meanwhile"
    if not verification.is_sound:
        return "damaged"
    return "sound" if verification.is_complete else "sound so far"


def _finding_lines(run: "Run", verification: "Verification") -> Iterator[str]:
    """The verdict on a run, and what was found."""
    read = f"{plural(verification.files, 'file')}, {size_text(verification.size_bytes)}"
    yield f"{run.name}  {_verdict(verification)} ({read})"
    for finding in verification.findings[:_MOST_TOLD]:
        yield f"  {finding.severity:<7}  {clean(finding.path)}: {clean(finding.what)}"
        if finding.hint:
            yield f"  {'':<7}  {clean(finding.hint)}"
    if (more := len(verification.findings) - _MOST_TOLD) > 0:
        yield f"  … and {more:,} more: try 'gage check --run {run.name} --json'"


def _record_line(run: "Run", verification: "Verification") -> str:
    """What is to be said of the record itself, on one line."""
    counts = Counter(finding.severity for finding in verification.findings)
    told = ", ".join(plural(count, severity) for severity, count in counts.items())
    more = f", {told}: try 'gage check --run {run.name}'" if told else ""
    return f"{clean(run.name)}  {_verdict(verification)}{more}"


def _statement_lines(verification: "Verification") -> list[str]:
    """A table with time, author, operation and verdict of everything that somebody said."""
    if not verification.statements:
        return ["Nobody said anything of this run"]
    rows = [
        [each.said, each.author or each.path, each.op, _judgement(each)]
        for each in verification.statements
    ]
    columns = (Column("said"), Column("author", least=8, share=3), Column("what"), _VERDICT)
    return table_lines(columns, rows, width=terminal_width(), colour=is_colour())


def _verification_json(run: "Run", verification: "Verification") -> "dict[str, JsonValue]":
    """A verification as `--json` prints it: see docs/reference/json.md."""
    return {
        "id": run.id,
        "name": run.name,
        "run_dir": str(run.dir),
        "verdict": _verdict(verification),
        "is_complete": verification.is_complete,
        "files": verification.files,
        "size_bytes": verification.size_bytes,
        "findings": [_finding_json(each) for each in verification.findings],
        "statements": [_statement_json(each) for each in verification.statements],
    }


def _finding_json(finding: "Finding") -> "JsonValue":
    return {**finding._asdict()}


def _statement_json(statement: "Statement") -> "JsonValue":
    return {key: value or None for key, value in statement._asdict().items()}


def _judgement(statement: "Statement") -> str:
    by = f" as {statement.signer}" if statement.trust == "verified" else ""
    return f"{statement.trust}{by}" + (f": {statement.reason}" if statement.reason else "")
