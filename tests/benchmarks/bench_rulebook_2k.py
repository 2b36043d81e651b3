"""All criteria with evidence over a cohort, beside six of them in the plainest form, without evidence (six_criteria.py)."""

from contextlib import ExitStack
from dataclasses import dataclass

import duckdb
import pandas as pd

from pipelines.catalog import catalog
from pipelines.engines import on_duckdb
from pipelines.store.database import Store, transaction
from tests.benchmarks import cohort, six_criteria

PATIENTS, LABS = 2_000, 500_000
SAMPLE = 50
RUNS = 3
SIZE = "all criteria with evidence"


@dataclass
class State:
    held: ExitStack  # the work file, open until the process ends
    con: duckdb.DuckDBPyConnection
    frames: dict[str, pd.DataFrame]  # of everyone, held in memory before the clock starts
    sample: dict[str, pd.DataFrame]
    size: str


def prepare(patients: int = PATIENTS, labs: int = LABS) -> State:
    held = ExitStack()
    con = held.enter_context(Store(cohort.shared(patients, labs)).writer())
    sample = six_criteria.without_partial_dates(con)[:SAMPLE]
    six_criteria.check_agreement(con, sample)
    observations = con.execute("SELECT count(*) FROM record.observation WHERE known_until IS NULL").fetchone()[0]
    size = f"{patients:,} patients, {observations:,} observations: all {len(catalog().criteria)} criteria with evidence"
    return State(held, con, six_criteria.frames(con), six_criteria.frames(con, sample), size)


def ours(state: State) -> None:
    with on_duckdb.evaluated(state.con) as replace_rows, transaction(state.con):  # as load() does
        replace_rows()


def plain_query(state: State) -> None:
    six_criteria.in_sql(state.con)


def in_pandas(state: State) -> None:
    six_criteria.in_pandas(state.frames)


def in_pandas_by_patient(state: State) -> None:
    six_criteria.in_pandas_by_patient(state.sample)


def peers(patients: int) -> tuple:
    return (
        ("six criteria, status alone: one DuckDB query", plain_query, 1),
        ("the six in pandas, rows in memory already", in_pandas, 1),
        (
            f"the six in pandas by patient: {SAMPLE} patients x {patients // SAMPLE}",
            in_pandas_by_patient,
            patients / SAMPLE,
        ),
    )


PEERS = peers(PATIENTS)
