"""All rules over a cohort, set-wise, beside the same patients judged one at a time (a sample of them)."""

from pipelines.engines import on_duckdb
from pipelines.store.database import Store
from tests.benchmarks import cohort

PATIENTS, SAMPLE = 2_000, 20
SIZE = f"{PATIENTS:,} patients, all rules with evidence"
PEER = f"{SAMPLE} of these patients, one evaluation each"


def prepare():
    return Store(cohort.loaded(PATIENTS))


def ours(store) -> None:
    with store.writer() as con:
        on_duckdb.evaluate(con)


def peer(store) -> None:
    with store.writer() as con:
        some = con.execute(f"SELECT patient_id FROM record.patient ORDER BY patient_id LIMIT {SAMPLE}").fetchall()
        for (patient_id,) in some:
            on_duckdb.evaluate(con, [patient_id])
