"""Whether an alert was worse since it was acknowledged with 'unless_worse', however it stands now.

A judged day is no worse than what was acknowledged where its answer rests on no other records, is of a lower grade, or is of the same grade
with a margin that is known and not larger. A spell is a run of one grade and keeps the margin of its last judged day alone: where it was
judged on several days, those between are judged again from the records, which costs as much as a page of a few patients. What cannot be
told to be no worse is worse.
"""

from collections import defaultdict
from datetime import date

import duckdb

from pipelines import findings
from pipelines.engines import on_duckdb
from pipelines.engines.inputs import Known

# Of each alert so acknowledged: whether some spell since is worse, and whether one has days between that it does not tell. A spell that
# was judged again after the day is told by these days alone.
SINCE = """
    SELECT
        living.patient_id, living.criterion, living.item, living.since, given.as_of, given.grade, given.margin, given.evidence,
        bool_or(NOT no_worse AND NOT later) AS worse, bool_or(several AND NOT same_evidence) AS several
    FROM (
        SELECT
            living.key, spell.last_judged > $day AS later, list_has_all(given.evidence, spell.evidence) AS same_evidence,
            spell.last_judged > $day OR (spell.from_date < spell.last_judged AND spell.last_judged > given.as_of) AS several,
            same_evidence OR coalesce(spell.grade < given.grade, FALSE) OR coalesce(
                spell.grade IS NOT DISTINCT FROM given.grade AND spell.margin <= given.margin, FALSE) AS no_worse
        FROM living JOIN given USING (key)
        JOIN alert_spell AS told ON told.key = living.key
        JOIN result.spell AS spell ON spell.rowid = told.place
        WHERE told.status = 'met' AND told.from_date >= living.since AND coalesce(told.until_date, DATE '9999-12-31') > given.as_of)
    JOIN living USING (key) JOIN given USING (key)
    GROUP BY ALL"""

GIVEN = """
    CREATE OR REPLACE TEMP TABLE given AS
    SELECT living.key, acknowledged.as_of, acknowledged.grade, acknowledged.margin, acknowledged.evidence
    FROM living JOIN alerting USING (criterion)
    JOIN acknowledged ON acknowledged.patient_id = living.patient_id AND acknowledged.criterion = living.criterion
        AND acknowledged.item IS NOT DISTINCT FROM living.item
    WHERE alerting.unless_worse AND acknowledged.code = 'unless_worse' AND acknowledged.as_of >= living.since AND living.key IS NOT NULL"""


def create_worse(cursor: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """TEMP table worse(patient_id, criterion, item): the alerts of `living` that were worse since their acknowledgement (alerts.py)."""
    cursor.execute(GIVEN)
    found = findings.fetch_rows(cursor.execute(SINCE, {"day": as_of}))
    worse = [row for row in found if row["worse"]]
    worse += _judged_again(cursor, as_of, [row for row in found if row["several"] and not row["worse"]])
    names = ("patient_id", "criterion", "item")
    columns = ", ".join(f"unnest(CAST(${name} AS VARCHAR[])) AS {name}" for name in names)
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE worse AS SELECT {columns}",
        {name: [row[name] for row in worse] for name in names},
    )


def _judged_again(cursor: duckdb.DuckDBPyConnection, as_of: date, rows: list[dict]) -> list[dict]:
    """Those of some alerts of which a judged day since the acknowledgement was worse."""
    days = defaultdict(list)
    patients = sorted({row["patient_id"] for row in rows})
    criteria = sorted({row["criterion"] for row in rows})
    for start in range(0, len(patients), findings.BATCH):
        with cursor.cursor() as own:  # its TEMP tables go with it, at once
            on_duckdb.replay(own, patients[start : start + findings.BATCH], Known(), criteria=criteria)
            told = own.execute(
                """SELECT patient_id, criterion, item, on_date, until_date, grade, margin, evidence FROM judgement
                WHERE status = 'met' AND on_date <= $day AND patient_id IN (SELECT patient_id FROM asked)""",
                {"day": as_of},
            )
            for day in findings.fetch_rows(told):
                days[day["patient_id"], day["criterion"], day["item"]].append(day)
    return [row for row in rows if _any_worse(days[row["patient_id"], row["criterion"], row["item"]], row)]


def _any_worse(days: list[dict], row: dict) -> bool:
    """Whether a judged day was; where none is found, the spells are of other records or rules, and nothing can be told."""
    return not days or any(_is_worse(day, row) for day in days)


def _is_worse(day: dict, row: dict) -> bool:
    """Whether a judged day that stands after the acknowledgement is not told to be no worse."""
    before = day["on_date"] < row["since"] or (day["until_date"] is not None and day["until_date"] <= row["as_of"])
    if before or set(map(int, day["evidence"])) <= set(row["evidence"]):
        return False
    if day["grade"] != row["grade"]:
        return None in (day["grade"], row["grade"]) or day["grade"] > row["grade"]
    if day["margin"] is None or row["margin"] is None:
        return True
    return round(float(day["margin"]), 6) > round(float(row["margin"]), 6)
