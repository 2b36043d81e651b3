/*
title   = "Ferritin is above a level linked with death"
group   = "prognosis"
why     = """Ferritin follows the activity of anti-MDA5 lung disease. Cohorts give eight different cut-offs between 450 and 1500 ng/mL;
three of them are graded here, never one red line. Each result is judged by itself; a falling ferritin clears no flag of refractory disease."""
unknown = ["ferritin"]

[threshold.grade_1_above]
value = 500
unit  = "ng/mL"
step  = 1
cite  = "romero_bueno_2020"
tag   = "published"

[threshold.grade_2_above]
value = 1000
unit  = "ng/mL"
step  = 1
cite  = "kurasawa2018"
tag   = "published"

[threshold.grade_3_from]
value = 1500
unit  = "ng/mL"
step  = 1
cite  = "gono2010"
tag   = "published"

[finding]
facts = ["ferritin", "level", "lowest_level"]
met = "Ferritin {ferritin} ng/mL on {on_date}: {level} ng/mL (grade {grade} of 3)."
not_met = "Ferritin {ferritin} ng/mL on {on_date}: not above {lowest_level} ng/mL."
not_evaluable = "Whether ferritin is above a level linked with death cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-21
why = "first version"
*/
WITH result AS (
    SELECT
        patient_id, on_date, record_id, low, high,
        concat(
            CASE WHEN value IS NOT NULL THEN '' WHEN high IS NULL THEN '>' ELSE '<' END,
            CASE WHEN value IS NULL AND NOT (CASE WHEN high IS NULL THEN low_open ELSE high_open END) THEN '=' ELSE '' END,
            rtrim(rtrim(CAST(CASE WHEN value IS NULL AND high IS NOT NULL THEN high ELSE low END AS VARCHAR), '0'), '.')
        ) AS printed,
        CASE
            WHEN low >= $grade_3_from THEN 3
            WHEN low > $grade_2_above OR (low = $grade_2_above AND low_open) THEN 2
            WHEN low > $grade_1_above OR (low = $grade_1_above AND low_open) THEN 1
            WHEN high <= $grade_1_above THEN 0
        END AS grade
    FROM observation
    WHERE analyte = 'ferritin' AND low IS NOT NULL
),
worst AS (      -- of a day: met, the higher grade first, then not met, then not to be told
    SELECT *
    FROM result
    QUALIFY row_number() OVER (PARTITION BY patient_id, on_date ORDER BY coalesce(grade, -1) DESC, low DESC, record_id) = 1
)
SELECT
    patient_id, on_date, NULL AS item,
    CASE WHEN grade >= 1 THEN 'met' WHEN grade = 0 THEN 'not_met' ELSE 'not_evaluable' END AS status,
    grade,
    [record_id] AS evidence,
    CASE WHEN grade IS NULL THEN ['ferritin as an exact value'] ELSE CAST([] AS VARCHAR[]) END AS missing,
    [
        printed,
        CASE grade
            WHEN 3 THEN concat('at or above ', CAST($grade_3_from AS VARCHAR))
            WHEN 2 THEN concat('above ', CAST($grade_2_above AS VARCHAR))
            WHEN 1 THEN concat('above ', CAST($grade_1_above AS VARCHAR))
        END,
        CAST($grade_1_above AS VARCHAR)
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(
        CASE grade
            WHEN 3 THEN low - $grade_3_from
            WHEN 2 THEN low - $grade_2_above
            WHEN 1 THEN low - $grade_1_above
            WHEN 0 THEN high - $grade_1_above
        END AS DECIMAL(19, 6)
    ) AS margin
FROM worst
