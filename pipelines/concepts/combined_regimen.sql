/*
title = "Days on which a combination or triple regimen acts"
why   = """combination: a systemic glucocorticoid acts together with a calcineurin inhibitor, cyclophosphamide, mycophenolate
(Romero-Bueno 2020 rec. 2 and 3), rituximab or a JAK inhibitor [P]. triple: a systemic glucocorticoid, a calcineurin inhibitor
and cyclophosphamide act together. One row per unbroken stretch; stretches of one regimen with no gap over 90 days share
an `episode`: a longer gap starts the therapy anew."""

[threshold.restart_days]
value = 90
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"
*/
WITH change AS (
    SELECT patient_id, day, sum(glucocorticoid) AS glucocorticoid, sum(partner) AS partner, sum(cni) AS cni, sum(cyclophosphamide) AS cyclophosphamide
    FROM (
        SELECT
            acting.patient_id, CASE turn.sign WHEN 1 THEN acting.from_date ELSE acting.to_date END AS day,
            CASE WHEN acting.drug_class = 'glucocorticoid' THEN turn.sign ELSE 0 END AS glucocorticoid,
            CASE WHEN drug.second_agent THEN turn.sign ELSE 0 END AS partner,
            CASE WHEN acting.drug_class = 'cni' THEN turn.sign ELSE 0 END AS cni,
            CASE WHEN acting.drug_class = 'cyclophosphamide' THEN turn.sign ELSE 0 END AS cyclophosphamide
        FROM agent_acting AS acting
        JOIN drug ON drug.drug = acting.drug
        CROSS JOIN (SELECT 1 AS sign UNION ALL SELECT -1) AS turn
        WHERE turn.sign = 1 OR acting.to_date IS NOT NULL
    ) AS turns
    GROUP BY patient_id, day
),
state AS (
    SELECT
        patient_id, day, lead(day) OVER (PARTITION BY patient_id ORDER BY day) AS until,
        sum(glucocorticoid) OVER (PARTITION BY patient_id ORDER BY day) > 0 AS on_glucocorticoid,
        sum(partner) OVER (PARTITION BY patient_id ORDER BY day) > 0 AS on_partner,
        sum(cni) OVER (PARTITION BY patient_id ORDER BY day) > 0 AS on_cni,
        sum(cyclophosphamide) OVER (PARTITION BY patient_id ORDER BY day) > 0 AS on_cyclophosphamide
    FROM change
),
regimen AS (
    SELECT patient_id, 'combination' AS clock, day AS from_date, until AS to_date FROM state WHERE on_glucocorticoid AND on_partner
    UNION ALL
    SELECT patient_id, 'triple', day, until FROM state WHERE on_glucocorticoid AND on_cni AND on_cyclophosphamide
),
stretch AS (
    SELECT patient_id, clock, min(from_date) AS from_date,
        CASE WHEN count(*) > count(to_date) THEN NULL ELSE max(to_date) END AS to_date
    FROM (
        SELECT *, sum(begins) OVER (PARTITION BY patient_id, clock ORDER BY from_date) AS stretch
        FROM (
            SELECT
                *,
                CASE WHEN lag(to_date) OVER (PARTITION BY patient_id, clock ORDER BY from_date) = from_date THEN 0 ELSE 1 END AS begins
            FROM regimen
        ) AS compared
    ) AS numbered
    GROUP BY patient_id, clock, stretch
)
SELECT
    patient_id, clock, from_date, to_date,
    sum(begins) OVER (PARTITION BY patient_id, clock ORDER BY from_date) AS episode
FROM (
    SELECT
        *,
        CASE
            WHEN date_diff('day', lag(to_date) OVER (PARTITION BY patient_id, clock ORDER BY from_date), from_date) <= $restart_days
            THEN 0 ELSE 1
        END AS begins
    FROM stretch
) AS spaced
