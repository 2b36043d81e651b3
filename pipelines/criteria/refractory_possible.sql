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
        *,
        CASE WHEN symptoms = 'met' THEN 1 ELSE 0 END
        + CASE WHEN gas_exchange = 'met' THEN 1 ELSE 0 END
        + CASE WHEN imaging = 'met' THEN 1 ELSE 0 END
        + CASE WHEN ferritin = 'met' THEN 1 ELSE 0 END AS met,
        CASE WHEN symptoms <> 'not_met' THEN 1 ELSE 0 END
        + CASE WHEN gas_exchange <> 'not_met' THEN 1 ELSE 0 END
        + CASE WHEN imaging <> 'not_met' THEN 1 ELSE 0 END
        + CASE WHEN ferritin <> 'not_met' THEN 1 ELSE 0 END AS could_be_met,
        gas_exchange = 'met' OR imaging = 'met' AS lung_met,
        gas_exchange <> 'not_met' OR imaging <> 'not_met' AS lung_could_be_met,
        concat_ws(
            ', ',
            CASE WHEN symptoms = 'met' THEN 'symptoms' END,
            CASE WHEN gas_exchange = 'met' THEN 'gas exchange' END,
            CASE WHEN imaging = 'met' THEN 'imaging' END,
            CASE WHEN ferritin = 'met' THEN 'ferritin' END
        ) AS met_names,
        concat_ws(
            ', ',
            CASE WHEN symptoms = 'unknown' THEN 'symptoms' END,
            CASE WHEN gas_exchange = 'unknown' THEN 'gas exchange' END,
            CASE WHEN imaging = 'unknown' THEN 'imaging' END,
            CASE WHEN ferritin = 'unknown' THEN 'ferritin' END
        ) AS unknown_names
    FROM refractory_component
    WHERE answered OR window_begins
),
answered AS (   -- unknown components could all turn out met: not met only when even that would not do
    SELECT
        *,
        CASE
            WHEN met >= $components AND lung_met THEN 'met'
            WHEN could_be_met >= $components AND lung_could_be_met THEN 'not_evaluable'
            ELSE 'not_met'
        END AS status
    FROM counted
)
SELECT
    patient_id, on_date, clock AS item, status, NULL AS grade,
    list_sort(list_distinct(
        CASE WHEN symptoms = 'met' OR (status <> 'met' AND symptoms = 'not_met') THEN symptoms_evidence ELSE CAST([] AS BIGINT[]) END
        || CASE WHEN gas_exchange = 'met' OR (status <> 'met' AND gas_exchange = 'not_met') THEN gas_exchange_evidence ELSE CAST([] AS BIGINT[]) END
        || CASE WHEN imaging = 'met' OR (status <> 'met' AND imaging = 'not_met') THEN imaging_evidence ELSE CAST([] AS BIGINT[]) END
        || CASE WHEN ferritin = 'met' OR (status <> 'met' AND ferritin = 'not_met') THEN ferritin_evidence ELSE CAST([] AS BIGINT[]) END
    )) AS evidence,
    CASE
        WHEN status = 'not_evaluable'
        THEN list_sort(list_distinct(
            CASE WHEN symptoms = 'unknown' THEN symptoms_missing ELSE CAST([] AS VARCHAR[]) END
            || CASE WHEN gas_exchange = 'unknown' THEN gas_exchange_missing ELSE CAST([] AS VARCHAR[]) END
            || CASE WHEN imaging = 'unknown' THEN imaging_missing ELSE CAST([] AS VARCHAR[]) END
            || CASE WHEN ferritin = 'unknown' THEN ferritin_missing ELSE CAST([] AS VARCHAR[]) END
        ))
        ELSE CAST([] AS VARCHAR[])
    END AS missing,
    [
        CAST(met AS VARCHAR) || ' of 4' || CASE WHEN met > 0 THEN ' (' || met_names || ')' ELSE '' END,
        CASE WHEN unknown_names = '' THEN 'none' ELSE unknown_names END,
        CAST(date_diff('day', day0, on_date) AS VARCHAR)
    ] AS facts,
    CASE WHEN clock = 'combination' THEN ['no_published_wait'] ELSE CAST([] AS VARCHAR[]) END AS notes,
    CASE WHEN status <> 'not_evaluable' THEN met - $components END AS margin
FROM answered
