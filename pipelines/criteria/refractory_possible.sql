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
        gas_exchange <> 'not_met' OR imaging <> 'not_met' AS lung_could_be_met
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
    answered.patient_id, answered.on_date, answered.clock AS item, answered.status, NULL AS grade,
    list_sort(list_distinct(flatten([
        CASE WHEN answered.symptoms = 'met' OR (answered.status <> 'met' AND answered.symptoms = 'not_met') THEN symptoms.evidence ELSE CAST([] AS BIGINT[]) END,
        CASE WHEN answered.gas_exchange = 'met' OR (answered.status <> 'met' AND answered.gas_exchange = 'not_met') THEN gas_exchange.evidence ELSE CAST([] AS BIGINT[]) END,
        CASE WHEN answered.imaging = 'met' OR (answered.status <> 'met' AND answered.imaging = 'not_met') THEN imaging.evidence ELSE CAST([] AS BIGINT[]) END,
        CASE WHEN answered.ferritin = 'met' OR (answered.status <> 'met' AND answered.ferritin = 'not_met') THEN ferritin.evidence ELSE CAST([] AS BIGINT[]) END
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
            END
        ])))
    END AS missing,
    [
        CAST(answered.met AS VARCHAR) || ' of 4' || CASE
            WHEN answered.met = 0 THEN ''
            ELSE ' (' || concat_ws(
                ', ',
                CASE WHEN answered.symptoms = 'met' THEN 'symptoms' END,
                CASE WHEN answered.gas_exchange = 'met' THEN 'gas exchange' END,
                CASE WHEN answered.imaging = 'met' THEN 'imaging' END,
                CASE WHEN answered.ferritin = 'met' THEN 'ferritin' END
            ) || ')'
        END,
        CASE
            WHEN 'unknown' NOT IN (answered.symptoms, answered.gas_exchange, answered.imaging, answered.ferritin) THEN 'none'
            ELSE concat_ws(
                ', ',
                CASE WHEN answered.symptoms = 'unknown' THEN 'symptoms' END,
                CASE WHEN answered.gas_exchange = 'unknown' THEN 'gas exchange' END,
                CASE WHEN answered.imaging = 'unknown' THEN 'imaging' END,
                CASE WHEN answered.ferritin = 'unknown' THEN 'ferritin' END
            )
        END,
        CAST(date_diff('day', answered.day0, answered.on_date) AS VARCHAR)
    ] AS facts,
    CASE WHEN answered.clock = 'combination' THEN ['no_published_wait'] ELSE CAST([] AS VARCHAR[]) END AS notes,
    CASE WHEN answered.status <> 'not_evaluable' THEN answered.met - $components END AS margin
FROM answered
LEFT JOIN refractory_symptoms AS symptoms
    ON symptoms.patient_id = answered.patient_id AND symptoms.item = answered.clock AND symptoms.on_date = answered.symptoms_on
LEFT JOIN refractory_gas_exchange AS gas_exchange
    ON gas_exchange.patient_id = answered.patient_id AND gas_exchange.item = answered.clock AND gas_exchange.on_date = answered.gas_exchange_on
LEFT JOIN refractory_imaging AS imaging
    ON imaging.patient_id = answered.patient_id AND imaging.item = answered.clock AND imaging.on_date = answered.imaging_on
LEFT JOIN refractory_ferritin AS ferritin
    ON ferritin.patient_id = answered.patient_id AND ferritin.item = answered.clock AND ferritin.on_date = answered.ferritin_on
