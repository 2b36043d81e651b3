"""A load of laboratory rows, from file to published snapshot, beside DuckDB merely reading the same file into typed columns."""

from pathlib import Path

import duckdb

from pipelines.load import load
from pipelines.store.database import Store
from tests.benchmarks import cohort

LABS = 500_000
PATIENTS = 2_000
SIZE = f"{LABS:,} laboratory rows of {PATIENTS:,} patients, judged and published"
PEER = "read_csv, typed, into a DuckDB file"


def prepare() -> Path:
    return cohort.files(patients=PATIENTS, labs=LABS) / "labs.csv"


def ours(labs: Path, least: int = LABS) -> None:
    report = load(Store(cohort.folder() / "store"), [labs], received_at=cohort.RECEIVED)
    assert report.files[0].received >= least, report.files[0]
    assert report.files[0].rejected == 0, report.files[0]


def peer(labs: Path) -> None:
    with duckdb.connect(str(cohort.folder() / "floor.duckdb")) as con:
        con.execute("CREATE TABLE labs AS FROM read_csv(?)", [str(labs)])
        con.execute("CHECKPOINT")
