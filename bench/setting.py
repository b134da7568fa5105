"""Where a benchmark runs: a scratch directory, the interpreter, the peers, how often."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.rounds import Case, child_env

__all__ = ["Setting"]


@dataclass(frozen=True)
class Setting:
    """What every benchmark is given.

    Attributes:
        scratch: an empty directory; each benchmark makes one of its own name in it.
        rounds: counted rounds of short commands; long ones take fewer.
        peers: peer name to the directory of its virtual environment.
        is_full: also the sizes that take minutes to set up.
    """

    scratch: Path
    rounds: int = 11
    peers: Mapping[str, Path] = field(default_factory=dict)
    is_full: bool = False

    @property
    def python(self) -> str:
        return sys.executable

    @property
    def gage(self) -> str:
        return str(Path(sys.executable).with_name("gage"))

    @property
    def env(self) -> dict[str, str]:
        """The environment of every command: this interpreter first on PATH, a home in scratch."""
        env = child_env(self.scratch)
        return env | {"PATH": f"{Path(sys.executable).parent}:{env['PATH']}"}

    @property
    def bare_python(self) -> Case:
        """What start-up is compared with."""
        return Case("python -c pass", [self.python, "-c", "pass"])

    def directory(self, name: str) -> Path:
        """A new directory in scratch."""
        made = self.scratch / name
        made.mkdir(parents=True)
        return made

    def call(self, *argv: str, cwd: Path) -> None:
        """Run a command that prepares a measurement; its failure ends the benchmark."""
        done = subprocess.run(argv, cwd=cwd, env=self.env, capture_output=True, check=False)
        if done.returncode:
            raise SystemExit(f"bench: {argv} gave {done.returncode}: {done.stderr.decode()}")

    def peer(self, name: str, program: str) -> str | None:
        """The path of a peer's program, or None where it is not installed."""
        path = self.peers.get(name, self.scratch / "none") / "bin" / program
        return str(path) if path.exists() else None
