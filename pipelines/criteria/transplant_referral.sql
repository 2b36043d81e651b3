/*
title   = "A published condition for transplant referral is met"
group   = "transplant"
why     = """Any of the conditions of ISHLT 2021 that can be read from these records: lung function, its decline, oxygen, and progression
despite treatment. Histology and the radiological pattern are not judged. A condition met is not a verdict on what to do; barriers
are shown beside it and never hide it. The margin is that of the condition met longest."""
unknown = ["DLCO % predicted", "FVC % predicted", "combination therapy", "oxygen support"]

[finding]
facts = ["reached"]
met = "Conditions for transplant referral met: {reached}."
not_met = "No condition for transplant referral is met: lung function, its decline, oxygen and progression despite treatment are all known."
not_evaluable = "Whether a condition for transplant referral is met cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-21
why = "first version"
*/
WITH answer AS (
    SELECT 'lung function' AS condition, patient_id, on_date, status, evidence, missing, margin FROM referral_lung_function
    UNION ALL
    SELECT 'decline of lung function', patient_id, on_date, status, evidence, missing, margin FROM referral_decline
    UNION ALL
    SELECT 'supplemental oxygen', patient_id, on_date, status, evidence, missing, margin FROM referral_oxygen
    UNION ALL
    SELECT 'progression despite treatment', patient_id, on_date, status, evidence, missing, margin FROM referral_refractory
),
marked AS (
    SELECT
        *, lead(on_date) OVER branch AS until,
        CASE WHEN lag(status) OVER branch = status THEN 0 ELSE 1 END AS begins
    FROM answer
    WINDOW branch AS (PARTITION BY patient_id, condition ORDER BY on_date)
),
numbered AS (
    SELECT *, sum(begins) OVER (PARTITION BY patient_id, condition ORDER BY on_date) AS run FROM marked
),
standing AS (   -- each condition with the days on which its answer stands, and since when it has been that
    SELECT *, min(on_date) OVER (PARTITION BY patient_id, condition, run) AS since FROM numbered
),
judged AS (SELECT DISTINCT patient_id, on_date FROM answer),
together AS (
    SELECT
        judged.patient_id, judged.on_date,
        CASE
            WHEN count(CASE standing.status WHEN 'met' THEN 1 END) > 0 THEN 'met'
            WHEN count(CASE standing.status WHEN 'not_met' THEN 1 END) = count(*) THEN 'not_met'
            ELSE 'not_evaluable'
        END AS status,
        flatten(list(standing.evidence) FILTER (WHERE standing.status = 'met')) AS met_evidence,
        flatten(list(standing.evidence)) AS evidence,
        flatten(list(standing.missing) FILTER (WHERE standing.status = 'not_evaluable')) AS missing,
        arg_min(standing.margin, concat(CAST(standing.since AS VARCHAR), standing.condition))
            FILTER (WHERE standing.status = 'met' AND standing.margin IS NOT NULL) AS margin,
        list_sort(list(concat(standing.condition, ' since ', CAST(standing.since AS VARCHAR))) FILTER (WHERE standing.status = 'met'))
            AS reached
    FROM judged
    JOIN standing
        ON standing.patient_id = judged.patient_id AND standing.on_date <= judged.on_date
        AND (standing.until IS NULL OR judged.on_date < standing.until)
    GROUP BY judged.patient_id, judged.on_date
)
SELECT
    patient_id, on_date, NULL AS item, status, NULL AS grade,
    list_sort(list_distinct(coalesce(CASE WHEN status = 'met' THEN met_evidence ELSE evidence END, CAST([] AS BIGINT[])))) AS evidence,
    CASE WHEN status = 'not_evaluable' THEN list_sort(list_distinct(missing)) ELSE CAST([] AS VARCHAR[]) END AS missing,
    [array_to_string(reached, '; ')] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(margin AS DECIMAL(19, 6)) AS margin
FROM together
