"""The rules in SQL and their slow twin in plain Python, each written from the rulebook, agree on random patients, day by day.

All patients are judged together, as in a load; where an answer differs, the rows of that patient are cut down to the few that matter.
MDA5_REFERENCE_EXAMPLES sets another number of patients.
"""

import os
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

import sample_data
from pipelines import ingest, sources
from pipelines.catalog import Catalog, catalog
from pipelines.engines import on_duckdb
from tests import test_spec
from tests.properties import cohorts, reference
from tests.properties.cohorts import Cohort
from tests.properties.reference import Answer, Patient, records

PATIENTS = int(os.environ.get("MDA5_REFERENCE_EXAMPLES", "200"))
SAMPLE_DATA = Path(sample_data.__file__).parent
DAYS_AFTER = 60  # waiting times run out after the last record
# Hypothesis begins with the simplest example and goes on by varying what it has: a seed for each patient keeps them different.
generate = settings(
    max_examples=3, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)


@dataclass(frozen=True)
class Standing:
    """One judged answer and the days on which it stands, `until` exclusive."""

    item: str | None
    since: date
    until: date | None
    answer: Answer


@dataclass(frozen=True)
class Judged:
    """Patients as the twin reads them, and what the engine answered: (criterion, patient_id) -> answers.

    `readings` are those of a patient with partial dates on their first day, each for the days from a date to the next.
    """

    patients: list[Patient]
    standing: dict[tuple[str, str], list[Standing]]
    readings: dict[str, list[tuple[date, date | None, Patient]]]


@cache
def people() -> tuple[Cohort, ...]:
    """The rows of each random patient."""
    return tuple(rows for number in range(PATIENTS) if any((rows := _person(number)).values()))


def _person(number: int) -> Cohort:
    found: list[Cohort] = []

    @seed(number)
    @generate
    @given(cohorts.person())
    def collect(rows: Cohort) -> None:
        found.append(rows)

    collect()
    return found[-1]


def judge(cohort: Cohort, rules: Catalog | None = None) -> Judged:
    """Loads the rows through the front door and judges every date."""
    con = cohorts.new_store()
    cohorts.receive(con, cohort, some_held=True)
    return replayed(con, rules)


def judge_files(folder: Path) -> Judged:
    """The same for the files of a folder, some rows of which may be refused."""
    con = cohorts.new_store()
    for file_id, path in enumerate(sorted(folder.glob("*.csv"))):
        ingest.ingest(con, file_id, sources.recognise(path), cohorts.RECEIVED)
    return replayed(con)


def replayed(con: duckdb.DuckDBPyConnection, rules: Catalog | None = None) -> Judged:
    on_duckdb.replay(
        con, [row[0] for row in con.execute("SELECT patient_id FROM record.patient").fetchall()], rules=rules
    )
    return said_by(con)


def said_by(con: duckdb.DuckDBPyConnection) -> Judged:
    """What a replayed connection holds; the further readings of partial dates are no patients of their own."""
    standing: dict[tuple[str, str], list[Standing]] = {}
    rows = con.execute(
        "SELECT criterion, patient_id, item, on_date, until_date, status, grade FROM judgement"
    ).fetchall()
    for criterion, patient_id, item, since, until, status, grade in rows:
        standing.setdefault((criterion, patient_id), []).append(Standing(item, since, until, Answer(status, grade)))
    read = {one.patient_id: one for one in reference.read_patients(con)}
    readings: dict[str, list[tuple[date, date | None, Patient]]] = {}
    for world_id, patient_id, cut, until in con.execute(
        "SELECT world_id, patient_id, cut, until FROM world"
    ).fetchall():
        readings.setdefault(patient_id, []).append((cut, until, read.pop(world_id)))
    return Judged(list(read.values()), standing, readings)


@cache
def sample() -> Judged:
    return judge(cohorts.numbered(list(people())))


def days_of(patient: Patient) -> list[date]:
    """From the first recorded day to some time after the last."""
    dated = [one.on_date for one in (*patient.observations, *patient.events)]
    last = max(dated + [one.start_date for one in patient.administrations]) + timedelta(DAYS_AFTER)
    return [patient.first_day + timedelta(days) for days in range((last - patient.first_day).days + 1)]


def stands_on(judged: Judged, criterion: str, patient: Patient, day: date) -> dict[str | None, Answer]:
    """What the engine says on a day, by item."""
    return {
        one.item: one.answer
        for one in judged.standing.get((criterion, patient.patient_id), [])
        if one.since <= day and (one.until is None or day < one.until)
    }


@cache
def twin_says(criterion: str, patient: Patient) -> tuple[tuple[date, dict[str | None, Answer]], ...]:
    """The twin's answers on every day."""
    return tuple((day, reference.answer(criterion, patient, day)) for day in days_of(patient))


