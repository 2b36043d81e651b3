"""What a store holds of each patient, in one row: the days its records reach over, how many stand, and two texts that tell whether any
record changed.

Kept in `result.patient_state` and written in the transaction that judges the patient, so that it is of the same records as the answers.
"""

import duckdb

from pipelines.engines.inputs import RECORDED

# A sum says the same in any order of rows. Record ids are 63-bit hashes of fact and content: two sets of records of one sum are not met by
# chance. A version that withdraws a record stands itself, and what it withdraws is closed: both sums change.
WRITE = f"""
    INSERT INTO result.patient_state
    WITH version AS (
        SELECT patient_id, record_id, status, CAST(at_low AS DATE) AS low, CAST(at_high AS DATE) AS high, received_at, received_until
        FROM record.observation
        UNION ALL SELECT patient_id, record_id, status, start_low, start_high, received_at, received_until FROM record.administration
        UNION ALL SELECT patient_id, record_id, status, CAST(at_low AS DATE), CAST(at_high AS DATE), received_at, received_until
        FROM record.event)
    SELECT patient_id,
        min(low) FILTER (received_until IS NULL AND {RECORDED}),
        max(high) FILTER (received_until IS NULL AND {RECORDED}),
        max(received_at),
        count(*) FILTER (received_until IS NULL AND {RECORDED}),
        CAST(coalesce(sum(CAST(record_id AS HUGEINT)) FILTER (received_until IS NULL), 0) AS VARCHAR),
        CAST(coalesce(sum(CAST(record_id AS HUGEINT)) FILTER (received_until IS NOT NULL), 0) AS VARCHAR)
    FROM asked LEFT JOIN version USING (patient_id) GROUP BY patient_id"""


def write(con: duckdb.DuckDBPyConnection) -> None:
    """Replaces the rows of the patients judged: those in the TEMP table `asked` of an evaluation (engines/on_duckdb.py)."""
    con.execute("DELETE FROM result.patient_state WHERE patient_id IN (SELECT patient_id FROM asked)")
    con.execute(WRITE)
