/*
title   = "FVC fell by 5 points or DLCO by 10 within 12 months (PPF, physiology)"
group   = "progression"
why     = """The physiological domain of progressive pulmonary fibrosis (2022 guideline): within a year an absolute fall of FVC by 5 points
of % predicted or more, or of DLCO by 10 or more, here against any earlier test of the 365 days before, of the same reference set. It is
one of three domains, two of which are needed beside fibrosis on imaging with no other cause; symptoms and imaging are not judged here.
The guideline means DLCO corrected for haemoglobin; DLCO is judged as recorded, usually not corrected. Judged on each test day with the
other measure of the past 28 days; a test in litres alone has no percentage to judge. Of several tests of a day the worst decides."""
unknown = ["DLCO % predicted", "FVC % predicted"]

[threshold.fvc_fall]
value = 5
unit  = "points of % predicted"
step  = 0.1
cite  = "raghu2022"
tag   = "published"

[threshold.dlco_fall]
value = 10
unit  = "points of % predicted"
step  = 0.1
cite  = "raghu2022"
tag   = "published"

[finding]
facts = ["fvc", "dlco"]
met = "{fvc}; {dlco}: the physiological domain of progressive pulmonary fibrosis is met, one of three domains, of which two are needed."
not_met = "{fvc}; {dlco}: the physiological domain of progressive pulmonary fibrosis (one of three) is not met."
not_evaluable = "Whether lung function meets a domain of progressive pulmonary fibrosis (one of three) cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-30
why = "first version"
*/
WITH compared AS (
    SELECT
        patient_id, measure, on_date, record_id, low, high, best_365_id AS earlier_id, best_365_date AS earlier_on,
        best_365_low AS earlier_low, best_365_high AS earlier_high,
        best_365_low - high AS certain_fall, best_365_high - low AS possible_fall,
        best_365_high_open OR low_open AS not_reached,      -- the possible fall is a bound
        CASE measure WHEN 'fvc' THEN $fvc_fall ELSE $dlco_fall END AS from_fall
    FROM lung_function_change
),
answered AS (
    SELECT
        *,
        CASE
            WHEN certain_fall >= from_fall THEN 'met'
            WHEN possible_fall < from_fall OR (possible_fall = from_fall AND not_reached) THEN 'not_met'
            ELSE 'not_evaluable'
        END AS status
    FROM compared
),
worst AS (      -- of a day and measure
    SELECT *, CASE status WHEN 'met' THEN certain_fall WHEN 'not_met' THEN possible_fall END AS fall
    FROM answered
    QUALIFY row_number() OVER (
        PARTITION BY patient_id, measure, on_date
        ORDER BY
            CASE status WHEN 'met' THEN 1 WHEN 'not_met' THEN 2 ELSE 3 END,
            certain_fall DESC NULLS LAST, low, record_id
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
        fvc.earlier_high AS fvc_earlier_high, fvc.fall AS fvc_fall,
        dlco.status AS dlco_status, dlco.on_date AS dlco_on, dlco.record_id AS dlco_id, dlco.low AS dlco_low,
        dlco.high AS dlco_high, dlco.earlier_id AS dlco_earlier_id, dlco.earlier_on AS dlco_earlier_on,
        dlco.earlier_low AS dlco_earlier_low, dlco.earlier_high AS dlco_earlier_high, dlco.fall AS dlco_fall
    FROM lung_function_pair AS test
    LEFT JOIN worst AS fvc ON fvc.patient_id = test.patient_id AND fvc.on_date = test.fvc_on AND fvc.measure = 'fvc'
    LEFT JOIN worst AS dlco ON dlco.patient_id = test.patient_id AND dlco.on_date = test.dlco_on AND dlco.measure = 'dlco'
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
                            WHEN fvc_fall > 0
                            THEN concat(
                                CASE
                                    WHEN fvc_low = fvc_high AND fvc_earlier_low = fvc_earlier_high THEN ', '
                                    WHEN fvc_status = 'met' THEN ', at least '
                                    ELSE ', at most '
                                END,
                                rtrim(rtrim(CAST(fvc_fall AS VARCHAR), '0'), '.'), ' points below '
                            )
                            WHEN fvc_fall <= 0 THEN ', not below '
                            ELSE ', against '
                        END,
                        CASE
                            WHEN fvc_earlier_high IS NULL THEN '>' || rtrim(rtrim(CAST(fvc_earlier_low AS VARCHAR), '0'), '.')
                            WHEN fvc_earlier_low = fvc_earlier_high OR fvc_status = 'met'
                            THEN rtrim(rtrim(CAST(fvc_earlier_low AS VARCHAR), '0'), '.')
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
                            WHEN dlco_fall > 0
                            THEN concat(
                                CASE
                                    WHEN dlco_low = dlco_high AND dlco_earlier_low = dlco_earlier_high THEN ', '
                                    WHEN dlco_status = 'met' THEN ', at least '
                                    ELSE ', at most '
                                END,
                                rtrim(rtrim(CAST(dlco_fall AS VARCHAR), '0'), '.'), ' points below '
                            )
                            WHEN dlco_fall <= 0 THEN ', not below '
                            ELSE ', against '
                        END,
                        CASE
                            WHEN dlco_earlier_high IS NULL THEN '>' || rtrim(rtrim(CAST(dlco_earlier_low AS VARCHAR), '0'), '.')
                            WHEN dlco_earlier_low = dlco_earlier_high OR dlco_status = 'met'
                            THEN rtrim(rtrim(CAST(dlco_earlier_low AS VARCHAR), '0'), '.')
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
                CASE WHEN fvc_status = status THEN fvc_fall - $fvc_fall END, CASE WHEN dlco_status = status THEN dlco_fall - $dlco_fall END
            )
        END AS DECIMAL(19, 6)
    ) AS margin
FROM judged
