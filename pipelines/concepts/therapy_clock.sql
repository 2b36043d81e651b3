/*
title = "The two therapy clocks, as known on each day"
why   = """Day 0 is the first day, on or after the index date, on which the regimen acts; if it already acted on the index date,
that date; after a gap of more than 90 days it starts anew. On a judged date D the row with applies_from <= D < applies_to holds;
with no such row the clock has not started. A later RP-ILD record moves day 0 from its own date on. high_dose: the systemic
glucocorticoid was at least 0.5 mg/kg/day prednisone equivalent on day 0, or over 30 mg/day with no weight recorded by then."""
kept  = true

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
WITH dose AS (   -- plain comparisons in the joins below: an OR there would compare every pair
    SELECT patient_id, from_date, coalesce(to_date, DATE '9999-12-31') AS reached_to, mg_per_day, dose_unknown FROM prednisone_equivalent
),
acting AS (
    SELECT patient_id, drug, drug_class, from_date, coalesce(to_date, DATE '9999-12-31') AS reached_to, evidence FROM agent_acting
),
regimen AS (
    SELECT patient_id, clock, from_date, coalesce(to_date, DATE '9999-12-31') AS reached_to, episode FROM combined_regimen
),
started AS (
    SELECT
        regimen.patient_id, regimen.clock, known.applies_from AS known_from, known.applies_to AS known_to,
        min(greatest(regimen.from_date, known.index_date)) AS day0
    FROM regimen
    JOIN index_date AS known ON known.patient_id = regimen.patient_id AND regimen.reached_to > known.index_date
    GROUP BY regimen.patient_id, regimen.clock, regimen.episode, known.applies_from, known.applies_to
),
spanned AS (
    SELECT
        patient_id, clock, day0,
        greatest(day0, known_from) AS applies_from,
        least(
            coalesce(lead(day0) OVER (PARTITION BY patient_id, clock, known_from ORDER BY day0), DATE '9999-12-31'),
            coalesce(known_to, DATE '9999-12-31')
        ) AS applies_to
    FROM started
),
evidenced AS (
    SELECT
        spanned.patient_id, spanned.clock, spanned.day0, spanned.applies_from, spanned.applies_to,
        list_sort(list_distinct(flatten(list(acting.evidence)))) AS evidence
    FROM spanned
    JOIN acting
        ON acting.patient_id = spanned.patient_id AND acting.from_date <= spanned.day0 AND acting.reached_to > spanned.day0
    JOIN drug ON drug.drug = acting.drug
    WHERE
        acting.drug_class = 'glucocorticoid'
        OR (spanned.clock = 'combination' AND drug.second_agent)
        OR (spanned.clock = 'triple' AND acting.drug_class IN ('cni', 'cyclophosphamide'))
    GROUP BY spanned.patient_id, spanned.clock, spanned.day0, spanned.applies_from, spanned.applies_to
),
weight AS (
    SELECT patient_id, on_date, coalesce(value, number) AS kg, row_number() OVER (PARTITION BY patient_id, on_date ORDER BY record_id) AS place
    FROM (
        SELECT patient_id, on_date, record_id, CAST(NULL AS DECIMAL(19, 6)) AS value, number FROM event WHERE kind = 'measure' AND code = 'weight_kg'
        UNION ALL
        SELECT patient_id, on_date, record_id, value, NULL FROM observation WHERE analyte = 'weight'
    ) AS weighed
),
weighed AS (
    SELECT
        evidenced.patient_id, evidenced.clock, evidenced.day0, evidenced.applies_from, evidenced.applies_to, evidenced.evidence,
        arg_max(weight.kg, weight.on_date) AS kg
    FROM evidenced
    LEFT JOIN weight ON weight.patient_id = evidenced.patient_id AND weight.on_date <= evidenced.day0 AND weight.place = 1
    GROUP BY evidenced.patient_id, evidenced.clock, evidenced.day0, evidenced.applies_from, evidenced.applies_to, evidenced.evidence
)
SELECT
    weighed.patient_id, weighed.clock, weighed.day0, weighed.applies_from,
    CASE WHEN weighed.applies_to = DATE '9999-12-31' THEN NULL ELSE weighed.applies_to END AS applies_to,
    weighed.evidence,
    CASE   -- where a dose cannot be read, mg_per_day is the least that was given
        WHEN CASE WHEN weighed.kg IS NULL THEN dose.mg_per_day > $high_dose_mg ELSE dose.mg_per_day >= $high_dose_per_kg * weighed.kg END
        THEN TRUE
        WHEN dose.dose_unknown THEN NULL
        ELSE FALSE
    END AS high_dose
FROM weighed
LEFT JOIN dose
    ON dose.patient_id = weighed.patient_id AND dose.from_date <= weighed.day0 AND dose.reached_to > weighed.day0
WHERE weighed.applies_from < weighed.applies_to
