/*
title = "Clinician's impression: worse on therapy"
group = "refractory"
why   = """The attending physician's impression of worsening is the fifth of the published conditions. It is entered by a clinician;
nothing else is taken for it."""
items   = "clock"
unknown = ["combination therapy"]

[finding]
facts = ["day"]
met = "A clinician recorded worsening on {item} therapy on {on_date}, day {day}."
not_met = "A clinician recorded no worsening on {item} therapy on {on_date}, day {day}."
not_evaluable = "Whether a clinician sees worsening cannot be told. Missing: {missing}."
[finding.notes]
no_published_wait = "No published waiting time for this regimen; 7 days used."

[[history]]
on  = 2026-11-21
why = "first version"
*/
WITH judged AS (
    SELECT
        span.patient_id, span.clock, span.day0, event.on_date, event.record_id,
        CASE event.code WHEN 'worse_on_therapy' THEN 'met' ELSE 'not_met' END AS status
    FROM refractory_window AS span
    JOIN event
        ON event.patient_id = span.patient_id AND event.on_date >= span.judged_from
        AND (span.to_date IS NULL OR event.on_date < span.to_date)
    WHERE event.kind = 'impression' AND event.code IN ('worse_on_therapy', 'not_worse')
    QUALIFY row_number() OVER (
        PARTITION BY span.patient_id, span.clock, event.on_date
        ORDER BY CASE event.code WHEN 'worse_on_therapy' THEN 1 ELSE 2 END, event.record_id
    ) = 1
),
answered_day AS (
    SELECT
        patient_id, on_date, clock AS item, status, NULL AS grade, [record_id] AS evidence, CAST([] AS VARCHAR[]) AS missing,
        [CAST(date_diff('day', day0, on_date) AS VARCHAR)] AS facts,
        CASE WHEN clock = 'combination' THEN ['no_published_wait'] ELSE CAST([] AS VARCHAR[]) END AS notes,
        NULL AS margin, on_date AS decided_on
    FROM judged
    UNION ALL
    SELECT
        patient_id, from_date, clock, 'not_evaluable', NULL, evidence,
        [CASE WHEN day0 IS NULL THEN clock || ' therapy' ELSE 'clinician''s impression' END],
        [CAST(date_diff('day', day0, from_date) AS VARCHAR)],
        CASE WHEN clock = 'combination' THEN ['no_published_wait'] ELSE CAST([] AS VARCHAR[]) END, NULL, NULL
    FROM refractory_window
)
SELECT
    patient_id, on_date, item, status, grade, evidence, missing, facts, notes, margin, decided_on
FROM answered_day
