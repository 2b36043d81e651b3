/*
title = "Intense immunosuppression: three agents, or two with 20 mg/day prednisone equivalent"
group = "infection"
why   = """How much acts at once, as a fact beside the infection rules: at least three agents, or at least two of which one is a
glucocorticoid of 20 mg/day prednisone equivalent. It is no score and has no published cut-off. Systemic glucocorticoids count as one
agent, and so do two drugs of one class; a dose acts for the days given in the drug dictionary; immunoglobulin, plasma exchange and
antifibrotics are no agents. The grade is the number of agents, whether it is met or not. Where a dose cannot be read, the part of it
that can counts; if that decides nothing, it is unknown."""
unknown = ["drug records"]

[threshold.agents]
value = 3
unit  = "agents"
step  = 1
cite  = "project"
tag   = "project default"

[threshold.agents_with_dose]
value = 2
unit  = "agents, with the dose"
step  = 1
cite  = "project"
tag   = "project default"

[threshold.dose]
value = 20
unit  = "mg/day prednisone equivalent"
step  = 1
cite  = "project"
tag   = "project default"

[finding]
facts         = ["agents", "drugs", "dose"]
met           = "Acting on {on_date}: {agents} ({drugs}), {dose} mg/day prednisone equivalent."
not_met       = "Not intense on {on_date}. Acting: {agents} ({drugs}), {dose} mg/day prednisone equivalent."
not_evaluable = "Cannot be told ({missing}). Acting on {on_date}: {agents} ({drugs})."

[finding.notes]
no_stop = "A drug with no recorded stop goes on counting as acting."

[[history]]
on  = 2026-11-30
why = "first version"
*/
WITH stretch AS (
    SELECT
        patient_id, from_date, to_date, drugs, agent_count, mg_per_day, dose_unknown, confirmed_on, evidence,
        lead(from_date) OVER (PARTITION BY patient_id ORDER BY from_date) AS next_from
    FROM immunosuppression
),
judged AS (
    SELECT patient_id, from_date AS on_date, drugs, agent_count, mg_per_day, dose_unknown, confirmed_on, evidence FROM stretch
    UNION ALL   -- nothing acts any more
    SELECT patient_id, to_date, NULL, 0, 0, FALSE, NULL, evidence
    FROM stretch
    WHERE to_date IS NOT NULL AND to_date <> coalesce(next_from, DATE '9999-12-31')
    UNION ALL   -- drugs are recorded, and none of these yet
    SELECT recorded_drugs.patient_id, recorded_drugs.from_date, NULL, 0, 0, FALSE, NULL, CAST([] AS BIGINT[])
    FROM recorded_drugs
    LEFT JOIN stretch ON stretch.patient_id = recorded_drugs.patient_id AND stretch.from_date = recorded_drugs.from_date
    WHERE stretch.patient_id IS NULL
)
SELECT
    patient_id, on_date, CAST(NULL AS VARCHAR) AS item,
    CASE
        WHEN agent_count >= $agents OR (agent_count >= $agents_with_dose AND mg_per_day >= $dose) THEN 'met'
        WHEN agent_count >= $agents_with_dose AND dose_unknown THEN 'not_evaluable'
        ELSE 'not_met'
    END AS status,
    CAST(agent_count AS INTEGER) AS grade,
    list_sort(list_distinct(evidence)) AS evidence,
    CASE
        WHEN agent_count < $agents AND agent_count >= $agents_with_dose AND mg_per_day < $dose AND dose_unknown THEN ['glucocorticoid dose']
        ELSE CAST([] AS VARCHAR[])
    END AS missing,
    [
        concat(CAST(agent_count AS VARCHAR), CASE WHEN agent_count = 1 THEN ' agent' ELSE ' agents' END),
        concat(
            coalesce(array_to_string(list_sort(list_distinct(drugs)), ', '), 'none'),
            CASE
                WHEN confirmed_on IS NULL THEN ''
                ELSE concat('; not every stop is recorded, last confirmed ', CAST(confirmed_on AS VARCHAR))
            END
        ),
        concat(
            CASE WHEN dose_unknown THEN 'at least ' ELSE '' END,
            rtrim(rtrim(CAST(CAST(mg_per_day AS DECIMAL(19, 6)) AS VARCHAR), '0'), '.')
        )
    ] AS facts,
    CASE WHEN confirmed_on IS NULL THEN CAST([] AS VARCHAR[]) ELSE ['no_stop'] END AS notes,
    CAST(
        CASE
            WHEN agent_count >= $agents OR agent_count < $agents_with_dose THEN agent_count - $agents
            WHEN mg_per_day >= $dose OR NOT dose_unknown THEN mg_per_day - $dose
        END AS DECIMAL(19, 6)
    ) AS margin
FROM judged
