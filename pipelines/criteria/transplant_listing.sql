/*
title   = "A published condition for transplant listing is met"
group   = "transplant"
why     = """Any of the conditions of ISHLT 2021 that can be read from these records: a fall of lung function on treatment, the
6-minute walk, and events. A condition met is not a verdict on what to do; barriers are shown beside it and never hide it. Each
condition stands with the records by which its answer came about: what has confirmed it since is shown with the condition itself.
The margin is that of the condition met longest."""
unknown = [
    "6-minute walk distance", "DLCO % predicted", "FVC % predicted", "acute exacerbation present or absent",
    "lowest SpO2 on a 6-minute walk", "pneumothorax present or absent", "pulmonary hypertension present or absent",
    "respiratory hospital stay present or absent",
]

[finding]
facts = ["reached"]
met = "Conditions for transplant listing met: {reached}."
not_met = "No condition for transplant listing is met: decline of lung function, 6-minute walk and events are all known."
not_evaluable = "Whether a condition for transplant listing is met cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-30
why = "first version"
*/
WITH answer AS (
    SELECT 'decline' AS condition, patient_id, on_date, status, evidence, missing, margin FROM listing_decline
    UNION ALL
    SELECT 'walk', patient_id, on_date, status, evidence, missing, margin FROM listing_walk
    UNION ALL
    SELECT 'events', patient_id, on_date, status, evidence, missing, margin FROM listing_events
),
turned AS (         -- the days on which a condition's answer changes, or, while it cannot be told, what is missing
    SELECT *
    FROM answer
    WINDOW branch AS (PARTITION BY patient_id, condition ORDER BY on_date)
    QUALIFY coalesce(lag(status) OVER branch <> status OR (status = 'not_evaluable' AND lag(missing) OVER branch <> missing), TRUE)
),
daily AS (
    SELECT
        patient_id, on_date,
        max(CASE WHEN condition = 'decline' THEN on_date END) AS decline_on,
        max(CASE WHEN condition = 'walk' THEN on_date END) AS walk_on,
        max(CASE WHEN condition = 'events' THEN on_date END) AS events_on
    FROM turned
    GROUP BY patient_id, on_date
),
standing AS (       -- the day since which each condition's answer stands; each has one on the first recorded day
    SELECT
        patient_id, on_date,
        max(decline_on) OVER so_far AS decline_on, max(walk_on) OVER so_far AS walk_on, max(events_on) OVER so_far AS events_on
    FROM daily
    WINDOW so_far AS (PARTITION BY patient_id ORDER BY on_date ROWS UNBOUNDED PRECEDING)
),
together AS (
    SELECT
        standing.patient_id, standing.on_date, standing.decline_on, standing.walk_on, standing.events_on,
        decline.status AS decline, decline.evidence AS decline_evidence, decline.missing AS decline_missing,
        decline.margin AS decline_margin,
        walk.status AS walk, walk.evidence AS walk_evidence, walk.missing AS walk_missing, walk.margin AS walk_margin,
        events.status AS events, events.evidence AS events_evidence, events.missing AS events_missing,
        CASE WHEN decline.status = 'met' AND decline.margin IS NOT NULL THEN standing.decline_on ELSE DATE '9999-12-31' END
            AS decline_since,
        CASE WHEN walk.status = 'met' AND walk.margin IS NOT NULL THEN standing.walk_on ELSE DATE '9999-12-31' END AS walk_since
    FROM standing
    JOIN turned AS decline
        ON decline.patient_id = standing.patient_id AND decline.on_date = standing.decline_on AND decline.condition = 'decline'
    JOIN turned AS walk ON walk.patient_id = standing.patient_id AND walk.on_date = standing.walk_on AND walk.condition = 'walk'
    JOIN turned AS events ON events.patient_id = standing.patient_id AND events.on_date = standing.events_on AND events.condition = 'events'
)
SELECT
    patient_id, on_date, NULL AS item,
    CASE
        WHEN decline = 'met' OR walk = 'met' OR events = 'met' THEN 'met'
        WHEN decline = 'not_met' AND walk = 'not_met' AND events = 'not_met' THEN 'not_met'
        ELSE 'not_evaluable'
    END AS status,
    NULL AS grade,
    list_sort(list_distinct(
        CASE WHEN decline = 'met' OR (walk <> 'met' AND events <> 'met') THEN decline_evidence ELSE CAST([] AS BIGINT[]) END
        || CASE WHEN walk = 'met' OR (decline <> 'met' AND events <> 'met') THEN walk_evidence ELSE CAST([] AS BIGINT[]) END
        || CASE WHEN events = 'met' OR (decline <> 'met' AND walk <> 'met') THEN events_evidence ELSE CAST([] AS BIGINT[]) END
    )) AS evidence,
    CASE
        WHEN decline = 'met' OR walk = 'met' OR events = 'met' THEN CAST([] AS VARCHAR[])
        ELSE list_sort(list_distinct(
            CASE WHEN decline = 'not_evaluable' THEN decline_missing ELSE CAST([] AS VARCHAR[]) END
            || CASE WHEN walk = 'not_evaluable' THEN walk_missing ELSE CAST([] AS VARCHAR[]) END
            || CASE WHEN events = 'not_evaluable' THEN events_missing ELSE CAST([] AS VARCHAR[]) END
        ))
    END AS missing,
    [
        concat_ws(
            '; ',
            CASE WHEN walk = 'met' THEN '6-minute walk since ' || CAST(walk_on AS VARCHAR) END,
            CASE WHEN decline = 'met' THEN 'decline of lung function since ' || CAST(decline_on AS VARCHAR) END,
            CASE WHEN events = 'met' THEN 'respiratory event since ' || CAST(events_on AS VARCHAR) END
        )
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(
        CASE
            WHEN decline_since = DATE '9999-12-31' AND walk_since = DATE '9999-12-31' THEN NULL
            WHEN decline_since <= walk_since THEN decline_margin
            ELSE walk_margin
        END AS DECIMAL(19, 6)
    ) AS margin
FROM together
