/*
title = "Lung function per test day"
why   = """One row per patient, test day and reference set (the sets are never mixed in one comparison; FVC and DLCO may name
different ones). Pre-bronchodilator values, a blank phase counting as one; challenge stages never count. Of several tests of a day the
last by time, which is what a baseline is. Where the order is not known the value is NULL if they differ, and the
percentage is the interval [low, high] they span; *_ids name all of them. Predicted values are not computed: litres alone give no
percentage."""
*/
WITH test AS (
    SELECT
        patient_id, on_date, reference_set, analyte, record_id, value, low, high, observation.at AS tested_at,
        max(observation.at) OVER same_day AS last_at
    FROM observation
    WHERE
        analyte IN ('fvc', 'fvc_percent', 'fev1', 'dlco', 'dlco_percent') AND low IS NOT NULL AND coalesce(phase, 'pre') = 'pre'
    WINDOW same_day AS (PARTITION BY patient_id, on_date, reference_set, analyte)
),
last AS (
    SELECT
        patient_id, on_date, reference_set, analyte,
        CASE WHEN count(*) = count(value) AND min(value) = max(value) THEN min(value) END AS value,
        min(low) AS low, CASE WHEN count(*) = count(high) THEN max(high) END AS high,
        list_sort(list(record_id)) AS ids
    FROM test
    WHERE tested_at IS NULL OR tested_at = last_at
    GROUP BY patient_id, on_date, reference_set, analyte
)
SELECT
    patient_id, on_date, reference_set,
    max(CASE WHEN analyte = 'fvc' THEN value END) AS fvc,
    max(CASE WHEN analyte = 'fvc' THEN ids END) AS fvc_ids,
    max(CASE WHEN analyte = 'fvc_percent' THEN value END) AS fvc_percent,
    max(CASE WHEN analyte = 'fvc_percent' THEN low END) AS fvc_percent_low,
    max(CASE WHEN analyte = 'fvc_percent' THEN high END) AS fvc_percent_high,
    max(CASE WHEN analyte = 'fvc_percent' THEN ids END) AS fvc_percent_ids,
    max(CASE WHEN analyte = 'fev1' THEN value END) AS fev1,
    max(CASE WHEN analyte = 'fev1' THEN ids END) AS fev1_ids,
    max(CASE WHEN analyte = 'dlco' THEN value END) AS dlco,
    max(CASE WHEN analyte = 'dlco' THEN ids END) AS dlco_ids,
    max(CASE WHEN analyte = 'dlco_percent' THEN value END) AS dlco_percent,
    max(CASE WHEN analyte = 'dlco_percent' THEN low END) AS dlco_percent_low,
    max(CASE WHEN analyte = 'dlco_percent' THEN high END) AS dlco_percent_high,
    max(CASE WHEN analyte = 'dlco_percent' THEN ids END) AS dlco_percent_ids
FROM last
GROUP BY patient_id, on_date, reference_set
