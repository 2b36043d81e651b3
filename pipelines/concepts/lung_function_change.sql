/*
title = "Each FVC % and DLCO % against the first test and the best of the earlier ones"
why   = """One row per result (measure fvc or dlco, in % predicted, before a bronchodilator), compared with days before its own and within one
reference set. first_*: the first test on or after the day ILD or RP-ILD was recorded, as known on the day of the result; before that
day the first of all; NULL for that test itself. The first test is a baseline, the last of its day by time: with several untimed tests
it is the interval they span. best_730_*, best_365_*, best_183_*: the best of all results of the 730, 365 or 183 days before,
from which the fall is largest in points and in percent; lowest_365_*: the lowest, from which a rise is largest; *_high NULL:
unbounded. *_fall_points and *_fall_percent (of the earlier value, cut to six decimals) are the falls that are certain; rules compare
low and high by multiplying, never these."""
*/
WITH ild AS (
    SELECT patient_id, min(on_date) AS recorded_on
    FROM event
    WHERE kind = 'diagnosis' AND code IN ('ild', 'rp_ild') AND coalesce(value, 'present') = 'present'
    GROUP BY patient_id
),
test_day AS (
    SELECT patient_id, on_date, 'fvc' AS measure, reference_set, fvc_percent_low AS low, fvc_percent_high AS high, fvc_percent_ids AS ids
    FROM lung_function
    WHERE fvc_percent_low IS NOT NULL
    UNION ALL
    SELECT patient_id, on_date, 'dlco', reference_set, dlco_percent_low, dlco_percent_high, dlco_percent_ids
    FROM lung_function
    WHERE dlco_percent_low IS NOT NULL
),
first_test AS (     -- of all tests, and of those since ILD was recorded
    SELECT
        test_day.patient_id, test_day.measure, test_day.reference_set, test_day.on_date, test_day.low, test_day.high, test_day.ids,
        coalesce(test_day.on_date >= ild.recorded_on, FALSE) AS since_ild
    FROM test_day
    LEFT JOIN ild ON ild.patient_id = test_day.patient_id
    QUALIFY row_number() OVER (
        PARTITION BY test_day.patient_id, test_day.measure, test_day.reference_set, coalesce(test_day.on_date >= ild.recorded_on, FALSE)
        ORDER BY test_day.on_date
    ) = 1
),
result AS (
    SELECT
        observation.patient_id, observation.on_date, CASE observation.analyte WHEN 'fvc_percent' THEN 'fvc' ELSE 'dlco' END AS measure,
        observation.reference_set, observation.record_id, observation.value, observation.low, observation.low_open, observation.high,
        observation.high_open, coalesce(observation.on_date >= ild.recorded_on, FALSE) AS since_ild,
        row_number() OVER (PARTITION BY observation.patient_id ORDER BY observation.on_date, observation.record_id) AS place
    FROM observation
    LEFT JOIN ild ON ild.patient_id = observation.patient_id
    WHERE
        observation.analyte IN ('fvc_percent', 'dlco_percent') AND observation.low IS NOT NULL
        AND coalesce(observation.phase, 'pre') = 'pre'
),
compared AS (       -- of equal values the latest
    SELECT
        *,
        arg_max(record_id, low * 100000 + place) OVER days_730 AS best_730_id,
        arg_max(on_date, low * 100000 + place) OVER days_730 AS best_730_date,
        max(low) OVER days_730 AS best_730_low,
        CASE WHEN count(low) OVER days_730 = count(high) OVER days_730 THEN max(high) OVER days_730 END AS best_730_high,
        arg_max(record_id, low * 100000 + place) OVER days_365 AS best_365_id,
        arg_max(on_date, low * 100000 + place) OVER days_365 AS best_365_date,
        max(low) OVER days_365 AS best_365_low,
        CASE WHEN count(low) OVER days_365 = count(high) OVER days_365 THEN max(high) OVER days_365 END AS best_365_high,
        arg_max(record_id, low * 100000 + place) OVER days_183 AS best_183_id,
        arg_max(on_date, low * 100000 + place) OVER days_183 AS best_183_date,
        max(low) OVER days_183 AS best_183_low,
        CASE WHEN count(low) OVER days_183 = count(high) OVER days_183 THEN max(high) OVER days_183 END AS best_183_high,
        arg_min(record_id, high * 100000 - place) OVER days_365 AS lowest_365_id,
        arg_min(on_date, high * 100000 - place) OVER days_365 AS lowest_365_date,
        min(low) OVER days_365 AS lowest_365_low,
        min(high) OVER days_365 AS lowest_365_high
    FROM result
    WINDOW
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
fallen AS (
    SELECT
        compared.*,
        first_test.on_date AS first_date, first_test.low AS first_low, first_test.high AS first_high, first_test.ids AS first_ids,
        first_test.low - compared.high AS first_fall_points,
        compared.best_730_low - compared.high AS fall_730_points,
        compared.best_365_low - compared.high AS fall_365_points,
        compared.best_183_low - compared.high AS fall_183_points
    FROM compared
    LEFT JOIN first_test
        ON first_test.patient_id = compared.patient_id AND first_test.measure = compared.measure
        AND first_test.reference_set IS NOT DISTINCT FROM compared.reference_set
        AND first_test.since_ild = compared.since_ild AND first_test.on_date < compared.on_date
)
SELECT
    patient_id, on_date, measure, reference_set, record_id, value, low, low_open, high, high_open,
    first_date, first_low, first_high, first_ids, first_fall_points,
    best_730_id, best_730_date, best_730_low, best_730_high, fall_730_points,
    best_365_id, best_365_date, best_365_low, best_365_high, fall_365_points,
    best_183_id, best_183_date, best_183_low, best_183_high, fall_183_points,
    lowest_365_id, lowest_365_date, lowest_365_low, lowest_365_high,
    CAST(CAST(100000000 * first_fall_points AS BIGINT) * 1000000 // CAST(1000000 * first_low AS BIGINT) * 0.000001 AS DECIMAL(19, 6))
        AS first_fall_percent,
    CAST(CAST(100000000 * fall_730_points AS BIGINT) * 1000000 // CAST(1000000 * best_730_low AS BIGINT) * 0.000001 AS DECIMAL(19, 6))
        AS fall_730_percent,
    CAST(CAST(100000000 * fall_365_points AS BIGINT) * 1000000 // CAST(1000000 * best_365_low AS BIGINT) * 0.000001 AS DECIMAL(19, 6))
        AS fall_365_percent,
    CAST(CAST(100000000 * fall_183_points AS BIGINT) * 1000000 // CAST(1000000 * best_183_low AS BIGINT) * 0.000001 AS DECIMAL(19, 6))
        AS fall_183_percent
FROM fallen
