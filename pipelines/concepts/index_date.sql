/*
title = "Index date, as known on each day"
why   = """RP-ILD recorded, else ILD recorded, else the first record. A later RP-ILD record moves the index date from its own
date on and rewrites no earlier answer: on day D the row with applies_from <= D < applies_to holds."""
*/
WITH diagnosed AS (
    SELECT
        patient_id,
        CASE code WHEN 'rp_ild' THEN 'rp_ild' ELSE 'ild' END AS kind,
        on_date,
        record_id,
        row_number() OVER (PARTITION BY patient_id, code ORDER BY on_date, record_id) AS place
    FROM event
    WHERE kind = 'diagnosis' AND code IN ('ild', 'rp_ild') AND coalesce(value, 'present') = 'present'
),
candidate AS (
    SELECT patient_id, 'first_record' AS kind, 1 AS rank, first_day AS on_date, CAST([] AS BIGINT[]) AS evidence FROM patient
    UNION ALL
    SELECT patient_id, kind, CASE kind WHEN 'ild' THEN 2 ELSE 3 END, on_date, [record_id] FROM diagnosed WHERE place = 1
),
known AS (   -- a better kind replaces a lesser one from its own date on, and never the reverse
    SELECT
        *,
        min(on_date) OVER (PARTITION BY patient_id ORDER BY rank DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS replaced_on
    FROM candidate
)
SELECT patient_id, on_date AS applies_from, replaced_on AS applies_to, on_date AS index_date, kind, evidence
FROM known
WHERE replaced_on IS NULL OR on_date < replaced_on
