"""Laws of the engine on random cohorts: no look-ahead, other patients never matter, incremental equals rebuild.

The patients are drawn by Hypothesis, each from a seed of its own, and judged together: a law is about what the engine does with
many patients at once, and a cohort costs hardly more than a patient.
"""

from datetime import date, timedelta
from random import Random

import duckdb
import pytest

from pipelines.catalog import catalog
from pipelines.engines import on_duckdb, relevance
from tests.properties import cohorts
from tests.properties.cohorts import Cohort

ANSWER = (
    "criterion, patient_id, item, on_date, status, grade, list_sort(missing), facts, list_sort(notes), margin, evidence"
)
# What a record is a version of: a stop that is not yet known makes another version of the same fact.
FACTS = """SELECT record_id, fact_id FROM record.observation UNION ALL SELECT record_id, fact_id FROM record.administration
           UNION ALL SELECT record_id, fact_id FROM record.event"""
PATIENTS = 40
PARTLY_DATED = 20
DATES = ("at", "start", "stop", "until", "last_confirmed_on")
each_cohort = pytest.mark.parametrize("first", [1_000, 2_000])


def drawn(first: int) -> Cohort:
    """A cohort of random patients; the same for the same number."""
    return cohorts.numbered([cohorts.seeded_person(first + number) for number in range(PATIENTS)])


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


@each_cohort
def test_nothing_dated_later_changes_an_answer(first: int) -> None:
    cohort = drawn(first)
    answers = judged(cohort)
    for offset in (5, 20, 35, 50, 70):
        day = cohorts.FIRST + timedelta(days=offset)
        assert judged(recorded_by(cohort, day), day) == [row for row in answers if row[3] <= day]


def test_a_stop_dated_later_changes_nothing_of_a_dose_that_does_not_say_how_often() -> None:
    dose = {
        "drug": "dexamethasone",
        "route": "oral",
        "dose": "6",
        "dose_unit": "mg",
        "per": "dose",
        "start": "2024-01-06",
    }
    pulse = {
        "drug": "methylprednisolone",
        "route": "iv",
        "dose": "500",
        "dose_unit": "mg",
        "per": "dose",
        "start": "2024-01-20",
    }
    others = [
        {
            "drug": drug,
            "route": "oral",
            "dose": "20",
            "dose_unit": "mg",
            "per": "day",
            "start": "2024-01-01",
            "ongoing": "yes",
        }
        for drug in ("prednisolone", "ciclosporin")
    ]
    cohort = cohorts.numbered([
        {"administrations": [*others, dose | {"stop": "2024-02-13"}, pulse | {"stop": "2024-01-22"}]}
    ])  # fmt: skip
    answers = judged(cohort)
    for day in (date(2024, 1, 6), date(2024, 1, 7), date(2024, 1, 20), date(2024, 1, 21)):
        assert judged(recorded_by(cohort, day), day) == [row for row in answers if row[3] <= day]


@each_cohort
def test_other_patients_never_matter(first: int) -> None:
    cohort = drawn(first)
    together = judged(cohort)
    for patient_id in sorted({row[1] for row in together})[:6]:
        assert judged(cohorts.only(cohort, patient_id)) == [row for row in together if row[1] == patient_id]


def spells(con: duckdb.DuckDBPyConnection) -> list[tuple]:
    return sorted(con.execute("SELECT * FROM result.spell").fetchall(), key=str)


def left_behind(con: duckdb.DuckDBPyConnection) -> dict[str, list[tuple]]:
    """Every table that an evaluation leaves in a store."""
    kept = [f"concept.{concept.id}" for concept in catalog().concepts.values() if concept.kept]
    tables = ("result.spell", "result.patient_state", *kept)
    return {table: sorted(con.execute(f"FROM {table}").fetchall(), key=str) for table in tables}


