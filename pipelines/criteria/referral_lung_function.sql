/*
title   = "FVC below 80 % or DLCO below 40 % predicted"
group   = "transplant"
why     = """One of the published conditions for transplant referral (ISHLT 2021). Judged on each test day with the FVC % and the DLCO % of that
day, or the latest within 28 days before it; met if one is below its limit, not met only if both are known and neither is. A test in
litres alone has no percentage to judge. DLCO is as recorded, usually not corrected for haemoglobin."""
unknown = ["DLCO % predicted", "FVC % predicted"]

[threshold.fvc_below]
value = 80
unit  = "% predicted"
step  = 0.1
cite  = "kapnadak2021"
tag   = "published"

[threshold.dlco_below]
value = 40
unit  = "% predicted"
step  = 0.1
cite  = "kapnadak2021"
tag   = "published"

[threshold.pair_days]
value = 28
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"

[finding]
facts = ["reached", "fvc", "fvc_date", "dlco", "dlco_date"]
met = "{reached}: the lung-function condition for transplant referral is met."
not_met = "FVC {fvc} % predicted on {fvc_date} and DLCO {dlco} % predicted on {dlco_date}: neither is below its limit for transplant referral."
not_evaluable = "Whether lung function is below the limits for transplant referral cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-21
why = "first version"
*/
WITH test AS (
    SELECT patient_id, on_date, measure, record_id, value, low, high, high_open,
        CASE measure WHEN 'fvc' THEN $fvc_below ELSE $dlco_below END AS below
    FROM lung_function_change
    UNION ALL       -- a test in litres alone: done, but with no percentage
    SELECT done.patient_id, done.on_date, done.measure, NULL, NULL, NULL, NULL, NULL, done.below
    FROM (
        SELECT patient_id, on_date, 'fvc' AS measure, $fvc_below AS below FROM lung_function_pair WHERE fvc_on = on_date
        UNION ALL
        SELECT patient_id, on_date, 'dlco', $dlco_below FROM lung_function_pair WHERE dlco_on = on_date
    ) AS done
    LEFT JOIN (SELECT DISTINCT patient_id, on_date, measure FROM lung_function_change) AS known
        ON known.patient_id = done.patient_id AND known.on_date = done.on_date AND known.measure = done.measure
    WHERE known.patient_id IS NULL
),
answered AS (
    SELECT
        *,
        CASE WHEN high < below OR (high = below AND high_open) THEN 'met' WHEN low >= below THEN 'not_met' ELSE 'not_evaluable' END AS status,
        concat(
            CASE WHEN value IS NOT NULL THEN '' WHEN high IS NULL THEN '>' ELSE '<' END,
            rtrim(rtrim(CAST(CASE WHEN value IS NULL AND high IS NOT NULL THEN high ELSE low END AS VARCHAR), '0'), '.')
        ) AS printed
    FROM test
),
worst AS (      -- of a day and measure
    SELECT *, lead(on_date) OVER (PARTITION BY patient_id, measure ORDER BY on_date) AS until
    FROM (
        SELECT *
        FROM answered
        QUALIFY row_number() OVER (
            PARTITION BY patient_id, measure, on_date
            ORDER BY CASE status WHEN 'met' THEN 1 WHEN 'not_met' THEN 2 ELSE 3 END, high, record_id
        ) = 1
    ) AS daily
),
judged AS (SELECT DISTINCT patient_id, on_date FROM worst),
paired AS (     -- the latest of each measure on a judged day, unless it is too old
    SELECT
        judged.patient_id, judged.on_date, worst.measure, worst.on_date AS tested_on, worst.status, worst.record_id, worst.printed,
        worst.below, CASE worst.status WHEN 'met' THEN worst.below - worst.high WHEN 'not_met' THEN worst.below - worst.low END AS margin
    FROM judged
    JOIN worst
        ON worst.patient_id = judged.patient_id AND worst.on_date <= judged.on_date
        AND (worst.until IS NULL OR judged.on_date < worst.until)
    WHERE judged.on_date <= worst.on_date + CAST($pair_days AS INTEGER)
),
together AS (
    SELECT
        patient_id, on_date,
        CASE
            WHEN max(CASE status WHEN 'met' THEN 1 ELSE 0 END) = 1 THEN 'met'
            WHEN count(CASE status WHEN 'not_met' THEN 1 END) = 2 THEN 'not_met'
            ELSE 'not_evaluable'
        END AS status,
        max(CASE WHEN measure = 'fvc' THEN status END) AS fvc_status, max(CASE WHEN measure = 'dlco' THEN status END) AS dlco_status,
        max(CASE WHEN measure = 'fvc' THEN printed END) AS fvc, max(CASE WHEN measure = 'dlco' THEN printed END) AS dlco,
        max(CASE WHEN measure = 'fvc' THEN tested_on END) AS fvc_date, max(CASE WHEN measure = 'dlco' THEN tested_on END) AS dlco_date,
        max(CASE status WHEN 'met' THEN margin END) AS met_margin, max(margin) AS margin,
        list(record_id) FILTER (WHERE status = 'met') AS met_evidence,
        list(record_id) FILTER (WHERE record_id IS NOT NULL) AS evidence,
        list_sort(
            list(concat(
                upper(measure), ' ', printed, ' % predicted on ', CAST(tested_on AS VARCHAR), ', below ', CAST(below AS VARCHAR), ' %'
            )) FILTER (WHERE status = 'met')
        ) AS reached
    FROM paired
    GROUP BY patient_id, on_date
)
SELECT
    patient_id, on_date, NULL AS item, status, NULL AS grade,
    list_sort(coalesce(CASE WHEN status = 'met' THEN met_evidence ELSE evidence END, CAST([] AS BIGINT[]))) AS evidence,
    CASE
        WHEN status <> 'not_evaluable' THEN CAST([] AS VARCHAR[])
        ELSE
            CASE WHEN coalesce(dlco_status, 'not_evaluable') = 'not_evaluable' THEN ['DLCO % predicted'] ELSE CAST([] AS VARCHAR[]) END
            || CASE WHEN coalesce(fvc_status, 'not_evaluable') = 'not_evaluable' THEN ['FVC % predicted'] ELSE CAST([] AS VARCHAR[]) END
    END AS missing,
    [array_to_string(reached, '; '), fvc, CAST(fvc_date AS VARCHAR), dlco, CAST(dlco_date AS VARCHAR)] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(CASE status WHEN 'met' THEN met_margin WHEN 'not_met' THEN margin END AS DECIMAL(19, 6)) AS margin
FROM together
