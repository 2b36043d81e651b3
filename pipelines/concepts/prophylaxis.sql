/*
title = "Days covered by prophylaxis against Pneumocystis, viruses and fungi"
why   = """One row per stretch of days on which a protective drug counts (certain) or is in doubt (not certain). A printed stop
is the last day given. Marked ongoing with no stop: it counts through the 30th day after it was last confirmed, as far as that is
known on the day (the start is the first confirmation), then it is unknown. A later row of the same drug, or a recorded stop, ends
an open one. Pentamidine covers 28 days, TMP-SMX recorded dose by dose or per week covers 3 days from each dose. Treatment of
Pneumocystis pneumonia covers too (treatment): therapeutic TMP-SMX, and clindamycin together with primaquine."""
kept  = true

[threshold.confirmed_days]
value = 30
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"

[threshold.intermittent_days]
value = 3
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"
*/
WITH protective AS (
    SELECT
        drug, dosing, pjp_cover_days,
        CASE
            WHEN drug IN ('clindamycin', 'primaquine') THEN 'pair'
            WHEN pjp_cover_days IS NOT NULL THEN 'pjp'
            WHEN drug_class IN ('antiviral', 'antifungal') THEN drug_class
        END AS kind
    FROM drug
    WHERE protective OR pjp_cover_days IS NOT NULL OR drug IN ('clindamycin', 'primaquine')
),
printed AS (
    SELECT
        given.patient_id, given.drug, protective.kind, given.record_id, given.start_date, given.stop_date, given.last_confirmed,
        coalesce(given.purpose = 'treatment', FALSE) AS treatment,
        given.stop_date IS NULL AND given.ongoing AND protective.dosing = 'daily' AS open,
        given.stop_date IS NULL AND NOT given.ongoing AS single,
        CASE   -- days from a dose on which it covers, that day included
            WHEN given.drug = 'tmp_smx' AND (given.per = 'week' OR (given.stop_date IS NULL AND NOT given.ongoing))
            THEN CAST($intermittent_days AS INTEGER) ELSE coalesce(protective.pjp_cover_days, 1)
        END AS covers
    FROM administration AS given
    JOIN protective ON protective.drug = given.drug
    WHERE
        given.action = 'given' AND protective.kind IS NOT NULL
        AND coalesce(given.route NOT IN ('topical', 'ocular', 'nasal'), TRUE)
),
stopped AS (   -- the first recorded stop on or after the start of an open row
    SELECT printed.patient_id, printed.record_id, min(event.on_date) AS stopped_on
    FROM printed
    JOIN event
        ON event.patient_id = printed.patient_id AND event.kind = 'drug_stopped' AND event.value = printed.drug
        AND event.on_date >= printed.start_date
    WHERE printed.open
    GROUP BY printed.patient_id, printed.record_id
),
followed AS (
    SELECT
        *,
        min(CASE WHEN NOT single THEN start_date END) OVER (
            PARTITION BY patient_id, drug ORDER BY start_date RANGE BETWEEN INTERVAL 1 DAY FOLLOWING AND UNBOUNDED FOLLOWING
        ) AS repeated_on
    FROM printed
),
bounded AS (
    SELECT
        followed.patient_id, followed.drug, followed.kind, followed.record_id, followed.start_date, followed.treatment, followed.open,
        CASE WHEN followed.open AND followed.last_confirmed > followed.start_date THEN followed.last_confirmed END AS last_confirmed,
        CASE
            WHEN followed.open
            THEN least(
                coalesce(followed.repeated_on, DATE '9999-12-31'), coalesce(stopped.stopped_on + followed.covers, DATE '9999-12-31')
            )
            ELSE coalesce(followed.stop_date, followed.start_date) + followed.covers
        END AS ended_on
    FROM followed
    LEFT JOIN stopped ON stopped.patient_id = followed.patient_id AND stopped.record_id = followed.record_id
),
confirmed AS (   -- an open row, from each day on which it is seen to the next
    SELECT *, start_date AS seen_on, least(coalesce(last_confirmed, ended_on), ended_on) AS until FROM bounded WHERE open
    UNION ALL
    SELECT *, last_confirmed, ended_on FROM bounded WHERE open AND last_confirmed < ended_on
),
stretch AS (
    SELECT
        patient_id, kind, drug, start_date AS from_date, ended_on AS reached_to, TRUE AS certain, treatment,
        CAST(NULL AS DATE) AS last_confirmed, [record_id] AS evidence
    FROM bounded
    WHERE NOT open
    UNION ALL
    SELECT
        patient_id, kind, drug, seen_on, least(seen_on + 1 + CAST($confirmed_days AS INTEGER), until), TRUE, treatment, seen_on,
        [record_id]
    FROM confirmed
    UNION ALL
    SELECT patient_id, kind, drug, seen_on + 1 + CAST($confirmed_days AS INTEGER), until, FALSE, treatment, seen_on, [record_id]
    FROM confirmed
    WHERE seen_on + 1 + CAST($confirmed_days AS INTEGER) < until
),
acting AS (
    SELECT patient_id, kind, drug, from_date, reached_to, certain, treatment, last_confirmed, evidence FROM stretch WHERE kind <> 'pair'
    UNION ALL
    SELECT
        one.patient_id, 'pjp', 'clindamycin with primaquine', greatest(one.from_date, other.from_date),
        least(one.reached_to, other.reached_to), one.certain AND other.certain, TRUE,
        least(one.last_confirmed, other.last_confirmed), list_sort(list_distinct(list_concat(one.evidence, other.evidence)))
    FROM stretch AS one
    JOIN stretch AS other
        ON other.patient_id = one.patient_id AND other.from_date < one.reached_to AND one.from_date < other.reached_to
    WHERE one.drug = 'clindamycin' AND other.drug = 'primaquine'
)
SELECT
    patient_id, kind, drug, from_date,
    CASE WHEN reached_to = DATE '9999-12-31' THEN NULL ELSE reached_to END AS to_date,
    certain, treatment, last_confirmed, evidence
FROM acting
