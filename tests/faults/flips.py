"""Runs with everything in them that a run can have, and bytes of them that go bad."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

from gage.store.runs import Run

__all__ = ["Flips", "copy_of", "files_of"]


def files_of(run: Run) -> list[Path]:
    """Every plain file of a run."""
    return sorted(path for path in run.dir.rglob("*") if path.is_file() and not path.is_symlink())


def copy_of(run: Run, folder: Path) -> Run:
    """The run copied to another location under its own id, bytes, modes and links alike."""
    return Run(shutil.copytree(run.dir, folder / run.id, symlinks=True))


class Flips:
    """Flips bytes of a file, one at a time, and puts each back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        os.chmod(path, 0o644)

    def offsets(self, random: Random, count: int | None) -> list[int]:
        """The first and the last byte, and `count` in between; all of them if None."""
        if count is None or self.size <= count + 2:
            return list(range(self.size))
        return sorted({0, self.size - 1, *random.sample(range(self.size), count)})

    def each(self, random: Random, count: int | None) -> Iterator[str]:
        """Flip one bit or all bits of one byte, yield what was done, and undo it."""
        for at in self.offsets(random, count):
            with self.path.open("r+b", buffering=0) as file:
                file.seek(at)
                [old] = file.read(1)
                new = old ^ random.choice((1, 2, 4, 8, 16, 32, 64, 128, 255))
                file.seek(at)
                file.write(bytes([new]))
                yield f"{self.path.name}: byte {at}: {old:#04x} to {new:#04x}"
                file.seek(at)
                file.write(bytes([old]))
