"""One new result of one patient in the largest store, from the file to the published snapshot, beside a bare copy of the work file."""

import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from pipelines import ingest, load
from pipelines.engines import on_duckdb
from pipelines.store.database import Store
from tests.benchmarks import cohort
from tests.benchmarks.bench_rulebook_20k import LABS, PATIENTS

SIZE = f"one result into the store of {PATIENTS:,} patients (target: under 1 s)"
PEER = "copying the work file"
PARTS = {
    "reading the row": (ingest, "ingest"),
    "judging the patient": (load, "_judge"),
    "publishing": (Store, "publish"),
}


@dataclass
class State:
    store: Store
    patient_id: str
    folder: Path = field(default_factory=cohort.folder)
    results: int = 0


def prepare() -> State:
    store = Store(cohort.shared(PATIENTS, LABS))
    with store.writer() as con:
        patient_id = con.execute(
            f"SELECT patient_id FROM record.patient ORDER BY 1 OFFSET {PATIENTS // 2} LIMIT 1"
        ).fetchone()[0]
        if not on_duckdb.judged_by_these_rules(con):
            on_duckdb.evaluate(con)
    return State(store, patient_id)


def ours(state: State) -> None:
    state.results += 1
    arrived = state.folder / f"result-{state.results}.csv"
    row = f"{state.patient_id},ferritin,{600 + state.results},ng/mL,2026-11-20,bench-{state.results}"
    arrived.write_text(f"patient_id,analyte,value,unit,at,record_id\n{row}\n", encoding="utf-8")
    report = load.load(state.store, [arrived], received_at=cohort.RECEIVED)
    assert (report.files[0].accepted, report.patients_changed) == (1, 1), report


def peer(state: State) -> None:
    shutil.copyfile(state.store.folder / "work.duckdb", state.folder / "copy.duckdb")


def detail(state: State) -> dict[str, float]:
    """Where the seconds of one more result go."""
    taken = dict.fromkeys(PARTS, 0.0)
    with ExitStack() as patched:
        for part, (owner, name) in PARTS.items():
            patched.enter_context(mock.patch.object(owner, name, _timed(getattr(owner, name), taken, part)))
        begin = time.perf_counter()
        ours(state)
        whole = time.perf_counter() - begin
    return {
        f"{part}, s": round(seconds, 3) for part, seconds in (taken | {"all else": whole - sum(taken.values())}).items()
    }


def _timed(work: Callable, taken: dict[str, float], part: str) -> Callable:
    def timed(*args, **named):
        begin = time.perf_counter()
        try:
            return work(*args, **named)
        finally:
            taken[part] += time.perf_counter() - begin

    return timed
