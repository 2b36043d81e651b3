/*
title   = "Respiratory hospital stay, pneumothorax, acute exacerbation or pulmonary hypertension"
group   = "transplant"
why     = """One of the published conditions for listing (ISHLT 2021), which speaks of hospitalisation for respiratory decline,
pneumothorax or acute exacerbation, and of pulmonary hypertension. A pneumothorax or an exacerbation counts with or without a
recorded stay. Each of the four is unknown until a record says present or absent; once recorded as present it counts for good: a
later record that says absent does not undo it, a mistaken record is withdrawn by correcting it. Not met only when all four are
recorded as absent."""
unknown = [
    "acute exacerbation present or absent", "pneumothorax present or absent", "pulmonary hypertension present or absent",
    "respiratory hospital stay present or absent",
]

[finding]
facts = ["reached"]
met = "{reached}: the condition for listing is met."
not_met = "Respiratory hospital stay, pneumothorax, acute exacerbation and pulmonary hypertension are all recorded as absent."
not_evaluable = "Whether a condition for listing has occurred cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-30
why = "first version"
*/
WITH said AS (      -- of a day and code the records that say present, and those that say absent
    SELECT
        patient_id, on_date, CASE kind WHEN 'stay' THEN 'stay' ELSE code END AS what,
        min(CASE WHEN coalesce(value, 'present') = 'present' THEN record_id END) AS present_id,
        min(CASE WHEN value = 'absent' THEN record_id END) AS absent_id
    FROM event
    WHERE
        (kind = 'diagnosis' AND code IN ('pneumothorax', 'acute_exacerbation', 'pulmonary_hypertension'))
        OR (kind = 'stay' AND code = 'respiratory')
    GROUP BY patient_id, on_date, CASE kind WHEN 'stay' THEN 'stay' ELSE code END
),
daily AS (
    SELECT
        patient_id, on_date,
        max(CASE WHEN what = 'stay' THEN present_id END) AS stay_id,
        max(CASE WHEN what = 'pneumothorax' THEN present_id END) AS pneumothorax_id,
        max(CASE WHEN what = 'acute_exacerbation' THEN present_id END) AS exacerbation_id,
        max(CASE WHEN what = 'pulmonary_hypertension' THEN present_id END) AS hypertension_id,
        max(CASE WHEN what = 'stay' THEN absent_id END) AS no_stay_id,
        max(CASE WHEN what = 'pneumothorax' THEN absent_id END) AS no_pneumothorax_id,
        max(CASE WHEN what = 'acute_exacerbation' THEN absent_id END) AS no_exacerbation_id,
        max(CASE WHEN what = 'pulmonary_hypertension' THEN absent_id END) AS no_hypertension_id
    FROM said
    GROUP BY patient_id, on_date
),
told AS (           -- the first record of each that says present, and the last that says absent
    SELECT
        patient_id, on_date,
        first_value(stay_id IGNORE NULLS) OVER so_far AS stay_id,
        min(CASE WHEN stay_id IS NOT NULL THEN on_date END) OVER so_far AS stay_on,
        first_value(pneumothorax_id IGNORE NULLS) OVER so_far AS pneumothorax_id,
        min(CASE WHEN pneumothorax_id IS NOT NULL THEN on_date END) OVER so_far AS pneumothorax_on,
        first_value(exacerbation_id IGNORE NULLS) OVER so_far AS exacerbation_id,
        min(CASE WHEN exacerbation_id IS NOT NULL THEN on_date END) OVER so_far AS exacerbation_on,
        first_value(hypertension_id IGNORE NULLS) OVER so_far AS hypertension_id,
        min(CASE WHEN hypertension_id IS NOT NULL THEN on_date END) OVER so_far AS hypertension_on,
        last_value(no_stay_id IGNORE NULLS) OVER so_far AS no_stay_id,
        last_value(no_pneumothorax_id IGNORE NULLS) OVER so_far AS no_pneumothorax_id,
        last_value(no_exacerbation_id IGNORE NULLS) OVER so_far AS no_exacerbation_id,
        last_value(no_hypertension_id IGNORE NULLS) OVER so_far AS no_hypertension_id
    FROM daily
    WINDOW so_far AS (PARTITION BY patient_id ORDER BY on_date ROWS UNBOUNDED PRECEDING)
),
answered AS (
    SELECT
        *,
        CASE
            WHEN coalesce(stay_id, pneumothorax_id, exacerbation_id, hypertension_id) IS NOT NULL THEN 'met'
            WHEN
                no_stay_id IS NOT NULL AND no_pneumothorax_id IS NOT NULL AND no_exacerbation_id IS NOT NULL
                AND no_hypertension_id IS NOT NULL
            THEN 'not_met'
            ELSE 'not_evaluable'
        END AS answer
    FROM told
)
SELECT
    patient_id, on_date, NULL AS item, answer AS status, NULL AS grade,
    list_sort(
        CASE
            WHEN stay_id IS NOT NULL THEN [stay_id]
            WHEN answer <> 'met' AND no_stay_id IS NOT NULL THEN [no_stay_id]
            ELSE CAST([] AS BIGINT[])
        END
        || CASE
            WHEN pneumothorax_id IS NOT NULL THEN [pneumothorax_id]
            WHEN answer <> 'met' AND no_pneumothorax_id IS NOT NULL THEN [no_pneumothorax_id]
            ELSE CAST([] AS BIGINT[])
        END
        || CASE
            WHEN exacerbation_id IS NOT NULL THEN [exacerbation_id]
            WHEN answer <> 'met' AND no_exacerbation_id IS NOT NULL THEN [no_exacerbation_id]
            ELSE CAST([] AS BIGINT[])
        END
        || CASE
            WHEN hypertension_id IS NOT NULL THEN [hypertension_id]
            WHEN answer <> 'met' AND no_hypertension_id IS NOT NULL THEN [no_hypertension_id]
            ELSE CAST([] AS BIGINT[])
        END
    ) AS evidence,
    CASE
        WHEN answer <> 'not_evaluable' THEN CAST([] AS VARCHAR[])
        ELSE
            CASE WHEN no_exacerbation_id IS NULL THEN ['acute exacerbation present or absent'] ELSE CAST([] AS VARCHAR[]) END
            || CASE WHEN no_pneumothorax_id IS NULL THEN ['pneumothorax present or absent'] ELSE CAST([] AS VARCHAR[]) END
            || CASE WHEN no_hypertension_id IS NULL THEN ['pulmonary hypertension present or absent'] ELSE CAST([] AS VARCHAR[]) END
            || CASE WHEN no_stay_id IS NULL THEN ['respiratory hospital stay present or absent'] ELSE CAST([] AS VARCHAR[]) END
    END AS missing,
    [
        concat_ws(
            '; ',
            'respiratory hospital stay on ' || CAST(stay_on AS VARCHAR),
            'pneumothorax on ' || CAST(pneumothorax_on AS VARCHAR),
            'acute exacerbation on ' || CAST(exacerbation_on AS VARCHAR),
            'pulmonary hypertension on ' || CAST(hypertension_on AS VARCHAR)
        )
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes, NULL AS margin
FROM answered
