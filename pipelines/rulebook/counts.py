"""How many patients of a store each criterion is met in, not met in, or cannot be told of: read from the spells, for all at once.

A patient counts once for a criterion. Where it judges several items, met counts before cannot be told, and that before not met.
"""

from dataclasses import dataclass
from datetime import date

import duckdb

from pipelines import findings
from pipelines.engines import on_duckdb

ANSWERS = """
    SELECT criterion, patient_id,
        CASE
            WHEN bool_or(status = 'met') THEN 'met'
            WHEN bool_or(status = 'not_evaluable') THEN 'not_evaluable'
            ELSE 'not_met'
        END AS status
    FROM result.spell
    WHERE from_date <= $day AND (until_date IS NULL OR until_date > $day)
    GROUP BY criterion, patient_id"""


@dataclass(frozen=True)
class Counts:
    """What a snapshot answers on its last recorded day: patients by criterion and status. No id of a patient is in it."""

    snapshot: int
    as_of: date | None  # None: nothing is recorded
    patients: int
    by_these_rules: bool  # False: the rules have changed since this store was judged
    answers: dict[str, dict[str, int]]


def count(cursor: duckdb.DuckDBPyConnection, snapshot: int) -> Counts:
    """Counts the answers of one snapshot, whose number the caller knows."""
    as_of = findings.last_recorded_day(cursor)
    answers: dict[str, dict[str, int]] = {}
    for criterion, status, patients in cursor.execute(
        f"SELECT criterion, status, count(*) FROM ({ANSWERS}) GROUP BY criterion, status", {"day": as_of}
    ).fetchall():
        answers.setdefault(criterion, {"met": 0, "not_evaluable": 0, "not_met": 0})[status] = patients
    patients = cursor.execute("SELECT count(*) FROM record.patient").fetchone()[0]
    return Counts(snapshot, as_of, patients, on_duckdb.judged_by_these_rules(cursor), answers)


def patients(cursor: duckdb.DuckDBPyConnection, criterion: str) -> dict[str, list[str]]:
    """The ids of the patients behind the counts of one criterion, by status, each list sorted."""
    found: dict[str, list[str]] = {"met": [], "not_evaluable": [], "not_met": []}
    for patient_id, status in cursor.execute(
        f"SELECT patient_id, status FROM ({ANSWERS}) WHERE criterion = $criterion ORDER BY patient_id",
        {"day": findings.last_recorded_day(cursor), "criterion": criterion},
    ).fetchall():
        found[status].append(patient_id)
    return found
