"""`make bench`: every benchmark beside its floor or peer in the same run; prints one table and writes latest.json.

A benchmark is a module of this folder named bench_<name>.py with SIZE (what was measured, in words), RUNS and PEER_RUNS (5
unless one run takes minutes), prepare() -> state, ours(state) and peer(state), and PEER (what the peer is). One with several
peers has PEERS instead: for each its words, its function, and by how much its seconds are multiplied (1; more where it does only a
part of the work). Where it says more than its seconds it has detail(state) -> dict, called once at the end, and GROWTH_OF: the
benchmark of a tenth of its size. Each runs in a process of its own; ours and the peers alternate, so that a machine that slows
down slows all. peak_mb is the highest memory of the process while ours runs, what prepare() left behind included.
"""

import argparse
import contextlib
import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
LATEST = HERE / "latest.json"
TIMES = 10
COLUMNS = ("name", "size", "seconds", "peer", "peer_seconds", "ratio", "peak_mb")


def measure(name: str) -> dict:
    """Medians of one benchmark: seconds of ours and of each peer, their ratio (ours / peer), peak memory in MB."""
    bench = importlib.import_module(f"tests.benchmarks.bench_{name}")
    state = bench.prepare()
    runs = getattr(bench, "RUNS", 5)
    peer_runs = getattr(bench, "PEER_RUNS", runs)
    peers = getattr(bench, "PEERS", None) or ((bench.PEER, bench.peer, 1),)
    if runs > 1:  # once warm, not counted
        bench.ours(state)
    if peer_runs > 1:
        for _, peer, _ in peers:
            peer(state)
    ours, theirs = [], [[] for _ in peers]
    peak = 0.0
    for run in range(runs):
        _forget_peak()
        ours.append(_seconds(bench.ours, state))
        peak = max(peak, _peak_mb())
        if run < peer_runs:
            for (_, peer, times), taken in zip(peers, theirs, strict=True):
                taken.append(_seconds(peer, state) * times)
    seconds = statistics.median(ours)
    beside = [_beside(words, seconds, taken) for (words, _, _), taken in zip(peers, theirs, strict=True)]
    return {
        "name": name,
        "size": getattr(state, "size", bench.SIZE),
        "seconds": round(seconds, 4),
        **beside[0],
        "peak_mb": round(peak),
        "runs": runs,
        "further_peers": beside[1:],
        "detail": bench.detail(state) if hasattr(bench, "detail") else {},
        "growth_of": getattr(bench, "GROWTH_OF", None),
    }


def _beside(words: str, seconds: float, taken: list[float]) -> dict:
    """One peer's median, and ours as a multiple of it."""
    peer = statistics.median(taken)
    return {"peer": words, "peer_seconds": round(peer, 4), "ratio": round(seconds / peer, 3) if peer else None}


def _say_growth(results: list[dict]) -> None:
    """Adds to a benchmark of ten times the size of another how many times its seconds grew."""
    seconds = {result["name"]: result["seconds"] for result in results}
    for result in results:
        if small := seconds.get(result.pop("growth_of")):
            result["detail"][f"times the seconds of a tenth of the size (linear: {TIMES})"] = round(
                result["seconds"] / small, 1
            )


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
    with TemporaryDirectory(prefix="mda5-bench-shared-") as shared:
        for name in asked.only or names:
            print(f"{name} ...", file=sys.stderr)
            results.append(_measured_apart(name, {"MDA5_BENCH_SHARED": shared} | os.environ))
    _say_growth(results)
    LATEST.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    table = Table(*COLUMNS)
    for result in results:
        table.add_row(*(str(result[column]) for column in COLUMNS))
        for peer in result["further_peers"]:
            table.add_row(*(str(peer.get(column, "")) for column in COLUMNS))
    console = Console(width=160)
    console.print(table)
    for result in results:
        for what, number in result["detail"].items():
            console.print(f"{result['name']}: {what}: {number}", highlight=False)


def _measured_apart(name: str, environment: dict[str, str]) -> dict:
    """Measures in a process of its own, whose temporary files go when it ends: a large store and its files are gigabytes."""
    command = [sys.executable, "-m", "tests.benchmarks", "--one", name]
    with TemporaryDirectory(prefix="mda5-bench-") as temporary:
        run = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment | {"TMPDIR": temporary}
        )
    if run.returncode:
        sys.exit(f"{name} failed:\n{run.stderr}")
    return json.loads(run.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
