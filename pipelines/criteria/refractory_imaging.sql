/*
title = "Chest imaging worse on therapy"
group = "refractory"
why   = """New or expanded ground glass or consolidation is one of the five conditions by which triple therapy was said to have
failed after a week. The reading is a reader's, never computed. A blank or not comparable reading changes nothing."""
items   = "clock"
unknown = ["combination therapy"]

[finding]
facts = ["image", "reading", "day"]
met = "{image} read as worse on {on_date}, day {day} of {item} therapy."
not_met = "{image} read as {reading} on {on_date}, day {day} of {item} therapy."
not_evaluable = "Whether chest imaging is worse cannot be told. Missing: {missing}."
[finding.notes]
no_published_wait = "No published waiting time for this regimen; 7 days used."

[[history]]
on  = 2026-11-21
why = "first version"
*/
WITH judged AS (
    SELECT
        span.patient_id, span.clock, span.day0, span.from_date, image.on_date, image.record_id, image.reading,
        CASE image.code WHEN 'chest_ct' THEN 'chest CT' ELSE 'chest X-ray' END AS image,
        CASE image.reading WHEN 'worse' THEN 'met' WHEN 'stable' THEN 'not_met' WHEN 'improved' THEN 'not_met' ELSE 'not_evaluable' END AS status
    FROM refractory_window AS span
    JOIN imaging_course AS image
        ON image.patient_id = span.patient_id AND image.on_date >= span.judged_from
        AND (span.to_date IS NULL OR image.on_date < span.to_date)
),
day_answer AS (
    SELECT *, min(CASE WHEN status <> 'not_evaluable' THEN on_date END) OVER (PARTITION BY patient_id, clock, from_date) AS first_answer
    FROM judged
    QUALIFY row_number() OVER (
        PARTITION BY patient_id, clock, on_date
        ORDER BY CASE status WHEN 'met' THEN 1 WHEN 'not_met' THEN 2 ELSE 3 END, image, record_id
    ) = 1
),
answered_day AS (
    SELECT
        patient_id, on_date, clock AS item, status, NULL AS grade, [record_id] AS evidence,
        CASE
            WHEN status = 'not_evaluable' THEN ['reading of the ' || image || ' of ' || CAST(on_date AS VARCHAR)]
            ELSE CAST([] AS VARCHAR[])
        END AS missing,
        [
            CASE image WHEN 'chest CT' THEN 'Chest CT' ELSE 'Chest X-ray' END, reading,
            CAST(date_diff('day', day0, on_date) AS VARCHAR)
        ] AS facts,
        CASE WHEN clock = 'combination' THEN ['no_published_wait'] ELSE CAST([] AS VARCHAR[]) END AS notes,
        NULL AS margin,
        CASE WHEN status <> 'not_evaluable' THEN on_date END AS decided_on
    FROM day_answer
    WHERE status <> 'not_evaluable' OR first_answer IS NULL OR on_date < first_answer
    UNION ALL
    SELECT
        patient_id, from_date, clock, 'not_evaluable', NULL, evidence,
        [CASE WHEN day0 IS NULL THEN clock || ' therapy' ELSE 'chest imaging' END],
        [NULL, NULL, CAST(date_diff('day', day0, from_date) AS VARCHAR)],
        CASE WHEN clock = 'combination' THEN ['no_published_wait'] ELSE CAST([] AS VARCHAR[]) END, NULL, NULL
    FROM refractory_window
)
SELECT
    patient_id, on_date, item, status, grade, evidence, missing, facts, notes, margin, decided_on
FROM answered_day
