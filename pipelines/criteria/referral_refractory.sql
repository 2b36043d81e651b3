/*
title   = "Inflammatory ILD progressing despite treatment"
group   = "transplant"
why     = """One of the published conditions for transplant referral (ISHLT 2021), read here as: refractory disease, possible or as published, on the
combination or the triple clock. A clock that has not started takes no part. A falling ferritin or titre never clears it."""
unknown = ["combination therapy"]

[finding]
facts = ["reached", "judged"]
met = "ILD is progressing despite treatment: {reached}."
not_met = "No progression despite treatment: {judged} not met."
not_evaluable = "Whether ILD is progressing despite treatment cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-21
why = "first version"
*/
WITH answer AS (
    SELECT 'possible refractory disease' AS rule, patient_id, on_date, item, status, evidence, missing, margin
    FROM refractory_possible
    WHERE item IS NOT NULL
    UNION ALL
    SELECT 'refractory disease as published', patient_id, on_date, item, status, evidence, missing, margin
    FROM refractory_published
    WHERE item IS NOT NULL
),
marked AS (
    SELECT
        *, lead(on_date) OVER branch AS until,
        CASE WHEN lag(status) OVER branch = status THEN 0 ELSE 1 END AS begins
    FROM answer
    WINDOW branch AS (PARTITION BY patient_id, rule, item ORDER BY on_date)
),
numbered AS (
    SELECT *, sum(begins) OVER (PARTITION BY patient_id, rule, item ORDER BY on_date) AS run FROM marked
),
standing AS (   -- each branch with the days on which its answer stands, and since when it has been that
    SELECT *, min(on_date) OVER (PARTITION BY patient_id, rule, item, run) AS since FROM numbered
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
        arg_min(standing.margin, concat(CAST(standing.since AS VARCHAR), standing.rule, standing.item))
            FILTER (WHERE standing.status = 'met' AND standing.margin IS NOT NULL) AS margin,
        list_sort(list(
            concat(standing.rule, ' (', standing.item, ' therapy) since ', CAST(standing.since AS VARCHAR))
        ) FILTER (WHERE standing.status = 'met')) AS reached,
        list_sort(list(concat(standing.rule, ' (', standing.item, ' therapy)'))) AS rules
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
    [array_to_string(reached, '; '), array_to_string(rules, ', ')] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(margin AS DECIMAL(19, 6)) AS margin
FROM together
