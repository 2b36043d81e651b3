/*
title = "Possible refractory disease: two of four on therapy, gas exchange or imaging among them"
group = "refractory"
why   = """A working definition of this project for records that never hold all five published conditions: at least two of worse
symptoms, gas exchange, imaging and ferritin, and not symptoms with ferritin alone, which an infection can give too. A falling titre
or ferritin never clears it: patients have died with both falling."""
items   = "clock"
unknown = ["combination therapy"]

[threshold.components]
value = 2
unit  = "components of 4"
step  = 1
cite  = "project"
tag   = "project default"

[finding]
facts = ["met_so_far", "not_known", "day"]
met = "{met_so_far} met on {on_date}, day {day} of {item} therapy; not known: {not_known}."
not_met = "{met_so_far} met on {on_date}, day {day} of {item} therapy; not known: {not_known}."
not_evaluable = "Cannot be told. Missing: {missing}. Met so far: {met_so_far}."
[finding.notes]
no_published_wait = "No published waiting time for this regimen; 7 days used."

[[history]]
on  = 2026-11-21
why = "first version"
*/
WITH counted AS (
    SELECT
        patient_id, clock, on_date, day0,
        count(CASE WHEN answer = 'met' THEN 1 END) AS met,
        count(CASE WHEN answer <> 'not_met' THEN 1 END) AS could_be_met,
        count(CASE WHEN answer = 'met' AND component IN ('gas exchange', 'imaging') THEN 1 END) AS lung_met,
        count(CASE WHEN answer <> 'not_met' AND component IN ('gas exchange', 'imaging') THEN 1 END) AS lung_could_be_met,
        count(*) AS components,
        array_to_string(list_sort(list(component) FILTER (WHERE answer = 'met')), ', ') AS met_names,
        array_to_string(list_sort(list(component) FILTER (WHERE answer = 'unknown')), ', ') AS unknown_names,
        flatten(list(evidence) FILTER (WHERE answer = 'met')) AS met_evidence,
        flatten(list(evidence)) AS evidence,
        flatten(list(missing)) AS missing
    FROM refractory_component
    WHERE component <> 'impression'
    GROUP BY patient_id, clock, on_date, day0
    HAVING bool_or(answered OR window_begins)
),
answered AS (   -- unknown components could all turn out met: not met only when even that would not do
    SELECT
        *,
        CASE
            WHEN met >= $components AND lung_met > 0 THEN 'met'
            WHEN could_be_met >= $components AND lung_could_be_met > 0 THEN 'not_evaluable'
            ELSE 'not_met'
        END AS status
    FROM counted
)
SELECT
    patient_id, on_date, clock AS item, status, NULL AS grade,
    list_sort(list_distinct(coalesce(CASE WHEN status = 'met' THEN met_evidence ELSE evidence END, CAST([] AS BIGINT[])))) AS evidence,
    CASE WHEN status = 'not_evaluable' THEN list_sort(list_distinct(missing)) ELSE CAST([] AS VARCHAR[]) END AS missing,
    [
        CAST(met AS VARCHAR) || ' of ' || CAST(components AS VARCHAR) || CASE WHEN met > 0 THEN ' (' || met_names || ')' ELSE '' END,
        coalesce(unknown_names, 'none'),
        CAST(date_diff('day', day0, on_date) AS VARCHAR)
    ] AS facts,
    CASE WHEN clock = 'combination' THEN ['no_published_wait'] ELSE CAST([] AS VARCHAR[]) END AS notes,
    CASE WHEN status <> 'not_evaluable' THEN met - $components END AS margin
FROM answered
