"""Installs the peers that Gage is compared with, each in a virtual environment of its own."""

import subprocess
import sys
import venv
from pathlib import Path

__all__ = ["PEERS", "install_peers", "peer_versions"]

PEERS = {
    # Guild 0.9 imports pkg_resources, which newer setuptools no longer have.
    "guild": ("guildai", ("guildai", "setuptools<80")),
    "dvc": ("dvc", ("dvc",)),
    "mlflow": ("mlflow", ("mlflow",)),
}


def install_peers(folder: Path) -> dict[str, Path]:
    """Make the environments that are missing in `folder`; peer name to environment.

    A peer that cannot be installed here is named on stderr and left out.
    """
    return {name: path for name in PEERS if (path := _installed(folder / name, name))}


def _installed(path: Path, name: str) -> Path | None:
    if (path / "complete").exists():
        return path
    venv.create(path, with_pip=True, clear=True)
    pip = [str(path / "bin" / "python"), "-m", "pip", "install", "--quiet", *PEERS[name][1]]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(f"bench: without {name}: {done.stderr.strip().splitlines()[-1]}\n")
        return None
    (path / "complete").touch()
    return path


def peer_versions(peers: dict[str, Path]) -> dict[str, str]:
    """Peer name to the version that is installed."""
    return {name: _version(path, PEERS[name][0]) for name, path in peers.items()}


def _version(path: Path, package: str) -> str:
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    python = str(path / "bin" / "python")
    return subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
