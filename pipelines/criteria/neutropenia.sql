/*
title = "Neutropenia of CTCAE grade 2 or more"
group = "infection"
why   = """Cyclophosphamide and JAK inhibitors lower the neutrophils. CTCAE v5 on the absolute count; grade 1 (below the lower limit
of normal, for which 1.8 x 10^9/L is taken whatever limit the laboratory prints) is shown, but not met. Each count is judged by itself and
stands until the next. No count is computed from a share of the white cells. Of a censored count the grade is the highest that is
certain: "<1.8" is grade 1, and whether it is below 1.5 cannot be told."""
unknown = ["neutrophil count"]

[threshold.grade_1_below]
value = 1.8   # the lower limit of normal, which CTCAE leaves to the laboratory
unit  = "10*9/L"
step  = 0.01
cite  = "ctcae5"
tag   = "project default"

[threshold.grade_2_below]
value = 1.5
unit  = "10*9/L"
step  = 0.01
cite  = "ctcae5"
tag   = "published"

[threshold.grade_3_below]
value = 1.0
unit  = "10*9/L"
step  = 0.01
cite  = "ctcae5"
tag   = "published"

[threshold.grade_4_below]
value = 0.5
unit  = "10*9/L"
step  = 0.01
cite  = "ctcae5"
tag   = "published"

[finding]
facts         = ["neutrophils", "limit", "met_below"]
met           = "Neutrophils {neutrophils} x 10^9/L on {on_date}: below {limit} (CTCAE grade {grade})."
not_met       = "Neutrophils {neutrophils} x 10^9/L on {on_date}: not below {met_below} (CTCAE grade {grade})."
not_evaluable = "Whether neutrophils are below 1.5 x 10^9/L cannot be told. Missing: {missing}. Last count: {neutrophils}."

[[history]]
on  = 2026-11-30
why = "first version"
*/
WITH result AS (   -- the highest grade that every value of the interval reaches
    SELECT
        patient_id, on_date, record_id, value, low, low_open, high, high_open,
        CASE
            WHEN high < $grade_4_below OR (high = $grade_4_below AND high_open) THEN 4
            WHEN high < $grade_3_below OR (high = $grade_3_below AND high_open) THEN 3
            WHEN high < $grade_2_below OR (high = $grade_2_below AND high_open) THEN 2
            WHEN high < $grade_1_below OR (high = $grade_1_below AND high_open) THEN 1
            ELSE 0
        END AS grade,
        low >= $grade_2_below AS spared
    FROM observation
    WHERE analyte = 'neutrophils' AND low IS NOT NULL
),
worst AS (   -- of a day: met, the higher grade first, then not met, then not to be told
    SELECT *
    FROM result
    QUALIFY row_number() OVER (
        PARTITION BY patient_id, on_date ORDER BY CASE WHEN grade >= 2 THEN 2 WHEN spared THEN 1 ELSE 0 END DESC, grade DESC, low, record_id
    ) = 1
)
SELECT
    patient_id, on_date, CAST(NULL AS VARCHAR) AS item,
    CASE WHEN grade >= 2 THEN 'met' WHEN spared THEN 'not_met' ELSE 'not_evaluable' END AS status,
    CASE WHEN grade >= 1 OR spared THEN grade END AS grade,
    [record_id] AS evidence,
    CASE WHEN grade >= 2 OR spared THEN CAST([] AS VARCHAR[]) ELSE ['neutrophil count as an exact value'] END AS missing,
    [
        concat(
            CASE
                WHEN value IS NOT NULL THEN ''
                WHEN high IS NULL THEN CASE WHEN low_open THEN '>' ELSE '>=' END
                ELSE CASE WHEN high_open THEN '<' ELSE '<=' END
            END,
            rtrim(rtrim(CAST(coalesce(high, low) AS VARCHAR), '0'), '.')
        ),
        rtrim(rtrim(CAST(CAST(
            CASE grade WHEN 4 THEN $grade_4_below WHEN 3 THEN $grade_3_below WHEN 2 THEN $grade_2_below END AS DECIMAL(19, 6)
        ) AS VARCHAR), '0'), '.'),
        rtrim(rtrim(CAST(CAST($grade_2_below AS DECIMAL(19, 6)) AS VARCHAR), '0'), '.')
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(
        CASE
            WHEN grade = 4 THEN $grade_4_below - high
            WHEN grade = 3 THEN $grade_3_below - high
            WHEN grade = 2 THEN $grade_2_below - high
            WHEN spared THEN $grade_2_below - low
        END AS DECIMAL(19, 6)
    ) AS margin
FROM worst