@each_cohort
def test_judging_what_changed_equals_judging_everyone(first: int) -> None:
    rows = [(name, row) for name, found in drawn(first).items() for row in found]
    Random(first).shuffle(rows)
    con = cohorts.new_store()
    on_duckdb.evaluate(con)
    for part in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
        batch: Cohort = {}
        for name, row in part:
            batch.setdefault(name, []).append(row)
        cohorts.receive(con, batch)
        on_duckdb.evaluate(con, sorted({row["patient_id"] for _, row in part}))
    step_by_step = left_behind(con)
    assert all(step_by_step.values())
    on_duckdb.evaluate(con)
    assert step_by_step == left_behind(con)


@each_cohort
def test_spells_say_what_the_judged_dates_say(first: int) -> None:
    con = cohorts.new_store()
    cohorts.receive(con, drawn(first))
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


def by_month(first: int) -> Cohort:
    """A cohort of random patients many of whose dates, in any file and column, are known only by month."""
    chance, cohort = Random(first), cohorts.numbered([cohorts.seeded_person(first + n) for n in range(PARTLY_DATED)])
    for rows in cohort.values():
        for row in rows:
            for column in DATES:
                if row.get(column) and chance.random() < 0.25:
                    row[column] = row[column][:7]
            if len(row.get("stop", "")) > 7 == len(row["start"]) and row["stop"][:7] == row["start"]:
                row["start"] = row["stop"]  # a month may end after a day of it: that stop would be held
    return cohort


@pytest.fixture(scope="module")
def partly_dated() -> tuple[duckdb.DuckDBPyConnection, list[str], list[tuple]]:
    """A store with many partial dates, its patients, and the spells of an evaluation of everyone: patients are numbers there, and
    each rule is given only the readings that change what it reads."""
    con = cohorts.new_store()
    cohorts.receive(con, by_month(3_000))
    on_duckdb.evaluate(con)
    return con, [row[0] for row in con.execute("SELECT patient_id FROM record.patient").fetchall()], spells(con)


def test_with_partial_dates_everyone_is_judged_as_a_list_of_all_is(partly_dated) -> None:
    con, everyone, told = partly_dated
    assert any("exact date of" in missing for row in told for missing in row[9])
    on_duckdb.evaluate(con, everyone)
    assert spells(con) == told


def test_with_partial_dates_spells_say_what_the_judged_dates_say(partly_dated) -> None:
    con, everyone, told = partly_dated
    on_duckdb.replay(con, everyone)
    replayed = con.execute(
        """SELECT criterion, patient_id, item, since, on_date, status, grade, evidence, missing, facts, notes, margin FROM judgement
        WHERE patient_id IN (SELECT patient_id FROM asked)
        QUALIFY row_number() OVER (PARTITION BY criterion, patient_id, item, since ORDER BY on_date DESC) = 1"""
    ).fetchall()
    assert sorted(replayed, key=str) == sorted((row[:5] + row[6:] for row in told), key=str)


def test_a_patient_with_partial_dates_is_judged_alone_as_among_others(partly_dated) -> None:
    con, everyone, told = partly_dated
    on_duckdb.evaluate(con, everyone[:1])
    assert spells(con) == told


def test_a_reading_that_a_rule_is_not_given_would_have_changed_none_of_its_answers(
    partly_dated, monkeypatch: pytest.MonkeyPatch
) -> None:
    con, everyone, told = partly_dated
    read = relevance.facts_read
    monkeypatch.setattr(
        relevance,
        "facts_read",
        lambda rules, order: dict.fromkeys(order, frozenset().union(*read(rules, order).values())),
    )
    on_duckdb.evaluate(
        con, everyone
    )  # every reading goes to every rule: more days are judged, and the answers are the same

    def answers(rows: list[tuple]) -> list[tuple]:
        return [(*row[:4], *row[5:8], row[9]) for row in rows]  # without last_judged, and what is said of that day

    assert answers(spells(con)) == answers(told)
