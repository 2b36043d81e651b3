/*
title = "Oxygen records on therapy, each with the records it is compared with"
why   = """One row per clock, record judged, comparison (support, pf, aado2) and candidate for its baseline. Each comparison has its own
last comparable record, of the last day on or before day 0 inside refractory_window, or else of the first day after day 0 and
before the record judged. Comparable: of equal activity (an unstated one compares with any), P/F of the same method, A-aDO2 at FiO2
within 0.02 [P]. Of the baseline's day the last by time counts; records with no time of day are all candidates. A record that says
something of oxygen but has no level is judged with an unknown support; a lone saturation is not judged."""

[threshold.same_fio2]
value = 0.02
unit  = "FiO2"
step  = 0.01
cite  = "project"
tag   = "project default"
*/
WITH recorded AS (
    SELECT patient_id, set_id, on_date, "at", activity, 'support' AS comparison, level IS NOT NULL AS comparable, CAST(NULL AS VARCHAR) AS method,
        CAST(NULL AS DECIMAL(19, 6)) AS fio2
    FROM oxygen_support
    WHERE level IS NOT NULL OR fio2 IS NOT NULL
    UNION ALL
    SELECT patient_id, set_id, on_date, "at", activity, 'pf', TRUE, pf_method, NULL FROM gas_exchange
    UNION ALL
    SELECT patient_id, set_id, on_date, "at", activity, 'aado2', TRUE, NULL, fio2 FROM gas_exchange WHERE aado2 IS NOT NULL
),
judged AS (
    SELECT
        span.clock, span.day0, span.baseline_from, span.to_date, recorded.patient_id, recorded.set_id, recorded.on_date, recorded.at,
        recorded.activity, recorded.comparison, recorded.comparable, recorded.method, recorded.fio2
    FROM refractory_window AS span
    JOIN recorded
        ON recorded.patient_id = span.patient_id AND recorded.on_date >= span.judged_from
        AND (span.to_date IS NULL OR recorded.on_date < span.to_date)
),
sought AS (      -- the few kinds of baseline that the judged records of a clock ask for, so that each is looked for once
    SELECT DISTINCT patient_id, clock, day0, baseline_from, to_date, activity, comparison, method, fio2
    FROM judged
    WHERE comparable
),
fitting AS (
    SELECT
        sought.patient_id, sought.clock, sought.day0, sought.activity, sought.comparison, sought.method, sought.fio2,
        recorded.comparable, recorded.set_id, recorded.on_date, recorded.at
    FROM sought
    JOIN recorded
        ON recorded.patient_id = sought.patient_id AND recorded.comparison = sought.comparison AND recorded.comparable
        AND recorded.on_date >= sought.baseline_from AND (sought.to_date IS NULL OR recorded.on_date < sought.to_date)
        AND (sought.activity IS NULL OR recorded.activity IS NULL OR recorded.activity = sought.activity)
        AND (sought.method IS NULL OR recorded.method = sought.method)
        AND (sought.fio2 IS NULL OR abs(recorded.fio2 - sought.fio2) <= $same_fio2)
),
chosen AS (      -- of each kind the day
    SELECT
        patient_id, clock, day0, activity, comparison, method, fio2,
        coalesce(
            max(CASE WHEN on_date <= day0 THEN on_date END),
            min(CASE WHEN on_date > day0 THEN on_date END)
        ) AS on_date
    FROM fitting
    GROUP BY patient_id, clock, day0, activity, comparison, method, fio2
),
baseline AS (
    SELECT fitting.*
    FROM chosen
    JOIN fitting
        ON fitting.patient_id = chosen.patient_id AND fitting.clock = chosen.clock AND fitting.day0 = chosen.day0
        AND fitting.comparison = chosen.comparison AND fitting.on_date = chosen.on_date
        AND fitting.activity IS NOT DISTINCT FROM chosen.activity AND fitting.method IS NOT DISTINCT FROM chosen.method
        AND fitting.fio2 IS NOT DISTINCT FROM chosen.fio2
    QUALIFY fitting.at IS NULL OR fitting.at = max(fitting.at) OVER (
        PARTITION BY fitting.patient_id, fitting.clock, fitting.day0, fitting.activity, fitting.comparison, fitting.method, fitting.fio2
    )
)
SELECT
    judged.patient_id, judged.clock, judged.day0, judged.comparison, judged.on_date, judged.at, judged.set_id,
    baseline.on_date AS baseline_date, baseline.set_id AS baseline_set_id
FROM judged
LEFT JOIN baseline
    ON baseline.patient_id = judged.patient_id AND baseline.clock = judged.clock AND baseline.day0 = judged.day0
    AND baseline.comparison = judged.comparison AND baseline.comparable = judged.comparable
    AND baseline.activity IS NOT DISTINCT FROM judged.activity AND baseline.method IS NOT DISTINCT FROM judged.method
    AND baseline.fio2 IS NOT DISTINCT FROM judged.fio2 AND baseline.on_date < judged.on_date
