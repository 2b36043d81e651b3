"""`make bench`: every benchmark beside its floor or peer in the same run; prints one table and writes latest.json.

A benchmark is a module of this folder named bench_<name>.py with SIZE (what was measured, in words), RUNS and PEER_RUNS (5
unless one run takes minutes), prepare() -> state, ours(state) and peer(state), and PEER (what the peer is). Each runs in a
process of its own; ours and the peer alternate, so that a machine that slows down slows both. peak_mb is the highest memory of
the process while ours runs, what prepare() left behind included.
"""

import argparse
import contextlib
import importlib
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
LATEST = HERE / "latest.json"
COLUMNS = ("name", "size", "seconds", "peer", "peer_seconds", "ratio", "peak_mb")


def measure(name: str) -> dict:
    """Medians of one benchmark: seconds of ours and of the peer, their ratio (ours / peer), peak memory in MB."""
    bench = importlib.import_module(f"tests.benchmarks.bench_{name}")
    state = bench.prepare()
    runs = getattr(bench, "RUNS", 5)
    peer_runs = getattr(bench, "PEER_RUNS", runs)
    if runs > 1:  # once warm, not counted
        bench.ours(state)
    if peer_runs > 1:
        bench.peer(state)
    ours, peers = [], []
    peak = 0.0
    for run in range(runs):
        _forget_peak()
        ours.append(_seconds(bench.ours, state))
        peak = max(peak, _peak_mb())
        if run < peer_runs:
            peers.append(_seconds(bench.peer, state))
    seconds, peer_seconds = statistics.median(ours), statistics.median(peers)
    return {
        "name": name,
        "size": bench.SIZE,
        "seconds": round(seconds, 4),
        "peer": bench.PEER,
        "peer_seconds": round(peer_seconds, 4),
        "ratio": round(seconds / peer_seconds, 3) if peer_seconds else None,
        "peak_mb": round(peak),
        "runs": runs,
    }


def _seconds(work, state) -> float:
    begin = time.perf_counter()
    work(state)
    return time.perf_counter() - begin


def _forget_peak() -> None:
    """Sets the process's peak memory back to what it holds now, where the system lets it (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_mb() -> float:
    try:
        status = Path("/proc/self/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", help="names of benchmarks; all when left out")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure(asked.one)))
        return
    names = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    results = []
    for name in asked.only or names:
        print(f"{name} ...", file=sys.stderr)
        command = [sys.executable, "-m", "tests.benchmarks", "--one", name]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            sys.exit(f"{name} failed:\n{run.stderr}")
        results.append(json.loads(run.stdout.splitlines()[-1]))
    LATEST.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    table = Table(*COLUMNS)
    for result in results:
        table.add_row(*(str(result[column]) for column in COLUMNS))
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
