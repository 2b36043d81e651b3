/*
title = "An infection is open while at least two immunosuppressants act"
group = "infection"
why   = """Infections are frequent under combined immunosuppression of anti-MDA5 disease, and deaths from ILD were seen to follow them
(Tsuji 2020): how much immunosuppression to keep is then decided again. Systemic glucocorticoids count as one agent, and so do two drugs
of one class; a dose acts for the days given in the drug dictionary. An infection is open from its record to its recorded last day; with
no recorded end for 28 days after its last record, then it is unknown. A lone culture or PCR, or a drug against an infection, is no
infection. Infections are recorded only when present: with none ever recorded it is unknown whether there is one, and said to be
unknown; a recorded end says that it is over."""
unknown = ["drug records"]

[threshold.agents]
value = 2
unit  = "agents"
step  = 1
cite  = "tsuji_summary"
tag   = "project default"

[finding]
facts         = ["infections", "agents", "drugs"]
met           = "{infections}. Acting on {on_date}: {agents} ({drugs})."
not_met       = "On {on_date}: {agents} acting ({drugs}); infection: {infections}."
not_evaluable = "Cannot be told ({missing}). On {on_date}: {agents} acting ({drugs}); infection: {infections}."

[finding.notes]
no_stop = "A drug with no recorded stop goes on counting as acting."

[[history]]
on  = 2026-11-30
why = "first version"
*/
WITH infection AS (
    SELECT patient_id, organism, since, from_date, open_until, coalesce(to_date, DATE '9999-12-31') AS reached_to, ended, evidence
    FROM infection_episode
),
change AS (   -- the days on which agents or infections change; stretch_from: a stretch of agents begins
    SELECT patient_id, from_date AS on_date, from_date AS stretch_from FROM immunosuppression
    UNION ALL
    SELECT patient_id, to_date, NULL FROM immunosuppression WHERE to_date IS NOT NULL
    UNION ALL
    SELECT patient_id, from_date, NULL FROM recorded_drugs
    UNION ALL
    SELECT patient_id, from_date, NULL FROM infection
    UNION ALL
    SELECT patient_id, open_until, NULL FROM infection WHERE open_until < reached_to
    UNION ALL
    SELECT patient_id, reached_to, NULL FROM infection WHERE ended
),
judged_day AS (
    SELECT patient_id, on_date, max(begins) OVER (PARTITION BY patient_id ORDER BY on_date) AS stretch_from
    FROM (SELECT patient_id, on_date, max(stretch_from) AS begins FROM change GROUP BY patient_id, on_date) AS daily
),
weighed AS (   -- weight 3: the infection is open, 2: it may be, 1: it has ended
    SELECT
        *, max(weight) OVER (PARTITION BY patient_id, on_date) AS heaviest
    FROM (
        SELECT
            judged_day.patient_id, judged_day.on_date, infection.organism, infection.since, infection.evidence,
            CASE
                WHEN infection.open_until > judged_day.on_date THEN 3
                WHEN infection.reached_to > judged_day.on_date THEN 2
                WHEN infection.ended THEN 1
            END AS weight
        FROM judged_day
        JOIN infection ON infection.patient_id = judged_day.patient_id AND infection.from_date <= judged_day.on_date
    ) AS known
),
infected AS (
    SELECT patient_id, on_date, weight, list(organism) AS organisms, min(since) AS since, flatten(list(evidence)) AS evidence
    FROM weighed
    WHERE weight = heaviest
    GROUP BY patient_id, on_date, weight
),
judged AS (
    SELECT
        judged_day.patient_id, judged_day.on_date,
        coalesce(infected.weight, 0) AS weight, infected.organisms, infected.since, infected.evidence AS infection_evidence,
        coalesce(stretch.to_date, DATE '9999-12-31') > judged_day.on_date AND stretch.agent_count IS NOT NULL AS acts,
        stretch.agent_count, stretch.drugs, stretch.confirmed_on, stretch.evidence
    FROM judged_day
    JOIN recorded_drugs ON recorded_drugs.patient_id = judged_day.patient_id AND recorded_drugs.from_date <= judged_day.on_date
    LEFT JOIN immunosuppression AS stretch
        ON stretch.patient_id = judged_day.patient_id AND stretch.from_date = judged_day.stretch_from
    LEFT JOIN infected ON infected.patient_id = judged_day.patient_id AND infected.on_date = judged_day.on_date
)
SELECT
    patient_id, on_date, CAST(NULL AS VARCHAR) AS item,
    CASE
        WHEN NOT acts OR agent_count < $agents OR weight = 1 THEN 'not_met' WHEN weight = 3 THEN 'met' ELSE 'not_evaluable'
    END AS status,
    CAST(NULL AS INTEGER) AS grade,
    list_sort(list_distinct(list_concat(
        coalesce(evidence, CAST([] AS BIGINT[])), coalesce(infection_evidence, CAST([] AS BIGINT[]))
    ))) AS evidence,
    CASE
        WHEN NOT acts OR agent_count < $agents OR weight IN (1, 3) THEN CAST([] AS VARCHAR[])
        WHEN weight = 2 THEN ['the end of the infection']
        ELSE ['infection: present or absent']
    END AS missing,
    [
        CASE
            WHEN weight = 0 THEN 'none recorded'
            ELSE concat(
                CASE weight WHEN 3 THEN 'Infection open: ' WHEN 2 THEN 'perhaps still open: ' ELSE 'ended: ' END,
                coalesce(nullif(array_to_string(list_sort(list_distinct(organisms)), ', '), ''), 'organism not named'),
                ', since ', CAST(since AS VARCHAR)
            )
        END,
        CASE WHEN NOT acts THEN '0 agents' WHEN agent_count = 1 THEN '1 agent' ELSE concat(CAST(agent_count AS VARCHAR), ' agents') END,
        CASE
            WHEN NOT acts THEN 'none'
            ELSE concat(
                array_to_string(list_sort(list_distinct(drugs)), ', '),
                CASE
                    WHEN confirmed_on IS NULL THEN ''
                    ELSE concat('; not every stop is recorded, last confirmed ', CAST(confirmed_on AS VARCHAR))
                END
            )
        END
    ] AS facts,
    CASE WHEN acts AND confirmed_on IS NOT NULL THEN ['no_stop'] ELSE CAST([] AS VARCHAR[]) END AS notes,
    CAST(
        CASE WHEN NOT acts THEN -$agents WHEN agent_count < $agents OR weight = 3 THEN agent_count - $agents END AS DECIMAL(19, 6)
    ) AS margin
FROM judged
