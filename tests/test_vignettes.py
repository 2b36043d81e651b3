"""The edge vignettes (tests/spec/vignettes): one difficulty of real records each, and what the criteria of several groups make of it.

Their rows go through the front door: native files loaded in the order in which they were received, then judged on
all that is known, or on what had been received by an earlier day.
"""

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import duckdb
import pytest

from pipelines.catalog import catalog
from pipelines.engines import on_duckdb
from pipelines.engines.inputs import Known
from tests.ingesting import empty_store, load
from tests.spec_cases import GIVEN, SPEC, Case, Spec, actual_value, expected_value, read_spec

EVERYTHING_BY = "2030-01-01"  # a row that does not say when it was received
REJECTED = "rejected"
VIGNETTES = [read_spec(path, {REJECTED, *catalog().concepts}) for path in sorted((SPEC / "vignettes").glob("*.md"))]
CASES = [(vignette, case) for vignette in VIGNETTES for case in vignette.cases]
FEWEST_CRITERIA = 3
TITLES = {
    "mixed_units", "greater_than", "less_than", "month_only", "missing_value", "never_tested", "corrected_result", "same_day_tie",
    "ongoing_drug", "stop_before_start", "two_time_zones", "entered_in_error",
}  # fmt: skip


@dataclass
class Judged:
    """What came of all vignettes: answers by the day up to which rows had been received (None: all), concept rows, rejected rows
    by patient, and the name that each record's row gave itself."""

    answers: dict[str | None, list[dict]]
    concepts: dict[str, list[dict]]
    rejected: dict[str, list[dict[str, str]]]
    names: dict[int, str]


@cache
def judged() -> Judged:
    con, named, given = empty_store(), {}, _given()
    files = ((day, kind) for day in sorted(given) for kind in GIVEN if kind in given[day])
    for file_id, (day, kind) in enumerate(files, start=1):
        rows = given[day][kind]
        load(con, _text(kind, rows), received_at=datetime.fromisoformat(f"{day} 12:00"))
        named |= {(file_id, line): row["record_id"].split("/")[-1] for line, row in enumerate(rows, start=2)}
    places = con.execute(
        "SELECT record_id, file_id, line FROM record.observation UNION ALL SELECT record_id, file_id, line "
        "FROM record.administration UNION ALL SELECT record_id, file_id, line FROM record.event"
    ).fetchall()
    rejected = defaultdict(list)
    for row in _rows(con, "SELECT patient_id, file_id, line, reason, class FROM source.rejected"):
        what = {"row": named[row["file_id"], row["line"]], "reason": row["reason"], "class": row["class"]}
        rejected[row["patient_id"]].append(what)
    answers, concepts = _judge(con)
    names = {record_id: named[file_id, line] for record_id, file_id, line in places}
    return Judged(answers, concepts, rejected, names)


def _given() -> dict[str, dict[str, list[dict[str, str]]]]:
    """The rows of all cases by the day on which they were received and by file. A record_id is a name inside one case."""
    given: dict = defaultdict(lambda: defaultdict(list))
    for _, case in CASES:
        for kind, rows in case.given.items():
            for row in rows:
                cells = {name: cell for name, cell in row.items() if name != "received"}
                record_id = f"{case.id}/{row['record_id']}" if row.get("record_id") else ""
                given[row.get("received") or EVERYTHING_BY][kind].append(
                    {"patient_id": case.id} | cells | {"record_id": record_id}
                )
    return given


