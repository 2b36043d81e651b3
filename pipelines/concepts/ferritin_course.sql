/*
title = "Ferritin course: each value against the one before therapy, the previous one and the peak"
why   = """The value before therapy is the last one dated on or before the start of therapy (combination therapy, else the first high-dose
glucocorticoid) and at most 28 days before it [P], as known on the day of the value. The peak is the highest so far, the value itself
included. Fold changes, doubling and halving times are given between exact numbers only; a value beyond the assay's limit keeps its
sign in `shown`."""

[threshold.before_days]
value = 28
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"
*/
WITH measured AS (
    SELECT
        patient_id, record_id, on_date, "at", value, low, low_open, high, high_open,
        CASE
            WHEN value IS NOT NULL THEN rtrim(rtrim(CAST(value AS VARCHAR), '0'), '.')
            WHEN high IS NULL THEN CASE WHEN low_open THEN '>' ELSE '>=' END || rtrim(rtrim(CAST(low AS VARCHAR), '0'), '.')
            ELSE CASE WHEN high_open THEN '<' ELSE '<=' END || rtrim(rtrim(CAST(high AS VARCHAR), '0'), '.')
        END AS shown
    FROM observation
    WHERE analyte = 'ferritin' AND low IS NOT NULL
),
baseline AS (
    SELECT
        therapy.patient_id, therapy.applies_from, therapy.applies_to,
        measured.record_id AS before_id, measured.on_date AS before_date, measured.value AS before_value,
        row_number() OVER (
            PARTITION BY therapy.patient_id, therapy.applies_from ORDER BY measured.on_date DESC, measured.at DESC NULLS LAST, measured.record_id
        ) AS place
    FROM therapy_start AS therapy
    JOIN measured
        ON measured.patient_id = therapy.patient_id
        AND measured.on_date BETWEEN therapy.start_date - CAST($before_days AS INTEGER) AND therapy.start_date
),
ordered AS (
    SELECT
        *,
        lag(record_id) OVER course AS previous_id,
        lag(on_date) OVER course AS previous_date,
        lag(value) OVER course AS previous_value,
        CASE
            WHEN low > coalesce(
                max(low) OVER (
                    PARTITION BY patient_id ORDER BY on_date, "at" NULLS FIRST, record_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ), -1
            ) THEN 1 ELSE 0
        END AS rises
    FROM measured
    WINDOW course AS (PARTITION BY patient_id ORDER BY on_date, "at" NULLS FIRST, record_id)
),
numbered AS (   -- every new peak begins a stretch; its first value is the peak of the whole stretch
    SELECT
        *,
        sum(rises) OVER (PARTITION BY patient_id ORDER BY on_date, "at" NULLS FIRST, record_id ROWS UNBOUNDED PRECEDING) AS peak
    FROM ordered
),
peaked AS (
    SELECT
        *,
        first_value(record_id) OVER stretch AS peak_id,
        first_value(on_date) OVER stretch AS peak_date,
        first_value(value) OVER stretch AS peak_value
    FROM numbered
    WINDOW stretch AS (PARTITION BY patient_id, peak ORDER BY on_date, "at" NULLS FIRST, record_id)
),
compared AS (
    SELECT
        peaked.*, baseline.before_id, baseline.before_date, baseline.before_value,
        date_diff('day', peaked.previous_date, peaked.on_date) AS days,
        CASE WHEN peaked.previous_value > 0 AND peaked.value > 0 THEN peaked.value / peaked.previous_value END AS fold
    FROM peaked
    LEFT JOIN baseline
        ON baseline.patient_id = peaked.patient_id AND baseline.place = 1 AND baseline.applies_from <= peaked.on_date
        AND coalesce(baseline.applies_to, DATE '9999-12-31') > peaked.on_date
        AND baseline.before_date <= peaked.on_date AND baseline.before_id <> peaked.record_id
)
SELECT
    patient_id, on_date, "at", record_id, value, low, low_open, high, high_open, shown,
    before_id, before_date, before_value,
    CASE WHEN before_value > 0 THEN CAST(value / before_value AS DECIMAL(19, 3)) END AS fold_of_before,
    previous_id, previous_date, previous_value, CAST(fold AS DECIMAL(19, 3)) AS fold_of_previous,
    peak_id, peak_date, peak_value,
    CASE WHEN days > 0 AND fold > 1 THEN CAST(days * ln(2) / ln(fold) AS DECIMAL(19, 1)) END AS doubling_days,
    CASE WHEN days > 0 AND fold < 1 THEN CAST(-days * ln(2) / ln(fold) AS DECIMAL(19, 1)) END AS halving_days
FROM compared
