"""What was known of one patient at a past moment, as `findings --known-at` asks for it in the largest store: the whole rulebook, and
each group of criteria alone. Beside merely reading the patient's records."""

import statistics
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines import findings
from pipelines.catalog import GROUPS
from pipelines.engines.inputs import Known
from pipelines.store.database import Snapshot, open_snapshot
from tests.benchmarks import cohort
from tests.benchmarks.bench_rulebook_20k import LABS, PATIENTS

SIZE = f"one patient in a store of {PATIENTS:,}, the whole rulebook (targets: 1 s, one group 0.3 s)"
PEER = "SELECT of the same patient's records"


@dataclass
class State:
    snapshot: Snapshot
    patient_id: str
    moment: datetime


def prepare() -> State:
    snapshot = open_snapshot(cohort.shared(PATIENTS, LABS))
    with snapshot.cursor() as cursor:
        patient_id = cursor.execute(
            f"SELECT patient_id FROM record.patient ORDER BY 1 OFFSET {PATIENTS // 2} LIMIT 1"
        ).fetchone()[0]
        last = findings.last_recorded_day(cursor, patient_id)
    return State(snapshot, patient_id, datetime.combine(last - timedelta(days=30), datetime.min.time()))


def ours(state: State, group: str | None = None) -> None:
    with state.snapshot.cursor() as cursor:
        known = Known(at=state.moment)
        assert findings.standing(cursor, state.moment.date(), [state.patient_id], group=group, known=known)


def peer(state: State) -> None:
    with state.snapshot.cursor() as cursor:
        for table in ("observation", "administration", "event"):
            cursor.execute(f"SELECT * FROM record.{table} WHERE patient_id = ?", [state.patient_id]).fetchall()


def detail(state: State) -> dict[str, float]:
    """Each group alone, the slowest first."""
    taken = {group: statistics.median(_seconds(state, group) for _ in range(5)) for group in GROUPS}
    return {f"{group} alone, s": round(taken[group], 3) for group in sorted(taken, key=lambda group: -taken[group])}


def _seconds(state: State, group: str) -> float:
    begin = time.perf_counter()
    ours(state, group)
    return time.perf_counter() - begin
