"""The largest load that is promised: five million laboratory rows under 4 GB. A run takes minutes."""

from pathlib import Path

from tests.benchmarks import bench_load_csv_500k, cohort
from tests.benchmarks.bench_load_csv_500k import PEER, peer  # noqa: F401

LABS = 5_000_000
PATIENTS = 20_000
SIZE = f"{LABS:,} laboratory rows of {PATIENTS:,} patients, judged and published"


def prepare() -> Path:
    return cohort.files(patients=PATIENTS, labs=LABS) / "labs.csv"


def ours(labs: Path) -> None:
    bench_load_csv_500k.ours(labs, LABS)
