"""`python -m bench`: measure, print one table with ratios."""

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from bench.peers import PEERS, install_peers, peer_versions
from bench.rounds import Row
from bench.setting import Setting
from gage import __version__

BENCHMARKS = ("startup", "run_overhead", "listing", "staging", "capture", "analysis", "completion")


def main(argv: list[str] | None = None) -> int:
    """Run the benchmarks named in `argv`, all by default; print the table or JSON."""
    options = _options(argv)
    peers = _peers(options.peers)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="gage-bench-", dir=options.scratch) as scratch:
        setting = Setting(Path(scratch), options.rounds, peers, options.full)
        for name in options.benchmarks or BENCHMARKS:
            sys.stderr.write(f"bench: {name}\n")
            rows += import_module(f"bench.{name}").rows(setting)
    facts = _facts(peers)
    if options.json:
        print(json.dumps({"facts": facts, "rows": [asdict(row) for row in rows]}, indent=1))
    else:
        print(_table(rows))
        print("\n" + "\n".join(f"{name}: {value}" for name, value in facts.items()))
    return 0


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = ", ".join(BENCHMARKS)
    parser.add_argument("benchmarks", nargs="*", metavar="NAME", help=f"any of {names}")
    parser.add_argument("-n", "--rounds", type=int, default=11, help="counted rounds")
    parser.add_argument("--full", action="store_true", help="also sizes that take minutes")
    parser.add_argument(
        "--peers", type=Path, metavar="DIR", help=f"install {', '.join(PEERS)} in DIR and compare"
    )
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="work below DIR")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(argv)
    unknown = set(options.benchmarks) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {names}")
    return options


def _peers(folder: Path | None) -> dict[str, Path]:
    return {} if folder is None else install_peers(folder.resolve())


def _facts(peers: dict[str, Path]) -> dict[str, str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.release()}"
    facts = {
        "machine": f"{os.cpu_count()} cores, {memory:.0f} GiB, {system}",
        "python": platform.python_version(),
        "gage": __version__,
    }
    return facts | peer_versions(peers)


def _table(rows: list[Row]) -> str:
    """A Markdown table; a budget that was not kept is marked."""
    lines = ["| what | measured | ratio | against | budget |", "|---|---:|---:|---|---|"]
    for row in rows:
        times = "" if row.ratio is None else f"{row.ratio:.2f} ×"
        missed = " **missed**" if row.is_within is False else ""
        value = f"{row.value:,.1f} {row.unit}"
        lines.append(f"| {row.what} | {value} | {times} | {row.against} | {row.budget}{missed} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
