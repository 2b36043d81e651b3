/*
title = "Ferritin up by at least 20 % and 100 ng/mL on therapy"
group = "refractory"
why   = """Rising ferritin is one of the five conditions by which triple therapy was said to have failed after a week. The paper
names no size: 20 % together with 100 ng/mL keeps out the noise of the assay. A falling ferritin proves nothing, patients have died
with it falling, and plasma exchange lowers it."""
items   = "clock"
unknown = ["combination therapy"]

[threshold.rise_percent]
value = 20
unit  = "%"
step  = 1
cite  = "project"
tag   = "project default"

[threshold.rise]
value = 100
unit  = "ng/mL"
step  = 1
cite  = "project"
tag   = "project default"

[threshold.exchange_days]
value = 7
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"

[finding]
facts = ["ferritin", "baseline", "baseline_date", "rise", "day"]
met = "Ferritin {ferritin} ng/mL on {on_date}, day {day} of {item} therapy, up from {baseline} ng/mL of {baseline_date} ({rise})."
not_met = "Ferritin {ferritin} ng/mL on {on_date}, day {day} of {item} therapy, against {baseline} ng/mL of {baseline_date} ({rise}): no such rise."
not_evaluable = "Whether ferritin is rising cannot be told. Missing: {missing}."
[finding.notes]
no_published_wait = "No published waiting time for this regimen; 7 days used."
fall_after_exchange = "A fall within 7 days after plasma exchange does not count as improvement."

[[history]]
on  = 2026-11-21
why = "first version"
*/
WITH compared AS (   -- both conditions at the two ends of what the values can be: new least and old most, new most and old least
    SELECT
        *,
        low - baseline_high >= $rise AND 100 * low >= (100 + $rise_percent) * baseline_high AS certain,
        NOT coalesce(
            (
                high - baseline_low < $rise OR 100 * high < (100 + $rise_percent) * baseline_low
                OR (
                    (high - baseline_low = $rise OR 100 * high = (100 + $rise_percent) * baseline_low)
                    AND (high_open OR baseline_low_open)
                )
            ), FALSE
        ) AS possible,
        low - baseline_high - greatest($rise, baseline_high * $rise_percent * 0.01) AS least_margin,
        high - baseline_low - greatest($rise, baseline_low * $rise_percent * 0.01) AS most_margin
    FROM refractory_comparison
    WHERE measure = 'ferritin'
),
answered AS (
    SELECT
        *,
        CASE
            WHEN baseline_id IS NULL THEN 'not_evaluable'
            WHEN certain THEN 'met'
            WHEN NOT possible THEN 'not_met'
            ELSE 'not_evaluable'
        END AS status
    FROM compared
),
record_answer AS (   -- one row per value judged: candidates for its baseline that disagree leave it untold
    SELECT
        patient_id, clock, day0, on_date, record_id,
        CASE WHEN min(status) = max(status) THEN min(status) ELSE 'not_evaluable' END AS status,
        min(status) <> max(status) AND count(CASE WHEN status = 'not_evaluable' THEN 1 END) = 0 AS ambiguous,
        list(baseline_id) AS candidates,
        arg_min(baseline_id, least_margin) AS nearest_id
    FROM answered
    GROUP BY patient_id, clock, day0, on_date, record_id
),
day_answer AS (
    SELECT record_answer.*, answered.at, answered.value, answered.high, answered.baseline_id, answered.baseline_date,
        answered.baseline_value, answered.baseline_low, answered.least_margin, answered.most_margin, answered.shown, answered.baseline_shown
    FROM record_answer
    JOIN answered
        ON answered.patient_id = record_answer.patient_id AND answered.clock = record_answer.clock AND answered.day0 = record_answer.day0
        AND answered.record_id = record_answer.record_id
        AND answered.baseline_id IS NOT DISTINCT FROM coalesce(record_answer.nearest_id, answered.baseline_id)
    QUALIFY row_number() OVER (
        PARTITION BY record_answer.patient_id, record_answer.clock, record_answer.on_date
        ORDER BY CASE record_answer.status WHEN 'met' THEN 1 WHEN 'not_met' THEN 2 ELSE 3 END,
            answered.low DESC, record_answer.record_id, answered.baseline_id
    ) = 1
),
exchanged AS (   -- the last session up to 7 days before a value that fell
    SELECT day_answer.patient_id, day_answer.clock, day_answer.on_date, max(event.record_id) AS session_id
    FROM day_answer
    JOIN event
        ON event.patient_id = day_answer.patient_id AND event.kind = 'procedure' AND event.code = 'plasma_exchange'
        AND event.on_date BETWEEN day_answer.on_date - CAST($exchange_days AS INTEGER) AND day_answer.on_date
    WHERE day_answer.status = 'not_met' AND day_answer.high < day_answer.baseline_low
    GROUP BY day_answer.patient_id, day_answer.clock, day_answer.on_date
),
answered_day AS (
    SELECT
        judged.patient_id, judged.on_date, judged.clock AS item, judged.status, NULL AS grade,
        list_sort(list_distinct(
            [judged.record_id]
            || CASE
                WHEN judged.baseline_id IS NULL THEN CAST([] AS BIGINT[])
                WHEN judged.ambiguous THEN judged.candidates
                ELSE [judged.baseline_id]
            END
            || CASE WHEN exchanged.session_id IS NULL THEN CAST([] AS BIGINT[]) ELSE [exchanged.session_id] END
        )) AS evidence,
        CASE
            WHEN judged.status <> 'not_evaluable' THEN CAST([] AS VARCHAR[])
            WHEN judged.baseline_id IS NULL THEN ['earlier ferritin to compare with']
            WHEN judged.ambiguous THEN ['time of day of the ferritin of ' || CAST(judged.baseline_date AS VARCHAR)]
            ELSE ['ferritin as an exact number']
        END AS missing,
        [
            judged.shown, judged.baseline_shown, CAST(judged.baseline_date AS VARCHAR),
            CASE
                WHEN judged.value IS NOT NULL AND judged.baseline_value > 0
                THEN CASE WHEN judged.value >= judged.baseline_value THEN '+' ELSE '' END
                || rtrim(rtrim(CAST(judged.value - judged.baseline_value AS VARCHAR), '0'), '.') || ' ng/mL, '
                || CAST(CAST(100 * (judged.value - judged.baseline_value) / judged.baseline_value AS DECIMAL(19, 1)) AS VARCHAR) || ' %'
                ELSE 'size of the change not known'
            END,
            CAST(date_diff('day', judged.day0, judged.on_date) AS VARCHAR)
        ] AS facts,
        CASE WHEN judged.clock = 'combination' THEN ['no_published_wait'] ELSE CAST([] AS VARCHAR[]) END
        || CASE WHEN exchanged.session_id IS NULL THEN CAST([] AS VARCHAR[]) ELSE ['fall_after_exchange'] END AS notes,
        CASE judged.status WHEN 'met' THEN judged.least_margin WHEN 'not_met' THEN judged.most_margin END AS margin,
        CASE WHEN judged.status <> 'not_evaluable' THEN judged.on_date END AS decided_on
    FROM day_answer AS judged
    LEFT JOIN exchanged
        ON exchanged.patient_id = judged.patient_id AND exchanged.clock = judged.clock AND exchanged.on_date = judged.on_date
    UNION ALL
    SELECT
        patient_id, from_date, clock, 'not_evaluable', NULL, evidence,
        [CASE WHEN day0 IS NULL THEN clock || ' therapy' ELSE 'ferritin' END],
        [NULL, NULL, NULL, NULL, CAST(date_diff('day', day0, from_date) AS VARCHAR)],
        CASE WHEN clock = 'combination' THEN ['no_published_wait'] ELSE CAST([] AS VARCHAR[]) END, NULL, NULL
    FROM refractory_window
)
SELECT
    patient_id, on_date, item, status, grade, evidence, missing, facts, notes, margin, decided_on
FROM answered_day
