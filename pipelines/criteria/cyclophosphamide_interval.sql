/*
title = "More than 28 days since the last cyclophosphamide pulse, with fewer than six given"
group = "therapy"
why   = """Intravenous cyclophosphamide is given every two to four weeks, six pulses in the published regimens. A longer interval
may be meant (infection, cytopenia): the flag says that the course stands still, not that a pulse is due. A course recorded as
stopped is not late; a decision to hold is not a stop. Tablets and orders are no pulses."""
unknown = ["drug records"]

[threshold.interval_days]
value = 28
unit  = "days"
step  = 1
cite  = "romero_bueno_2020"
tag   = "published"

[threshold.pulses]
value = 6
unit  = "pulses"
step  = 1
cite  = "mild_table3"
tag   = "published"

[finding]
facts         = ["given", "last_on"]
met           = "Pulse {given} of cyclophosphamide was given on {last_on}; by {on_date} no further pulse and no stop is recorded."
not_met       = "Cyclophosphamide pulses given by {on_date}: {given}; the last one: {last_on}."
not_evaluable = "Cannot be told ({missing})."

[finding.notes]
stopped  = "Cyclophosphamide is recorded as stopped."
complete = "The course of pulses is complete."

[[history]]
on  = 2026-11-21
why = "first version"
*/
WITH pulse AS (
    SELECT
        patient_id, on_date, last_day,
        row_number() OVER (PARTITION BY patient_id ORDER BY on_date) AS given,
        lead(on_date) OVER (PARTITION BY patient_id ORDER BY on_date) AS next_on,
        flatten(list(records) OVER (PARTITION BY patient_id ORDER BY on_date)) AS evidence
    FROM (
        SELECT patient_id, start_date AS on_date, max(coalesce(stop_date, start_date)) AS last_day, list(record_id) AS records
        FROM administration
        WHERE drug = 'cyclophosphamide' AND action = 'given' AND systemic AND route IS DISTINCT FROM 'oral'
        GROUP BY patient_id, start_date
    ) AS daily
),
stop_recorded AS (   -- the first stop on or after a pulse and before the next
    SELECT pulse.patient_id, pulse.on_date AS pulse_on, min(event.on_date) AS stopped_on
    FROM pulse
    JOIN event
        ON event.patient_id = pulse.patient_id AND event.kind = 'drug_stopped' AND event.value = 'cyclophosphamide'
        AND event.on_date >= pulse.on_date AND event.on_date < coalesce(pulse.next_on, DATE '9999-12-31')
    GROUP BY pulse.patient_id, pulse.on_date
),
course AS (
    SELECT
        pulse.patient_id, pulse.on_date, pulse.last_day, pulse.given, pulse.evidence, stop_recorded.stopped_on,
        pulse.given >= $pulses AS complete,
        pulse.last_day + 1 + CAST($interval_days AS INTEGER) AS late_on,
        least(coalesce(pulse.next_on, DATE '9999-12-31'), coalesce(stop_recorded.stopped_on, DATE '9999-12-31')) AS settled_on
    FROM pulse
    LEFT JOIN stop_recorded ON stop_recorded.patient_id = pulse.patient_id AND stop_recorded.pulse_on = pulse.on_date
),
judged AS (
    SELECT
        patient_id, on_date, 'not_met' AS status, evidence, given, on_date AS last_on,
        CASE
            WHEN complete THEN ['complete'] WHEN stopped_on = on_date THEN ['stopped'] ELSE CAST([] AS VARCHAR[])
        END AS notes,
        CASE WHEN NOT complete THEN -$interval_days END AS margin
    FROM course
    UNION ALL
    SELECT patient_id, late_on, 'met', evidence, given, last_day, CAST([] AS VARCHAR[]), 1
    FROM course
    WHERE NOT complete AND late_on < settled_on
    UNION ALL
    SELECT
        course.patient_id, course.stopped_on, 'not_met', list_concat(course.evidence, list(event.record_id)), course.given, course.on_date,
        ['stopped'], NULL
    FROM course
    JOIN event
        ON event.patient_id = course.patient_id AND event.kind = 'drug_stopped' AND event.value = 'cyclophosphamide'
        AND event.on_date = course.stopped_on
    WHERE NOT course.complete AND course.stopped_on > course.on_date
    GROUP BY course.patient_id, course.stopped_on, course.evidence, course.given, course.on_date
    UNION ALL   -- drugs are recorded, and no pulse yet
    SELECT recorded_drugs.patient_id, recorded_drugs.from_date, 'not_met', CAST([] AS BIGINT[]), 0, NULL, CAST([] AS VARCHAR[]), NULL
    FROM recorded_drugs
    LEFT JOIN pulse ON pulse.patient_id = recorded_drugs.patient_id AND pulse.on_date = recorded_drugs.from_date
    WHERE pulse.patient_id IS NULL
)
SELECT
    patient_id, on_date, CAST(NULL AS VARCHAR) AS item, status, CAST(NULL AS INTEGER) AS grade,
    list_sort(list_distinct(evidence)) AS evidence, CAST([] AS VARCHAR[]) AS missing,
    [CAST(given AS VARCHAR), coalesce(CAST(last_on AS VARCHAR), 'none')] AS facts,
    notes, CAST(margin AS DECIMAL(19, 6)) AS margin
FROM judged
