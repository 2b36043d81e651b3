"""The alarm budget: how many alerts a patient-week brings, and on how many of them anybody acted.

Counted are the runs of alert (alert_runs.py) by the day they began. Under observation is a patient from the first record to the last, both
days included; what began later, such as a test that nobody did, stands apart and is in no rate. Acted on is an alert that was
acknowledged, or named by a decision of the patient on that criterion, within 14 days of its first day [project default]; of those only the
alerts are counted whose 14 days are over. Silence (stale_data) is counted apart from the rates: by definition it lies outside observation.
"""

from datetime import date

import duckdb

from pipelines import alert_rules, alert_runs, alerts, entries, stale_data
from pipelines.recorded import RECORDS

OBSERVED = f"""
    CREATE OR REPLACE TEMP TABLE observed AS
    SELECT patient_id, min(day) AS first_day, max(day) AS last_day FROM ({RECORDS}) AS record GROUP BY patient_id"""

COUNTED = """
    WITH run AS (
        SELECT
            alert_run.*, highest_rank = 2 AS urgent, since BETWEEN first_day AND last_day AS within,
            since + CAST($acted_days AS INTEGER) < $day AS due,
            EXISTS (
                SELECT 1 FROM act WHERE act.patient_id = alert_run.patient_id AND act.criterion = alert_run.criterion
                AND (act.item IS NOT DISTINCT FROM alert_run.item OR act.item IS NULL AND act.kind = 'decision')
                AND act.day BETWEEN since AND since + CAST($acted_days AS INTEGER)) AS acted
        FROM alert_run JOIN observed USING (patient_id)
    )
    SELECT
        criterion,
        count(CASE WHEN within THEN 1 END) AS began,
        count(CASE WHEN within AND urgent THEN 1 END) AS began_urgent,
        count(CASE WHEN NOT within THEN 1 END) AS began_later,
        count(CASE WHEN due THEN 1 END) AS due,
        count(CASE WHEN due AND acted THEN 1 END) AS acted,
        count(CASE WHEN due AND urgent THEN 1 END) AS due_urgent,
        count(CASE WHEN due AND urgent AND acted THEN 1 END) AS acted_urgent
    FROM run GROUP BY criterion ORDER BY began DESC, criterion"""
COUNTS = ("began", "began_urgent", "began_later", "due", "acted", "due_urgent", "acted_urgent")


def budget(cursor: duckdb.DuckDBPyConnection, as_of: date) -> dict:
    """The budget by a day. patients, weeks (of observation, a float), acts (acknowledgements and decisions that name a criterion),
    silent_now (patients of whom nothing is heard), acted_days, total and criteria: dicts with criterion, title, group, the COUNTS,
    per_week and urgent_per_week (of a patient, None where nobody was observed) and share (acted of due; None where none is due).
    """
    alert_runs.create_runs(cursor, as_of)
    stale_data.create_stale(cursor, as_of, True)
    cursor.execute(OBSERVED, {"day": as_of})
    patients, weeks = cursor.execute(
        "SELECT count(*), coalesce(sum(date_diff('day', first_day, last_day) + 1), 0) / 7 FROM observed"
    ).fetchone()
    acts = _create_acts(cursor)
    asked = {"day": as_of, "acted_days": alert_rules.number("acted_days")}
    found = cursor.execute(COUNTED, asked).fetchall()
    rows = [{"criterion": row[0]} | dict(zip(COUNTS, row[1:], strict=True)) for row in found]
    total = {"criterion": None} | {name: sum(row[name] for row in rows) for name in COUNTS}
    return {
        "patients": patients,
        "weeks": float(weeks),
        "acts": acts,
        "silent_now": cursor.execute("SELECT count(*) FROM stale").fetchone()[0],
        "acted_days": asked["acted_days"],
        "total": _rates(total, weeks),
        "criteria": [_rates(row, weeks) for row in rows],
    }


def _rates(row: dict, weeks: float) -> dict:
    named = row["criterion"] is not None
    return row | {
        "title": alert_rules.title(row["criterion"]) if named else "All alerts",
        "group": alert_rules.group(row["criterion"]) if named else None,
        "per_week": row["began"] / weeks if weeks else None,
        "urgent_per_week": row["began_urgent"] / weeks if weeks else None,
        "share": row["acted"] / row["due"] if row["due"] else None,
    }


def _create_acts(cursor: duckdb.DuckDBPyConnection) -> int:
    """TEMP table act(kind, patient_id, criterion, item, day): what people did about an alert. Returns how many there are."""
    acts = []
    for entry in entries.standing(cursor, ("acknowledgement", "decision")):
        day = alerts.acknowledged_on(entry) if entry["kind"] == "acknowledgement" else entry["day"]
        if day and entry["criterion"]:
            acts.append((entry["kind"], entry["patient_id"], entry["criterion"], entry["item"], day))
    types = {"kind": "VARCHAR", "patient_id": "VARCHAR", "criterion": "VARCHAR", "item": "VARCHAR", "day": "DATE"}
    columns = ", ".join(f"unnest(CAST(${name} AS {kind}[])) AS {name}" for name, kind in types.items())
    asked = {name: [act[place] for act in acts] for place, name in enumerate(types)}
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE act AS SELECT {columns}", asked)
    return len(acts)
