/*
title = "The set of immunosuppressants acting, with the glucocorticoid dose"
why   = """One row per stretch of days on which the same agents act at one prednisone equivalent. An agent is a class of the drug
dictionary; systemic glucocorticoid counts as one agent; drugs names the drugs behind the agents. dose_unknown: a glucocorticoid was
given in a dose that cannot be read. confirmed_on: of the drugs that go on only because no stop is recorded, the day on which the one
confirmed longest ago was last confirmed (its start is the first confirmation); empty where every stop is known. The lists are in no
order and may name one thing twice: they are put in order where they are shown, which is on few of these rows."""
kept  = true
*/
WITH acting AS (
    SELECT patient_id, drug, drug_class, from_date, coalesce(to_date, DATE '9999-12-31') AS reached_to, no_stop,
        last_confirmed, evidence
    FROM agent_acting
),
dose AS (   -- plain comparisons in the joins below: an OR there would compare every pair
    SELECT patient_id, from_date, coalesce(to_date, DATE '9999-12-31') AS reached_to, mg_per_day, dose_unknown FROM prednisone_equivalent
),
boundary AS (
    SELECT patient_id, from_date AS day FROM acting
    UNION
    SELECT patient_id, reached_to FROM acting
    UNION
    SELECT patient_id, last_confirmed FROM acting WHERE no_stop AND last_confirmed > from_date AND last_confirmed < reached_to
    UNION
    SELECT patient_id, from_date FROM dose
    UNION
    SELECT patient_id, reached_to FROM dose
),
segment AS (
    SELECT patient_id, day, lead(day) OVER (PARTITION BY patient_id ORDER BY day) AS until FROM boundary
)
SELECT
    segment.patient_id,
    segment.day AS from_date,
    CASE WHEN segment.until = DATE '9999-12-31' THEN NULL ELSE segment.until END AS to_date,
    list(acting.drug_class) AS agents,
    list(acting.drug) AS drugs,
    count(DISTINCT acting.drug_class) AS agent_count,
    coalesce(max(dose.mg_per_day), 0) AS mg_per_day,
    max(CASE WHEN dose.dose_unknown THEN 1 ELSE 0 END) = 1 AS dose_unknown,
    min(
        CASE
            WHEN NOT acting.no_stop THEN NULL
            WHEN acting.last_confirmed > acting.from_date AND acting.last_confirmed <= segment.day THEN acting.last_confirmed
            ELSE acting.from_date
        END
    ) AS confirmed_on,
    flatten(list(acting.evidence)) AS evidence
FROM segment
JOIN acting ON acting.patient_id = segment.patient_id AND acting.from_date <= segment.day AND acting.reached_to > segment.day
LEFT JOIN dose ON dose.patient_id = segment.patient_id AND dose.from_date <= segment.day AND dose.reached_to > segment.day
WHERE segment.until IS NOT NULL
GROUP BY segment.patient_id, segment.day, segment.until
