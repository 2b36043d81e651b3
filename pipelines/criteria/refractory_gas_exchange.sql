/*
title = "Gas exchange worse on therapy"
group = "refractory"
why   = """A rising A-aDO2 is one of the five conditions by which triple therapy was said to have failed after a week; the paper gives no
size. Most records hold no blood gas, so a step up in oxygen support, a higher flow or set FiO2 on the same support, or a fall of P/F
count as well, all sizes being this project's own. Records are compared at equal activity, and only where the support is
known at both ends."""
items   = "clock"
unknown = ["combination therapy"]

[threshold.level_rise]
value = 1
unit  = "levels of support"
step  = 1
cite  = "project"
tag   = "project default"

[threshold.flow_rise]
value = 2
unit  = "L/min"
step  = 0.1
cite  = "project"
tag   = "project default"

[threshold.fio2_rise]
value = 0.10
unit  = "FiO2"
step  = 0.01
cite  = "project"
tag   = "project default"

[threshold.aado2_rise]
value = 10
unit  = "mmHg"
step  = 1
cite  = "project"
tag   = "project default"

[threshold.pf_fall_percent]
value = 20
unit  = "%"
step  = 1
cite  = "project"
tag   = "project default"

[finding]
facts = ["now", "baseline", "baseline_date", "day"]
met = "Gas exchange worse on {on_date}, day {day} of {item} therapy: {now}, against {baseline} on {baseline_date}."
not_met = "Gas exchange not worse on {on_date}, day {day} of {item} therapy: {now}, against {baseline} on {baseline_date}."
not_evaluable = "Whether gas exchange is worse cannot be told. Missing: {missing}."
[finding.notes]
no_published_wait = "No published waiting time for this regimen; 7 days used."
unstated_activity = "Rest or exertion is not stated in one of the records."
estimated_fio2 = "FiO2 estimated from flow."
imputed_pf = "P/F imputed from SpO2."

[[history]]
on  = 2026-11-21
why = "first version"
*/
WITH compared AS (   -- each comparison with each candidate for its baseline
    SELECT
        pair.patient_id, pair.clock, pair.day0, pair.comparison, pair.on_date, pair.set_id, pair.baseline_set_id, pair.baseline_date,
        support.activity IS NULL OR earlier.activity IS NULL AS unstated,
        support.evidence AS support_evidence, earlier.evidence AS earlier_support_evidence,
        gas.evidence AS gas_evidence, earlier_gas.evidence AS earlier_gas_evidence,
        support.described, earlier.described AS earlier_described, support.level,
        gas.pf, earlier_gas.pf AS earlier_pf, gas.aado2, earlier_gas.aado2 AS earlier_aado2,
        gas.fio2, earlier_gas.fio2 AS earlier_fio2,
        gas.notes, earlier_gas.notes AS earlier_notes,
        support.level - earlier.level AS levels,
        CASE WHEN support.level = earlier.level AND support.level BETWEEN 1 AND 3 THEN support.flow - earlier.flow END AS flow_up,
        CASE
            WHEN support.level = earlier.level AND support.level BETWEEN 4 AND 6
                AND support.fio2_source = 'set' AND earlier.fio2_source = 'set'
            THEN support.fio2 - earlier.fio2
        END AS fio2_up,
        100 * gas.pf_numerator * earlier_gas.fio2 <= (100 - $pf_fall_percent) * earlier_gas.pf_numerator * gas.fio2 AS pf_fell
    FROM gas_exchange_comparison AS pair
    JOIN oxygen_support AS support ON support.patient_id = pair.patient_id AND support.set_id = pair.set_id
    LEFT JOIN oxygen_support AS earlier ON earlier.patient_id = pair.patient_id AND earlier.set_id = pair.baseline_set_id
    LEFT JOIN gas_exchange AS gas
        ON gas.patient_id = pair.patient_id AND gas.set_id = pair.set_id AND pair.comparison <> 'support'
    LEFT JOIN gas_exchange AS earlier_gas
        ON earlier_gas.patient_id = pair.patient_id AND earlier_gas.set_id = pair.baseline_set_id AND pair.comparison <> 'support'
),
answered AS (
    SELECT
        *,
        CASE comparison
            WHEN 'aado2' THEN aado2 - earlier_aado2 >= $aado2_rise
            WHEN 'pf' THEN pf_fell
            ELSE levels >= $level_rise OR coalesce(flow_up >= $flow_rise, FALSE) OR coalesce(fio2_up >= $fio2_rise, FALSE)
        END AS worse,
        CAST(
            CASE
                WHEN comparison = 'aado2' THEN aado2 - earlier_aado2 - $aado2_rise
                WHEN comparison = 'pf' THEN 100 - 100 * pf / earlier_pf - $pf_fall_percent
                WHEN levels >= $level_rise THEN levels - $level_rise
                WHEN flow_up IS NOT NULL THEN flow_up - $flow_rise
                WHEN fio2_up IS NOT NULL THEN fio2_up - $fio2_rise
                ELSE levels - $level_rise
            END AS DECIMAL(19, 6)
        ) AS margin
    FROM compared
),
comparison_answer AS (   -- one row per record and comparison; candidates that disagree leave it untold
    SELECT
        *,
        CASE
            WHEN count(worse) OVER candidates = 0 THEN 'absent'
            WHEN bool_and(worse) OVER candidates THEN 'met'
            WHEN bool_or(worse) OVER candidates THEN 'ambiguous'
            ELSE 'not_met'
        END AS answer
    FROM answered
    WINDOW candidates AS (PARTITION BY patient_id, clock, day0, set_id, comparison)
),
nearest AS (
    SELECT
        *,
        CASE comparison WHEN 'support' THEN 1 WHEN 'aado2' THEN 2 ELSE 3 END AS place,
        row_number() OVER (PARTITION BY patient_id, clock, day0, set_id, comparison ORDER BY margin, baseline_set_id) AS candidate
    FROM comparison_answer
),
record_answer AS (
    SELECT
        patient_id, clock, day0, on_date, set_id,
        CASE
            WHEN max(CASE WHEN place = 1 AND answer <> 'absent' THEN 1 ELSE 0 END) = 0 THEN 'not_evaluable'
            WHEN max(CASE WHEN answer = 'met' THEN 1 ELSE 0 END) = 1 THEN 'met'
            WHEN max(CASE WHEN answer = 'ambiguous' THEN 1 ELSE 0 END) = 1 THEN 'not_evaluable'
            ELSE 'not_met'
        END AS status,
        min(CASE WHEN answer = 'met' THEN place END) AS first_met,
        min(CASE WHEN answer = 'ambiguous' THEN place END) AS first_ambiguous
    FROM nearest
    GROUP BY patient_id, clock, day0, on_date, set_id
),
day_answer AS (   -- the worst record of the day, and of equal ones the one further beyond
    SELECT record_answer.*, coalesce(first_met, first_ambiguous, 1) AS told_by
    FROM record_answer
    JOIN nearest
        ON nearest.patient_id = record_answer.patient_id AND nearest.clock = record_answer.clock AND nearest.day0 = record_answer.day0
        AND nearest.set_id = record_answer.set_id AND nearest.candidate = 1 AND nearest.place = coalesce(first_met, first_ambiguous, 1)
    QUALIFY row_number() OVER (
        PARTITION BY record_answer.patient_id, record_answer.clock, record_answer.on_date
        ORDER BY CASE status WHEN 'met' THEN 1 WHEN 'not_met' THEN 2 ELSE 3 END,
            coalesce(first_met, 0), nearest.level DESC, nearest.margin DESC, record_answer.set_id
    ) = 1
),
decided AS (      -- what decided: a comparison that is met; all of them when none is; the candidates when they disagree
    SELECT
        nearest.patient_id, nearest.clock, nearest.day0, nearest.on_date, day_answer.status, day_answer.told_by,
        nearest.place, nearest.candidate, nearest.unstated, nearest.margin, nearest.level,
        nearest.baseline_date, nearest.baseline_set_id,
        CASE nearest.place
            WHEN 1 THEN nearest.described
            WHEN 2 THEN 'A-aDO2 ' || CAST(CAST(round(nearest.aado2) AS INTEGER) AS VARCHAR) || ' mmHg at FiO2 '
                || rtrim(rtrim(CAST(nearest.fio2 AS VARCHAR), '0'), '.')
            ELSE 'P/F ' || CAST(CAST(round(nearest.pf) AS INTEGER) AS VARCHAR) || ' mmHg'
        END AS now,
        CASE nearest.place
            WHEN 1 THEN nearest.earlier_described
            WHEN 2 THEN CAST(CAST(round(nearest.earlier_aado2) AS INTEGER) AS VARCHAR) || ' mmHg at FiO2 '
                || rtrim(rtrim(CAST(nearest.earlier_fio2 AS VARCHAR), '0'), '.')
            ELSE CAST(CAST(round(nearest.earlier_pf) AS INTEGER) AS VARCHAR) || ' mmHg'
        END AS baseline,
        coalesce(nearest.gas_evidence, nearest.support_evidence)
        || coalesce(nearest.earlier_gas_evidence, nearest.earlier_support_evidence, CAST([] AS BIGINT[])) AS evidence,
        coalesce(nearest.notes || nearest.earlier_notes, CAST([] AS VARCHAR[])) AS notes
    FROM day_answer
    JOIN nearest
        ON nearest.patient_id = day_answer.patient_id AND nearest.clock = day_answer.clock AND nearest.day0 = day_answer.day0
        AND nearest.set_id = day_answer.set_id
    WHERE nearest.place = day_answer.told_by
        OR (day_answer.status = 'not_met' AND nearest.answer <> 'absent')
),
told AS (
    SELECT
        patient_id, clock, day0, on_date, max(status) AS status, max(told_by) AS told_by,
        max(CASE WHEN place = told_by AND candidate = 1 THEN now END) AS now,
        max(CASE WHEN place = told_by AND candidate = 1 THEN baseline END) AS baseline,
        max(CASE WHEN place = told_by AND candidate = 1 THEN baseline_date END) AS baseline_date,
        max(CASE WHEN place = told_by AND candidate = 1 THEN margin END) AS margin,
        max(CASE WHEN place = told_by AND candidate = 1 THEN level END) AS level,
        max(CASE WHEN place = told_by AND baseline_set_id IS NOT NULL AND unstated THEN 1 ELSE 0 END) = 1 AS unstated,
        flatten(list(evidence)) AS evidence,
        flatten(list(notes)) AS notes
    FROM decided
    WHERE candidate = 1 OR status = 'not_evaluable'
    GROUP BY patient_id, clock, day0, on_date
)
SELECT
    patient_id, on_date, clock AS item, status, NULL AS grade, list_sort(list_distinct(evidence)) AS evidence,
    CASE
        WHEN status <> 'not_evaluable' THEN CAST([] AS VARCHAR[])
        WHEN level IS NULL THEN ['oxygen device or flow']
        WHEN baseline_date IS NULL THEN ['earlier oxygen support to compare with']
        ELSE ['time of day of the oxygen records of ' || CAST(baseline_date AS VARCHAR)]
    END AS missing,
    [now, baseline, CAST(baseline_date AS VARCHAR), CAST(date_diff('day', day0, on_date) AS VARCHAR)] AS facts,
    list_sort(list_distinct(
        CASE WHEN clock = 'combination' THEN ['no_published_wait'] ELSE CAST([] AS VARCHAR[]) END
        || CASE WHEN unstated THEN ['unstated_activity'] ELSE CAST([] AS VARCHAR[]) END
        || CASE WHEN status = 'met' THEN notes ELSE CAST([] AS VARCHAR[]) END
    )) AS notes,
    CASE WHEN status <> 'not_evaluable' THEN margin END AS margin,
    CASE WHEN status <> 'not_evaluable' THEN on_date END AS decided_on,
    now || ', against ' || baseline || ' on ' || CAST(baseline_date AS VARCHAR) AS compared
FROM told
UNION ALL
SELECT
    patient_id, from_date, clock, 'not_evaluable', NULL, evidence,
    [CASE WHEN day0 IS NULL THEN clock || ' therapy' ELSE 'oxygen support' END],
    [NULL, NULL, NULL, CAST(date_diff('day', day0, from_date) AS VARCHAR)],
    CASE WHEN clock = 'combination' THEN ['no_published_wait'] ELSE CAST([] AS VARCHAR[]) END, NULL, NULL, NULL
FROM refractory_window
