"""The published cases (tests/spec/published_cases): what their authors report against what the criteria answer on the day.

Each line is asserted against the engine's own answers on `sample_data/published_cases`: as printed, as if a person had settled the held
rows, and with the escalation of Ida 2023, whose day is not printed, moved to either end of where it can lie.
"""

import csv
import io
from collections import defaultdict
from datetime import date, datetime, timedelta
from functools import cache

import pytest

from pipelines.catalog import catalog
from pipelines.engines import on_duckdb
from tests.ingesting import empty_store, load
from tests.spec_cases import GIVEN, SPEC, read_table

SAMPLE = SPEC.parents[1] / "sample_data" / "published_cases"
DAY_0 = date(2000, 1, 1)
EARLIEST_JUDGED = DAY_0 + timedelta(days=8)
# A reading of the files, and the day it gives to the escalation (None: as transcribed, half-way).
READINGS = ("printed", "settled", "early", "late")
SETTLED_UNITS = {("ferritin", "ng/dL"): "ng/mL", ("P/F", ""): "mmHg"}
SETTLED_DRUGS = {"GC": "prednisolone"}
ANSWERS = ("met", "not_met", "not_evaluable")


def _lines() -> list[dict[str, str]]:
    found = []
    for path in sorted((SPEC / "published_cases").glob("*.md")):
        text, at = path.read_text(encoding="utf-8").splitlines(), 0
        while at < len(text):
            if text[at].startswith("|"):
                rows, at = read_table(path, text, at)
                found += rows
            else:
                at += 1
    return found


LINES = _lines()
NAMES = [f"{line['case']} {line['on']} {line['criterion']}: {line['the authors report']}" for line in LINES]


@cache
def transcribed() -> dict[str, list[dict[str, str]]]:
    return {
        kind: list(csv.DictReader((SAMPLE / f"{kind}.csv").open(encoding="utf-8")))
        for kind in GIVEN
        if (SAMPLE / f"{kind}.csv").exists()
    }


@cache
def days() -> dict[str, dict[str, date]]:
    """The days of baseline, escalation and last value of the patients whose record ids name them."""
    found: dict = defaultdict(dict)
    for kind in ("labs", "oxygen"):
        for row in transcribed()[kind]:
            name = row["record_id"].rsplit("-", 1)[-1]
            if name in ("baseline", "escalation", "last"):
                found[row["patient_id"]][name] = date.fromisoformat(row["at"])
    return found


def escalated(patient: str, reading: str) -> date | None:
    """The day that a reading gives to the escalation of a patient."""
    if patient not in days():
        return None
    return {"early": EARLIEST_JUDGED, "late": days()[patient]["last"] - timedelta(days=1)}.get(
        reading, days()[patient]["escalation"]
    )


def as_read(kind: str, row: dict[str, str], reading: str) -> dict[str, str]:
    """A row in one of the readings, for a patient of its own."""
    row = dict(row)
    if reading != "printed" and kind == "labs":
        row["unit"] = SETTLED_UNITS.get((row["analyte"], row["unit"]), row["unit"])
    if reading != "printed" and kind == "administrations":
        row["drug"] = SETTLED_DRUGS.get(row["drug"], row["drug"])
    if row.get("record_id", "").endswith(("-escalation", "-tof20")):
        row["start" if kind == "administrations" else "at"] = str(escalated(row["patient_id"], reading))
    own = {"record_id": f"{reading}/{row['record_id']}"} if "record_id" in row else {}
    return row | own | {"patient_id": f"{reading}/{row['patient_id']}"}


@cache
def answers() -> dict[tuple[str, str], list[dict]]:
    """Every judged date by patient of a reading and criterion."""
    con, patients = empty_store(), set()
    for kind, rows in transcribed().items():
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        for reading in READINGS:
            read = [
                as_read(kind, row, reading)
                for row in rows
                if reading in ("printed", "settled") or row["patient_id"] in days()
            ]
            writer.writerows(read)
            patients |= {row["patient_id"] for row in read}
        load(con, text.getvalue(), received_at=datetime(2026, 11, 21))
    on_duckdb.replay(con, sorted(patients), criteria={line["criterion"] for line in LINES})
    found = con.execute("SELECT patient_id, criterion, item, on_date, until_date, status FROM judgement")
    columns = [column[0] for column in found.description]
    by_rule = defaultdict(list)
    for row in (dict(zip(columns, row, strict=True)) for row in found.fetchall()):
        by_rule[row["patient_id"], row["criterion"]].append(row)
    return by_rule


def answer(line: dict[str, str], reading: str) -> str:
    """The status that stands; of the criterion as a whole where the item asked for has no answer."""
    patient = line["case"]
    named = days().get(patient, {}) | {"escalation": escalated(patient, reading)}
    on = named[line["on"]] if line["on"] in named else date.fromisoformat(line["on"])
    standing = {
        row["item"]: row["status"]
        for row in answers()[f"{reading}/{patient}", line["criterion"]]
        if row["on_date"] <= on and (row["until_date"] is None or row["until_date"] > on)
    }
    return standing[line["item"]] if line["item"] in standing else standing[None]


@pytest.mark.parametrize("line", LINES, ids=NAMES)
def test_the_criterion_answers_as_the_table_says(line: dict[str, str]) -> None:
    said = {reading: line[reading] for reading in ("printed", "settled") if reading in line}
    assert {reading: answer(line, reading) for reading in said} == said


@pytest.mark.parametrize("line", LINES, ids=NAMES)
def test_every_answer_that_is_not_the_authors_has_its_reason(line: dict[str, str]) -> None:
    assert line["authors"] in ("met", "not_met", "not said")
    ours = {line["printed"], line.get("settled", line["printed"])}
    assert ours <= set(ANSWERS)
    assert bool(line["why"]) == (ours != {line["authors"]})


MOVED = [(line, name) for line, name in zip(LINES, NAMES, strict=True) if "any day" in line]


@pytest.mark.parametrize("line", [line for line, _ in MOVED], ids=[name for _, name in MOVED])
def test_what_hangs_on_the_assumed_day_of_the_escalation_is_said(line: dict[str, str]) -> None:
    same = {answer(line, reading) for reading in ("settled", "early", "late")} == {line["settled"]}
    assert line["any day"] == ("yes" if same else "no")


def test_every_published_case_and_only_known_criteria_are_in_the_tables() -> None:
    assert {line["case"] for line in LINES} == {row["patient_id"] for row in transcribed()["patients"]}
    assert {line["criterion"] for line in LINES} <= set(catalog().criteria)
