/*
title   = "Risk factors at the index date: age, ferritin, CRP"
group   = "prognosis"
why     = """With some of three risk factors present Romero-Bueno 2020 (figure 1) advises combined therapy especially: age over 60,
ferritin over 500 ng/mL, CRP over 1 mg/dL. Ferritin and CRP are the values nearest to the index date within 14 days, of one day the worse. Only the year
of birth is kept, so the age in completed years is one of two: it counts as over 60 only if both are. The grade is the number of factors
that certainly hold; with some unknown, more may."""
unknown = ["year of birth", "ferritin", "CRP"]

[threshold.age_above]
value = 60
unit  = "years"
step  = 1
cite  = "romero_bueno_2020"
tag   = "published"

[threshold.ferritin_above]
value = 500
unit  = "ng/mL"
step  = 1
cite  = "romero_bueno_2020"
tag   = "published"

[threshold.crp_above]
value = 1
unit  = "mg/dL"
step  = 0.1
cite  = "romero_bueno_2020"
tag   = "published"

[threshold.met_from]
value = 1
unit  = "risk factors"
step  = 1
cite  = "romero_bueno_2020"
tag   = "published"

[finding]
facts = ["count", "index_date", "age", "ferritin", "crp"]
met = "Risk factors at the index date {index_date}: {count} of 3 (age {age}, ferritin {ferritin}, CRP {crp})."
not_met = "No risk factor at the index date {index_date}: age {age}, ferritin {ferritin}, CRP {crp}."
not_evaluable = "Risk factors at the index date {index_date} cannot be told: {count} of 3 are possible. Missing: {missing}."

[[history]]
on = 2026-11-30
why = "first version"
*/
WITH near AS (
    SELECT *, CASE analyte WHEN 'ferritin' THEN $ferritin_above ELSE $crp_above END AS above
    FROM index_value
    WHERE analyte IN ('ferritin', 'crp')
),
worst AS (      -- of the results of the nearest day: 2 above the limit, then 1 not above, then 0 not to be told
    SELECT
        patient_id, index_date, analyte, applies_from, record_id, value, low, low_open, high, high_open,
        CASE WHEN low > above OR (low = above AND low_open) THEN 2 WHEN high <= above THEN 1 ELSE 0 END AS answer
    FROM near
    QUALIFY row_number() OVER (PARTITION BY patient_id, index_date, analyte, applies_from ORDER BY answer DESC, record_id) = 1
),
change AS (     -- an index date applies from itself on; each value nearer to it replaces the one before
    SELECT patient_id, index_date, applies_from AS on_date, CAST(NULL AS DATE) AS ferritin_from, CAST(NULL AS DATE) AS crp_from
    FROM index_date
    UNION ALL
    SELECT
        patient_id, index_date, applies_from,
        CASE WHEN analyte = 'ferritin' THEN applies_from END, CASE WHEN analyte = 'crp' THEN applies_from END
    FROM worst
),
judged AS (
    SELECT
        patient_id, index_date, on_date,
        max(max(ferritin_from)) OVER so_far AS ferritin_from, max(max(crp_from)) OVER so_far AS crp_from
    FROM change
    GROUP BY patient_id, index_date, on_date
    WINDOW so_far AS (PARTITION BY patient_id, index_date ORDER BY on_date)
),
known AS (
    SELECT
        judged.patient_id, judged.on_date, judged.index_date,
        year(judged.index_date) - patient.birth_year - 1 AS age_low, year(judged.index_date) - patient.birth_year AS age_high,
        ferritin.record_id AS ferritin_id, ferritin.value AS ferritin_value, ferritin.low AS ferritin_low,
        ferritin.low_open AS ferritin_low_open, ferritin.high AS ferritin_high, ferritin.high_open AS ferritin_high_open,
        coalesce(ferritin.answer, 0) AS ferritin_answer,
        crp.record_id AS crp_id, crp.value AS crp_value, crp.low AS crp_low, crp.low_open AS crp_low_open, crp.high AS crp_high,
        crp.high_open AS crp_high_open, coalesce(crp.answer, 0) AS crp_answer
    FROM judged
    JOIN patient ON patient.patient_id = judged.patient_id
    LEFT JOIN worst AS ferritin
        ON ferritin.patient_id = judged.patient_id AND ferritin.index_date = judged.index_date AND ferritin.analyte = 'ferritin'
        AND ferritin.applies_from = judged.ferritin_from
    LEFT JOIN worst AS crp
        ON crp.patient_id = judged.patient_id AND crp.index_date = judged.index_date AND crp.analyte = 'crp'
        AND crp.applies_from = judged.crp_from
),
aged AS (
    SELECT *, CASE WHEN age_low > $age_above THEN 2 WHEN age_high <= $age_above THEN 1 ELSE 0 END AS age_answer
    FROM known
),
counted AS (    -- least: those that certainly hold; most: those and the unknown ones
    SELECT
        *,
        CASE age_answer WHEN 2 THEN 1 ELSE 0 END + CASE ferritin_answer WHEN 2 THEN 1 ELSE 0 END + CASE crp_answer WHEN 2 THEN 1 ELSE 0 END
            AS least,
        CASE age_answer WHEN 1 THEN 0 ELSE 1 END + CASE ferritin_answer WHEN 1 THEN 0 ELSE 1 END + CASE crp_answer WHEN 1 THEN 0 ELSE 1 END
            AS most
    FROM aged
),
answered AS (
    SELECT
        *,
        CASE WHEN least >= $met_from THEN 'met' WHEN most < $met_from THEN 'not_met' ELSE 'not_evaluable' END AS status
    FROM counted
)
SELECT
    patient_id, on_date, NULL AS item, status,
    CASE WHEN status <> 'not_evaluable' THEN least END AS grade,
    CASE
        WHEN ferritin_id IS NULL AND crp_id IS NULL THEN CAST([] AS BIGINT[])
        WHEN crp_id IS NULL THEN [ferritin_id]
        WHEN ferritin_id IS NULL THEN [crp_id]
        WHEN ferritin_id < crp_id THEN [ferritin_id, crp_id]
        ELSE [crp_id, ferritin_id]
    END AS evidence,
    CASE
        WHEN status <> 'not_evaluable' THEN CAST([] AS VARCHAR[])
        ELSE
            CASE
                WHEN age_answer > 0 THEN CAST([] AS VARCHAR[])
                WHEN age_low IS NULL THEN ['year of birth']
                ELSE ['age on the index date']
            END
            || CASE
                WHEN ferritin_answer > 0 THEN CAST([] AS VARCHAR[])
                WHEN ferritin_id IS NULL THEN ['ferritin']
                ELSE ['ferritin as an exact value']
            END
            || CASE
                WHEN crp_answer > 0 THEN CAST([] AS VARCHAR[]) WHEN crp_id IS NULL THEN ['CRP'] ELSE ['CRP as an exact value']
            END
    END AS missing,
    [
        CASE WHEN least = most THEN CAST(least AS VARCHAR) ELSE concat(CAST(least AS VARCHAR), ' to ', CAST(most AS VARCHAR)) END,
        CAST(index_date AS VARCHAR),
        CASE WHEN age_low IS NOT NULL THEN concat(CAST(age_low AS VARCHAR), ' or ', CAST(age_high AS VARCHAR)) END,
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
        CASE
            WHEN crp_id IS NOT NULL THEN concat(
                CASE WHEN crp_value IS NOT NULL THEN '' WHEN crp_high IS NULL THEN '>' ELSE '<' END,
                CASE
                    WHEN crp_value IS NULL AND NOT (CASE WHEN crp_high IS NULL THEN crp_low_open ELSE crp_high_open END)
                    THEN '=' ELSE ''
                END,
                rtrim(rtrim(CAST(coalesce(crp_high, crp_low) AS VARCHAR), '0'), '.'), ' mg/dL'
            )
        END
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(CASE status WHEN 'met' THEN least - $met_from WHEN 'not_met' THEN most - $met_from END AS DECIMAL(19, 6)) AS margin
FROM answered
