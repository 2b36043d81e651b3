/*
title   = "Anti-MDA5 positive with ILD: referral at diagnosis"
group   = "transplant"
why     = """Recommendation 7 of Romero-Bueno 2020: early referral to a transplant centre, because the lung can fail within weeks. The antibody
counts as positive once a result is, else as negative once a result is; ILD counts as recorded once an event says so (RP-ILD implies it): a later negative titre or absent
record withdraws neither; a mistaken record is withdrawn by correcting it. Not a verdict on whether a transplant is right."""
unknown = ["anti-MDA5 result", "ILD present or absent"]

[finding]
facts = ["result", "antibody_date", "diagnosis", "ild_date"]
met = "Anti-MDA5 {result} on {antibody_date} and {diagnosis} recorded on {ild_date}: the condition for referral at diagnosis is met."
not_met = "Referral at diagnosis does not apply: anti-MDA5 {result}, {diagnosis}."
not_evaluable = "Whether referral at diagnosis applies cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-21
why = "first version"
*/
WITH said AS (   -- every record that says something on one of the two: 1 yes, 0 no, NULL undecided
    SELECT
        patient_id, on_date, record_id, 'antibody' AS question, CASE WHEN positive THEN 1 WHEN positive = FALSE THEN 0 END AS answer,
        concat(
            CASE WHEN positive THEN 'positive' WHEN positive = FALSE THEN 'negative' ELSE 'undecided' END,
            CASE
                WHEN low IS NULL THEN ''
                ELSE concat(
                    ' (', CASE WHEN value IS NOT NULL THEN '' WHEN high IS NULL THEN 'above ' ELSE 'below ' END,
                    rtrim(rtrim(CAST(CASE WHEN value IS NULL AND high IS NOT NULL THEN high ELSE low END AS VARCHAR), '0'), '.'),
                    ' ', regexp_replace(coalesce(unit, ''), '[{}]', '', 'g'), ')'
                )
            END
        ) AS printed
    FROM titre_course
    UNION ALL
    SELECT
        patient_id, on_date, record_id, 'ild', CASE WHEN coalesce(value, 'present') = 'present' THEN 1 ELSE 0 END,
        CASE WHEN code = 'rp_ild' THEN 'RP-ILD' WHEN value = 'absent' THEN 'ILD recorded absent' ELSE 'ILD' END
    FROM event
    WHERE kind = 'diagnosis' AND (code = 'ild' OR (code = 'rp_ild' AND coalesce(value, 'present') = 'present'))
),
judged AS (SELECT DISTINCT patient_id, on_date FROM said),
known AS (      -- yes once one record says so, else no once one says no
    SELECT
        judged.patient_id, judged.on_date, said.question,
        CASE max(said.answer) WHEN 1 THEN 'met' WHEN 0 THEN 'not_met' ELSE 'not_evaluable' END AS status,
        min(CASE WHEN said.answer = 1 THEN said.on_date END) AS yes_on
    FROM judged
    JOIN said ON said.patient_id = judged.patient_id AND said.on_date <= judged.on_date
    GROUP BY judged.patient_id, judged.on_date, said.question
),
decided AS (    -- with the records that decided: the first that say yes, else all that say no
    SELECT
        known.patient_id, known.on_date, known.question, known.status, known.yes_on,
        list_sort(list(said.record_id)) AS evidence, arg_min(said.printed, said.record_id) AS printed
    FROM known
    JOIN said
        ON said.patient_id = known.patient_id AND said.question = known.question AND said.on_date <= known.on_date
        AND CASE known.status
            WHEN 'met' THEN said.answer = 1 AND said.on_date = known.yes_on
            WHEN 'not_met' THEN said.answer = 0
            ELSE TRUE
        END
    GROUP BY known.patient_id, known.on_date, known.question, known.status, known.yes_on
),
together AS (
    SELECT
        judged.patient_id, judged.on_date,
        coalesce(antibody.status, 'not_evaluable') AS antibody_status, antibody.evidence AS antibody_evidence,
        antibody.printed AS result, antibody.yes_on AS antibody_date,
        coalesce(ild.status, 'not_evaluable') AS ild_status, ild.evidence AS ild_evidence, ild.printed AS diagnosis, ild.yes_on AS ild_date
    FROM judged
    LEFT JOIN decided AS antibody
        ON antibody.patient_id = judged.patient_id AND antibody.on_date = judged.on_date AND antibody.question = 'antibody'
    LEFT JOIN decided AS ild ON ild.patient_id = judged.patient_id AND ild.on_date = judged.on_date AND ild.question = 'ild'
),
answered AS (
    SELECT
        *,
        CASE
            WHEN antibody_status = 'met' AND ild_status = 'met' THEN 'met'
            WHEN antibody_status = 'not_met' OR ild_status = 'not_met' THEN 'not_met'
            ELSE 'not_evaluable'
        END AS status
    FROM together
)
SELECT
    patient_id, on_date, NULL AS item, status, NULL AS grade,
    list_sort(
        CASE
            WHEN antibody_evidence IS NULL OR (status = 'not_met' AND antibody_status <> 'not_met') THEN CAST([] AS BIGINT[])
            ELSE antibody_evidence
        END
        || CASE
            WHEN ild_evidence IS NULL OR (status = 'not_met' AND ild_status <> 'not_met') THEN CAST([] AS BIGINT[])
            ELSE ild_evidence
        END
    ) AS evidence,
    CASE
        WHEN status <> 'not_evaluable' THEN CAST([] AS VARCHAR[])
        ELSE
            CASE
                WHEN antibody_evidence IS NULL THEN ['anti-MDA5 result']
                WHEN antibody_status = 'not_evaluable' THEN ['anti-MDA5 positive or negative']
                ELSE CAST([] AS VARCHAR[])
            END
            || CASE WHEN ild_status = 'not_evaluable' THEN ['ILD present or absent'] ELSE CAST([] AS VARCHAR[]) END
    END AS missing,
    [
        coalesce(result, 'unknown'), CAST(antibody_date AS VARCHAR), coalesce(diagnosis, 'ILD unknown'), CAST(ild_date AS VARCHAR)
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes, NULL AS margin
FROM answered
