/*
title = "The FVC and the DLCO that count together on each test day"
why   = """One row per day with an FVC or a DLCO before a bronchodilator, in litres or its unit alone too: that is a test, though it
has no percentage to judge. fvc_on and dlco_on are the days of the latest test of the measure, that day or at most 28 days before it,
and NULL where there is none."""

[threshold.pair_days]
value = 28
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"
*/
WITH test_day AS (
    SELECT
        patient_id, on_date,
        max(CASE WHEN analyte IN ('fvc', 'fvc_percent') THEN on_date END) AS fvc_on,
        max(CASE WHEN analyte IN ('dlco', 'dlco_percent') THEN on_date END) AS dlco_on
    FROM observation
    WHERE analyte IN ('fvc', 'fvc_percent', 'dlco', 'dlco_percent') AND low IS NOT NULL AND coalesce(phase, 'pre') = 'pre'
    GROUP BY patient_id, on_date
),
latest AS (
    SELECT patient_id, on_date, max(fvc_on) OVER so_far AS fvc_on, max(dlco_on) OVER so_far AS dlco_on
    FROM test_day
    WINDOW so_far AS (PARTITION BY patient_id ORDER BY on_date)
)
SELECT
    patient_id, on_date,
    CASE WHEN fvc_on >= on_date - CAST($pair_days AS INTEGER) THEN fvc_on END AS fvc_on,
    CASE WHEN dlco_on >= on_date - CAST($pair_days AS INTEGER) THEN dlco_on END AS dlco_on
FROM latest
