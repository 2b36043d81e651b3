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
        *,
        CASE WHEN symptoms = 'met' THEN 1 ELSE 0 END
        + CASE WHEN gas_exchange = 'met' THEN 1 ELSE 0 END
        + CASE WHEN imaging = 'met' THEN 1 ELSE 0 END
        + CASE WHEN ferritin = 'met' THEN 1 ELSE 0 END
        + CASE WHEN impression = 'met' THEN 1 ELSE 0 END AS met,
        CASE WHEN symptoms = 'not_met' THEN 1 ELSE 0 END
        + CASE WHEN gas_exchange = 'not_met' THEN 1 ELSE 0 END
        + CASE WHEN imaging = 'not_met' THEN 1 ELSE 0 END
        + CASE WHEN ferritin = 'not_met' THEN 1 ELSE 0 END
        + CASE WHEN impression = 'not_met' THEN 1 ELSE 0 END AS not_met,
        concat_ws(
            ', ',
            CASE WHEN symptoms = 'met' THEN 'symptoms' END,
            CASE WHEN gas_exchange = 'met' THEN 'gas exchange' END,
            CASE WHEN imaging = 'met' THEN 'imaging' END,
            CASE WHEN ferritin = 'met' THEN 'ferritin' END,
            CASE WHEN impression = 'met' THEN 'impression' END
        ) AS met_names,
        concat_ws(
            ', ',
            CASE WHEN symptoms = 'not_met' THEN 'symptoms' END,
            CASE WHEN gas_exchange = 'not_met' THEN 'gas exchange' END,
            CASE WHEN imaging = 'not_met' THEN 'imaging' END,
            CASE WHEN ferritin = 'not_met' THEN 'ferritin' END,
            CASE WHEN impression = 'not_met' THEN 'impression' END
        ) AS not_met_names,
        concat_ws(
            ', ',
            CASE WHEN symptoms = 'unknown' THEN 'symptoms' END,
            CASE WHEN gas_exchange = 'unknown' THEN 'gas exchange' END,
            CASE WHEN imaging = 'unknown' THEN 'imaging' END,
            CASE WHEN ferritin = 'unknown' THEN 'ferritin' END,
            CASE WHEN impression = 'unknown' THEN 'impression' END
        ) AS unknown_names
    FROM refractory_component
),
answered AS (
    SELECT
        *,
        CASE WHEN not_met > 0 THEN 'not_met' WHEN met = 5 THEN 'met' ELSE 'not_evaluable' END AS status,
        CASE WHEN not_met > 0 THEN 'not_met' ELSE 'met' END AS deciding
    FROM counted
)
SELECT
    patient_id, on_date, clock AS item, status, NULL AS grade,
    list_sort(list_distinct(
        CASE WHEN symptoms = deciding THEN symptoms_evidence ELSE CAST([] AS BIGINT[]) END
        || CASE WHEN gas_exchange = deciding THEN gas_exchange_evidence ELSE CAST([] AS BIGINT[]) END
        || CASE WHEN imaging = deciding THEN imaging_evidence ELSE CAST([] AS BIGINT[]) END
        || CASE WHEN ferritin = deciding THEN ferritin_evidence ELSE CAST([] AS BIGINT[]) END
        || CASE WHEN impression = deciding THEN impression_evidence ELSE CAST([] AS BIGINT[]) END
    )) AS evidence,
    CASE
        WHEN status = 'not_evaluable'
        THEN list_sort(list_distinct(
            CASE WHEN symptoms = 'unknown' THEN symptoms_missing ELSE CAST([] AS VARCHAR[]) END
            || CASE WHEN gas_exchange = 'unknown' THEN gas_exchange_missing ELSE CAST([] AS VARCHAR[]) END
            || CASE WHEN imaging = 'unknown' THEN imaging_missing ELSE CAST([] AS VARCHAR[]) END
            || CASE WHEN ferritin = 'unknown' THEN ferritin_missing ELSE CAST([] AS VARCHAR[]) END
            || CASE WHEN impression = 'unknown' THEN impression_missing ELSE CAST([] AS VARCHAR[]) END
        ))
        ELSE CAST([] AS VARCHAR[])
    END AS missing,
    [
        CAST(met AS VARCHAR) || ' of 5' || CASE WHEN met > 0 THEN ' (' || met_names || ')' ELSE '' END,
        CASE WHEN not_met_names = '' THEN 'none' ELSE not_met_names END,
        CASE WHEN unknown_names = '' THEN 'none' ELSE unknown_names END,
        CAST(date_diff('day', day0, on_date) AS VARCHAR)
    ] AS facts,
    CASE WHEN clock = 'combination' THEN ['no_published_wait'] ELSE CAST([] AS VARCHAR[]) END AS notes,
    CASE WHEN status <> 'not_evaluable' THEN met - 5 END AS margin
FROM answered
