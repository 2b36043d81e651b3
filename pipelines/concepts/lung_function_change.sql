/*
title = "Each FVC % and DLCO % against the first test and the best of the earlier ones"
why   = """One row per result (measure fvc or dlco, in % predicted, before a bronchodilator), compared with days before its own and within one
reference set. first_*: the first test on or after the day ILD or RP-ILD was recorded, as known on the day of the result; before that
day the first of all; NULL for that test itself. best_730_*, best_365_*, best_183_*: the best value of the 730, 365 or 183 days before,
from which the fall is largest in points and in percent; lowest_365_*: the lowest, from which a rise is largest. A baseline day
with several untimed tests is an interval, low to high; NULL high: unbounded. *_fall_points and *_fall_percent (of the earlier value, cut
to six decimals) are the falls that are certain; rules compare low and high by multiplying, never these."""
*/
WITH ild AS (
    SELECT patient_id, min(on_date) AS recorded_on
    FROM event
    WHERE kind = 'diagnosis' AND code IN ('ild', 'rp_ild') AND coalesce(value, 'present') = 'present'
    GROUP BY patient_id
),
baseline AS (
    SELECT patient_id, on_date, 'fvc' AS measure, reference_set, fvc_percent_low AS low, fvc_percent_high AS high, fvc_percent_ids AS ids
    FROM lung_function
    WHERE fvc_percent_low IS NOT NULL
    UNION ALL
    SELECT patient_id, on_date, 'dlco', reference_set, dlco_percent_low, dlco_percent_high, dlco_percent_ids
    FROM lung_function
    WHERE dlco_percent_low IS NOT NULL
),
placed AS (     -- of equal values the latest day
    SELECT
        baseline.patient_id, baseline.on_date, baseline.measure, baseline.reference_set, baseline.low, baseline.high, baseline.ids,
        coalesce(baseline.on_date >= ild.recorded_on, FALSE) AS since_ild,
        baseline.low * 100000 + date_diff('day', DATE '1900-01-01', baseline.on_date) AS low_then_day,
        baseline.high * 100000 - date_diff('day', DATE '1900-01-01', baseline.on_date) AS high_then_day
    FROM baseline
    LEFT JOIN ild ON ild.patient_id = baseline.patient_id
),
compared AS (
    SELECT
        patient_id, on_date, measure, reference_set,
        first_value(on_date) OVER start AS first_date,
        first_value(low) OVER start AS first_low,
        first_value(high) OVER start AS first_high,
        first_value(ids) OVER start AS first_ids,
        arg_max(on_date, low_then_day) OVER days_730 AS best_730_date,
        max(low) OVER days_730 AS best_730_low,
        CASE WHEN count(low) OVER days_730 = count(high) OVER days_730 THEN max(high) OVER days_730 END AS best_730_high,
        arg_max(ids, low_then_day) OVER days_730 AS best_730_ids,
        arg_max(on_date, low_then_day) OVER days_365 AS best_365_date,
        max(low) OVER days_365 AS best_365_low,
        CASE WHEN count(low) OVER days_365 = count(high) OVER days_365 THEN max(high) OVER days_365 END AS best_365_high,
        arg_max(ids, low_then_day) OVER days_365 AS best_365_ids,
        arg_max(on_date, low_then_day) OVER days_183 AS best_183_date,
        max(low) OVER days_183 AS best_183_low,
        CASE WHEN count(low) OVER days_183 = count(high) OVER days_183 THEN max(high) OVER days_183 END AS best_183_high,
        arg_max(ids, low_then_day) OVER days_183 AS best_183_ids,
        arg_min(on_date, high_then_day) OVER days_365 AS lowest_365_date,
        min(low) OVER days_365 AS lowest_365_low,
        min(high) OVER days_365 AS lowest_365_high,
        arg_min(ids, high_then_day) OVER days_365 AS lowest_365_ids
    FROM placed
    WINDOW
        start AS (PARTITION BY patient_id, measure, reference_set, since_ild ORDER BY on_date),
        days_730 AS (
            PARTITION BY patient_id, measure, reference_set
            ORDER BY on_date RANGE BETWEEN INTERVAL 730 DAY PRECEDING AND INTERVAL 1 DAY PRECEDING
        ),
        days_365 AS (
            PARTITION BY patient_id, measure, reference_set
            ORDER BY on_date RANGE BETWEEN INTERVAL 365 DAY PRECEDING AND INTERVAL 1 DAY PRECEDING
        ),
        days_183 AS (
            PARTITION BY patient_id, measure, reference_set
            ORDER BY on_date RANGE BETWEEN INTERVAL 183 DAY PRECEDING AND INTERVAL 1 DAY PRECEDING
        )
),
result AS (
    SELECT
        patient_id, on_date, CASE analyte WHEN 'fvc_percent' THEN 'fvc' ELSE 'dlco' END AS measure, reference_set, record_id, value,
        low, low_open, high, high_open
    FROM observation
    WHERE analyte IN ('fvc_percent', 'dlco_percent') AND low IS NOT NULL AND coalesce(phase, 'pre') = 'pre'
),
fallen AS (
    SELECT
        result.*,
        CASE WHEN compared.first_date < result.on_date THEN compared.first_date END AS first_date,
        CASE WHEN compared.first_date < result.on_date THEN compared.first_low END AS first_low,
        CASE WHEN compared.first_date < result.on_date THEN compared.first_high END AS first_high,
        CASE WHEN compared.first_date < result.on_date THEN compared.first_ids END AS first_ids,
        compared.best_730_date, compared.best_730_low, compared.best_730_high, compared.best_730_ids,
        compared.best_365_date, compared.best_365_low, compared.best_365_high, compared.best_365_ids,
        compared.best_183_date, compared.best_183_low, compared.best_183_high, compared.best_183_ids,
        compared.lowest_365_date, compared.lowest_365_low, compared.lowest_365_high, compared.lowest_365_ids
    FROM result
    JOIN compared
        ON compared.patient_id = result.patient_id AND compared.on_date = result.on_date AND compared.measure = result.measure
        AND compared.reference_set IS NOT DISTINCT FROM result.reference_set
),
points AS (
    SELECT
        *,
        first_low - high AS first_fall_points,
        best_730_low - high AS fall_730_points,
        best_365_low - high AS fall_365_points,
        best_183_low - high AS fall_183_points
    FROM fallen
)
SELECT
    *,
    CAST(CAST(100000000 * first_fall_points AS BIGINT) * 1000000 // CAST(1000000 * first_low AS BIGINT) * 0.000001 AS DECIMAL(19, 6))
        AS first_fall_percent,
    CAST(CAST(100000000 * fall_730_points AS BIGINT) * 1000000 // CAST(1000000 * best_730_low AS BIGINT) * 0.000001 AS DECIMAL(19, 6))
        AS fall_730_percent,
    CAST(CAST(100000000 * fall_365_points AS BIGINT) * 1000000 // CAST(1000000 * best_365_low AS BIGINT) * 0.000001 AS DECIMAL(19, 6))
        AS fall_365_percent,
    CAST(CAST(100000000 * fall_183_points AS BIGINT) * 1000000 // CAST(1000000 * best_183_low AS BIGINT) * 0.000001 AS DECIMAL(19, 6))
        AS fall_183_percent
FROM points
