/*
title = "Anti-MDA5 results: positive or not, and against previous, lowest and highest of the same assay"
why   = """One row per result. Positive is at or above the row's own upper limit, else the assay's cut-off, else what the coded
result says; NULL where the interval of a censored result lies on both sides, or a number has no limit. Results are compared within one
assay and sample timing; a blank assay only with blank ones of the same laboratory and unit. Previous, lowest (nadir)
and highest (peak) are those of earlier days: the lowest of several intervals is [nadir_low, nadir_high]. Numbers are compared only
with numbers of one unit: previous_low and previous_high are those of the last one, whatever the previous result was."""
*/
WITH result AS (
    SELECT
        observation.patient_id, observation.on_date, observation.record_id, observation.assay, observation.laboratory, observation.unit,
        observation.sample_timing, observation.value, observation.low, observation.low_open, observation.high, observation.high_open,
        observation.coded,
        coalesce(observation.ref_high, assay.cutoff) AS upper_limit,
        CASE WHEN observation.assay IS NULL THEN observation.laboratory END AS blank_laboratory,
        CASE WHEN observation.assay IS NULL THEN observation.unit END AS blank_unit,
        row_number() OVER (
            PARTITION BY observation.patient_id ORDER BY observation.on_date, observation.at NULLS FIRST, observation.record_id
        ) AS place
    FROM observation
    LEFT JOIN assay
        ON assay.assay = observation.assay AND assay.analyte = observation.analyte AND coalesce(assay.unit = observation.unit, TRUE)
    WHERE observation.analyte = 'anti_mda5'
),
judged AS (
    SELECT
        *,
        CASE
            WHEN low >= upper_limit THEN TRUE
            WHEN high < upper_limit OR (high = upper_limit AND high_open) THEN FALSE
            WHEN coded IN ('positive', '+', '++', '+++') THEN TRUE
            WHEN coded = 'negative' THEN FALSE
        END AS positive,
        -- of equal titres the earliest
        low * 100000 + place AS low_then_place,
        low * 100000 - place AS low_then_earlier
    FROM result
)
SELECT
    patient_id, on_date, record_id, assay, laboratory, unit, sample_timing, value, low, low_open, high, high_open, coded, positive,
    arg_max(record_id, place) OVER earlier AS previous_id,
    arg_max(on_date, place) OVER earlier AS previous_date,
    arg_max(low, place) OVER earlier_numbers AS previous_low,
    nullif(arg_max(coalesce(high, -1), CASE WHEN low IS NOT NULL THEN place END) OVER earlier_numbers, -1) AS previous_high,
    -- what is empty is passed over by arg_max, and the result before it is not the previous one
    CASE arg_max(CASE WHEN positive THEN 1 WHEN NOT positive THEN 0 ELSE -1 END, place) OVER earlier WHEN 1 THEN TRUE WHEN 0 THEN FALSE END
        AS previous_positive,
    arg_min(record_id, low_then_place) OVER earlier_numbers AS nadir_id,
    arg_min(on_date, low_then_place) OVER earlier_numbers AS nadir_date,
    min(low) OVER earlier_numbers AS nadir_low,
    min(high) OVER earlier_numbers AS nadir_high,
    arg_max(record_id, low_then_earlier) OVER earlier_numbers AS peak_id,
    arg_max(on_date, low_then_earlier) OVER earlier_numbers AS peak_date,
    max(low) OVER earlier_numbers AS peak_low,
    CASE WHEN count(low) OVER earlier_numbers = count(high) OVER earlier_numbers THEN max(high) OVER earlier_numbers END AS peak_high
FROM judged
WINDOW
    earlier AS (
        PARTITION BY patient_id, assay, blank_laboratory, blank_unit, sample_timing
        ORDER BY on_date RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL 1 DAY PRECEDING
    ),
    earlier_numbers AS (
        PARTITION BY patient_id, assay, blank_laboratory, blank_unit, sample_timing, unit
        ORDER BY on_date RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL 1 DAY PRECEDING
    )
