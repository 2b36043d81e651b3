"""The largest load that is promised: five million laboratory rows under 4 GB. One run: it takes minutes."""

from tests.benchmarks import bench_load_200k, cohort
from tests.benchmarks.bench_load_200k import PEER, peer  # noqa: F401

LABS = 5_000_000
SIZE = f"{LABS:,} laboratory rows, judged and published"
RUNS = 1


def prepare():
    return cohort.files(patients=20_000, labs=LABS) / "labs.csv"


def ours(labs) -> None:
    bench_load_200k.ours(labs)
