/*
title = "Dyspnoea worse on therapy"
group = "refractory"
why   = """Worsening respiratory symptoms are one of the five conditions by which triple therapy was said to have failed after a
week. Judged on mMRC and on symptom records, whichever exist, and met when either says worse; "worse" stands until a record says
"better" or "same". On invasive ventilation or ECMO dyspnoea says nothing."""
items   = "clock"
unknown = ["combination therapy"]

[threshold.mmrc_rise]
value = 1
unit  = "mMRC grades"
step  = 1
cite  = "project"
tag   = "project default"

[finding]
facts = ["symptom", "day", "decided_on"]
met = "Dyspnoea worse on day {day} of {item} therapy: {symptom}."
not_met = "Dyspnoea not worse on day {day} of {item} therapy: {symptom}."
not_evaluable = "Whether dyspnoea is worse cannot be told. Missing: {missing}."
[finding.notes]
no_published_wait = "No published waiting time for this regimen; 7 days used."

[[history]]
on  = 2026-11-21
why = "first version"
*/
WITH mmrc_compared AS (
    SELECT
        *,
        baseline_id IS NOT NULL AND value - baseline_value >= $mmrc_rise AS rose,
        value - baseline_value - $mmrc_rise AS margin
    FROM refractory_comparison
    WHERE measure = 'mmrc'
),
mmrc_record AS (   -- candidates for the baseline that disagree leave the record untold
    SELECT
        patient_id, clock, day0, on_date, record_id, max(value) AS value, min(margin) AS margin, max(baseline_date) AS baseline_date,
        CASE
            WHEN count(baseline_id) = 0 THEN 'no_baseline'
            WHEN bool_and(rose) THEN 'met'
            WHEN bool_or(rose) THEN 'ambiguous'
            ELSE 'not_met'
        END AS answer,
        list(baseline_id) AS candidates, arg_min(baseline_id, margin) AS nearest_id, max(baseline_value) AS baseline_value
    FROM mmrc_compared
    GROUP BY patient_id, clock, day0, on_date, record_id
),
mmrc AS (
    SELECT
        patient_id, clock, day0, on_date, answer, margin,
        [record_id] || CASE answer
            WHEN 'no_baseline' THEN CAST([] AS BIGINT[]) WHEN 'ambiguous' THEN candidates ELSE [nearest_id]
        END AS evidence,
        CASE
            WHEN answer = 'no_baseline' THEN 'earlier mMRC to compare with'
            WHEN answer = 'ambiguous' THEN 'time of day of the mMRC of ' || CAST(baseline_date AS VARCHAR)
        END AS missing,
        'mMRC ' || CAST(CAST(value AS INTEGER) AS VARCHAR) || ' on ' || CAST(on_date AS VARCHAR) || ' against '
        || CAST(CAST(baseline_value AS INTEGER) AS VARCHAR) || ' on ' || CAST(baseline_date AS VARCHAR) AS text
    FROM mmrc_record
    QUALIFY row_number() OVER (
        PARTITION BY patient_id, clock, on_date
        ORDER BY CASE answer WHEN 'met' THEN 1 WHEN 'not_met' THEN 2 WHEN 'ambiguous' THEN 3 ELSE 4 END, value DESC, record_id
    ) = 1
),
symptom AS (       -- of one day the worst
    SELECT patient_id, on_date, record_id, value
    FROM event
    WHERE kind = 'symptom' AND code = 'dyspnoea' AND value IN ('worse', 'same', 'better')
    QUALIFY row_number() OVER (
        PARTITION BY patient_id, on_date ORDER BY CASE value WHEN 'worse' THEN 1 WHEN 'same' THEN 2 ELSE 3 END, record_id
    ) = 1
),
ventilation AS (   -- what each day's records say of invasive ventilation and of ECMO; NULL: nothing
    SELECT
        patient_id, on_date, max(ventilated) AS ventilated, max(on_ecmo) AS on_ecmo,
        flatten(list(evidence) FILTER (WHERE evidence IS NOT NULL)) AS evidence
    FROM (
        SELECT
            patient_id, on_date,
            max(CASE WHEN device IN ('invasive_ventilation', 'ecmo') THEN 1 ELSE 0 END) AS ventilated,
            CASE WHEN count(CASE WHEN device = 'ecmo' THEN 1 END) = 0 THEN 0 END AS on_ecmo,
            flatten(list(evidence) FILTER (WHERE device IN ('invasive_ventilation', 'ecmo'))) AS evidence
        FROM oxygen_support
        WHERE level IS NOT NULL
        GROUP BY patient_id, on_date
        UNION ALL
        SELECT patient_id, on_date, NULL, 1, [record_id] FROM event WHERE kind = 'procedure' AND code = 'ecmo'
        UNION ALL
        SELECT patient_id, until_date + 1, NULL, 0, NULL FROM event
        WHERE kind = 'procedure' AND code = 'ecmo' AND until_date IS NOT NULL
    ) AS said
    GROUP BY patient_id, on_date
),
point AS (         -- everything that can change the answer, by day
    SELECT patient_id, on_date FROM symptom
    UNION
    SELECT patient_id, on_date FROM mmrc
    UNION
    SELECT patient_id, on_date FROM ventilation
),
followed AS (
    SELECT
        span.patient_id, span.clock, span.day0, span.from_date, span.judged_from, point.on_date,
        last_value(CASE WHEN point.on_date >= span.judged_from THEN symptom.value END IGNORE NULLS) OVER so_far AS symptom,
        last_value(CASE WHEN point.on_date >= span.judged_from THEN symptom.record_id END IGNORE NULLS) OVER so_far AS symptom_id,
        last_value(CASE WHEN symptom.value IS NOT NULL AND point.on_date >= span.judged_from THEN point.on_date END IGNORE NULLS) OVER so_far
            AS symptom_date,
        last_value(CASE WHEN mmrc.answer IS NOT NULL THEN point.on_date END IGNORE NULLS) OVER so_far AS mmrc_date,
        coalesce(last_value(ventilation.ventilated IGNORE NULLS) OVER so_far, 0)
        + coalesce(last_value(ventilation.on_ecmo IGNORE NULLS) OVER so_far, 0) AS ventilated,
        last_value(ventilation.evidence IGNORE NULLS) OVER so_far AS ventilation_evidence
    FROM refractory_window AS span
    JOIN point
        ON point.patient_id = span.patient_id AND span.day0 IS NOT NULL AND (span.to_date IS NULL OR point.on_date < span.to_date)
    LEFT JOIN symptom ON symptom.patient_id = point.patient_id AND symptom.on_date = point.on_date
    LEFT JOIN mmrc
        ON mmrc.patient_id = point.patient_id AND mmrc.clock = span.clock AND mmrc.day0 = span.day0
        AND mmrc.on_date = point.on_date
    LEFT JOIN ventilation ON ventilation.patient_id = point.patient_id AND ventilation.on_date = point.on_date
    WINDOW so_far AS (PARTITION BY span.patient_id, span.clock, span.from_date ORDER BY point.on_date ROWS UNBOUNDED PRECEDING)
),
carried AS (       -- judged where dyspnoea is told, and where ventilation begins or ends
    SELECT
        *,
        on_date = symptom_date OR on_date = mmrc_date AS told,
        (ventilated > 0) <> (lag(ventilated, 1, 0) OVER (PARTITION BY patient_id, clock, from_date ORDER BY on_date) > 0) AS turned
    FROM followed
),
placed AS (        -- a baseline that does not exist leaves the symptom record alone
    SELECT
        carried.*, mmrc.answer AS mmrc, mmrc.margin, mmrc.evidence AS mmrc_evidence, mmrc.missing AS mmrc_missing, mmrc.text AS mmrc_text,
        CASE
            WHEN carried.ventilated > 0 THEN 'not_evaluable'
            WHEN carried.symptom = 'worse' OR mmrc.answer = 'met' THEN 'met'
            WHEN mmrc.answer = 'ambiguous' THEN 'not_evaluable'
            WHEN carried.symptom IS NOT NULL OR mmrc.answer = 'not_met' THEN 'not_met'
            ELSE 'not_evaluable'
        END AS status
    FROM carried
    LEFT JOIN mmrc
        ON mmrc.patient_id = carried.patient_id AND mmrc.clock = carried.clock AND mmrc.day0 = carried.day0
        AND mmrc.on_date = carried.mmrc_date
    WHERE carried.on_date >= carried.judged_from AND (carried.told OR carried.turned)
),
decided AS (       -- which of the two decided: those that say worse, else all that exist
    SELECT
        *,
        coalesce(status = 'met' AND symptom = 'worse' OR status = 'not_met' AND symptom IS NOT NULL, FALSE) AS by_symptom,
        coalesce(status <> 'not_evaluable' AND status = mmrc, FALSE) AS by_mmrc
    FROM placed
),
dated AS (
    SELECT
        *,
        CASE
            WHEN by_symptom AND by_mmrc THEN greatest(symptom_date, mmrc_date)
            WHEN by_symptom THEN symptom_date
            WHEN by_mmrc THEN mmrc_date
        END AS decided_on
    FROM decided
),
answered_day AS (
    SELECT
        patient_id, on_date, clock AS item, status, NULL AS grade,
        list_sort(list_distinct(
            CASE WHEN ventilated > 0 THEN ventilation_evidence ELSE CAST([] AS BIGINT[]) END
            || CASE WHEN by_symptom THEN [symptom_id] ELSE CAST([] AS BIGINT[]) END
            || CASE WHEN by_mmrc OR (status = 'not_evaluable' AND ventilated = 0 AND mmrc IS NOT NULL) THEN mmrc_evidence ELSE CAST([] AS BIGINT[]) END
        )) AS evidence,
        CASE
            WHEN status <> 'not_evaluable' THEN CAST([] AS VARCHAR[])
            WHEN ventilated > 0 THEN ['dyspnoea off invasive ventilation and ECMO']
            ELSE [coalesce(mmrc_missing, 'dyspnoea')]
        END AS missing,
        [
            concat_ws(
                '; ',
                CASE WHEN by_symptom THEN 'recorded as ' || symptom || ' on ' || CAST(symptom_date AS VARCHAR) END,
                CASE WHEN by_mmrc THEN mmrc_text END
            ),
            CAST(date_diff('day', day0, on_date) AS VARCHAR),
            CAST(decided_on AS VARCHAR)
        ] AS facts,
        CASE WHEN clock = 'combination' THEN ['no_published_wait'] ELSE CAST([] AS VARCHAR[]) END AS notes,
        CASE WHEN by_mmrc THEN margin END AS margin,
        decided_on
    FROM dated
    UNION ALL
    SELECT
        patient_id, from_date, clock, 'not_evaluable', NULL, evidence,
        [CASE WHEN day0 IS NULL THEN clock || ' therapy' ELSE 'dyspnoea' END],
        [NULL, CAST(date_diff('day', day0, from_date) AS VARCHAR), NULL],
        CASE WHEN clock = 'combination' THEN ['no_published_wait'] ELSE CAST([] AS VARCHAR[]) END, NULL, NULL
    FROM refractory_window
)
SELECT
    patient_id, on_date, item, status, grade, evidence, missing, facts, notes, margin, decided_on
FROM answered_day
