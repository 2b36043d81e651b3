"""The queries of data.py: of the worklist, for every patient at once, then of one patient's page."""

PATIENTS = """
    WITH day AS (
        SELECT patient_id, min(low) AS first_day, max(high) AS last_day FROM (
            SELECT patient_id, CAST(min(at_low) AS DATE) AS low, CAST(max(at_high) AS DATE) AS high
            FROM record.observation GROUP BY patient_id
            UNION ALL SELECT patient_id, min(start_low), max(start_high) FROM record.administration GROUP BY patient_id
            UNION ALL SELECT patient_id, CAST(min(at_low) AS DATE), CAST(max(at_high) AS DATE) FROM record.event GROUP BY patient_id)
        GROUP BY patient_id)
    SELECT patient_id, sex, birth_year, site, first_day, last_day FROM record.patient LEFT JOIN day USING (patient_id)"""

OXYGEN_NOW = """
    SELECT patient_id, on_date, level, device, flow, fio2, fio2_source, spo2 FROM concept.oxygen_support
    WHERE level IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY on_date DESC, oxygen_support.at DESC NULLS LAST, level DESC) = 1"""

SPARKS = """
    SELECT patient_id, analyte, list({'day': day, 'value': value, 'low': low, 'high': high} ORDER BY day, record_id) AS points FROM (
        SELECT patient_id, analyte, CAST(at_high AS DATE) AS day, value, low, high, record_id FROM record.observation
        WHERE analyte IN ('ferritin', 'fvc_percent') AND low IS NOT NULL AND known_until IS NULL
        AND status IN ('final', 'corrected', 'amended') AND (phase IS NULL OR phase = 'pre')
        QUALIFY row_number() OVER (PARTITION BY patient_id, analyte ORDER BY at_high DESC, record_id) <= $points)
    GROUP BY patient_id, analyte"""

DEATHS = """
    SELECT patient_id, CAST(max(at_high) AS DATE) AS died FROM record.event
    WHERE kind = 'outcome' AND code = 'death' AND known_until IS NULL AND status IN ('final', 'corrected', 'amended')
    GROUP BY patient_id"""

STANDING = """
    SELECT patient_id, criterion, item, status, grade, from_date AS since FROM result.spell
    WHERE from_date <= $day AND (until_date IS NULL OR until_date > $day)"""

OBSERVATIONS = """
    SELECT observation.* EXCLUDE (patient_id, fact_id, known_until, received_until), file.name AS file
    FROM record.observation JOIN source.file USING (file_id)
    WHERE patient_id = $patient_id AND known_until IS NULL AND status NOT IN ('entered_in_error', 'cancelled')
    ORDER BY at_high, analyte, record_id"""

EVENTS = """
    SELECT record_id, kind, code, value, number, text, CAST(at_high AS DATE) AS on_date, until_high AS until_date, date_assumed,
        file.name AS file, line
    FROM record.event JOIN source.file USING (file_id)
    WHERE patient_id = $patient_id AND known_until IS NULL AND status NOT IN ('entered_in_error', 'cancelled')
    ORDER BY at_high, kind, code, record_id"""

HELD = """
    SELECT name || ' line ' || line AS source, reason, field, found, hint AS "what to do",
        cells ->> '$.value' AS "value as printed", cells ->> '$.at' AS "date as printed", raw AS "row as received"
    FROM source.rejected JOIN source.last_arrival USING (file_id) ANTI JOIN source.decided USING (sha256, line)
    WHERE class = 'held' AND patient_id = $patient_id
    ORDER BY file_id, line LIMIT 500"""
