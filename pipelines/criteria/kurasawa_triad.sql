/*
title   = "Kurasawa's three signs of a poor prognosis"
group   = "prognosis"
why     = """Ferritin over 1000 ng/mL and ground glass in all six lung fields before therapy, and infiltrates worse during therapy: all six
patients with the three died on triple therapy alone, three of five survived with tofacitinib added (Kurasawa 2018). Therapy starts with
combination therapy, else with the first high-dose glucocorticoid. Before is the last value within 28 days before or on that day, of a day
the last by time. During is after that day: one reading "worse" of chest CT or X-ray says so of that therapy for good, a later
"improved" does not undo it."""
unknown = ["therapy start"]

[threshold.ferritin_above]
value = 1000
unit  = "ng/mL"
step  = 1
cite  = "kurasawa2018"
tag   = "published"

[threshold.fields_from]
value = 6
unit  = "lung fields with ground glass"
step  = 1
cite  = "kurasawa2018"
tag   = "published"

[threshold.before_days]
value = 28
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"

[finding]
facts = ["start", "ferritin", "fields", "imaging"]
met = "All three signs (therapy start {start}): ferritin before {ferritin}, ground glass before in {fields} of 6 fields, imaging {imaging}."
not_met = "Not all signs (therapy start {start}): ferritin before {ferritin}, ground glass before in {fields} of 6 fields, imaging {imaging}."
not_evaluable = "Whether all three signs are present cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-30
why = "first version"
*/
WITH span AS (
    SELECT
        patient_id, applies_from, coalesce(applies_to, DATE '9999-12-31') AS reached_to, start_date, kind,
        start_date - CAST($before_days AS INTEGER) AS before_from
    FROM therapy_start
),
measured AS (   -- answer: 1 yes, 0 no, -1 cannot be told
    SELECT
        patient_id, on_date, "at", record_id, 'ferritin' AS measure, value, low, low_open, high, high_open,
        CASE WHEN low > $ferritin_above OR (low = $ferritin_above AND low_open) THEN 1 WHEN high <= $ferritin_above THEN 0 ELSE -1 END
            AS answer
    FROM observation
    WHERE analyte = 'ferritin' AND low IS NOT NULL
    UNION ALL
    SELECT
        patient_id, on_date, "at", record_id, 'fields', number, number, FALSE, number, FALSE,
        CASE WHEN number >= $fields_from THEN 1 ELSE 0 END
    FROM event
    WHERE kind = 'imaging' AND code = 'ggo_fields' AND number IS NOT NULL
    UNION ALL
    SELECT
        patient_id, on_date, NULL, record_id, 'imaging', NULL, NULL, FALSE, NULL, FALSE, CASE reading WHEN 'worse' THEN 1 ELSE 0 END
    FROM imaging_course
    WHERE reading IN ('improved', 'stable', 'worse')
),
dated AS (      -- values up to the start of therapy, readings from the day after
    SELECT span.applies_from, span.start_date, measured.*
    FROM span
    JOIN measured
        ON measured.patient_id = span.patient_id
        AND measured.on_date >= CASE measured.measure WHEN 'imaging' THEN span.start_date + 1 ELSE span.before_from END
        AND measured.on_date < CASE measured.measure WHEN 'imaging' THEN span.reached_to ELSE span.start_date + 1 END
),
last_day AS (
    SELECT
        *, max("at") OVER day AS last_at, count(*) OVER day > count("at") OVER day AS untimed
    FROM dated
    WHERE measure <> 'imaging'
    WINDOW day AS (PARTITION BY patient_id, applies_from, measure, on_date)
    QUALIFY rank() OVER (PARTITION BY patient_id, applies_from, measure ORDER BY on_date DESC) = 1
),
before AS (     -- the last by time; with no times all of the day, and they must agree
    SELECT
        patient_id, applies_from, measure, max(on_date) AS on_date, min(record_id) AS record_id,
        CASE WHEN min(answer) < max(answer) THEN max(record_id) END AS other_id,
        CASE WHEN min(answer) = max(answer) THEN min(answer) ELSE -1 END AS answer,
        min(value) AS value, min(low) AS low, bool_and(low_open) AS low_open,
        CASE WHEN count(*) = count(high) THEN max(high) END AS high, bool_and(high_open) AS high_open
    FROM last_day
    WHERE untimed OR last_at = "at"
    GROUP BY patient_id, applies_from, measure
),
seen AS (       -- the days on which a reading during therapy is known
    SELECT
        patient_id, applies_from, greatest(on_date, applies_from) AS seen_on,
        min(CASE answer WHEN 1 THEN on_date END) AS worse_on, max(on_date) AS read_on
    FROM dated
    WHERE measure = 'imaging'
    GROUP BY patient_id, applies_from, greatest(on_date, applies_from)
),
judged AS (     -- once worse nothing changes any more
    SELECT
        patient_id, applies_from, on_date,
        min(min(worse_on)) OVER so_far AS worse_on, max(max(read_on)) OVER so_far AS read_on,
        min(min(worse_on)) OVER earlier AS worse_before
    FROM (
        SELECT patient_id, applies_from, applies_from AS on_date, CAST(NULL AS DATE) AS worse_on, CAST(NULL AS DATE) AS read_on FROM span
        UNION ALL
        SELECT patient_id, applies_from, seen_on, worse_on, read_on FROM seen
    ) AS point
    GROUP BY patient_id, applies_from, on_date
    WINDOW
        so_far AS (PARTITION BY patient_id, applies_from ORDER BY on_date ROWS UNBOUNDED PRECEDING),
        earlier AS (PARTITION BY patient_id, applies_from ORDER BY on_date ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
reading AS (
    SELECT patient_id, on_date, answer, min(record_id) AS record_id
    FROM measured
    WHERE measure = 'imaging'
    GROUP BY patient_id, on_date, answer
),
known AS (
    SELECT
        judged.patient_id, judged.on_date, span.start_date, span.kind, coalesce(judged.worse_on, judged.read_on) AS read_on,
        CASE WHEN judged.worse_on IS NOT NULL THEN 1 WHEN judged.read_on IS NOT NULL THEN 0 ELSE -1 END AS imaging_answer,
        reading.record_id AS imaging_id,
        ferritin.record_id AS ferritin_id, ferritin.other_id AS ferritin_other_id, ferritin.on_date AS ferritin_date,
        ferritin.value AS ferritin_value, ferritin.low AS ferritin_low, ferritin.low_open AS ferritin_low_open,
        ferritin.high AS ferritin_high, ferritin.high_open AS ferritin_high_open, coalesce(ferritin.answer, -1) AS ferritin_answer,
        fields.record_id AS fields_id, fields.other_id AS fields_other_id, fields.on_date AS fields_date, fields.value AS fields_value,
        coalesce(fields.answer, -1) AS fields_answer
    FROM judged
    JOIN span ON span.patient_id = judged.patient_id AND span.applies_from = judged.applies_from
    LEFT JOIN before AS ferritin
        ON ferritin.patient_id = judged.patient_id AND ferritin.applies_from = judged.applies_from AND ferritin.measure = 'ferritin'
    LEFT JOIN before AS fields
        ON fields.patient_id = judged.patient_id AND fields.applies_from = judged.applies_from AND fields.measure = 'fields'
    LEFT JOIN reading
        ON reading.patient_id = judged.patient_id AND reading.on_date = coalesce(judged.worse_on, judged.read_on)
        AND reading.answer = CASE WHEN judged.worse_on IS NOT NULL THEN 1 ELSE 0 END
    WHERE judged.worse_before IS NULL
),
answered AS (   -- in the evidence: when not met those that say no, else all
    SELECT
        *,
        CASE
            WHEN ferritin_answer = 0 OR fields_answer = 0 OR imaging_answer = 0 THEN 'not_met'
            WHEN ferritin_answer = 1 AND fields_answer = 1 AND imaging_answer = 1 THEN 'met'
            ELSE 'not_evaluable'
        END AS status
    FROM known
)
SELECT
    patient_id, on_date, NULL AS item, status, NULL AS grade,
    list_sort(
        CASE
            WHEN ferritin_id IS NULL OR (status = 'not_met' AND ferritin_answer <> 0) THEN CAST([] AS BIGINT[])
            WHEN ferritin_other_id IS NULL THEN [ferritin_id]
            ELSE [ferritin_id, ferritin_other_id]
        END
        || CASE
            WHEN fields_id IS NULL OR (status = 'not_met' AND fields_answer <> 0) THEN CAST([] AS BIGINT[])
            WHEN fields_other_id IS NULL THEN [fields_id]
            ELSE [fields_id, fields_other_id]
        END
        || CASE
            WHEN imaging_id IS NULL OR (status = 'not_met' AND imaging_answer <> 0) THEN CAST([] AS BIGINT[]) ELSE [imaging_id]
        END
    ) AS evidence,
    CASE
        WHEN status <> 'not_evaluable' THEN CAST([] AS VARCHAR[])
        WHEN start_date IS NULL THEN [CASE kind WHEN 'dose_unknown' THEN 'glucocorticoid dose' ELSE 'therapy start' END]
        ELSE
            CASE
                WHEN ferritin_answer >= 0 THEN CAST([] AS VARCHAR[])
                WHEN ferritin_id IS NULL THEN ['ferritin before therapy']
                WHEN ferritin_other_id IS NULL THEN ['ferritin before therapy as an exact value']
                ELSE [concat('time of day of the ferritin of ', CAST(ferritin_date AS VARCHAR))]
            END
            || CASE
                WHEN fields_answer >= 0 THEN CAST([] AS VARCHAR[])
                WHEN fields_id IS NULL THEN ['lung fields with ground glass before therapy']
                ELSE [concat('time of day of the lung fields with ground glass of ', CAST(fields_date AS VARCHAR))]
            END
            || CASE WHEN imaging_answer >= 0 THEN CAST([] AS VARCHAR[]) ELSE ['imaging reading during therapy'] END
    END AS missing,
    [
        CAST(start_date AS VARCHAR),
        CASE
            WHEN ferritin_id IS NOT NULL THEN concat(
                CASE WHEN ferritin_value IS NOT NULL THEN '' WHEN ferritin_high IS NULL THEN '>' ELSE '<' END,
                CASE
                    WHEN ferritin_value IS NULL AND NOT (CASE WHEN ferritin_high IS NULL THEN ferritin_low_open ELSE ferritin_high_open END)
                    THEN '=' ELSE ''
                END,
                rtrim(rtrim(CAST(coalesce(ferritin_high, ferritin_low) AS VARCHAR), '0'), '.'), ' ng/mL'
            )
        END,
        rtrim(rtrim(CAST(fields_value AS VARCHAR), '0'), '.'),
        CASE imaging_answer
            WHEN 1 THEN concat('worse on ', CAST(read_on AS VARCHAR))
            WHEN 0 THEN concat('not worse, last read on ', CAST(read_on AS VARCHAR))
        END
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(
        CASE
            WHEN status = 'met' THEN ferritin_low - $ferritin_above
            WHEN status = 'not_met' AND ferritin_answer = 0 THEN ferritin_high - $ferritin_above
        END AS DECIMAL(19, 6)
    ) AS margin
FROM answered
