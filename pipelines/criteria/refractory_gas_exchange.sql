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
        pair.patient_id, pair.clock, pair.day0, pair.on_date, pair.set_id, pair.baseline_date, pair.baseline_set_id, pair.comparison,
        support.level,
        coalesce(pair.baseline_set_id IS NOT NULL AND (support.activity IS NULL OR earlier.activity IS NULL), FALSE) AS unstated,
        support.level - earlier.level AS levels,
        CASE WHEN support.level = earlier.level AND support.level BETWEEN 1 AND 3 THEN support.flow - earlier.flow END AS flow_up,
        CASE
            WHEN support.level = earlier.level AND support.level BETWEEN 4 AND 6
                AND support.fio2_source = 'set' AND earlier.fio2_source = 'set'
            THEN support.fio2 - earlier.fio2
        END AS fio2_up,
        gas.aado2 - earlier_gas.aado2 AS aado2_up,
        100 * gas.pf_numerator * earlier_gas.fio2 <= (100 - $pf_fall_percent) * earlier_gas.pf_numerator * gas.fio2 AS pf_fell,
        100 - 100 * gas.pf / earlier_gas.pf AS pf_fall
    FROM gas_exchange_comparison AS pair
    JOIN oxygen_support AS support ON support.patient_id = pair.patient_id AND support.set_id = pair.set_id
    LEFT JOIN oxygen_support AS earlier ON earlier.patient_id = pair.patient_id AND earlier.set_id = pair.baseline_set_id
    LEFT JOIN gas_exchange AS gas ON gas.patient_id = pair.patient_id AND gas.set_id = pair.set_id
    LEFT JOIN gas_exchange AS earlier_gas
        ON earlier_gas.patient_id = pair.patient_id AND earlier_gas.set_id = pair.baseline_set_id
),
answered AS (
    SELECT
        patient_id, clock, day0, on_date, set_id, baseline_date, baseline_set_id, level, unstated,
        CASE comparison WHEN 'support' THEN 1 WHEN 'aado2' THEN 2 ELSE 3 END AS place,
        CASE comparison
            WHEN 'aado2' THEN aado2_up >= $aado2_rise
            WHEN 'pf' THEN pf_fell
            ELSE levels >= $level_rise OR coalesce(flow_up >= $flow_rise, FALSE) OR coalesce(fio2_up >= $fio2_rise, FALSE)
        END AS worse,
        CAST(
            CASE
                WHEN comparison = 'aado2' THEN aado2_up - $aado2_rise
                WHEN comparison = 'pf' THEN pf_fall - $pf_fall_percent
                WHEN levels >= $level_rise THEN levels - $level_rise
                WHEN flow_up IS NOT NULL THEN flow_up - $flow_rise
                WHEN fio2_up IS NOT NULL THEN fio2_up - $fio2_rise
                ELSE levels - $level_rise
            END AS DECIMAL(19, 6)
        ) AS margin
    FROM compared
),
comparison_answer AS (   -- one row per record and comparison, with the nearest candidate; candidates that disagree leave it untold
    SELECT
        *,
        CASE
            WHEN worse IS NULL THEN 'absent'
            WHEN bool_and(worse) OVER candidates THEN 'met'
            WHEN bool_or(worse) OVER candidates THEN 'ambiguous'
            ELSE 'not_met'
        END AS answer
    FROM answered
    WINDOW candidates AS (PARTITION BY patient_id, clock, set_id, place)
    QUALIFY row_number() OVER (PARTITION BY patient_id, clock, set_id, place ORDER BY margin, baseline_set_id) = 1
),
record_answer AS (       -- without a support known at both ends there is no judgement
    SELECT
        patient_id, clock, day0, on_date, set_id, max(level) AS level,
        CASE
            WHEN count(CASE WHEN place = 1 AND answer <> 'absent' THEN 1 END) = 0 THEN 'not_evaluable'
            WHEN count(CASE WHEN answer = 'met' THEN 1 END) > 0 THEN 'met'
            WHEN count(CASE WHEN answer = 'ambiguous' THEN 1 END) > 0 THEN 'not_evaluable'
            ELSE 'not_met'
        END AS status,
        coalesce(min(CASE WHEN answer = 'met' THEN place END), min(CASE WHEN answer = 'ambiguous' THEN place END), 1) AS told_by
    FROM comparison_answer
    GROUP BY patient_id, clock, day0, on_date, set_id
),
day_answer AS (          -- the worst record of the day, and of equal ones the one on the most support
    SELECT *
    FROM record_answer
    QUALIFY row_number() OVER (
        PARTITION BY patient_id, clock, on_date
        ORDER BY CASE status WHEN 'met' THEN 1 WHEN 'not_met' THEN 2 ELSE 3 END, told_by, level DESC, set_id
    ) = 1
),
told AS (                -- the comparison that tells, and the baselines of all comparisons that decided a "not met"
    SELECT
        day_answer.patient_id, day_answer.clock, day_answer.day0, day_answer.on_date, day_answer.set_id,
        day_answer.level, day_answer.status, day_answer.told_by,
        max(CASE WHEN answer.place = told_by THEN answer.baseline_set_id END) AS baseline_set_id,
        max(CASE WHEN answer.place = told_by THEN answer.baseline_date END) AS baseline_date,
        max(CASE WHEN answer.place = told_by THEN answer.margin END) AS margin,
        max(CASE WHEN answer.place = told_by AND answer.unstated THEN 1 ELSE 0 END) = 1 AS unstated,
        max(CASE WHEN day_answer.status = 'not_met' AND answer.place = 2 THEN answer.baseline_set_id END) AS aado2_set_id,
        max(CASE WHEN day_answer.status = 'not_met' AND answer.place = 3 THEN answer.baseline_set_id END) AS pf_set_id
    FROM day_answer
    JOIN comparison_answer AS answer
        ON answer.patient_id = day_answer.patient_id AND answer.clock = day_answer.clock AND answer.set_id = day_answer.set_id
    GROUP BY
        day_answer.patient_id, day_answer.clock, day_answer.day0, day_answer.on_date, day_answer.set_id,
        day_answer.level, day_answer.status, day_answer.told_by
),
judged AS (              -- and each window from its first day
    SELECT patient_id, clock, day0, on_date, set_id, level, status, told_by, baseline_set_id, baseline_date, margin, unstated, aado2_set_id, pf_set_id
    FROM told
    UNION ALL
    SELECT patient_id, clock, day0, from_date, NULL, NULL, 'not_evaluable', NULL, NULL, NULL, NULL, FALSE, NULL, NULL
    FROM refractory_window
),
candidate AS (           -- all candidates for the baseline, where their choice would change the answer
    SELECT told.patient_id, told.clock, told.set_id, flatten(list(coalesce(earlier_gas.evidence, earlier.evidence))) AS evidence
    FROM judged AS told
    JOIN gas_exchange_comparison AS pair
        ON pair.patient_id = told.patient_id AND pair.clock = told.clock AND pair.set_id = told.set_id
        AND pair.comparison = CASE told.told_by WHEN 1 THEN 'support' WHEN 2 THEN 'aado2' WHEN 3 THEN 'pf' END
    JOIN oxygen_support AS earlier ON earlier.patient_id = told.patient_id AND earlier.set_id = pair.baseline_set_id
    LEFT JOIN gas_exchange AS earlier_gas ON earlier_gas.patient_id = told.patient_id AND earlier_gas.set_id = pair.baseline_set_id
    WHERE told.status = 'not_evaluable'
    GROUP BY told.patient_id, told.clock, told.set_id
)
SELECT
    judged.patient_id, judged.on_date, judged.clock AS item, judged.status, NULL AS grade,
    list_sort(list_distinct(
        CASE
            WHEN judged.told_by IS NULL THEN span.evidence
            WHEN judged.told_by = 1 AND judged.aado2_set_id IS NULL AND judged.pf_set_id IS NULL THEN support.evidence
            ELSE gas.evidence
        END
        || coalesce(CASE judged.told_by WHEN 1 THEN earlier.evidence ELSE earlier_gas.evidence END, CAST([] AS BIGINT[]))
        || coalesce(aado2_gas.evidence, CAST([] AS BIGINT[])) || coalesce(pf_gas.evidence, CAST([] AS BIGINT[]))
        || coalesce(candidate.evidence, CAST([] AS BIGINT[]))
    )) AS evidence,
    CASE
        WHEN judged.status <> 'not_evaluable' THEN CAST([] AS VARCHAR[])
        WHEN judged.told_by IS NULL THEN [CASE WHEN judged.day0 IS NULL THEN judged.clock || ' therapy' ELSE 'oxygen support' END]
        WHEN judged.level IS NULL THEN ['oxygen device or flow']
        WHEN judged.baseline_date IS NULL THEN ['earlier oxygen support to compare with']
        ELSE ['time of day of the oxygen records of ' || CAST(judged.baseline_date AS VARCHAR)]
    END AS missing,
    [
        CASE judged.told_by
            WHEN 1 THEN support.described
            WHEN 2 THEN 'A-aDO2 ' || CAST(CAST(round(gas.aado2) AS INTEGER) AS VARCHAR) || ' mmHg at FiO2 '
                || rtrim(rtrim(CAST(gas.fio2 AS VARCHAR), '0'), '.')
            WHEN 3 THEN 'P/F ' || CAST(CAST(round(gas.pf) AS INTEGER) AS VARCHAR) || ' mmHg'
        END,
        CASE judged.told_by
            WHEN 1 THEN earlier.described
            WHEN 2 THEN CAST(CAST(round(earlier_gas.aado2) AS INTEGER) AS VARCHAR) || ' mmHg at FiO2 '
                || rtrim(rtrim(CAST(earlier_gas.fio2 AS VARCHAR), '0'), '.')
            WHEN 3 THEN CAST(CAST(round(earlier_gas.pf) AS INTEGER) AS VARCHAR) || ' mmHg'
        END,
        CAST(judged.baseline_date AS VARCHAR), CAST(date_diff('day', judged.day0, judged.on_date) AS VARCHAR)
    ] AS facts,
    list_sort(list_distinct(
        CASE WHEN judged.clock = 'combination' THEN ['no_published_wait'] ELSE CAST([] AS VARCHAR[]) END
        || CASE WHEN judged.unstated THEN ['unstated_activity'] ELSE CAST([] AS VARCHAR[]) END
        || CASE WHEN judged.status = 'met' AND judged.told_by > 1 THEN gas.notes || earlier_gas.notes ELSE CAST([] AS VARCHAR[]) END
    )) AS notes,
    CASE WHEN judged.status <> 'not_evaluable' THEN judged.margin END AS margin,
    CASE WHEN judged.status <> 'not_evaluable' THEN judged.on_date END AS decided_on
FROM judged
LEFT JOIN oxygen_support AS support ON support.patient_id = judged.patient_id AND support.set_id = judged.set_id
LEFT JOIN oxygen_support AS earlier ON earlier.patient_id = judged.patient_id AND earlier.set_id = judged.baseline_set_id
LEFT JOIN gas_exchange AS gas ON gas.patient_id = judged.patient_id AND gas.set_id = judged.set_id
LEFT JOIN gas_exchange AS earlier_gas ON earlier_gas.patient_id = judged.patient_id AND earlier_gas.set_id = judged.baseline_set_id
LEFT JOIN gas_exchange AS aado2_gas ON aado2_gas.patient_id = judged.patient_id AND aado2_gas.set_id = judged.aado2_set_id
LEFT JOIN gas_exchange AS pf_gas ON pf_gas.patient_id = judged.patient_id AND pf_gas.set_id = judged.pf_set_id
LEFT JOIN candidate
    ON candidate.patient_id = judged.patient_id AND candidate.clock = judged.clock AND candidate.set_id = judged.set_id
LEFT JOIN refractory_window AS span
    ON span.patient_id = judged.patient_id AND span.clock = judged.clock AND span.from_date = judged.on_date
