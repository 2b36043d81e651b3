/*
title = "Ferritin and mMRC on therapy, each with the value it is compared with"
why   = """One row per clock, value judged and candidate for its baseline. The baseline is of the last day on or before day 0
inside refractory_window, or else of the first day after day 0 and before the value judged; of that day the last by time. Values
with no time of day could each be the last: all are candidates, and the criterion asks whether the choice matters. No baseline:
one row with none. Values are intervals (low, high; high empty: unbounded); `shown` is the value with its sign."""
*/
WITH recorded AS (
    SELECT patient_id, 'ferritin' AS measure, record_id, on_date, "at", value, low, low_open, high, high_open
    FROM observation
    WHERE analyte = 'ferritin' AND low IS NOT NULL
    UNION ALL
    SELECT patient_id, 'mmrc', record_id, on_date, "at", number, number, FALSE, number, FALSE
    FROM event
    WHERE kind = 'measure' AND code = 'mmrc' AND number IS NOT NULL
),
timed AS (
    SELECT
        *,
        CASE
            WHEN value IS NOT NULL THEN ''
            WHEN high IS NULL THEN CASE WHEN low_open THEN '>' ELSE '>=' END
            ELSE CASE WHEN high_open THEN '<' ELSE '<=' END
        END || rtrim(rtrim(CAST(coalesce(value, high, low) AS VARCHAR), '0'), '.') AS shown,
        "at" IS NULL OR "at" = max("at") OVER (PARTITION BY patient_id, measure, on_date) AS may_be_last
    FROM recorded
),
baseline_day AS (
    SELECT
        span.patient_id, span.clock, span.day0, timed.measure,
        coalesce(
            max(CASE WHEN timed.on_date <= span.day0 THEN timed.on_date END),
            min(CASE WHEN timed.on_date > span.day0 THEN timed.on_date END)
        ) AS on_date
    FROM refractory_window AS span
    JOIN timed
        ON timed.patient_id = span.patient_id AND timed.on_date >= span.baseline_from
        AND (span.to_date IS NULL OR timed.on_date < span.to_date)
    GROUP BY span.patient_id, span.clock, span.day0, timed.measure
),
baseline AS (
    SELECT
        baseline_day.clock, baseline_day.day0, timed.patient_id, timed.measure, timed.record_id, timed.on_date, timed.value,
        timed.low, timed.low_open, timed.high, timed.high_open, timed.shown
    FROM baseline_day
    JOIN timed
        ON timed.patient_id = baseline_day.patient_id AND timed.measure = baseline_day.measure
        AND timed.on_date = baseline_day.on_date AND timed.may_be_last
)
SELECT
    span.patient_id, span.clock, span.day0, judged.measure, judged.on_date, judged.at, judged.record_id,
    judged.value, judged.low, judged.low_open, judged.high, judged.high_open, judged.shown,
    baseline.on_date AS baseline_date, baseline.record_id AS baseline_id, baseline.value AS baseline_value,
    baseline.low AS baseline_low, baseline.low_open AS baseline_low_open,
    baseline.high AS baseline_high, baseline.high_open AS baseline_high_open,
    baseline.shown AS baseline_shown
FROM refractory_window AS span
JOIN timed AS judged
    ON judged.patient_id = span.patient_id AND judged.on_date >= span.judged_from
    AND (span.to_date IS NULL OR judged.on_date < span.to_date)
LEFT JOIN baseline
    ON baseline.patient_id = span.patient_id AND baseline.clock = span.clock AND baseline.day0 = span.day0
    AND baseline.measure = judged.measure AND baseline.on_date < judged.on_date
