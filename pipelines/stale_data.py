"""Patients of whom nothing new is heard. Silence is an alert of its own: it must not look like a patient who is well.

Two gaps are measured. Of the days: from a patient's last record to the as-of day. Of the arrivals: from the moment this patient's last
record was received to the moment anybody's was; it is asked only as of the last recorded day, because arrivals of the past are no part of
what had happened. Either one longer than the interval is enough, and the finding says both. What people type in is no sign of life.
"""

from datetime import date

import duckdb

from pipelines import alert_rules
from pipelines.recorded import DEATHS, RECORDS, is_kept

MOST_EVIDENCE = 20  # of the records of the last day; a monitor writes thousands

HEARD = """
    CREATE OR REPLACE TEMP TABLE heard AS
    SELECT patient_id, max(day) AS last_day, max(received_at) AS last_received_at FROM ({records}) AS record GROUP BY patient_id"""

LATEST_ARRIVAL = f"SELECT CAST(max(received_at) AS DATE) FROM ({RECORDS}) AS record"

# The interval is that of the day of the last record, so that an alert does not end because the early months have passed.
STALE = """
    CREATE OR REPLACE TEMP TABLE stale AS
    WITH early AS (
        SELECT DISTINCT heard.patient_id FROM heard JOIN concept.therapy_clock AS therapy USING (patient_id)
        WHERE therapy.clock = 'combination' AND last_day BETWEEN day0 AND day0 + CAST($early_until AS INTEGER) AND applies_from <= $day
    ),
    measured AS (
        SELECT
            *, CASE WHEN patient_id IN (FROM early) THEN $days_early ELSE $days_late END AS expected_within,
            date_diff('day', last_day, $day) AS days,
            date_diff('day', CAST(last_received_at AS DATE), CAST($latest AS DATE)) AS arrival_days
        FROM heard WHERE patient_id NOT IN (SELECT patient_id FROM dead)
    ),
    silent AS (FROM measured WHERE days > expected_within OR arrival_days > expected_within),
    support AS (
        SELECT patient_id, level, device FROM concept.oxygen_support AS support
        WHERE level IS NOT NULL AND on_date <= $day AND patient_id IN (SELECT patient_id FROM silent)
        QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY on_date DESC, support.at DESC NULLS LAST, level DESC) = 1
    )
    SELECT
        silent.*, support.level, support.device, CASE WHEN level >= $urgent_level THEN 2 ELSE 1 END AS rank,
        least($day, CASE
            WHEN days > expected_within THEN last_day + CAST(expected_within AS INTEGER) + 1
            ELSE CAST(last_received_at AS DATE) + CAST(expected_within AS INTEGER) + 1 END) AS since
    FROM silent LEFT JOIN support USING (patient_id)"""

EVIDENCE = f"""
    CREATE OR REPLACE TEMP TABLE stale_evidence AS
    SELECT patient_id, list_sort(list_distinct(list(record_id)))[1:$most] AS evidence
    FROM ({RECORDS}) AS record JOIN stale USING (patient_id) WHERE day = last_day AND {{only}} GROUP BY patient_id"""

# What is read of the kept concepts. A store that was judged by a part of the rules has not all of them.
CONCEPTS = {
    "therapy_clock": "CAST(NULL AS VARCHAR) AS patient_id, CAST(NULL AS VARCHAR) AS clock, $day AS day0, $day AS applies_from",
    "oxygen_support": "CAST(NULL AS VARCHAR) AS patient_id, $day AS on_date, "
    "CAST(NULL AS TIMESTAMP) AS at, 0 AS level, CAST(NULL AS VARCHAR) AS device",
}


def create_stale(
    cursor: duckdb.DuckDBPyConnection,
    as_of: date,
    now: bool,
    patients: list[str] | None = None,
    evidence_of: list[str] | None = None,
) -> None:
    """TEMP tables dead (patient_id, died_on), heard (patient_id, last_day, last_received_at of what nobody typed), stale (a row per silent
    patient who is not dead) and stale_evidence (their last records; of all of them, or of `evidence_of`).

    stale: patient_id, last_day, last_received_at, expected_within, days, arrival_days (None where arrivals are not asked about), level,
    device (the last oxygen support), rank (2 urgent, 1 warning), since. `now`: the day is the last on which anything is recorded.
    """
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE dead AS {DEATHS}", {"day": as_of})
    if patients is None:
        cursor.execute(HEARD.format(records=RECORDS), {"day": as_of})
        latest, asked = "SELECT CAST(max(last_received_at) AS DATE) FROM heard", {}
    else:
        theirs = f"SELECT * FROM ({RECORDS}) WHERE patient_id IN (SELECT unnest($patients))"
        cursor.execute(HEARD.format(records=theirs), {"day": as_of, "patients": patients})
        latest, asked = LATEST_ARRIVAL, {"day": as_of}
    arrived_on = cursor.execute(latest, asked).fetchone()[0] if now else None
    sql = STALE
    for concept, columns in CONCEPTS.items():
        if not is_kept(cursor, concept):
            sql = sql.replace(f"concept.{concept}", f"(SELECT {columns} WHERE FALSE)")
    asked = {
        "day": as_of,
        "latest": arrived_on,
        "days_early": alert_rules.number("stale_days_early"),
        "early_until": alert_rules.number("stale_early_until"),
        "days_late": alert_rules.number("stale_days"),
        "urgent_level": alert_rules.number("stale_urgent_level"),
    }
    cursor.execute(sql, asked)
    only, asked = "TRUE", {"day": as_of, "most": MOST_EVIDENCE}
    if evidence_of == []:
        only = "FALSE"
    elif evidence_of is not None:
        only, asked = "patient_id IN (SELECT unnest($evidence_of))", asked | {"evidence_of": evidence_of}
    cursor.execute(EVIDENCE.format(only=only), asked)


def finding(facts: list[str | None]) -> str:
    """The sentence of a silent patient. facts: last day, days, expected within, moment of last arrival, days of arrival, device."""
    last_day, days, within, received, arrival_days, device = facts
    behind = f", {arrival_days} days before the latest of this store" if arrival_days and int(arrival_days) > 0 else ""
    support = f" Last oxygen support recorded: {device.replace('_', ' ')}." if device else ""
    return (
        f"No record since {last_day}, {days} days; the next was expected within {within} days [project default]. "
        f"Last arrival of a record: {received}{behind}.{support}"
    )
