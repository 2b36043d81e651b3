"""Patients of whom nothing new is heard. Silence is an alert of its own: it must not look like a patient who is well.

Two gaps are measured. Of the days: from a patient's last record to the as-of day. Of the arrivals: from the moment this patient's last
record was received to the moment anybody's was; it is asked only as of the last recorded day, because arrivals of the past are no part of
what had happened. Either one longer than the interval is enough, and the finding says both. What people type in is no sign of life.
"""

from datetime import date

import duckdb

from pipelines import alert_rules

MOST_EVIDENCE = 20  # of the records of the last day; a monitor writes thousands

_DAYS = {"observation": "CAST(at_high AS DATE)", "administration": "start_high", "event": "CAST(at_high AS DATE)"}
# What stands recorded up to the day, in files that nobody typed here.
RECORDS = " UNION ALL ".join(
    f"""SELECT patient_id, record_id, {day} AS day, received_at FROM record.{table}
    WHERE known_until IS NULL AND status NOT IN ('entered_in_error', 'cancelled') AND {day} <= $day
    AND file_id NOT IN (SELECT file_id FROM source.file WHERE format = 'csv/entries')"""
    for table, day in _DAYS.items()
)

# The interval is that of the day of the last record, so that an alert does not end because the early months have passed.
STALE = f"""
    CREATE OR REPLACE TEMP TABLE stale AS
    WITH heard AS (
        SELECT patient_id, max(day) AS last_day, max(received_at) AS last_received_at FROM ({RECORDS}) AS record
        WHERE ($everyone OR patient_id IN (SELECT unnest($patients))) AND patient_id NOT IN (FROM dead)
        GROUP BY patient_id
    ),
    early AS (
        SELECT DISTINCT heard.patient_id FROM heard JOIN concept.therapy_clock AS therapy USING (patient_id)
        WHERE therapy.clock = 'combination' AND last_day BETWEEN day0 AND day0 + CAST($early_until AS INTEGER) AND applies_from <= $day
    ),
    measured AS (
        SELECT
            *, CASE WHEN patient_id IN (FROM early) THEN $days_early ELSE $days_late END AS expected_within,
            date_diff('day', last_day, $day) AS days,
            CASE WHEN $now THEN date_diff('day', CAST(last_received_at AS DATE),
                (SELECT CAST(max(received_at) AS DATE) FROM ({RECORDS}) AS record)) END AS arrival_days
        FROM heard
    ),
    support AS (
        SELECT patient_id, level, device FROM concept.oxygen_support AS support
        WHERE level IS NOT NULL AND on_date <= $day
        QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY on_date DESC, support.at DESC NULLS LAST, level DESC) = 1
    )
    SELECT
        measured.*, support.level, support.device,
        least($day, CASE
            WHEN days > expected_within THEN last_day + CAST(expected_within AS INTEGER) + 1
            ELSE CAST(last_received_at AS DATE) + CAST(expected_within AS INTEGER) + 1 END) AS since
    FROM measured LEFT JOIN support USING (patient_id)
    WHERE days > expected_within OR arrival_days > expected_within"""

EVIDENCE = f"""
    CREATE OR REPLACE TEMP TABLE stale_evidence AS
    SELECT patient_id, list_sort(list_distinct(list(record_id)))[1:$most] AS evidence
    FROM ({RECORDS}) AS record JOIN stale USING (patient_id) WHERE day = last_day GROUP BY patient_id"""

# What is read of the kept concepts. A store that was judged by a part of the rules has not all of them.
CONCEPTS = {
    "therapy_clock": "CAST(NULL AS VARCHAR) AS patient_id, CAST(NULL AS VARCHAR) AS clock, $day AS day0, $day AS applies_from",
    "oxygen_support": "CAST(NULL AS VARCHAR) AS patient_id, $day AS on_date, "
    "CAST(NULL AS TIMESTAMP) AS at, 0 AS level, CAST(NULL AS VARCHAR) AS device",
}

DEAD = """
    CREATE OR REPLACE TEMP TABLE dead AS
    SELECT DISTINCT patient_id FROM record.event
    WHERE kind = 'outcome' AND code = 'death' AND known_until IS NULL AND status IN ('final', 'corrected', 'amended') AND at_high <= $day"""


def create_stale(cursor: duckdb.DuckDBPyConnection, as_of: date, now: bool, patients: list[str] | None = None) -> None:
    """TEMP tables dead (patient_id), stale (a row per silent patient who is not dead) and stale_evidence (their last records).

    stale: patient_id, last_day, last_received_at, expected_within, days, arrival_days (None where arrivals are not asked about), level,
    device (the last oxygen support), since. `now`: the day is the last on which anything is recorded.
    """
    cursor.execute(DEAD, {"day": as_of})
    sql = STALE
    for concept, columns in CONCEPTS.items():
        if not _is_kept(cursor, concept):
            sql = sql.replace(f"concept.{concept}", f"(SELECT {columns} WHERE FALSE)")
    cursor.execute(
        sql,
        {
            "day": as_of,
            "now": now,
            "everyone": patients is None,
            "patients": patients or [],
            "days_early": alert_rules.number("stale_days_early"),
            "early_until": alert_rules.number("stale_early_until"),
            "days_late": alert_rules.number("stale_days"),
        },
    )
    cursor.execute(EVIDENCE, {"day": as_of, "most": MOST_EVIDENCE})


def once_on_high_support(cursor: duckdb.DuckDBPyConnection, as_of: date) -> list[str]:
    """The patients of whom silence can be urgent: by the day they had been on so much oxygen support."""
    if not _is_kept(cursor, "oxygen_support"):
        return []
    found = cursor.execute(
        "SELECT DISTINCT patient_id FROM concept.oxygen_support WHERE level >= $urgent_level AND on_date <= $day",
        {"urgent_level": alert_rules.number("stale_urgent_level"), "day": as_of},
    )
    return [patient_id for (patient_id,) in found.fetchall()]


def _is_kept(cursor: duckdb.DuckDBPyConnection, concept: str) -> bool:
    found = "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'concept' AND table_name = $concept"
    return cursor.execute(found, {"concept": concept}).fetchone()[0] > 0


def finding(facts: list[str | None]) -> str:
    """The sentence of a silent patient. facts: last day, days, expected within, moment of last arrival, days of arrival, device."""
    last_day, days, within, received, arrival_days, device = facts
    behind = f", {arrival_days} days before the latest of this store" if arrival_days and int(arrival_days) > 0 else ""
    support = f" Last oxygen support recorded: {device.replace('_', ' ')}." if device else ""
    return (
        f"No record since {last_day}, {days} days; the next was expected within {within} days [project default]. "
        f"Last arrival of a record: {received}{behind}.{support}"
    )
