/*
title = "Refractory disease as published: all five conditions on therapy"
group = "refractory"
why   = """Kurasawa's conditions of failure, one week or more after triple therapy was begun, as Romero-Bueno et al. restate them in
recommendation 4: worse symptoms, rising A-aDO2, new or expanded shadows, rising ferritin, and the physician's impression. The sentence
joins them with "and" and is read literally: all five. Not read in the original. A falling titre or ferritin never clears the disease."""
items   = "clock"
unknown = ["combination therapy"]

[finding]
facts = ["met_so_far", "not_met", "not_known", "day"]
met = "All five published conditions met on {on_date}, day {day} of {item} therapy."
not_met = "{met_so_far} met on {on_date}, day {day} of {item} therapy; not met: {not_met}; not known: {not_known}."
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
        count(CASE WHEN answer = 'not_met' THEN 1 END) AS not_met,
        count(*) AS conditions,
        array_to_string(list_sort(list(component) FILTER (WHERE answer = 'met')), ', ') AS met_names,
        array_to_string(list_sort(list(component) FILTER (WHERE answer = 'not_met')), ', ') AS not_met_names,
        array_to_string(list_sort(list(component) FILTER (WHERE answer = 'unknown')), ', ') AS unknown_names,
        flatten(list(evidence) FILTER (WHERE answer = 'met')) AS met_evidence,
        flatten(list(evidence) FILTER (WHERE answer = 'not_met')) AS not_met_evidence,
        flatten(list(missing)) AS missing
    FROM refractory_component
    GROUP BY patient_id, clock, on_date, day0
),
answered AS (
    SELECT
        *,
        CASE WHEN not_met > 0 THEN 'not_met' WHEN met = conditions THEN 'met' ELSE 'not_evaluable' END AS status
    FROM counted
)
SELECT
    patient_id, on_date, clock AS item, status, NULL AS grade,
    list_sort(list_distinct(
        coalesce(CASE WHEN status = 'not_met' THEN not_met_evidence ELSE met_evidence END, CAST([] AS BIGINT[]))
    )) AS evidence,
    CASE WHEN status = 'not_evaluable' THEN list_sort(list_distinct(missing)) ELSE CAST([] AS VARCHAR[]) END AS missing,
    [
        CAST(met AS VARCHAR) || ' of ' || CAST(conditions AS VARCHAR) || CASE WHEN met > 0 THEN ' (' || met_names || ')' ELSE '' END,
        coalesce(not_met_names, 'none'), coalesce(unknown_names, 'none'),
        CAST(date_diff('day', day0, on_date) AS VARCHAR)
    ] AS facts,
    CASE WHEN clock = 'combination' THEN ['no_published_wait'] ELSE CAST([] AS VARCHAR[]) END AS notes,
    CASE WHEN status <> 'not_evaluable' THEN met - conditions END AS margin
FROM answered
