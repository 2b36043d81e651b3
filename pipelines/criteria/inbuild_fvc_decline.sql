/*
title   = "FVC fell by 10 % within 24 months (INBUILD)"
group   = "progression"
why     = """The first of the INBUILD trial's conditions for progressive fibrosing lung disease: a relative fall of FVC % predicted of 10 %
or more within 24 months, here against any earlier test of the 730 days before, of the same reference set. The trial's other conditions,
smaller falls with symptoms or imaging, are not judged, nor is its demand for fibrosis. Judged on each FVC test day; a test in litres
alone has no percentage to judge. Of several tests of a day the worst decides."""
unknown = ["FVC % predicted"]

[threshold.fvc_fall]
value = 10
unit  = "% of the earlier value"
step  = 0.1
cite  = "inbuild"
tag   = "published"

[finding]
facts = ["fvc", "fall", "earlier", "earlier_date", "limit"]
met = "FVC {fvc} % predicted on {on_date}, {fall} % below the {earlier} % of {earlier_date}: a fall of {limit} % or more within 24 months."
not_met = "FVC {fvc} % predicted on {on_date} against {earlier} % on {earlier_date}: no fall of {limit} % within 24 months."
not_evaluable = "Whether FVC fell within 24 months cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-30
why = "first version"
*/
WITH answered AS (      -- litres alone are a test too, with nothing to judge
    SELECT
        test.patient_id, test.on_date, result.record_id, result.low, result.high,
        result.best_730_id AS earlier_id, result.best_730_date AS earlier_on,
        result.best_730_low AS earlier_low, result.best_730_high AS earlier_high,
        CASE
            WHEN 100 * (result.best_730_low - result.high) >= result.best_730_low * $fvc_fall THEN 'met'
            WHEN 100 * (result.best_730_high - result.low) < result.best_730_high * $fvc_fall THEN 'not_met'
            WHEN
                100 * (result.best_730_high - result.low) = result.best_730_high * $fvc_fall
                AND (result.best_730_high_open OR result.low_open)
            THEN 'not_met'
            ELSE 'not_evaluable'
        END AS status
    FROM lung_function_pair AS test
    LEFT JOIN lung_function_change AS result
        ON result.patient_id = test.patient_id AND result.on_date = test.on_date AND result.measure = 'fvc'
    WHERE test.fvc_on = test.on_date
),
judged AS (
    SELECT
        *,
        -- percent of the earlier value, cut to six decimals, for the margin and the sentence only: what is certain, or the most it can be
        CAST(
            CASE status
                WHEN 'met'
                THEN CAST(1000000 * (earlier_low - high) AS BIGINT) * 100000000 // CAST(1000000 * earlier_low AS BIGINT) * 0.000001
                WHEN 'not_met'
                THEN CAST(1000000 * (earlier_high - low) AS BIGINT) * 100000000 // CAST(1000000 * earlier_high AS BIGINT) * 0.000001
            END AS DECIMAL(19, 6)
        ) AS fall
    FROM answered
    QUALIFY row_number() OVER (
        PARTITION BY patient_id, on_date
        ORDER BY
            CASE status WHEN 'met' THEN 1 WHEN 'not_met' THEN 2 ELSE 3 END,
            earlier_low - high DESC NULLS LAST, low, record_id
    ) = 1
)
SELECT
    patient_id, on_date, NULL AS item, status, NULL AS grade,
    CASE
        WHEN record_id IS NULL THEN CAST([] AS BIGINT[])
        WHEN earlier_id IS NULL THEN [record_id]
        WHEN earlier_id < record_id THEN [earlier_id, record_id]
        ELSE [record_id, earlier_id]
    END AS evidence,
    CASE
        WHEN status <> 'not_evaluable' THEN CAST([] AS VARCHAR[])
        WHEN record_id IS NULL THEN ['FVC % predicted']
        WHEN earlier_id IS NULL THEN ['an earlier FVC % predicted within 24 months']
        ELSE ['FVC % predicted as an exact value']
    END AS missing,
    [
        concat(
            CASE WHEN high IS NULL THEN '>' WHEN high > low THEN '<' ELSE '' END,
            rtrim(rtrim(CAST(coalesce(high, low) AS VARCHAR), '0'), '.')
        ),
        concat(
            CASE WHEN low = high AND earlier_low = earlier_high THEN '' WHEN status = 'met' THEN 'at least ' ELSE 'at most ' END,
            rtrim(rtrim(CAST(fall - fall % 0.1 AS VARCHAR), '0'), '.')
        ),
        CASE
            WHEN earlier_high IS NULL THEN '>' || rtrim(rtrim(CAST(earlier_low AS VARCHAR), '0'), '.')
            WHEN earlier_low = earlier_high OR status = 'met' THEN rtrim(rtrim(CAST(earlier_low AS VARCHAR), '0'), '.')
            ELSE '<' || rtrim(rtrim(CAST(earlier_high AS VARCHAR), '0'), '.')
        END,
        CAST(earlier_on AS VARCHAR),
        CAST($fvc_fall AS VARCHAR)
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(fall - $fvc_fall AS DECIMAL(19, 6)) AS margin
FROM judged
