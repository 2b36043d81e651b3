/*
title = "What each component of refractory disease says when a composite is judged"
why   = """One row per clock and day on which a component answers met or not met on a record of that day, and on the first day of each window. Each component
is met, not_met or unknown: its standing answer counts when its newest deciding record is dated within 14 days before that
day [P]; an older one is unknown. *_on is the day of its standing answer; *_undecided: that answer has decided on no record and is of
these 14 days, so that what it misses would settle it (to settle what was recorded before them would no longer count). answered: one of the four components other than the impression answers on that day."""

[threshold.counts_days]
value = 14
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"
*/
WITH answer AS (   -- day of the answer, day of its newest deciding record and status as one number: of two the later answer's is the greater
    SELECT
        component, patient_id, item, on_date, status <> 'not_evaluable' AND decided_on = on_date AS answers,
        4 * (100000 * date_diff('day', DATE '1900-01-01', on_date) + coalesce(date_diff('day', DATE '1900-01-01', decided_on), 0))
        + CASE status WHEN 'met' THEN 2 WHEN 'not_met' THEN 1 ELSE 0 END AS told
    FROM (
        SELECT 'symptoms' AS component, patient_id, item, on_date, status, decided_on FROM refractory_symptoms WHERE item IS NOT NULL
        UNION ALL
        SELECT 'gas_exchange' AS component, patient_id, item, on_date, status, decided_on FROM refractory_gas_exchange WHERE item IS NOT NULL
        UNION ALL
        SELECT 'imaging' AS component, patient_id, item, on_date, status, decided_on FROM refractory_imaging WHERE item IS NOT NULL
        UNION ALL
        SELECT 'ferritin' AS component, patient_id, item, on_date, status, decided_on FROM refractory_ferritin WHERE item IS NOT NULL
        UNION ALL
        SELECT 'impression' AS component, patient_id, item, on_date, status, decided_on FROM refractory_impression WHERE item IS NOT NULL
    ) AS component_answer
),
daily AS (
    SELECT
        patient_id, item, on_date,
        max(CASE WHEN component = 'symptoms' THEN told END) AS symptoms,
        max(CASE WHEN component = 'gas_exchange' THEN told END) AS gas_exchange,
        max(CASE WHEN component = 'imaging' THEN told END) AS imaging,
        max(CASE WHEN component = 'ferritin' THEN told END) AS ferritin,
        max(CASE WHEN component = 'impression' THEN told END) AS impression,
        count(CASE WHEN answers THEN 1 END) AS answers,
        count(CASE WHEN answers AND component <> 'impression' THEN 1 END) AS other_answers
    FROM answer
    GROUP BY patient_id, item, on_date
),
standing AS (   -- every component answers on the first day of a window
    SELECT
        patient_id, item, on_date, answers, other_answers,
        max(symptoms) OVER so_far AS symptoms,
        max(gas_exchange) OVER so_far AS gas_exchange,
        max(imaging) OVER so_far AS imaging,
        max(ferritin) OVER so_far AS ferritin,
        max(impression) OVER so_far AS impression
    FROM daily
    WINDOW so_far AS (PARTITION BY patient_id, item ORDER BY on_date ROWS UNBOUNDED PRECEDING)
),
judged AS (
    SELECT
        standing.*, span.day0, standing.on_date = span.from_date AS window_begins,
        date_diff('day', DATE '1900-01-01', standing.on_date) - $counts_days AS counts_from
    FROM standing
    JOIN (
        SELECT patient_id, clock, day0, from_date, coalesce(to_date, DATE '9999-12-31') AS reached_to FROM refractory_window
    ) AS span
        ON span.patient_id = standing.patient_id AND span.clock = standing.item AND span.from_date <= standing.on_date
        AND span.reached_to > standing.on_date
    WHERE standing.answers > 0 OR standing.on_date = span.from_date
)
SELECT
    patient_id, item AS clock, day0, on_date, window_begins, other_answers > 0 AS answered,
    CASE WHEN symptoms // 4 % 100000 < counts_from THEN 'unknown' ELSE CASE symptoms % 4 WHEN 2 THEN 'met' WHEN 1 THEN 'not_met' ELSE 'not_evaluable' END END
        AS symptoms,
    CASE WHEN gas_exchange // 4 % 100000 < counts_from THEN 'unknown' ELSE CASE gas_exchange % 4 WHEN 2 THEN 'met' WHEN 1 THEN 'not_met' ELSE 'not_evaluable' END END
        AS gas_exchange,
    CASE WHEN imaging // 4 % 100000 < counts_from THEN 'unknown' ELSE CASE imaging % 4 WHEN 2 THEN 'met' WHEN 1 THEN 'not_met' ELSE 'not_evaluable' END END
        AS imaging,
    CASE WHEN ferritin // 4 % 100000 < counts_from THEN 'unknown' ELSE CASE ferritin % 4 WHEN 2 THEN 'met' WHEN 1 THEN 'not_met' ELSE 'not_evaluable' END END
        AS ferritin,
    CASE WHEN impression // 4 % 100000 < counts_from THEN 'unknown' ELSE CASE impression % 4 WHEN 2 THEN 'met' WHEN 1 THEN 'not_met' ELSE 'not_evaluable' END END
        AS impression,
    DATE '1900-01-01' + CAST(symptoms // 400000 AS INTEGER) AS symptoms_on,
    DATE '1900-01-01' + CAST(gas_exchange // 400000 AS INTEGER) AS gas_exchange_on,
    DATE '1900-01-01' + CAST(imaging // 400000 AS INTEGER) AS imaging_on,
    DATE '1900-01-01' + CAST(ferritin // 400000 AS INTEGER) AS ferritin_on,
    DATE '1900-01-01' + CAST(impression // 400000 AS INTEGER) AS impression_on,
    symptoms // 4 % 100000 = 0 AND symptoms // 400000 >= counts_from AS symptoms_undecided,
    gas_exchange // 4 % 100000 = 0 AND gas_exchange // 400000 >= counts_from AS gas_exchange_undecided,
    imaging // 4 % 100000 = 0 AND imaging // 400000 >= counts_from AS imaging_undecided,
    ferritin // 4 % 100000 = 0 AND ferritin // 400000 >= counts_from AS ferritin_undecided,
    impression // 4 % 100000 = 0 AND impression // 400000 >= counts_from AS impression_undecided
FROM judged
