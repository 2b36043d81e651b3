/*
title = "What each component of refractory disease says when a composite is judged"
why   = """Per clock and day, five rows: symptoms, gas exchange, imaging, ferritin, impression. A component's standing answer counts when
its newest deciding record is dated within 14 days before that day [P]; an older one is unknown. The days: those on which a
component answers met or not met (answered), and the first of each window. missing: what would settle an unknown
one; to settle what was recorded more than 14 days before would no longer count."""

[threshold.counts_days]
value = 14
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"
*/
WITH answer AS (
    SELECT patient_id, item, on_date, status, evidence, missing, decided_on, 'symptoms' AS component, 'dyspnoea' AS asked
    FROM refractory_symptoms
    WHERE item IS NOT NULL
    UNION ALL
    SELECT patient_id, item, on_date, status, evidence, missing, decided_on, 'gas exchange', 'oxygen support'
    FROM refractory_gas_exchange
    WHERE item IS NOT NULL
    UNION ALL
    SELECT patient_id, item, on_date, status, evidence, missing, decided_on, 'imaging', 'chest imaging'
    FROM refractory_imaging
    WHERE item IS NOT NULL
    UNION ALL
    SELECT patient_id, item, on_date, status, evidence, missing, decided_on, 'ferritin', 'ferritin'
    FROM refractory_ferritin
    WHERE item IS NOT NULL
    UNION ALL
    SELECT patient_id, item, on_date, status, evidence, missing, decided_on, 'impression', 'clinician''s impression'
    FROM refractory_impression
    WHERE item IS NOT NULL
),
standing AS (
    SELECT *, lead(on_date) OVER (PARTITION BY patient_id, item, component ORDER BY on_date) AS replaced_on FROM answer
),
judged AS (
    SELECT patient_id, item, on_date FROM answer WHERE status <> 'not_evaluable'
    UNION
    SELECT patient_id, clock, from_date FROM refractory_window
),
counted AS (
    SELECT
        judged.patient_id, judged.item AS clock, judged.on_date, standing.component,
        CASE
            WHEN standing.status <> 'not_evaluable' AND standing.decided_on >= judged.on_date - CAST($counts_days AS INTEGER)
            THEN standing.status ELSE 'unknown'
        END AS answer,
        standing.on_date = judged.on_date AND standing.status <> 'not_evaluable' AS answered,
        standing.evidence,
        CASE
            WHEN standing.status = 'not_evaluable' AND standing.on_date >= judged.on_date - CAST($counts_days AS INTEGER)
            THEN standing.missing ELSE [standing.asked]
        END AS missing
    FROM judged
    JOIN standing
        ON standing.patient_id = judged.patient_id AND standing.item = judged.item AND standing.on_date <= judged.on_date
        AND (standing.replaced_on IS NULL OR standing.replaced_on > judged.on_date)
)
SELECT
    counted.patient_id, counted.clock, span.day0, counted.on_date, counted.on_date = span.from_date AS window_begins,
    counted.component, counted.answer, counted.answered,
    CASE WHEN counted.answer = 'unknown' THEN CAST([] AS BIGINT[]) ELSE counted.evidence END AS evidence,
    CASE WHEN counted.answer = 'unknown' THEN counted.missing ELSE CAST([] AS VARCHAR[]) END AS missing
FROM counted
JOIN refractory_window AS span
    ON span.patient_id = counted.patient_id AND span.clock = counted.clock AND span.from_date <= counted.on_date
    AND (span.to_date IS NULL OR span.to_date > counted.on_date)
