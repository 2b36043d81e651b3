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
        + CASE WHEN impression = 'not_met' THEN 1 ELSE 0 END AS not_met
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
    answered.patient_id, answered.on_date, answered.clock AS item, answered.status, NULL AS grade,
    list_sort(list_distinct(flatten([
        CASE WHEN answered.symptoms = answered.deciding THEN symptoms.evidence ELSE CAST([] AS BIGINT[]) END,
        CASE WHEN answered.gas_exchange = answered.deciding THEN gas_exchange.evidence ELSE CAST([] AS BIGINT[]) END,
        CASE WHEN answered.imaging = answered.deciding THEN imaging.evidence ELSE CAST([] AS BIGINT[]) END,
        CASE WHEN answered.ferritin = answered.deciding THEN ferritin.evidence ELSE CAST([] AS BIGINT[]) END,
        CASE WHEN answered.impression = answered.deciding THEN impression.evidence ELSE CAST([] AS BIGINT[]) END
    ]))) AS evidence,
    CASE
        WHEN answered.status <> 'not_evaluable' THEN CAST([] AS VARCHAR[])
        ELSE list_sort(list_distinct(flatten([
            CASE
                WHEN answered.symptoms <> 'unknown' THEN CAST([] AS VARCHAR[])
                WHEN answered.symptoms_undecided THEN symptoms.missing
                ELSE ['dyspnoea']
            END,
            CASE
                WHEN answered.gas_exchange <> 'unknown' THEN CAST([] AS VARCHAR[])
                WHEN answered.gas_exchange_undecided THEN gas_exchange.missing
                ELSE ['oxygen support']
            END,
            CASE
                WHEN answered.imaging <> 'unknown' THEN CAST([] AS VARCHAR[])
                WHEN answered.imaging_undecided THEN imaging.missing
                ELSE ['chest imaging']
            END,
            CASE
                WHEN answered.ferritin <> 'unknown' THEN CAST([] AS VARCHAR[])
                WHEN answered.ferritin_undecided THEN ferritin.missing
                ELSE ['ferritin']
            END,
            CASE
                WHEN answered.impression <> 'unknown' THEN CAST([] AS VARCHAR[])
                WHEN answered.impression_undecided THEN impression.missing
                ELSE ['clinician''s impression']
            END
        ])))
    END AS missing,
    [
        CAST(answered.met AS VARCHAR) || ' of 5' || CASE
            WHEN answered.met = 0 THEN ''
            ELSE ' (' || concat_ws(
                ', ',
                CASE WHEN answered.symptoms = 'met' THEN 'symptoms' END,
                CASE WHEN answered.gas_exchange = 'met' THEN 'gas exchange' END,
                CASE WHEN answered.imaging = 'met' THEN 'imaging' END,
                CASE WHEN answered.ferritin = 'met' THEN 'ferritin' END,
                CASE WHEN answered.impression = 'met' THEN 'impression' END
            ) || ')'
        END,
        CASE WHEN answered.not_met = 0 THEN 'none' ELSE concat_ws(
                ', ',
                CASE WHEN answered.symptoms = 'not_met' THEN 'symptoms' END,
                CASE WHEN answered.gas_exchange = 'not_met' THEN 'gas exchange' END,
                CASE WHEN answered.imaging = 'not_met' THEN 'imaging' END,
                CASE WHEN answered.ferritin = 'not_met' THEN 'ferritin' END,
                CASE WHEN answered.impression = 'not_met' THEN 'impression' END
            ) END,
        CASE
            WHEN answered.met + answered.not_met = 5 THEN 'none'
            ELSE concat_ws(
                ', ',
                CASE WHEN answered.symptoms = 'unknown' THEN 'symptoms' END,
                CASE WHEN answered.gas_exchange = 'unknown' THEN 'gas exchange' END,
                CASE WHEN answered.imaging = 'unknown' THEN 'imaging' END,
                CASE WHEN answered.ferritin = 'unknown' THEN 'ferritin' END,
                CASE WHEN answered.impression = 'unknown' THEN 'impression' END
            )
        END,
        CAST(date_diff('day', answered.day0, answered.on_date) AS VARCHAR)
    ] AS facts,
    CASE WHEN answered.clock = 'combination' THEN ['no_published_wait'] ELSE CAST([] AS VARCHAR[]) END AS notes,
    CASE WHEN answered.status <> 'not_evaluable' THEN answered.met - 5 END AS margin
FROM answered
LEFT JOIN refractory_symptoms AS symptoms
    ON symptoms.patient_id = answered.patient_id AND symptoms.item = answered.clock AND symptoms.on_date = answered.symptoms_on
LEFT JOIN refractory_gas_exchange AS gas_exchange
    ON gas_exchange.patient_id = answered.patient_id AND gas_exchange.item = answered.clock AND gas_exchange.on_date = answered.gas_exchange_on
LEFT JOIN refractory_imaging AS imaging
    ON imaging.patient_id = answered.patient_id AND imaging.item = answered.clock AND imaging.on_date = answered.imaging_on
LEFT JOIN refractory_ferritin AS ferritin
    ON ferritin.patient_id = answered.patient_id AND ferritin.item = answered.clock AND ferritin.on_date = answered.ferritin_on
LEFT JOIN refractory_impression AS impression
    ON impression.patient_id = answered.patient_id AND impression.item = answered.clock AND impression.on_date = answered.impression_on
