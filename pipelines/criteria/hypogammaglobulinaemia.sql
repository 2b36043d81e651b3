/*
title = "Immunoglobulin G is moderately or severely low"
group = "infection"
why   = """Rituximab, plasma exchange and glucocorticoid lower IgG, and with it the defence against bacteria. A cohort calls 7 g/L and more
normal and less than 3 severe; 4 g/L, from which practice summaries act, is unverified. Grade 1 is shown, but not met. Each result is
judged by itself and stands until the next. A result up to 7 days after plasma exchange is noted, because a session itself removes
IgG; that IVIG raises it is not taken into account. Of a censored result the grade is the highest that is certain."""
unknown = ["IgG"]

[threshold.grade_1_below]
value = 7
unit  = "g/L"
step  = 0.01
cite  = "nz_igg"
tag   = "published"

[threshold.grade_2_below]
value = 4
unit  = "g/L"
step  = 0.01
cite  = "nz_igg"
tag   = "unverified"

[threshold.grade_3_below]
value = 3
unit  = "g/L"
step  = 0.01
cite  = "nz_igg"
tag   = "published"

[threshold.exchange_days]
value = 7
unit  = "days after plasma exchange"
step  = 1
cite  = "project"
tag   = "project default"

[finding]
facts         = ["igg", "limit", "met_below"]
met           = "IgG {igg} g/L on {on_date}: below {limit} (grade {grade} of 3)."
not_met       = "IgG {igg} g/L on {on_date}: not below {met_below} (grade {grade} of 3)."
not_evaluable = "Whether IgG is below 4 g/L cannot be told. Missing: {missing}. Last result: {igg}."

[finding.notes]
after_exchange = "Measured within 7 days after plasma exchange, which removes IgG."

[[history]]
on  = 2026-11-30
why = "first version"
*/
WITH result AS (   -- the highest grade that every value of the interval reaches
    SELECT
        patient_id, on_date, record_id, value, low, low_open, high, high_open,
        CASE
            WHEN high < $grade_3_below OR (high = $grade_3_below AND high_open) THEN 3
            WHEN high < $grade_2_below OR (high = $grade_2_below AND high_open) THEN 2
            WHEN high < $grade_1_below OR (high = $grade_1_below AND high_open) THEN 1
            ELSE 0
        END AS grade,
        low >= $grade_2_below AS spared
    FROM observation
    WHERE analyte = 'igg' AND low IS NOT NULL
),
worst AS (   -- of a day: met, the higher grade first, then not met, then not to be told
    SELECT *
    FROM result
    QUALIFY row_number() OVER (
        PARTITION BY patient_id, on_date ORDER BY CASE WHEN grade >= 2 THEN 2 WHEN spared THEN 1 ELSE 0 END DESC, grade DESC, low, record_id
    ) = 1
),
session AS (
    SELECT patient_id, on_date, min(record_id) AS record_id
    FROM event
    WHERE kind = 'procedure' AND code = 'plasma_exchange'
    GROUP BY patient_id, on_date
),
judged AS (   -- with the last session of the days before
    SELECT
        worst.patient_id, worst.on_date, worst.record_id, worst.value, worst.low, worst.low_open, worst.high, worst.high_open,
        worst.grade, worst.spared, arg_max(session.record_id, session.on_date) AS session_id
    FROM worst
    LEFT JOIN session
        ON session.patient_id = worst.patient_id
        AND session.on_date >= worst.on_date - CAST($exchange_days AS INTEGER) AND session.on_date <= worst.on_date
    GROUP BY
        worst.patient_id, worst.on_date, worst.record_id, worst.value, worst.low, worst.low_open, worst.high, worst.high_open,
        worst.grade, worst.spared
)
SELECT
    patient_id, on_date, CAST(NULL AS VARCHAR) AS item,
    CASE WHEN grade >= 2 THEN 'met' WHEN spared THEN 'not_met' ELSE 'not_evaluable' END AS status,
    CASE WHEN grade >= 1 OR spared THEN grade END AS grade,
    CASE
        WHEN session_id IS NULL THEN [record_id]
        WHEN session_id < record_id THEN [session_id, record_id]
        ELSE [record_id, session_id]
    END AS evidence,
    CASE WHEN grade >= 2 OR spared THEN CAST([] AS VARCHAR[]) ELSE ['IgG as an exact value'] END AS missing,
    [
        concat(
            CASE
                WHEN value IS NOT NULL THEN ''
                WHEN high IS NULL THEN CASE WHEN low_open THEN '>' ELSE '>=' END
                ELSE CASE WHEN high_open THEN '<' ELSE '<=' END
            END,
            rtrim(rtrim(CAST(coalesce(high, low) AS VARCHAR), '0'), '.')
        ),
        CASE grade WHEN 3 THEN CAST($grade_3_below AS VARCHAR) WHEN 2 THEN CAST($grade_2_below AS VARCHAR) END,
        CAST($grade_2_below AS VARCHAR)
    ] AS facts,
    CASE WHEN session_id IS NULL THEN CAST([] AS VARCHAR[]) ELSE ['after_exchange'] END AS notes,
    CAST(
        CASE
            WHEN grade = 3 THEN $grade_3_below - high
            WHEN grade = 2 THEN $grade_2_below - high
            WHEN spared THEN $grade_2_below - low
        END AS DECIMAL(19, 6)
    ) AS margin
FROM judged
