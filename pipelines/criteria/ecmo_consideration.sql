/*
title   = "Invasive ventilation with P/F below 100 in refractory disease: ECMO as a bridge"
group   = "transplant"
why     = """Recommendation 6 of Romero-Bueno 2020 names ECMO as a bridge for refractory disease; the limit of P/F is that of severe
ARDS in the Berlin definition, taken here as a working limit. Refractory is read as possible or published refractory disease on
either clock. The newest record that names the support says whether the patient is ventilated (of a day, any record of invasive
ventilation; a record on ECMO is not one: the bridge is there). P/F is the newest since this ventilation began, the lowest of its
day, from a record on the ventilator or one that names no support; imputed from SpO2 where there is no blood gas, and noted.
Outcomes under ECMO were poor in the early reports: this says that a published condition is met, not that it should be done."""
unknown = ["combination therapy", "oxygen support"]

[threshold.pf_below]
value = 100
unit  = "mmHg"
step  = 1
cite  = "berlin2012"
tag   = "project default"

[finding]
facts = ["ventilation", "refractory"]
met = "{ventilation}; {refractory}: the condition for considering ECMO as a bridge is met."
not_met = "The condition for considering ECMO as a bridge is not met on {on_date}: {ventilation}; {refractory}."
not_evaluable = "Whether the condition for considering ECMO as a bridge is met cannot be told. Missing: {missing}."
[finding.notes]
estimated_fio2 = "FiO2 estimated from flow."
imputed_pf = "P/F imputed from SpO2."

[[history]]
on = 2026-11-30
why = "first version"
*/
WITH support AS (   -- what each day's records say of invasive ventilation
    SELECT patient_id, on_date, max(CASE WHEN device = 'invasive_ventilation' THEN 1 ELSE 0 END) AS ventilated
    FROM oxygen_support
    WHERE level IS NOT NULL
    GROUP BY patient_id, on_date
),
turned AS (         -- the days on which ventilation begins or ends
    SELECT *
    FROM support
    QUALIFY coalesce(lag(ventilated) OVER (PARTITION BY patient_id ORDER BY on_date) <> ventilated, TRUE)
),
person AS (SELECT patient_id, min(on_date) AS first_on, max(ventilated) AS ever FROM turned GROUP BY patient_id),
gas AS (            -- of those ever ventilated, the lowest P/F of a day
    SELECT
        gas.patient_id, gas.on_date, gas.set_id, gas.pf
    FROM gas_exchange AS gas
    JOIN person ON person.patient_id = gas.patient_id AND person.ever = 1
    JOIN oxygen_support AS record ON record.patient_id = gas.patient_id AND record.set_id = gas.set_id
    WHERE record.level IS NULL OR record.device = 'invasive_ventilation'
    QUALIFY row_number() OVER (PARTITION BY gas.patient_id, gas.on_date ORDER BY gas.pf, gas.set_id) = 1
),
refractory AS (     -- the days on which the answer changes, or what is missing may; known not to be ventilated, it decides nothing
    SELECT answer.patient_id, answer.on_date
    FROM referral_refractory AS answer
    LEFT JOIN person ON person.patient_id = answer.patient_id
    WHERE coalesce(person.ever, 1) = 1 OR answer.on_date <= person.first_on
    QUALIFY
        answer.status = 'not_evaluable'
        OR coalesce(lag(answer.status) OVER (PARTITION BY answer.patient_id ORDER BY answer.on_date) <> answer.status, TRUE)
),
point AS (
    SELECT patient_id, on_date, ventilated, on_date AS support_on, NULL AS pf, NULL AS gas_on, NULL AS refractory_on FROM turned
    UNION ALL
    SELECT patient_id, on_date, NULL, NULL, pf, on_date, NULL FROM gas
    UNION ALL
    SELECT patient_id, on_date, NULL, NULL, NULL, NULL, on_date FROM refractory
),
daily AS (
    SELECT
        patient_id, on_date, max(ventilated) AS ventilated, max(support_on) AS support_on, max(pf) AS pf, max(gas_on) AS gas_on,
        max(refractory_on) AS refractory_on
    FROM point
    GROUP BY patient_id, on_date
),
followed AS (
    SELECT
        patient_id, on_date, support_on IS NOT NULL AS turns, refractory_on IS NOT NULL AS answers,
        last_value(ventilated IGNORE NULLS) OVER so_far AS ventilated, max(support_on) OVER so_far AS support_on,
        last_value(pf IGNORE NULLS) OVER so_far AS pf, max(gas_on) OVER so_far AS gas_on,
        max(refractory_on) OVER so_far AS refractory_on
    FROM daily
    WINDOW so_far AS (PARTITION BY patient_id ORDER BY on_date ROWS UNBOUNDED PRECEDING)
),
severe AS (         -- a P/F from before this ventilation is none of it; off the ventilator nothing else can change the answer
    SELECT
        patient_id, on_date, ventilated, support_on, refractory_on,
        CASE WHEN ventilated = 1 AND gas_on >= support_on THEN gas_on END AS gas_on,
        CASE WHEN ventilated = 0 THEN FALSE WHEN ventilated = 1 AND gas_on >= support_on THEN pf < $pf_below END AS severe
    FROM followed
    WHERE turns OR ventilated = 1 OR (ventilated IS NULL AND answers)
),
shown AS (          -- the record that names the support on the day it began: the ventilator, else the highest level
    SELECT turned.patient_id, turned.on_date, record.evidence
    FROM turned
    JOIN oxygen_support AS record ON record.patient_id = turned.patient_id AND record.on_date = turned.on_date
    WHERE record.level IS NOT NULL AND (turned.ventilated = 0 OR record.device = 'invasive_ventilation')
    QUALIFY row_number() OVER (PARTITION BY turned.patient_id, turned.on_date ORDER BY record.level DESC, record.set_id) = 1
),
together AS (
    SELECT
        severe.patient_id, severe.on_date, severe.ventilated, severe.support_on, severe.gas_on, severe.severe, severe.refractory_on,
        shown.evidence AS support_evidence, exchange.pf, exchange.evidence AS gas_evidence, exchange.notes AS gas_notes,
        answer.status AS refractory
    FROM severe
    JOIN referral_refractory AS answer ON answer.patient_id = severe.patient_id AND answer.on_date = severe.refractory_on
    LEFT JOIN shown ON shown.patient_id = severe.patient_id AND shown.on_date = severe.support_on
    LEFT JOIN gas ON gas.patient_id = severe.patient_id AND gas.on_date = severe.gas_on
    LEFT JOIN gas_exchange AS exchange ON exchange.patient_id = gas.patient_id AND exchange.set_id = gas.set_id
)
SELECT
    together.patient_id, together.on_date, NULL AS item,
    CASE
        WHEN together.severe AND together.refractory = 'met' THEN 'met'
        WHEN NOT together.severe OR together.refractory = 'not_met' THEN 'not_met'
        ELSE 'not_evaluable'
    END AS status,
    NULL AS grade,
    list_sort(list_distinct(
        CASE
            WHEN together.support_evidence IS NULL OR (coalesce(together.severe, TRUE) AND together.refractory = 'not_met') THEN CAST([] AS BIGINT[])
            WHEN together.gas_evidence IS NULL THEN together.support_evidence
            ELSE together.support_evidence || together.gas_evidence
        END
        || CASE WHEN NOT coalesce(together.severe, TRUE) AND together.refractory <> 'not_met' THEN CAST([] AS BIGINT[]) ELSE answer.evidence END
    )) AS evidence,
    CASE
        WHEN NOT together.severe OR together.refractory <> 'not_evaluable' AND (together.severe OR together.refractory = 'not_met') THEN CAST([] AS VARCHAR[])
        ELSE list_sort(
            CASE
                WHEN together.severe THEN CAST([] AS VARCHAR[])
                WHEN together.ventilated IS NULL THEN ['oxygen support']
                ELSE ['PaO2 and FiO2 on invasive ventilation']
            END
            || CASE WHEN together.refractory = 'not_evaluable' THEN answer.missing ELSE CAST([] AS VARCHAR[]) END
        )
    END AS missing,
    [
        CASE
            WHEN together.ventilated IS NULL THEN 'support unknown'
            WHEN together.ventilated = 0 THEN 'no invasive ventilation since ' || CAST(together.support_on AS VARCHAR)
            WHEN together.gas_on IS NULL THEN 'invasive ventilation since ' || CAST(together.support_on AS VARCHAR) || ', P/F unknown'
            ELSE
                'invasive ventilation since ' || CAST(together.support_on AS VARCHAR) || ', P/F ' || CAST(CAST(floor(together.pf) AS INTEGER) AS VARCHAR)
                || ' mmHg on ' || CAST(together.gas_on AS VARCHAR)
        END,
        CASE together.refractory
            WHEN 'met' THEN 'refractory disease since ' || CAST(together.refractory_on AS VARCHAR)
            WHEN 'not_met' THEN 'no refractory disease'
            ELSE 'refractory or not is unknown'
        END
    ] AS facts,
    CASE WHEN together.gas_notes IS NULL THEN CAST([] AS VARCHAR[]) ELSE together.gas_notes END AS notes,
    CAST(CASE WHEN together.gas_on IS NOT NULL AND (together.refractory = 'met' OR NOT together.severe) THEN $pf_below - together.pf END AS DECIMAL(19, 6)) AS margin
FROM together
LEFT JOIN referral_refractory AS answer
    ON answer.patient_id = together.patient_id AND answer.on_date = together.refractory_on
