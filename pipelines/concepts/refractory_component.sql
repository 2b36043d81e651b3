/*
title = "What each component of refractory disease says when a composite is judged"
why   = """One row per clock and day on which a component answers met or not met on a record of that day, and on the first day of each window. Each component
is met, not_met or unknown: its standing answer counts when its newest deciding record is dated within 14 days before that
day [P]; an older one is unknown. *_missing says what would settle it: to settle what was recorded more than 14 days before would
no longer count. answered: one of the four components other than the impression answers on that day."""

[threshold.counts_days]
value = 14
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"
*/
WITH answer AS (
    SELECT patient_id, item, on_date, 'symptoms' AS component, status, decided_on FROM refractory_symptoms WHERE item IS NOT NULL
    UNION ALL
    SELECT patient_id, item, on_date, 'gas exchange', status, decided_on FROM refractory_gas_exchange WHERE item IS NOT NULL
    UNION ALL
    SELECT patient_id, item, on_date, 'imaging', status, decided_on FROM refractory_imaging WHERE item IS NOT NULL
    UNION ALL
    SELECT patient_id, item, on_date, 'ferritin', status, decided_on FROM refractory_ferritin WHERE item IS NOT NULL
    UNION ALL
    SELECT patient_id, item, on_date, 'impression', status, decided_on FROM refractory_impression WHERE item IS NOT NULL
),
daily AS (
    SELECT
        patient_id, item, on_date,
        max(CASE WHEN component = 'symptoms' THEN on_date END) AS symptoms_on,
        max(CASE WHEN component = 'gas exchange' THEN on_date END) AS gas_exchange_on,
        max(CASE WHEN component = 'imaging' THEN on_date END) AS imaging_on,
        max(CASE WHEN component = 'ferritin' THEN on_date END) AS ferritin_on,
        max(CASE WHEN component = 'impression' THEN on_date END) AS impression_on,
        count(CASE WHEN status <> 'not_evaluable' AND decided_on = on_date THEN 1 END) AS answers,
        count(CASE WHEN status <> 'not_evaluable' AND decided_on = on_date AND component <> 'impression' THEN 1 END) AS other_answers
    FROM answer
    GROUP BY patient_id, item, on_date
),
standing AS (   -- the day of each component's standing answer; every component answers on the first day of a window
    SELECT
        patient_id, item, on_date, answers, other_answers,
        max(symptoms_on) OVER so_far AS symptoms_on,
        max(gas_exchange_on) OVER so_far AS gas_exchange_on,
        max(imaging_on) OVER so_far AS imaging_on,
        max(ferritin_on) OVER so_far AS ferritin_on,
        max(impression_on) OVER so_far AS impression_on
    FROM daily
    WINDOW so_far AS (PARTITION BY patient_id, item ORDER BY on_date ROWS UNBOUNDED PRECEDING)
),
judged AS (
    SELECT
        standing.*, span.day0, standing.on_date = span.from_date AS window_begins,
        standing.on_date - CAST($counts_days AS INTEGER) AS counts_from
    FROM standing
    JOIN refractory_window AS span
        ON span.patient_id = standing.patient_id AND span.clock = standing.item AND span.from_date <= standing.on_date
        AND (span.to_date IS NULL OR span.to_date > standing.on_date)
    WHERE standing.answers > 0 OR standing.on_date = span.from_date
)
SELECT
    judged.patient_id, judged.item AS clock, judged.day0, judged.on_date, judged.window_begins, judged.other_answers > 0 AS answered,
    CASE WHEN symptoms.decided_on >= judged.counts_from THEN symptoms.status ELSE 'unknown' END AS symptoms,
    CASE WHEN gas_exchange.decided_on >= judged.counts_from THEN gas_exchange.status ELSE 'unknown' END AS gas_exchange,
    CASE WHEN imaging.decided_on >= judged.counts_from THEN imaging.status ELSE 'unknown' END AS imaging,
    CASE WHEN ferritin.decided_on >= judged.counts_from THEN ferritin.status ELSE 'unknown' END AS ferritin,
    CASE WHEN impression.decided_on >= judged.counts_from THEN impression.status ELSE 'unknown' END AS impression,
    symptoms.evidence AS symptoms_evidence,
    gas_exchange.evidence AS gas_exchange_evidence,
    imaging.evidence AS imaging_evidence,
    ferritin.evidence AS ferritin_evidence,
    impression.evidence AS impression_evidence,
    CASE WHEN symptoms.decided_on IS NULL AND symptoms.on_date >= judged.counts_from THEN symptoms.missing ELSE ['dyspnoea'] END
        AS symptoms_missing,
    CASE WHEN gas_exchange.decided_on IS NULL AND gas_exchange.on_date >= judged.counts_from THEN gas_exchange.missing ELSE ['oxygen support'] END
        AS gas_exchange_missing,
    CASE WHEN imaging.decided_on IS NULL AND imaging.on_date >= judged.counts_from THEN imaging.missing ELSE ['chest imaging'] END
        AS imaging_missing,
    CASE WHEN ferritin.decided_on IS NULL AND ferritin.on_date >= judged.counts_from THEN ferritin.missing ELSE ['ferritin'] END
        AS ferritin_missing,
    CASE WHEN impression.decided_on IS NULL AND impression.on_date >= judged.counts_from THEN impression.missing ELSE ['clinician''s impression'] END
        AS impression_missing
FROM judged       -- every component has an answer: LEFT only keeps the joins in this order, 33 million rows fewer on 2,000 patients
LEFT JOIN refractory_symptoms AS symptoms
    ON symptoms.patient_id = judged.patient_id AND symptoms.item = judged.item AND symptoms.on_date = judged.symptoms_on
LEFT JOIN refractory_gas_exchange AS gas_exchange
    ON gas_exchange.patient_id = judged.patient_id AND gas_exchange.item = judged.item AND gas_exchange.on_date = judged.gas_exchange_on
LEFT JOIN refractory_imaging AS imaging
    ON imaging.patient_id = judged.patient_id AND imaging.item = judged.item AND imaging.on_date = judged.imaging_on
LEFT JOIN refractory_ferritin AS ferritin
    ON ferritin.patient_id = judged.patient_id AND ferritin.item = judged.item AND ferritin.on_date = judged.ferritin_on
LEFT JOIN refractory_impression AS impression
    ON impression.patient_id = judged.patient_id AND impression.item = judged.item AND impression.on_date = judged.impression_on
