"""Stores of an alert, made without a load: the tables of a store with spells, records and entries put in by hand."""

import json
from datetime import date, datetime
from pathlib import Path

import duckdb

from pipelines.alerts import alerts

SCHEMA = (Path(__file__).parents[1] / "pipelines" / "store" / "schema.sql").read_text(encoding="utf-8")
CONCEPTS = """
    CREATE SCHEMA concept;
    CREATE TABLE concept.therapy_clock (patient_id VARCHAR, clock VARCHAR, day0 DATE, applies_from DATE, applies_to DATE);
    CREATE TABLE concept.oxygen_support (patient_id VARCHAR, on_date DATE, "at" TIMESTAMP, level INTEGER, device VARCHAR);"""
FIRST = date(2024, 3, 1)
RULE = "neutropenia"  # a warning, urgent from grade 3; may be acknowledged 'unless_worse'
FACTS = {"neutropenia": ["0.9", "1.0", "1.5"], "active_infection": ["Pneumonia", "2", "two"]}


def day(number: int) -> date:
    """Day 1 is the first of March 2024."""
    return date.fromordinal(FIRST.toordinal() + number - 1)


class HandMade:
    """A store in memory. Nothing is recorded but what a test puts in; a record of the last day keeps staleness out of the way."""

    def __init__(self) -> None:
        self.con = duckdb.connect()
        self.con.execute(SCHEMA)
        self.con.execute(CONCEPTS)
        self.con.execute("INSERT INTO source.file VALUES (1, 'labs.csv', 'a', 'csv/labs', TIMESTAMP '2024-03-01', [])")
        self.con.execute(
            "INSERT INTO source.file VALUES (2, 'entries.csv', 'b', 'csv/entries', TIMESTAMP '2024-03-01', [])"
        )
        self._numbers = iter(range(1, 1_000_000))

    def spells(self, *answers: tuple, criterion: str = RULE, patient: str = "p", item: str | None = None) -> None:
        """Answers in order: (day, status), or (day, status, grade, evidence, margin). Each stands until the next."""
        for answer, after in zip(answers, [*answers[1:], None], strict=True):
            number, status, grade, evidence, margin = (*answer, *(None, [], None)[len(answer) - 2 :])
            until = day(after[0]) if after else None
            self.con.execute(
                "INSERT INTO result.spell VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?::BIGINT[], ?::VARCHAR[], ?::VARCHAR[], [], ?)",
                [criterion, patient, item, day(number), day(number), until, status, grade, evidence,
                 ["neutrophil count"] if status == "not_evaluable" else [], FACTS[criterion], margin],
            )  # fmt: skip

    def record(
        self, number: int, patient: str = "p", received: datetime | None = None, file_id: int = 1, **said
    ) -> int:
        """A result of a day; with `kind` an event. Returns its id."""
        record_id = next(self._numbers)
        received = received or datetime(2024, 12, 1)
        common = {
            "record_id": record_id,
            "fact_id": record_id,
            "patient_id": patient,
            "at_low": day(number),
            "at_high": day(number),
        }
        common |= {
            "at_timed": False,
            "status": "final",
            "known_from": day(number),
            "known_assumed": True,
            "received_at": received,
        }
        common |= {"file_id": file_id, "line": 1}
        if "kind" in said:
            self._insert("record.event", common | {"date_assumed": False} | said)
        else:
            result = {
                "set_id": record_id,
                "kind": "labs",
                "analyte": "neutrophils",
                "value": 0.9,
                "low_open": False,
                "high_open": False,
            }
            result |= {"unit": "10*9/L", "unit_assumed": False, "original_value": "0.9", "original_unit": "10*9/L"}
            self._insert("record.observation", common | result | said)
        return record_id

    def acknowledge(self, alert: dict, on: int, until: int, code: str = "evidence", **changed) -> str:
        """Acknowledges an alert as it stood on a day. Returns the entry's id."""
        entry_id = f"e{next(self._numbers)}"
        kept = {name: alert[name] for name in ("severity", "grade", "margin", "evidence", "finding")}
        frozen = {"snapshot": 1, "as_of": day(on).isoformat()} | kept | changed.pop("frozen", {})
        row = {
            "version_id": next(self._numbers),
            "entry_id": entry_id,
            "kind": "acknowledgement",
            "author": "Dr A",
            "author_known": "typed",
        }
        row |= {name: alert[name] for name in ("patient_id", "criterion", "item")}
        row |= {
            "entered_at": datetime(2024, 12, 1),
            "code": code,
            "why": "known",
            "until": day(until),
            "frozen": json.dumps(frozen),
        }
        self._insert("record.entry", row | {"withdrawn": False, "file_id": 2, "line": 1} | changed)
        return entry_id

    def alerts(self, as_of: int, patients: list[str] | None = None, stale: bool = False) -> list[dict]:
        """The alerts of a day, without those of silence unless they are asked for."""
        with self.con.cursor() as cursor:
            return [one for one in alerts(cursor, day(as_of), patients) if stale or one["criterion"] != "stale_data"]

    def _insert(self, table: str, row: dict) -> None:
        columns = ", ".join(f'"{name}"' for name in row)
        self.con.execute(f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
