"""Every judged date of every rule for one patient, as the patient page asks for it, beside merely reading the records."""

from pipelines import findings
from pipelines.engines import on_duckdb
from pipelines.store.database import open_snapshot
from tests.benchmarks import cohort

SIZE = "one patient in a store of 1,000"
PEER = "SELECT of the same patient's records"


def prepare():
    snapshot = open_snapshot(cohort.loaded(1_000))
    with snapshot.cursor() as cursor:
        patient_id = cursor.execute("SELECT patient_id FROM record.patient ORDER BY 1 LIMIT 1 OFFSET 500").fetchone()[0]
        assert findings.last_recorded_day(cursor, patient_id)
    return snapshot, patient_id


def ours(state) -> None:
    snapshot, patient_id = state
    with snapshot.cursor() as cursor:
        on_duckdb.replay(cursor, [patient_id])


def peer(state) -> None:
    snapshot, patient_id = state
    with snapshot.cursor() as cursor:
        for table in ("observation", "administration", "event"):
            cursor.execute(f"SELECT * FROM record.{table} WHERE patient_id = ?", [patient_id]).fetchall()
