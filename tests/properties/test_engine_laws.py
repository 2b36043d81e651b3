"""Laws of the engine on random cohorts: no look-ahead, other patients never matter, incremental equals rebuild."""

from datetime import date, timedelta

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.engines import on_duckdb
from tests.properties import cohorts
from tests.properties.cohorts import Cohort

ANSWER = (
    "criterion, patient_id, item, on_date, status, grade, list_sort(missing), facts, list_sort(notes), margin, evidence"
)
# What a record is a version of: a stop that is not yet known makes another version of the same fact.
FACTS = """SELECT record_id, fact_id FROM record.observation UNION ALL SELECT record_id, fact_id FROM record.administration
           UNION ALL SELECT record_id, fact_id FROM record.event"""
slow = settings(max_examples=25, deadline=None)


def judged(cohort: Cohort, until: date | None = None) -> list[tuple]:
    """Every answer of every judged date up to a day."""
    con = cohorts.new_store()
    cohorts.receive(con, cohort)
    everyone = [row[0] for row in con.execute("SELECT patient_id FROM record.patient ORDER BY 1").fetchall()]
    if not everyone:
        return []
    on_duckdb.replay(con, everyone)
    condition = "" if until is None else f"WHERE on_date <= DATE '{until}'"
    fact = dict(con.execute(FACTS).fetchall())
    rows = con.execute(f"SELECT {ANSWER} FROM judgement {condition}").fetchall()
    return sorted(((*row[:-1], sorted({fact[record_id] for record_id in row[-1]})) for row in rows), key=str)


def recorded_by(cohort: Cohort, day: date) -> Cohort:
    """What had happened by the end of a day: later rows are gone, a later stop, end or confirmation is not known."""
    text = day.isoformat()
    known: Cohort = {}
    for name, rows in cohort.items():
        known[name] = [dict(row) for row in rows if row.get("start", row.get("at", ""))[:10] <= text]
        for row in known[name]:
            if row.get("stop", "") > text:
                row["stop"] = text  # it was given up to the day
            for column in ("until", "last_confirmed_on"):
                if row.get(column, "") > text:
                    row[column] = ""
    return known


@slow
@given(cohorts.patients(most=2), st.integers(0, 75))
def test_nothing_dated_later_changes_an_answer(cohort: Cohort, offset: int) -> None:
    day = cohorts.FIRST + timedelta(days=offset)
    assert judged(recorded_by(cohort, day), day) == judged(cohort, day)


@slow
@given(cohorts.patients(most=3))
def test_other_patients_never_matter(cohort: Cohort) -> None:
    together = judged(cohort)
    for patient_id in {row[1] for row in together}:
        assert judged(cohorts.only(cohort, patient_id)) == [row for row in together if row[1] == patient_id]


def spells(con: duckdb.DuckDBPyConnection) -> list[tuple]:
    return sorted(con.execute("SELECT * FROM result.spell").fetchall(), key=str)


@slow
@given(cohorts.patients(most=3), st.randoms(use_true_random=False))
def test_judging_what_changed_equals_judging_everyone(cohort: Cohort, random) -> None:
    rows = [(name, row) for name, found in cohort.items() for row in found]
    random.shuffle(rows)
    con = cohorts.new_store()
    on_duckdb.evaluate(con)
    for part in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
        batch: Cohort = {}
        for name, row in part:
            batch.setdefault(name, []).append(row)
        cohorts.receive(con, batch)
        on_duckdb.evaluate(con, sorted({row["patient_id"] for _, row in part}))
    step_by_step = spells(con)
    on_duckdb.evaluate(con)
    assert step_by_step == spells(con)


@slow
@given(cohorts.patients(most=2))
def test_spells_say_what_the_judged_dates_say(cohort: Cohort) -> None:
    con = cohorts.new_store()
    cohorts.receive(con, cohort)
    on_duckdb.evaluate(con)
    told = con.execute(
        "SELECT criterion, patient_id, item, status, grade, from_date, last_judged FROM result.spell"
    ).fetchall()
    everyone = [row[0] for row in con.execute("SELECT patient_id FROM record.patient").fetchall()]
    if not everyone:
        return
    on_duckdb.replay(con, everyone)
    replayed = con.execute(
        "SELECT criterion, patient_id, item, status, grade, since, max(on_date) FROM judgement GROUP BY ALL"
    ).fetchall()
    assert sorted(told, key=str) == sorted(replayed, key=str)