def on_either_day(
    judged: Judged, criterion: str, patient: Patient, day: date, said: dict[str | None, Answer]
) -> dict[str | None, Answer]:
    """The twin's answers where partial dates on their last and on their first day give the same, else not evaluable."""
    for cut, until, first_days in judged.readings.get(patient.patient_id, []):
        if cut <= day and (until is None or day < until):
            other = reference.answer(criterion, first_days, day)
            items = [item for item in said | other if item is not None] or [None]
            return {
                item: said[item] if said.get(item) == other.get(item) else Answer(records.NOT_EVALUABLE)
                for item in items
            }
    return said


def first_difference(judged: Judged, criterion: str, patient: Patient) -> str | None:
    """The first day on which engine and twin differ; None where they never do."""
    for day, said in twin_says(criterion, patient):
        expected = on_either_day(judged, criterion, patient, day, said)
        found = stands_on(judged, criterion, patient, day)
        if expected != found:
            return f"{criterion} on {day}: the twin says {expected}, the engine {found}"
    return None


def cut_down(rows: Cohort, criterion: str) -> str:
    """A few rows of a patient on which engine and twin still differ, and how: every row without which they do is left out."""
    rules, difference = with_what_it_reads(criterion), "only among other patients"
    for name in rows:
        for row in list(rows[name]):
            fewer = rows | {name: [one for one in rows[name] if one is not row]}
            if any(fewer.values()):
                judged = judge(cohorts.numbered([fewer]), rules)
                if judged.patients and (shown := first_difference(judged, criterion, judged.patients[0])):
                    rows, difference = fewer, shown
    return "\n".join([difference, *(f"{name}: {row}" for name, found in rows.items() for row in found)])


def with_what_it_reads(criterion: str) -> Catalog:
    """The catalog cut down to one criterion."""
    rules, needed, waiting = catalog(), set(), [criterion]
    while waiting:
        needed.add(name := waiting.pop())
        waiting += [read for read in rules[name].reads if read in rules.order and read not in needed]
    return Catalog(
        {name: rules.concepts[name] for name in rules.concepts if name in needed},
        {name: rules.criteria[name] for name in rules.criteria if name in needed},
        tuple(name for name in rules.order if name in needed),
    )


@pytest.mark.parametrize("criterion", sorted(reference.CRITERIA))
def test_engine_and_twin_agree(criterion: str) -> None:
    for patient in sample().patients:
        if difference := first_difference(sample(), criterion, patient):
            rows = people()[int(patient.patient_id.removeprefix("p")) - 1]
            pytest.fail(f"{difference}\ncut down: {cut_down(rows, criterion)}", pytrace=False)


@pytest.mark.parametrize("criterion", sorted(reference.CRITERIA))
def test_the_sample_reaches_every_answer(criterion: str) -> None:
    said = {
        one.status
        for patient in sample().patients
        for _, answers in twin_says(criterion, patient)
        for one in answers.values()
    }
    assert said == {"met", "not_met", "not_evaluable"}


@pytest.mark.parametrize("folder", ["yonsei_2021", "published_cases"])
def test_they_agree_on_the_cases_of_the_literature(folder: str) -> None:
    judged = judge_files(SAMPLE_DATA / folder)
    differ = [
        first_difference(judged, criterion, patient) for criterion in reference.CRITERIA for patient in judged.patients
    ]
    assert not list(filter(None, differ))


@pytest.mark.parametrize("criterion", sorted(reference.CRITERIA))
def test_they_agree_on_the_cases_of_its_spec(criterion: str) -> None:
    con = test_spec.judged().con
    judged = said_by(con)
    partial = {row[0] for row in con.execute("SELECT patient_id FROM world").fetchall()}
    for patient in judged.patients:
        if patient.patient_id.rsplit("-", 1)[0] == criterion and patient.patient_id not in partial:
            for day in turning_days(judged, criterion, patient):
                assert reference.answer(criterion, patient, day) == stands_on(judged, criterion, patient, day), (
                    patient.patient_id,
                    day,
                )


def turning_days(judged: Judged, criterion: str, patient: Patient) -> list[date]:
    """The judged dates and the days before them."""
    since = {one.since for one in judged.standing[criterion, patient.patient_id]}
    return sorted(since | {one - timedelta(1) for one in since if one > patient.first_day})


def test_a_patient_judged_by_one_criterion_alone_can_be_cut_down() -> None:
    """As while a difference is cut down: one criterion reads few of the tables of the dictionary."""
    rows = {"labs": [{"analyte": "crp", "value": "2", "unit": "mg/dL", "at": "2024-01-01"}], "events": []}
    rows["events"] = [{"kind": "decision", "text": "none", "at": "2024-01-02"}]
    assert cut_down(rows, "lymphopenia").startswith("only among other patients\nlabs: ")


def test_every_criterion_has_a_twin() -> None:
    assert set(reference.CRITERIA) == set(catalog().criteria)
