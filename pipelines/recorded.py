"""What stands recorded by a day, as SQL that every question shares: deaths, and the records that are a sign of life. The day is $day."""

import duckdb

from pipelines.engines.inputs import JUDGED, RECORDED

# Whose death is recorded up to the day, and the first day that is recorded of it. A death with a time of day is one of that day.
DEATHS = f"""
    SELECT patient_id, CAST(min(at_high) AS DATE) AS died_on FROM record.event
    WHERE kind = 'outcome' AND code = 'death' AND known_until IS NULL AND {JUDGED} AND CAST(at_high AS DATE) <= $day
    GROUP BY patient_id"""

_DAYS = {"observation": "CAST(at_high AS DATE)", "administration": "start_high", "event": "CAST(at_high AS DATE)"}

# The records up to the day, in files that nobody typed here: what people type in is no sign of life.
RECORDS = " UNION ALL ".join(
    f"""SELECT patient_id, record_id, {day} AS day, received_at FROM record.{table}
    WHERE known_until IS NULL AND {RECORDED} AND {day} <= $day
    AND file_id NOT IN (SELECT file_id FROM source.file WHERE format = 'csv/entries')"""
    for table, day in _DAYS.items()
)

# The last of these days of each patient who has any.
LAST_DAYS = f"SELECT patient_id, max(day) AS last_day FROM ({RECORDS}) AS record GROUP BY patient_id"


def is_kept(cursor: duckdb.DuckDBPyConnection, concept: str) -> bool:
    """Whether a kept concept is in the store: one that was judged by a part of the rules, or in which nobody was judged, has not all."""
    found = "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'concept' AND table_name = $concept"
    return cursor.execute(found, {"concept": concept}).fetchone() is not None
