/*
title = "Lung function per test day"
why   = """One row per patient, test day and reference set (the sets are never mixed in one comparison; FVC and DLCO may name
different ones). Pre-bronchodilator values, a blank phase counting as one; challenge stages never count. Of several tests of a day the
last by time, which is what a baseline is. Where the order is not known the value is NULL if they differ, and the
percentage is the interval [low, high] they span; *_ids name all of them. *_percent is always as reported. Where a day has a value of
the measure and no percentage of it, *_computed is what lung_function_predicted makes of it by the reference set *_computed_set, with
the interval of both possible ages; no rule reads it, and it is never compared with a reported one."""
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
percent_day AS (    -- with a percentage of any reference set nothing is computed in its place
    SELECT DISTINCT patient_id, on_date, CASE analyte WHEN 'fvc_percent' THEN 'fvc' WHEN 'fev1_percent' THEN 'fev1' ELSE 'dlco' END AS measure
    FROM observation
    WHERE
        analyte IN ('fvc_percent', 'fev1_percent', 'dlco_percent') AND low IS NOT NULL AND coalesce(phase, 'pre') = 'pre'
),
computed AS (
    SELECT made.patient_id, made.record_id, made.reference_set, made.percent, made.percent_low, made.percent_high
    FROM lung_function_predicted AS made
    LEFT JOIN percent_day
        ON percent_day.patient_id = made.patient_id AND percent_day.on_date = made.on_date AND percent_day.measure = made.measure
    WHERE made.percent IS NOT NULL AND percent_day.patient_id IS NULL
),
last AS (
    SELECT
        test.patient_id, test.on_date, test.reference_set, test.analyte,
        CASE WHEN count(*) = count(test.value) AND min(test.value) = max(test.value) THEN min(test.value) END AS value,
        min(test.low) AS low, CASE WHEN count(*) = count(test.high) THEN max(test.high) END AS high,
        list_sort(list(test.record_id)) AS ids,
        max(computed.reference_set) AS computed_set,
        CASE WHEN count(*) = count(computed.percent) AND min(computed.percent) = max(computed.percent) THEN min(computed.percent) END
            AS computed,
        CASE WHEN count(*) = count(computed.percent) THEN min(computed.percent_low) END AS computed_low,
        CASE WHEN count(*) = count(computed.percent) THEN max(computed.percent_high) END AS computed_high
    FROM test
    LEFT JOIN computed ON computed.patient_id = test.patient_id AND computed.record_id = test.record_id
    WHERE test.tested_at IS NULL OR test.tested_at = test.last_at
    GROUP BY test.patient_id, test.on_date, test.reference_set, test.analyte
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
    max(CASE WHEN analyte = 'dlco_percent' THEN ids END) AS dlco_percent_ids,
    max(CASE WHEN analyte = 'fvc' THEN computed END) AS fvc_computed,
    max(CASE WHEN analyte = 'fvc' THEN computed_low END) AS fvc_computed_low,
    max(CASE WHEN analyte = 'fvc' THEN computed_high END) AS fvc_computed_high,
    max(CASE WHEN analyte = 'fvc' THEN computed_set END) AS fvc_computed_set,
    max(CASE WHEN analyte = 'fev1' THEN computed END) AS fev1_computed,
    max(CASE WHEN analyte = 'fev1' THEN computed_low END) AS fev1_computed_low,
    max(CASE WHEN analyte = 'fev1' THEN computed_high END) AS fev1_computed_high,
    max(CASE WHEN analyte = 'fev1' THEN computed_set END) AS fev1_computed_set,
    max(CASE WHEN analyte = 'dlco' THEN computed END) AS dlco_computed,
    max(CASE WHEN analyte = 'dlco' THEN computed_low END) AS dlco_computed_low,
    max(CASE WHEN analyte = 'dlco' THEN computed_high END) AS dlco_computed_high,
    max(CASE WHEN analyte = 'dlco' THEN computed_set END) AS dlco_computed_set
FROM last
GROUP BY patient_id, on_date, reference_set
