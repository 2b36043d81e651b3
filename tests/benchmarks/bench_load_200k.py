"""A load of laboratory rows, from file to published snapshot, beside DuckDB merely reading the same file."""

import duckdb

from pipelines.load import load
from pipelines.store.database import Store
from tests.benchmarks import cohort

LABS = 200_000
SIZE = f"{LABS:,} laboratory rows, judged and published"
PEER = "DuckDB read_csv into a table, nothing checked"


def prepare():
    made = cohort.files(patients=LABS // 150, labs=LABS)
    return made / "labs.csv"


def ours(labs) -> None:
    report = load(Store(cohort.folder() / "store"), [labs], received_at=cohort.RECEIVED)
    assert report.files[0].received >= LABS, report.files[0]


def peer(labs) -> None:
    with duckdb.connect(str(cohort.folder() / "floor.duckdb")) as con:
        con.execute("CREATE TABLE labs AS FROM read_csv(?, all_varchar = true)", [str(labs)])
        con.execute("CHECKPOINT")
