/*
title   = "FVC fell by 10 %, or by 5 % with DLCO by 15 %, since ILD was recorded (OMERACT)"
group   = "progression"
why     = """How OMERACT defines that lung disease of a connective-tissue disease has progressed: a relative fall of FVC % predicted by 10 %
or more, or by 5 % or more with a relative fall of DLCO % predicted by 15 % or more. Compared with is the first test of the reference set
on or after the day ILD was recorded (not recorded: the first test), as known on the day of the test judged; when ILD is recorded later,
the answer of before stands until the next test. Judged on each test day with the other measure of the past 28 days; a test in litres alone
has no percentage to judge. Of several tests of a day the worst decides; the first test is the last of its day by time."""
unknown = ["FVC % predicted"]

[threshold.fvc_fall]
value = 10
unit  = "% of the first value"
step  = 0.1
cite  = "khanna2015"
tag   = "published"

[threshold.fvc_fall_with_dlco]
value = 5
unit  = "% of the first value"
step  = 0.1
cite  = "khanna2015"
tag   = "published"

[threshold.dlco_fall]
value = 15
unit  = "% of the first value"
step  = 0.1
cite  = "khanna2015"
tag   = "published"

[finding]
facts = ["fvc", "dlco"]
met = "{fvc}; {dlco}: progression as OMERACT defines it."
not_met = "{fvc}; {dlco}: no progression as OMERACT defines it."
not_evaluable = "Whether lung function has fallen since the first test (OMERACT) cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-30
why = "first version"
*/
WITH compared AS (      -- to what is certain and to what is possible of each fall
    SELECT
        patient_id, measure, on_date, record_id, low, high, first_date AS first_on, first_low, first_high, first_ids,
        100 * (first_low - high) AS certain, 100 * (first_high - low) AS possible,
        first_high_open OR low_open AS not_reached,         -- the possible fall is a bound
        CASE measure WHEN 'fvc' THEN $fvc_fall ELSE $dlco_fall END AS from_fall
    FROM lung_function_change
),
answered AS (           -- each result by its own size, and FVC by the size that is enough beside a fall of DLCO
    SELECT
        *,
        CASE
            WHEN certain >= from_fall * first_low THEN 'met'
            WHEN possible < from_fall * first_high OR (possible = from_fall * first_high AND not_reached) THEN 'not_met'
            ELSE 'not_evaluable'
        END AS status,
        CASE
            WHEN certain >= $fvc_fall_with_dlco * first_low THEN 'met'
            WHEN possible < $fvc_fall_with_dlco * first_high OR (possible = $fvc_fall_with_dlco * first_high AND not_reached) THEN 'not_met'
            ELSE 'not_evaluable'
        END AS with_dlco
    FROM compared
),
dlco AS (               -- the worst of a day
    SELECT *
    FROM answered
    WHERE measure = 'dlco'
    QUALIFY row_number() OVER (
        PARTITION BY patient_id, on_date
        ORDER BY CASE status WHEN 'met' THEN 1 WHEN 'not_met' THEN 2 ELSE 3 END, certain DESC NULLS LAST, low, record_id
    ) = 1
),
together AS (
    SELECT
        test.patient_id, test.on_date,
        CASE
            WHEN fvc.status = 'met' OR (fvc.with_dlco = 'met' AND dlco.status = 'met') THEN 'met'
            WHEN fvc.status = 'not_met' AND (fvc.with_dlco = 'not_met' OR dlco.status = 'not_met') THEN 'not_met'
            ELSE 'not_evaluable'
        END AS status,
        fvc.status AS fvc_status, fvc.with_dlco AS fvc_with_dlco, fvc.on_date AS fvc_on, fvc.record_id AS fvc_id, fvc.low AS fvc_low,
        fvc.high AS fvc_high, fvc.first_on AS fvc_earlier_on, fvc.first_low AS fvc_earlier_low, fvc.first_high AS fvc_earlier_high,
        fvc.first_ids AS fvc_earlier_ids, fvc.certain AS fvc_certain, fvc.possible AS fvc_possible,
        dlco.status AS dlco_status, dlco.on_date AS dlco_on, dlco.record_id AS dlco_id, dlco.low AS dlco_low, dlco.high AS dlco_high,
        dlco.first_on AS dlco_earlier_on, dlco.first_low AS dlco_earlier_low, dlco.first_high AS dlco_earlier_high,
        dlco.first_ids AS dlco_earlier_ids, dlco.certain AS dlco_certain, dlco.possible AS dlco_possible
    FROM lung_function_pair AS test
    LEFT JOIN answered AS fvc ON fvc.patient_id = test.patient_id AND fvc.on_date = test.fvc_on AND fvc.measure = 'fvc'
    LEFT JOIN dlco ON dlco.patient_id = test.patient_id AND dlco.on_date = test.dlco_on
),
judged AS (             -- the worst FVC of a day
    SELECT
        *,
        -- percent of the first value, cut to six decimals: for the margin and the sentence only
        CASE
            WHEN fvc_certain >= fvc_earlier_low * $fvc_fall_with_dlco
            THEN CAST(1000000 * fvc_certain AS BIGINT) * 1000000 // CAST(1000000 * fvc_earlier_low AS BIGINT) * 0.000001
            WHEN status = 'not_met'
            THEN CAST(1000000 * fvc_possible AS BIGINT) * 1000000 // CAST(1000000 * fvc_earlier_high AS BIGINT) * 0.000001
        END AS fvc_fall,
        CASE dlco_status
            WHEN 'met' THEN CAST(1000000 * dlco_certain AS BIGINT) * 1000000 // CAST(1000000 * dlco_earlier_low AS BIGINT) * 0.000001
            WHEN 'not_met' THEN CAST(1000000 * dlco_possible AS BIGINT) * 1000000 // CAST(1000000 * dlco_earlier_high AS BIGINT) * 0.000001
        END AS dlco_fall
    FROM together
    QUALIFY row_number() OVER (
        PARTITION BY patient_id, on_date
        ORDER BY
            CASE status WHEN 'met' THEN 1 WHEN 'not_met' THEN 2 ELSE 3 END,
            fvc_certain DESC NULLS LAST, fvc_low, fvc_id
    ) = 1
)
SELECT
    patient_id, on_date, NULL AS item, status, NULL AS grade,
    list_sort(
        CASE WHEN fvc_id IS NULL THEN CAST([] AS BIGINT[]) ELSE [fvc_id] END
        || coalesce(fvc_earlier_ids, CAST([] AS BIGINT[]))
        || CASE
            WHEN dlco_id IS NULL OR fvc_earlier_on IS NULL OR fvc_status = 'met' OR fvc_with_dlco = 'not_met' THEN CAST([] AS BIGINT[])
            ELSE [dlco_id] || coalesce(dlco_earlier_ids, CAST([] AS BIGINT[]))
        END
    ) AS evidence,
    CASE
        WHEN status <> 'not_evaluable' OR coalesce(fvc_with_dlco, '') <> 'met' OR dlco_status = 'not_met' THEN CAST([] AS VARCHAR[])
        WHEN dlco_id IS NULL THEN ['DLCO % predicted']
        WHEN dlco_earlier_on IS NULL THEN ['a DLCO % predicted after the first one']
        WHEN dlco_earlier_low > 0 AND dlco_earlier_low < dlco_earlier_high THEN ['time of day of the first DLCO % predicted']
        ELSE ['DLCO % predicted as an exact value']
    END
    || CASE
        WHEN status <> 'not_evaluable' OR (fvc_with_dlco = 'met' AND fvc_status = 'not_met') THEN CAST([] AS VARCHAR[])
        WHEN fvc_id IS NULL THEN ['FVC % predicted']
        WHEN fvc_earlier_on IS NULL THEN ['an FVC % predicted after the first one']
        WHEN fvc_earlier_low > 0 AND fvc_earlier_low < fvc_earlier_high THEN ['time of day of the first FVC % predicted']
        ELSE ['FVC % predicted as an exact value']
    END AS missing,
    [
        CASE
            WHEN fvc_id IS NULL THEN 'no FVC % predicted'
            ELSE concat(
                'FVC ', CASE WHEN fvc_high IS NULL THEN '>' WHEN fvc_high > fvc_low THEN '<' ELSE '' END,
                rtrim(rtrim(CAST(coalesce(fvc_high, fvc_low) AS VARCHAR), '0'), '.'), ' % predicted on ', CAST(fvc_on AS VARCHAR),
                CASE
                    WHEN fvc_earlier_on IS NULL THEN ', the first test'
                    ELSE concat(
                        CASE
                            WHEN fvc_fall > 0
                            THEN concat(
                                CASE
                                    WHEN fvc_low = fvc_high AND fvc_earlier_low = fvc_earlier_high THEN ', '
                                    WHEN fvc_status = 'met' THEN ', at least '
                                    ELSE ', at most '
                                END,
                                rtrim(rtrim(CAST(fvc_fall - fvc_fall % 0.1 AS VARCHAR), '0'), '.'), ' % below the '
                            )
                            WHEN fvc_fall <= 0 THEN ', not below the '
                            ELSE ', against the '
                        END,
                        CASE
                            WHEN fvc_earlier_high IS NULL THEN '>'
                            WHEN fvc_earlier_low = 0 THEN '<'
                            WHEN fvc_earlier_low < fvc_earlier_high THEN rtrim(rtrim(CAST(fvc_earlier_low AS VARCHAR), '0'), '.') || ' to '
                            ELSE ''
                        END,
                        rtrim(rtrim(CAST(coalesce(fvc_earlier_high, fvc_earlier_low) AS VARCHAR), '0'), '.'),
                        ' % of the first test, ', CAST(fvc_earlier_on AS VARCHAR)
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
                    WHEN dlco_earlier_on IS NULL THEN ', the first test'
                    ELSE concat(
                        CASE
                            WHEN dlco_fall > 0
                            THEN concat(
                                CASE
                                    WHEN dlco_low = dlco_high AND dlco_earlier_low = dlco_earlier_high THEN ', '
                                    WHEN dlco_status = 'met' THEN ', at least '
                                    ELSE ', at most '
                                END,
                                rtrim(rtrim(CAST(dlco_fall - dlco_fall % 0.1 AS VARCHAR), '0'), '.'), ' % below the '
                            )
                            WHEN dlco_fall <= 0 THEN ', not below the '
                            ELSE ', against the '
                        END,
                        CASE
                            WHEN dlco_earlier_high IS NULL THEN '>'
                            WHEN dlco_earlier_low = 0 THEN '<'
                            WHEN dlco_earlier_low < dlco_earlier_high
                            THEN rtrim(rtrim(CAST(dlco_earlier_low AS VARCHAR), '0'), '.') || ' to '
                            ELSE ''
                        END,
                        rtrim(rtrim(CAST(coalesce(dlco_earlier_high, dlco_earlier_low) AS VARCHAR), '0'), '.'),
                        ' % of the first test, ', CAST(dlco_earlier_on AS VARCHAR)
                    )
                END
            )
        END
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(
        CASE
            WHEN fvc_status = 'met' OR status = 'not_met' THEN fvc_fall - $fvc_fall
            WHEN status = 'met' THEN least(fvc_fall - $fvc_fall_with_dlco, dlco_fall - $dlco_fall)
        END AS DECIMAL(19, 6)
    ) AS margin
FROM judged
