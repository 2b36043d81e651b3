"""The queries of one patient's page (dashboard.data)."""

# What stood recorded of one patient. `standing` is the SELECT of the versions that are read (pipelines.engines.inputs.Known).
_RECORDED = "patient_id = $patient_id AND status NOT IN ('entered_in_error', 'cancelled')"
_OBSERVATION = "observation.* EXCLUDE (patient_id, fact_id, known_until, received_until), file.name AS file"

LONG_ANALYTES = f"""
    SELECT analyte FROM ({{standing}}) WHERE {_RECORDED} GROUP BY analyte HAVING count(*) > $long"""

OBSERVATIONS = f"""
    SELECT {_OBSERVATION}
    FROM ({{standing}}) AS observation JOIN source.file USING (file_id)
    WHERE {_RECORDED} AND analyte NOT IN (SELECT unnest($long))
    ORDER BY at_high, analyte, record_id"""

LONG_SERIES = f"""
    SELECT at_high AS "at", CAST(coalesce(value, low, high) AS DOUBLE) AS value, record_id FROM ({{standing}})
    WHERE {_RECORDED} AND analyte = $analyte ORDER BY at_high, record_id"""

CHOSEN_OBSERVATIONS = f"""
    SELECT {_OBSERVATION} FROM record.observation AS observation JOIN source.file USING (file_id)
    WHERE record_id IN (SELECT unnest($ids)) AND at_high BETWEEN $first AND $last  -- so that a part of the table is read
    ORDER BY at_high, record_id"""

EVENTS = f"""
    SELECT record_id, kind, code, value, number, text, CAST(at_high AS DATE) AS on_date, until_high AS until_date, date_assumed,
        file.name AS file, line
    FROM ({{standing}}) AS event JOIN source.file USING (file_id)
    WHERE {_RECORDED}
    ORDER BY at_high, kind, code, record_id"""

# The records behind the courses of drugs; a partial date stands on its last day.
ADMINISTRATIONS = f"""
    SELECT record_id, drug, route, action, dose_unit, per, start_low AS start_first, start_high AS start, stop_high AS stop, ongoing,
        file.name AS file, line
    FROM ({{standing}}) AS administration JOIN source.file USING (file_id)
    WHERE {_RECORDED}
    ORDER BY start_high, drug, record_id"""

SUPPORT = """
    SELECT * EXCLUDE (patient_id) FROM oxygen_support WHERE patient_id = $patient_id
    ORDER BY on_date, oxygen_support.at NULLS FIRST, evidence"""

# Of a run of rows that say the same the first and the last draw the whole step. The last of each day is what stands on that day. A
# monitor's flow is never quite the same: of more than $most changes the least and the most support of each stretch are drawn.
SUPPORT_CHANGES = """
    WITH told AS (
        SELECT *, concat_ws('|', level, device, flow, fio2, fio2_source, activity) AS said FROM oxygen_support
        WHERE patient_id = $patient_id AND (level IS NOT NULL OR list_has_any(evidence, $evidence))),
    changed AS (
        SELECT *, list_has_any(evidence, $evidence) OR on_date IS DISTINCT FROM lead(on_date) OVER in_time AS wanted FROM told
        WINDOW in_time AS (ORDER BY on_date, told.at NULLS FIRST, evidence)
        QUALIFY wanted OR said IS DISTINCT FROM lag(said) OVER in_time OR said IS DISTINCT FROM lead(said) OVER in_time),
    placed AS (
        SELECT *, count(*) OVER () AS changes, ntile($stretches) OVER (ORDER BY on_date, changed.at NULLS FIRST, evidence) AS stretch
        FROM changed)
    SELECT * EXCLUDE (patient_id, said, wanted, changes, stretch) FROM placed
    QUALIFY wanted OR changes <= $most
        OR row_number() OVER (PARTITION BY stretch ORDER BY level, flow NULLS FIRST, fio2 NULLS FIRST, evidence) = 1
        OR row_number() OVER (PARTITION BY stretch ORDER BY level DESC, flow DESC NULLS LAST, fio2 DESC NULLS LAST, evidence) = 1"""

RATIO_SERIES = """
    SELECT coalesce(oxygen_support.at, CAST(on_date AS TIMESTAMP)) AS "at", CAST(sf AS DOUBLE) AS value, evidence[1] AS record_id
    FROM oxygen_support WHERE patient_id = $patient_id AND sf IS NOT NULL ORDER BY 1, 3"""

CHOSEN_RATIOS = """
    SELECT * EXCLUDE (patient_id) FROM {table} WHERE patient_id = $patient_id AND evidence[1] IN (SELECT unnest($ids))"""

MOST_HELD = 2_000  # held rows of one patient on the page; the Data page has them all
HELD = """
    SELECT name || ' line ' || line AS source, reason, field, found, hint AS "what to do",
        cells ->> '$.value' AS "value as printed", cells ->> '$.at' AS "date as printed", raw AS "row as received"
    FROM source.rejected JOIN source.last_arrival USING (file_id) ANTI JOIN source.decided USING (sha256, line)
    WHERE class = 'held' AND patient_id = $patient_id
    ORDER BY file_id, line LIMIT $most"""
