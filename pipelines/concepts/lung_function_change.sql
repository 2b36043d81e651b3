/*
title = "Each FVC % and DLCO % against the first test and the best of the earlier ones"
why   = """One row per result (measure fvc or dlco, in % predicted, before a bronchodilator), compared with days before its own and within
one reference set. first_*: the first test on or after the day ILD or RP-ILD was recorded, as known on the day of the result; before that
day the first of all; NULL for that test itself. The first test is a baseline, the last of its day by time: with several untimed tests it
is the interval they span. best_730_*, best_365_*, best_183_*: the best of all results of the 730, 365 or 183 days before, from which the
fall is largest in points and in percent; lowest_365_*: the lowest, from which a rise is largest; *_high NULL: unbounded; *_open: the end
itself is not reached. *_fall_points and *_fall_percent (of the earlier value, cut to six decimals) are the falls that are certain; rules
compare low and high by multiplying, never these."""

[threshold.months_24]
value = 730
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"

[threshold.months_12]
value = 365
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"

[threshold.months_6]
value = 183
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"
*/
WITH ild AS (
    SELECT patient_id, min(on_date) AS recorded_on
    FROM event
    WHERE kind = 'diagnosis' AND code IN ('ild', 'rp_ild') AND coalesce(value, 'present') = 'present'
    GROUP BY patient_id
),
result AS (         -- narrow numbers, which no percentage leaves: wide ones are many times slower
    SELECT
        observation.patient_id, observation.on_date, CASE observation.analyte WHEN 'fvc_percent' THEN 'fvc' ELSE 'dlco' END AS measure,
        observation.reference_set, observation.record_id, observation.at, CAST(observation.value AS DECIMAL(10, 6)) AS value,
        CAST(observation.low AS DECIMAL(10, 6)) AS low, observation.low_open,
        CAST(observation.high AS DECIMAL(10, 6)) AS high, observation.high_open,
        coalesce(observation.on_date >= ild.recorded_on, FALSE) AS since_ild,
        row_number() OVER (PARTITION BY observation.patient_id ORDER BY observation.on_date, observation.record_id) AS place
    FROM observation
    LEFT JOIN ild ON ild.patient_id = observation.patient_id
    WHERE
        observation.analyte IN ('fvc_percent', 'dlco_percent') AND observation.low IS NOT NULL
        AND coalesce(observation.phase, 'pre') = 'pre'
),
first_day AS (      -- of all tests, and of those since ILD was recorded
    SELECT patient_id, measure, reference_set, since_ild, min(on_date) AS on_date
    FROM result
    GROUP BY patient_id, measure, reference_set, since_ild
),
first_of_day AS (
    SELECT
        first_day.patient_id, first_day.measure, first_day.reference_set, first_day.since_ild, first_day.on_date,
        result.record_id, result.low, result.high, result.high_open, result.at AS tested_at,
        max(result.at) OVER (
            PARTITION BY first_day.patient_id, first_day.measure, first_day.reference_set, first_day.since_ild
        ) AS last_at
    FROM first_day
    JOIN result
        ON result.patient_id = first_day.patient_id AND result.measure = first_day.measure AND result.on_date = first_day.on_date
        AND result.reference_set IS NOT DISTINCT FROM first_day.reference_set
),
first_test AS (
    SELECT
        patient_id, measure, reference_set, since_ild, on_date, min(low) AS low,
        CASE WHEN count(*) = count(high) THEN max(high) END AS high,
        coalesce(max(CASE WHEN NOT high_open THEN high END) <> max(high), TRUE) AS high_open, list_sort(list(record_id)) AS ids
    FROM first_of_day
    WHERE tested_at IS NULL OR tested_at = last_at
    GROUP BY patient_id, measure, reference_set, since_ild, on_date
),
pair AS (           -- each result with each earlier one; of equal values the latest is named
    SELECT
        result.patient_id, result.record_id, earlier.record_id AS earlier_id, earlier.on_date, earlier.low, earlier.high,
        CASE WHEN NOT earlier.low_open THEN earlier.low END AS low_if_closed,
        CASE WHEN NOT earlier.high_open THEN earlier.high END AS high_if_closed,
        earlier.low * 100000 + earlier.place AS best, coalesce(earlier.high, 9999) * 100000 - earlier.place AS lowest,
        earlier.on_date >= result.on_date - CAST($months_12 AS INTEGER) AS in_365,
        earlier.on_date >= result.on_date - CAST($months_6 AS INTEGER) AS in_183
    FROM result
    JOIN result AS earlier
        ON earlier.patient_id = result.patient_id AND earlier.measure = result.measure
        AND earlier.reference_set IS NOT DISTINCT FROM result.reference_set
        AND earlier.on_date < result.on_date AND earlier.on_date >= result.on_date - CAST($months_24 AS INTEGER)
),
compared AS (
    SELECT
        patient_id, record_id,
        arg_max(earlier_id, best) AS best_730_id,
        arg_max(on_date, best) AS best_730_date,
        max(low) AS best_730_low,
        CASE WHEN count(*) = count(high) THEN max(high) END AS best_730_high,
        coalesce(max(high_if_closed) <> max(high), TRUE) AS best_730_high_open,
        arg_max(CASE WHEN in_365 THEN earlier_id END, CASE WHEN in_365 THEN best END) AS best_365_id,
        arg_max(CASE WHEN in_365 THEN on_date END, CASE WHEN in_365 THEN best END) AS best_365_date,
        max(CASE WHEN in_365 THEN low END) AS best_365_low,
        CASE WHEN count(CASE WHEN in_365 THEN low END) = count(CASE WHEN in_365 THEN high END) THEN max(CASE WHEN in_365 THEN high END) END
            AS best_365_high,
        coalesce(max(CASE WHEN in_365 THEN high_if_closed END) <> max(CASE WHEN in_365 THEN high END), TRUE) AS best_365_high_open,
        arg_max(CASE WHEN in_183 THEN earlier_id END, CASE WHEN in_183 THEN best END) AS best_183_id,
        arg_max(CASE WHEN in_183 THEN on_date END, CASE WHEN in_183 THEN best END) AS best_183_date,
        max(CASE WHEN in_183 THEN low END) AS best_183_low,
        CASE WHEN count(CASE WHEN in_183 THEN low END) = count(CASE WHEN in_183 THEN high END) THEN max(CASE WHEN in_183 THEN high END) END
            AS best_183_high,
        arg_min(CASE WHEN in_365 THEN earlier_id END, CASE WHEN in_365 THEN lowest END) AS lowest_365_id,
        arg_min(CASE WHEN in_365 THEN on_date END, CASE WHEN in_365 THEN lowest END) AS lowest_365_date,
        min(CASE WHEN in_365 THEN low END) AS lowest_365_low,
        coalesce(min(CASE WHEN in_365 THEN low_if_closed END) <> min(CASE WHEN in_365 THEN low END), TRUE) AS lowest_365_low_open,
        min(CASE WHEN in_365 THEN high END) AS lowest_365_high
    FROM pair
    GROUP BY patient_id, record_id
),
fallen AS (
    SELECT
        result.patient_id, result.on_date, result.measure, result.reference_set, result.record_id, result.value,
        result.low, result.low_open, result.high, result.high_open,
        first_test.on_date AS first_date, first_test.low AS first_low, first_test.high AS first_high,
        first_test.high_open AS first_high_open, first_test.ids AS first_ids, first_test.low - result.high AS first_fall_points,
        compared.best_730_id, compared.best_730_date, compared.best_730_low, compared.best_730_high, compared.best_730_high_open,
        compared.best_730_low - result.high AS fall_730_points,
        compared.best_365_id, compared.best_365_date, compared.best_365_low, compared.best_365_high, compared.best_365_high_open,
        compared.best_365_low - result.high AS fall_365_points,
        compared.best_183_id, compared.best_183_date, compared.best_183_low, compared.best_183_high,
        compared.best_183_low - result.high AS fall_183_points,
        compared.lowest_365_id, compared.lowest_365_date, compared.lowest_365_low, compared.lowest_365_low_open, compared.lowest_365_high
    FROM result
    LEFT JOIN compared ON compared.patient_id = result.patient_id AND compared.record_id = result.record_id
    LEFT JOIN first_test
        ON first_test.patient_id = result.patient_id AND first_test.measure = result.measure
        AND first_test.reference_set IS NOT DISTINCT FROM result.reference_set
        AND first_test.since_ild = result.since_ild AND first_test.on_date < result.on_date
)
SELECT
    *,
    CAST(CAST(first_fall_points * 1000000 AS BIGINT) * 100000000 // CAST(first_low * 1000000 AS BIGINT) * 0.000001 AS DECIMAL(19, 6))
        AS first_fall_percent,
    CAST(CAST(fall_730_points * 1000000 AS BIGINT) * 100000000 // CAST(best_730_low * 1000000 AS BIGINT) * 0.000001 AS DECIMAL(19, 6))
        AS fall_730_percent,
    CAST(CAST(fall_365_points * 1000000 AS BIGINT) * 100000000 // CAST(best_365_low * 1000000 AS BIGINT) * 0.000001 AS DECIMAL(19, 6))
        AS fall_365_percent,
    CAST(CAST(fall_183_points * 1000000 AS BIGINT) * 100000000 // CAST(best_183_low * 1000000 AS BIGINT) * 0.000001 AS DECIMAL(19, 6))
        AS fall_183_percent
FROM fallen
