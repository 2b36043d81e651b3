/*
title   = "FVC rose by 10 % or DLCO by 15 % within 12 months"
group   = "progression"
why     = """What cohorts of myositis lung disease call an improvement of lung function: a relative rise of FVC % predicted by 10 % or of
DLCO % predicted by 15 %, sizes beyond the variability of the tests, here against the lowest test of the 365 days before, of the same
reference set. Judged on each test day with the other measure of the past 28 days; a test in litres alone has no percentage to judge.
The cautious answer is no: of several tests of a measure on one day one that has not risen decides. It clears no other flag."""
unknown = ["DLCO % predicted", "FVC % predicted"]

[threshold.fvc_rise]
value = 10
unit  = "% of the earlier value"
step  = 0.1
cite  = "myositis_ild_review"
tag   = "published"

[threshold.dlco_rise]
value = 15
unit  = "% of the earlier value"
step  = 0.1
cite  = "myositis_ild_review"
tag   = "published"

[finding]
facts = ["fvc", "dlco"]
met = "{fvc}; {dlco}: lung function has improved within 12 months."
not_met = "{fvc}; {dlco}: no rise that counts as an improvement."
not_evaluable = "Whether lung function has improved within 12 months cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-30
why = "first version"
*/
WITH compared AS (
    SELECT
        patient_id, measure, on_date, record_id, low, high, lowest_365_id AS earlier_id, lowest_365_date AS earlier_on,
        lowest_365_low AS earlier_low, lowest_365_high AS earlier_high,
        low - lowest_365_high AS certain_rise, high - lowest_365_low AS possible_rise,
        lowest_365_low_open OR high_open AS not_reached,        -- the possible rise is a bound
        CASE measure WHEN 'fvc' THEN $fvc_rise ELSE $dlco_rise END AS from_rise
    FROM lung_function_change
),
answered AS (
    SELECT
        *,
        CASE
            WHEN 100 * certain_rise >= from_rise * earlier_high THEN 'met'
            WHEN 100 * possible_rise < from_rise * earlier_low THEN 'not_met'
            WHEN 100 * possible_rise = from_rise * earlier_low AND not_reached THEN 'not_met'
            ELSE 'not_evaluable'
        END AS status
    FROM compared
),
best AS (       -- of a day and measure: one that has not risen, then one that has
    SELECT
        *,
        -- percent of the earlier value, cut to six decimals: for the margin and the sentence only
        CAST(
            CASE status
                WHEN 'met'
                THEN CAST(1000000 * certain_rise AS BIGINT) * 100000000 // CAST(1000000 * earlier_high AS BIGINT) * 0.000001
                WHEN 'not_met'
                THEN CAST(1000000 * possible_rise AS BIGINT) * 100000000 // CAST(1000000 * earlier_low AS BIGINT) * 0.000001
            END AS DECIMAL(19, 6)
        ) AS rise
    FROM answered
    QUALIFY row_number() OVER (
        PARTITION BY patient_id, measure, on_date
        ORDER BY
            CASE status WHEN 'not_met' THEN 1 WHEN 'met' THEN 2 ELSE 3 END,
            certain_rise NULLS LAST, low, record_id
    ) = 1
),
judged AS (
    SELECT
        test.patient_id, test.on_date,
        CASE
            WHEN fvc.status = 'met' OR dlco.status = 'met' THEN 'met'
            WHEN fvc.status = 'not_met' AND dlco.status = 'not_met' THEN 'not_met'
            ELSE 'not_evaluable'
        END AS status,
        fvc.status AS fvc_status, fvc.on_date AS fvc_on, fvc.record_id AS fvc_id, fvc.low AS fvc_low,
        fvc.high AS fvc_high, fvc.earlier_id AS fvc_earlier_id, fvc.earlier_on AS fvc_earlier_on, fvc.earlier_low AS fvc_earlier_low,
        fvc.earlier_high AS fvc_earlier_high, fvc.rise AS fvc_rise,
        dlco.status AS dlco_status, dlco.on_date AS dlco_on, dlco.record_id AS dlco_id, dlco.low AS dlco_low,
        dlco.high AS dlco_high, dlco.earlier_id AS dlco_earlier_id, dlco.earlier_on AS dlco_earlier_on,
        dlco.earlier_low AS dlco_earlier_low, dlco.earlier_high AS dlco_earlier_high, dlco.rise AS dlco_rise
    FROM lung_function_pair AS test
    LEFT JOIN best AS fvc ON fvc.patient_id = test.patient_id AND fvc.on_date = test.fvc_on AND fvc.measure = 'fvc'
    LEFT JOIN best AS dlco ON dlco.patient_id = test.patient_id AND dlco.on_date = test.dlco_on AND dlco.measure = 'dlco'
)
SELECT
    patient_id, on_date, NULL AS item, status, NULL AS grade,
    list_sort(
        CASE
            WHEN fvc_id IS NULL OR (status = 'met' AND fvc_status <> 'met') THEN CAST([] AS BIGINT[])
            WHEN fvc_earlier_id IS NULL THEN [fvc_id]
            ELSE [fvc_id, fvc_earlier_id]
        END
        || CASE
            WHEN dlco_id IS NULL OR (status = 'met' AND dlco_status <> 'met') THEN CAST([] AS BIGINT[])
            WHEN dlco_earlier_id IS NULL THEN [dlco_id]
            ELSE [dlco_id, dlco_earlier_id]
        END
    ) AS evidence,
    CASE
        WHEN status <> 'not_evaluable' OR dlco_status = 'not_met' THEN CAST([] AS VARCHAR[])
        WHEN dlco_id IS NULL THEN ['DLCO % predicted']
        WHEN dlco_earlier_id IS NULL THEN ['an earlier DLCO % predicted within 12 months']
        ELSE ['DLCO % predicted as an exact value']
    END
    || CASE
        WHEN status <> 'not_evaluable' OR fvc_status = 'not_met' THEN CAST([] AS VARCHAR[])
        WHEN fvc_id IS NULL THEN ['FVC % predicted']
        WHEN fvc_earlier_id IS NULL THEN ['an earlier FVC % predicted within 12 months']
        ELSE ['FVC % predicted as an exact value']
    END AS missing,
    [
        CASE
            WHEN fvc_id IS NULL THEN 'no FVC % predicted'
            ELSE concat(
                'FVC ', CASE WHEN fvc_high IS NULL THEN '>' WHEN fvc_high > fvc_low THEN '<' ELSE '' END,
                rtrim(rtrim(CAST(coalesce(fvc_high, fvc_low) AS VARCHAR), '0'), '.'), ' % predicted on ', CAST(fvc_on AS VARCHAR),
                CASE
                    WHEN fvc_earlier_id IS NULL THEN ', with none in the 12 months before'
                    ELSE concat(
                        CASE
                            WHEN fvc_rise > 0
                            THEN concat(
                                CASE
                                    WHEN fvc_low = fvc_high AND fvc_earlier_low = fvc_earlier_high THEN ', '
                                    WHEN fvc_status = 'met' THEN ', at least '
                                    ELSE ', at most '
                                END,
                                rtrim(rtrim(CAST(fvc_rise - fvc_rise % 0.1 AS VARCHAR), '0'), '.'), ' % above '
                            )
                            WHEN fvc_rise <= 0 THEN ', not above '
                            ELSE ', against '
                        END,
                        CASE
                            WHEN fvc_earlier_low = fvc_earlier_high THEN rtrim(rtrim(CAST(fvc_earlier_low AS VARCHAR), '0'), '.')
                            WHEN fvc_earlier_high IS NULL OR fvc_status = 'not_met'
                            THEN '>' || rtrim(rtrim(CAST(fvc_earlier_low AS VARCHAR), '0'), '.')
                            ELSE '<' || rtrim(rtrim(CAST(fvc_earlier_high AS VARCHAR), '0'), '.')
                        END,
                        ' % of ', CAST(fvc_earlier_on AS VARCHAR)
                    )
                END
            )
        END,
        CASE
            WHEN dlco_id IS NULL THEN 'no DLCO % predicted'
            ELSE concat(
                'DLCO ', CASE WHEN dlco_high IS NULL THEN '>' WHEN dlco_high > dlco_low THEN '<' ELSE '' END,
                rtrim(rtrim(CAST(coalesce(dlco_high, dlco_low) AS VARCHAR), '0'), '.'), ' % predicted on ', CAST(dlco_on AS VARCHAR),
                CASE
                    WHEN dlco_earlier_id IS NULL THEN ', with none in the 12 months before'
                    ELSE concat(
                        CASE
                            WHEN dlco_rise > 0
                            THEN concat(
                                CASE
                                    WHEN dlco_low = dlco_high AND dlco_earlier_low = dlco_earlier_high THEN ', '
                                    WHEN dlco_status = 'met' THEN ', at least '
                                    ELSE ', at most '
                                END,
                                rtrim(rtrim(CAST(dlco_rise - dlco_rise % 0.1 AS VARCHAR), '0'), '.'), ' % above '
                            )
                            WHEN dlco_rise <= 0 THEN ', not above '
                            ELSE ', against '
                        END,
                        CASE
                            WHEN dlco_earlier_low = dlco_earlier_high THEN rtrim(rtrim(CAST(dlco_earlier_low AS VARCHAR), '0'), '.')
                            WHEN dlco_earlier_high IS NULL OR dlco_status = 'not_met'
                            THEN '>' || rtrim(rtrim(CAST(dlco_earlier_low AS VARCHAR), '0'), '.')
                            ELSE '<' || rtrim(rtrim(CAST(dlco_earlier_high AS VARCHAR), '0'), '.')
                        END,
                        ' % of ', CAST(dlco_earlier_on AS VARCHAR)
                    )
                END
            )
        END
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(
        CASE
            WHEN status = 'not_evaluable' THEN NULL
            ELSE greatest(
                CASE WHEN fvc_status = status THEN fvc_rise - $fvc_rise END, CASE WHEN dlco_status = status THEN dlco_rise - $dlco_rise END
            )
        END AS DECIMAL(19, 6)
    ) AS margin
FROM judged