def _text(kind: str, rows: list[dict[str, str]]) -> str:
    """A native file; a patient is no record."""
    columns = [
        name
        for name in dict.fromkeys(name for row in rows for name in row)
        if (kind, name) != ("patients", "record_id")
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _judge(con: duckdb.DuckDBPyConnection) -> tuple[dict[str | None, list[dict]], dict[str, list[dict]]]:
    answers = {}
    asked = [(row.get("known_on") or None, case.id, row["criterion"]) for _, case in CASES for row in case.expected]
    # All that is known comes last: it is its concepts that are looked at.
    for known_on in [*sorted({day for day, _, _ in asked if day}), None]:
        patients = sorted({case_id for day, case_id, _ in asked if day == known_on})
        criteria = {criterion for day, _, criterion in asked if day == known_on} if known_on else None
        known = Known(received_at=datetime.fromisoformat(f"{known_on} 23:59:59")) if known_on else Known()
        on_duckdb.replay(con, patients, known, criteria=criteria)
        days = "CAST(on_date AS VARCHAR) AS day, CAST(until_date AS VARCHAR) AS until"
        answers[known_on] = _rows(con, f"SELECT *, {days} FROM judgement")
    names = {name for _, case in CASES for name in case.others if name != REJECTED}
    return answers, {name: _rows(con, f"SELECT * FROM {name}") for name in names}


def _rows(cursor: duckdb.DuckDBPyConnection, query: str) -> list[dict]:
    found = cursor.execute(query)
    columns = [column[0] for column in found.description]
    return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def case_ids(cases: list[tuple[Spec, Case]]) -> list[str]:
    return [f"{case.id}: {case.title}" for _, case in cases]


@pytest.mark.parametrize(("vignette", "case"), CASES, ids=case_ids(CASES))
def test_each_criterion_answers_as_the_vignette_says(vignette: Spec, case: Case) -> None:
    differences = []
    for row in case.expected:
        standing = [
            answer
            for answer in judged().answers[row.get("known_on") or None]
            if (answer["patient_id"], answer["criterion"]) == (case.id, row["criterion"])
            and answer["item"] == (row.get("item") or None)
            and answer["day"] <= row["on_date"] and (answer["until"] is None or answer["until"] > row["on_date"])
        ]  # fmt: skip
        if row["status"] == "-":
            differences += [f"{row}: an answer stands: {standing}"] if standing else []
            continue
        if len(standing) != 1:
            differences.append(f"{row}: {len(standing)} answers stand")
            continue
        compared = set(row) - {"criterion", "on_date", "known_on", "item"}
        found = {column: actual_value(standing[0][column], judged().names) for column in row if column in compared}
        wanted = {column: expected_value(column, row[column]) for column in found}
        differences += [f"{row}: found {found}"] if found != wanted else []
    assert not differences, "\n".join(differences)


@pytest.mark.parametrize(("vignette", "case"), CASES, ids=case_ids(CASES))
def test_each_row_is_taken_or_rejected_as_the_vignette_says(vignette: Spec, case: Case) -> None:
    assert sorted(judged().rejected.get(case.id, []), key=str) == sorted(case.others.get(REJECTED, []), key=str)


CONCEPT_TABLES = [(case, concept) for _, case in CASES for concept in case.others if concept != REJECTED]


@pytest.mark.parametrize(
    ("case", "concept"), CONCEPT_TABLES, ids=[f"{case.id} {name}" for case, name in CONCEPT_TABLES]
)
def test_each_concept_has_the_rows_that_the_vignette_says(case: Case, concept: str) -> None:
    wanted = [{column: expected_value(column, cell) for column, cell in row.items()} for row in case.others[concept]]
    found = [
        {column: actual_value(row[column], judged().names) for column in wanted[0]}
        for row in judged().concepts[concept]
        if row["patient_id"] == case.id
    ]
    assert sorted(map(str, found)) == sorted(map(str, wanted))


def test_there_are_the_twelve_vignettes() -> None:
    assert {vignette.id for vignette in VIGNETTES} == TITLES


@pytest.mark.parametrize("vignette", VIGNETTES, ids=[vignette.id for vignette in VIGNETTES])
def test_a_vignette_asks_criteria_of_three_groups(vignette: Spec) -> None:
    asked = {row["criterion"] for case in vignette.cases for row in case.expected}
    assert asked <= set(catalog().criteria)
    assert len({catalog().criteria[name].group for name in asked}) >= FEWEST_CRITERIA, asked
