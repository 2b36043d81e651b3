/*
title = "Therapy start, as known on each day"
why   = """The start of combination therapy, else the first high-dose glucocorticoid: at least 0.5 mg/kg/day prednisone equivalent, or over
30 mg/day with no weight recorded by then. On a judged date D the row with applies_from <= D < applies_to holds; with no such row therapy has
not started. start_date empty: a dose that cannot be read may have been the first high one (kind dose_unknown), or combination
therapy was taken back by a later index date and no high dose came before (kind none)."""

[threshold.high_dose_per_kg]
value = 0.5
unit  = "mg/kg/day prednisone equivalent"
step  = 0.1
cite  = "romero_bueno_2020"
tag   = "published"

[threshold.high_dose_mg]
value = 30
unit  = "mg/day prednisone equivalent"
step  = 1
cite  = "project"
tag   = "unverified"
*/
WITH change AS (   -- what changes the dose per kilogram on a day
    SELECT patient_id, day, sum(mg) AS mg, sum(unread) AS unread, min(kg) AS kg
    FROM (
        SELECT patient_id, from_date AS day, mg_per_day AS mg, CASE WHEN dose_unknown THEN 1 ELSE 0 END AS unread, NULL AS kg
        FROM prednisone_equivalent
        UNION ALL
        SELECT patient_id, to_date, -mg_per_day, CASE WHEN dose_unknown THEN -1 ELSE 0 END, NULL
        FROM prednisone_equivalent
        WHERE to_date IS NOT NULL
        UNION ALL
        SELECT patient_id, on_date, 0, 0, number FROM event WHERE kind = 'measure' AND code = 'weight_kg'
        UNION ALL
        SELECT patient_id, on_date, 0, 0, value FROM observation WHERE analyte = 'weight'
    ) AS changes
    GROUP BY patient_id, day
),
dose AS (
    SELECT
        patient_id, day, sum(mg) OVER patient_days AS mg, sum(unread) OVER patient_days > 0 AS unread,
        last_value(kg IGNORE NULLS) OVER patient_days AS kg
    FROM change
    WINDOW patient_days AS (PARTITION BY patient_id ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
graded AS (
    SELECT
        patient_id, day, unread,
        mg > 0 AND CASE WHEN kg IS NULL THEN mg > $high_dose_mg ELSE mg >= $high_dose_per_kg * kg END AS is_high
    FROM dose
),
first_high AS (   -- the first that may be high, and the first that is: where they differ the start cannot be told
    SELECT patient_id, min(CASE WHEN is_high OR unread THEN day END) AS may_be_on, min(CASE WHEN is_high THEN day END) AS is_on
    FROM graded
    WHERE is_high OR unread
    GROUP BY patient_id
),
combination AS (
    SELECT patient_id, applies_from, coalesce(applies_to, DATE '9999-12-31') AS reached_to, start_date FROM combination_therapy
),
turn AS (
    SELECT patient_id, day, max(start_date) AS combined_on
    FROM (
        SELECT patient_id, applies_from AS day, start_date FROM combination
        UNION ALL
        SELECT patient_id, reached_to, NULL FROM combination WHERE reached_to < DATE '9999-12-31'
        UNION ALL   -- during combination therapy a high dose changes nothing
        SELECT first_high.patient_id, first_high.may_be_on, NULL
        FROM first_high
        LEFT JOIN combination
            ON combination.patient_id = first_high.patient_id AND combination.applies_from <= first_high.may_be_on
            AND combination.reached_to > first_high.may_be_on
        WHERE combination.patient_id IS NULL
    ) AS turns
    GROUP BY patient_id, day
)
SELECT
    turn.patient_id,
    turn.day AS applies_from,
    lead(turn.day) OVER (PARTITION BY turn.patient_id ORDER BY turn.day) AS applies_to,
    CASE
        WHEN turn.combined_on IS NOT NULL THEN turn.combined_on
        WHEN first_high.may_be_on <= turn.day AND first_high.is_on = first_high.may_be_on THEN first_high.may_be_on
    END AS start_date,
    CASE
        WHEN turn.combined_on IS NOT NULL THEN 'combination_therapy'
        WHEN first_high.may_be_on <= turn.day AND first_high.is_on = first_high.may_be_on THEN 'high_dose_glucocorticoid'
        WHEN first_high.may_be_on <= turn.day THEN 'dose_unknown'
        ELSE 'none'
    END AS kind
FROM turn
LEFT JOIN first_high ON first_high.patient_id = turn.patient_id
