/*
title = "Treatment courses: administrations of one drug joined, with the dose of each day"
why   = """One row per run of days at one dose and from the same records, half-open [from_date, to_date); to_date empty: no stop is
known. Rows of adjacent days at one dose are one course, known by its first day, course_from. Orders are kept apart from doses given. An empty stop that is not ongoing is one dose; pulse drugs are never ongoing. A later row of daily
dosing of the same drug ends an earlier open one on its start, and so does a daily systemic glucocorticoid of another name
(noted: switch assumed). A glucocorticoid pulse ends nothing and is added. Where dated rows of one drug overlap the higher dose
counts (noted). Single doses recorded as such on one day are doses of that day and add up. A gap of up to three days is a row of
its own (gap): its days count at the earlier dose, but only from counts_from, the later row's start. `per dose` over several
days does not say how often: on the first day it is one dose, which is all that is known on it, and then the dose of the day is
unknown; with no stop printed it is unknown from the first day. dose_unread: a dose of these days cannot be read, so that the dose of the
day is at least dose_per_day, which is what can be read, and is unknown where that is empty. no_stop: marked ongoing with no stop
recorded, though a later row may end it."""

[threshold.pulse_mg]
value = 250
unit  = "mg/day prednisone equivalent"
step  = 1
cite  = "project"
tag   = "project default"

[threshold.gap_days]
value = 3
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"
*/
WITH printed AS (
    SELECT
        given.record_id, given.patient_id, given.drug, drug.drug_class, given.route, given.systemic, given.action, given.purpose,
        drug.prednisone_factor, given.dose_unit, given.last_confirmed, given.start_date,
        CASE WHEN drug_route.acts_for_days = 1 THEN 'daily' ELSE drug.dosing END AS dosing,
        given.stop_date IS NULL AND given.ongoing AS printed_open,
        CASE WHEN given.ongoing THEN given.stop_date ELSE coalesce(given.stop_date, given.start_date) END AS stop_date,
        given.stop_date IS NOT NULL OR given.ongoing AS ends_open,
        given.per, given.dose
    FROM administration AS given
    JOIN drug ON drug.drug = given.drug
    LEFT JOIN drug_route ON drug_route.drug = given.drug AND drug_route.route = given.route
    WHERE given.action IN ('given', 'ordered')
),
piece AS (   -- of a row `per dose` the first day is a single dose, and the days after it, where a stop is printed, are a piece of their own
    SELECT
        record_id, patient_id, drug, drug_class, route, systemic, action, purpose, prednisone_factor, dose_unit, last_confirmed, start_date,
        dosing, printed_open, ends_open,
        CASE WHEN per = 'dose' AND dosing = 'daily' AND stop_date > start_date THEN start_date ELSE stop_date END AS stop_date,
        per = 'dose' AND (dosing = 'daily' OR stop_date = start_date) AND NOT printed_open AS single,
        CASE
            WHEN per = 'week' THEN CAST(dose / 7 AS DECIMAL(19, 6))
            WHEN per = 'dose' AND (printed_open OR (dosing <> 'daily' AND stop_date > start_date)) THEN NULL
            ELSE dose
        END AS dose_per_day,
        CAST(NULL AS DECIMAL(19, 6)) AS each_dose
    FROM printed
    UNION ALL
    SELECT
        record_id, patient_id, drug, drug_class, route, systemic, action, purpose, prednisone_factor, dose_unit, last_confirmed,
        start_date + 1, dosing, FALSE, FALSE, stop_date, FALSE, NULL, dose
    FROM printed
    WHERE per = 'dose' AND dosing = 'daily' AND stop_date > start_date
),
dosed AS (   -- single doses of one day add up; every other row is itself
    SELECT
        patient_id, drug, drug_class, systemic, action, start_date, stop_date, dosing,
        max(prednisone_factor) AS prednisone_factor, max(route) AS route, max(purpose) AS purpose, max(dose_unit) AS dose_unit,
        max(last_confirmed) AS last_confirmed,
        max(CASE WHEN printed_open AND dosing = 'daily' THEN 1 ELSE 0 END) = 1 AS open,
        max(CASE WHEN ends_open AND dosing = 'daily' THEN 1 ELSE 0 END) = 1 AS ends_open,
        sum(dose_per_day) AS dose_per_day, count(*) > count(dose_per_day) AS dose_unread, max(each_dose) AS each_dose,
        min(record_id) AS first_id, list(record_id) AS evidence
    FROM piece
    GROUP BY
        patient_id, drug, drug_class, systemic, action, start_date, stop_date, dosing, CASE WHEN single THEN 0 ELSE record_id END
),
marked AS (
    SELECT
        *,
        coalesce(
            drug_class = 'glucocorticoid' AND systemic AND coalesce(dose_per_day, each_dose) * prednisone_factor >= $pulse_mg, FALSE
        ) AS pulse,
        CASE WHEN drug_class = 'glucocorticoid' AND systemic THEN 'glucocorticoid' ELSE drug END AS succession
    FROM dosed
),
ended AS (   -- an open row ends where the next daily dosing of its drug, or of another systemic glucocorticoid, starts
    SELECT
        *,
        min(CASE WHEN ends_open AND NOT pulse THEN start_date END) OVER (
            PARTITION BY patient_id, action, systemic, succession ORDER BY start_date
            RANGE BETWEEN INTERVAL 1 DAY FOLLOWING AND UNBOUNDED FOLLOWING
        ) AS succeeded_on,
        min(CASE WHEN ends_open AND NOT pulse THEN start_date END) OVER (
            PARTITION BY patient_id, action, systemic, drug ORDER BY start_date
            RANGE BETWEEN INTERVAL 1 DAY FOLLOWING AND UNBOUNDED FOLLOWING
        ) AS repeated_on
    FROM marked
),
bounded AS (
    SELECT
        *,
        start_date AS from_date,
        CASE
            WHEN stop_date IS NOT NULL THEN stop_date + 1
            WHEN open AND NOT pulse THEN succeeded_on
            ELSE start_date + 1
        END AS to_date,
        CASE
            WHEN open AND NOT pulse AND succeeded_on IS NOT NULL AND (repeated_on IS NULL OR repeated_on > succeeded_on)
            THEN ['switch assumed'] ELSE CAST([] AS VARCHAR[])
        END AS notes
    FROM ended
),
clustered AS (   -- rows of one drug that overlap stand in one cluster, so that only those are compared
    SELECT
        *,
        sum(CASE WHEN from_date < reached THEN 0 ELSE 1 END) OVER (
            PARTITION BY patient_id, drug, action, systemic, dosing, pulse ORDER BY from_date, reached_to, first_id
            ROWS UNBOUNDED PRECEDING
        ) AS cluster
    FROM (
        SELECT
            *,
            coalesce(to_date, DATE '9999-12-31') AS reached_to,
            max(coalesce(to_date, DATE '9999-12-31')) OVER (
                PARTITION BY patient_id, drug, action, systemic, dosing, pulse ORDER BY from_date, coalesce(to_date, DATE '9999-12-31'), first_id   -- the same order in both windows
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS reached
        FROM bounded
    ) AS reaching
),
overlapping AS (   -- few: most rows stand alone, and their days need no comparison
    SELECT * FROM clustered
    QUALIFY count(*) OVER (PARTITION BY patient_id, drug, action, systemic, dosing, pulse, cluster) > 1
),
boundary AS (
    SELECT DISTINCT patient_id, drug, action, systemic, dosing, pulse, cluster, day
    FROM (
        SELECT patient_id, drug, action, systemic, dosing, pulse, cluster, from_date AS day FROM overlapping
        UNION ALL
        SELECT patient_id, drug, action, systemic, dosing, pulse, cluster, reached_to FROM overlapping
    ) AS ends
),
segment AS (
    SELECT
        *, lead(day) OVER (PARTITION BY patient_id, drug, action, systemic, dosing, pulse, cluster ORDER BY day) AS until
    FROM boundary
),
daily AS (
    SELECT
        segment.patient_id, segment.drug, segment.action, segment.systemic, segment.dosing, segment.pulse,
        segment.day AS from_date, segment.until AS reached_to,
        max(course.drug_class) AS drug_class, max(course.route) AS route, max(course.purpose) AS purpose,
        max(course.dose_unit) AS dose_unit, max(course.last_confirmed) AS last_confirmed,
        max(course.dose_per_day) AS dose_per_day, max(CASE WHEN course.dose_unread THEN 1 ELSE 0 END) = 1 AS dose_unread,
        max(CASE WHEN course.open AND NOT course.pulse THEN 1 ELSE 0 END) = 1 AS no_stop,
        list_sort(list_distinct(flatten(list(course.evidence)))) AS evidence,
        list_sort(list_distinct(list_concat(
            flatten(list(course.notes)),
            CASE WHEN count(*) > 1 THEN ['overlap in source'] ELSE CAST([] AS VARCHAR[]) END
        ))) AS notes
    FROM segment
    JOIN overlapping AS course
        ON course.patient_id = segment.patient_id AND course.drug = segment.drug AND course.action = segment.action
        AND course.systemic = segment.systemic AND course.dosing = segment.dosing AND course.pulse = segment.pulse
        AND course.cluster = segment.cluster
        AND course.from_date <= segment.day AND course.reached_to > segment.day
    WHERE segment.until IS NOT NULL
    GROUP BY
        segment.patient_id, segment.drug, segment.action, segment.systemic, segment.dosing, segment.pulse, segment.day, segment.until
    UNION ALL
    SELECT
        patient_id, drug, action, systemic, dosing, pulse, from_date, reached_to, drug_class, route, purpose, dose_unit, last_confirmed,
        dose_per_day, dose_unread, open AND NOT pulse, list_sort(evidence), notes
    FROM clustered
    QUALIFY count(*) OVER (PARTITION BY patient_id, drug, action, systemic, dosing, pulse, cluster) = 1
),
joined AS (   -- adjacent days at one dose and route are one course, each row with the records of its own days
    SELECT
        *,
        max(CASE WHEN begins THEN from_date END) OVER previous AS course_from
    FROM (
        SELECT
            *,
            NOT coalesce(
                lag(reached_to) OVER previous = from_date
                AND lag(dose_per_day) OVER previous IS NOT DISTINCT FROM dose_per_day
                AND lag(dose_unread) OVER previous = dose_unread
                AND lag(route) OVER previous IS NOT DISTINCT FROM route
                AND lag(purpose) OVER previous IS NOT DISTINCT FROM purpose,
                FALSE
            ) AS begins
        FROM daily
        WINDOW previous AS (PARTITION BY patient_id, drug, action, systemic, dosing, pulse ORDER BY from_date)
    ) AS compared
    WINDOW previous AS (PARTITION BY patient_id, drug, action, systemic, dosing, pulse ORDER BY from_date)
),
followed AS (
    SELECT
        *,
        lead(from_date) OVER (PARTITION BY patient_id, drug, action, systemic, dosing, pulse ORDER BY from_date) AS next_from
    FROM joined
)
SELECT
    patient_id, drug, drug_class, route, action,
    CASE dosing WHEN 'daily' THEN 'daily' ELSE 'dose' END AS dosing,
    from_date,
    CASE WHEN reached_to = DATE '9999-12-31' THEN NULL ELSE reached_to END AS to_date,
    dose_per_day, dose_unit, purpose, last_confirmed,
    from_date AS counts_from, FALSE AS gap, pulse, systemic, course_from, evidence, notes, dose_unread, no_stop
FROM followed
UNION ALL
SELECT
    patient_id, drug, drug_class, route, action, 'daily', reached_to, next_from, dose_per_day, dose_unit, purpose,
    NULL, next_from, TRUE, pulse, systemic, course_from, evidence, notes, dose_unread, FALSE
FROM followed
WHERE
    dosing = 'daily' AND NOT pulse AND next_from > reached_to
    AND date_diff('day', reached_to, next_from) <= $gap_days
