/*
title   = "FLAIR score at the index date is high"
group   = "prognosis"
why     = """Risk of death in amyopathic dermatomyositis with ILD, at presentation: 0 to 4 points low, 5 to 9 medium, 10 to 13 high.
Values are those nearest to the index date within 14 days. Only line-blot bands score the antibody: ELISA units never do. RP-ILD counts
as absent only when an event says so. Missing items leave a range of totals, judged only if it lies in one group."""
unknown = ["ferritin", "LDH", "anti-MDA5 line blot", "HRCT score", "RP-ILD present or absent"]

[threshold.ferritin_from]
value = 636
unit  = "ng/mL"
step  = 1
cite  = "flair2020"
tag   = "published"

[threshold.ferritin_points]
value = 2
unit  = "points"
step  = 1
cite  = "flair2020"
tag   = "published"

[threshold.ldh_from]
value = 355
unit  = "U/L"
step  = 1
cite  = "flair2020"
tag   = "published"

[threshold.ldh_points]
value = 2
unit  = "points"
step  = 1
cite  = "flair2020"
tag   = "published"

[threshold.one_band_points]
value = 2
unit  = "points"
step  = 1
cite  = "flair2020"
tag   = "published"

[threshold.two_band_points]
value = 3
unit  = "points"
step  = 1
cite  = "flair2020"
tag   = "published"

[threshold.three_band_points]
value = 4
unit  = "points"
step  = 1
cite  = "flair2020"
tag   = "published"

[threshold.hrct_from]
value = 133
unit  = "HRCT score"
step  = 1
cite  = "flair2020"
tag   = "published"

[threshold.hrct_points]
value = 3
unit  = "points"
step  = 1
cite  = "flair2020"
tag   = "published"

[threshold.rp_ild_points]
value = 2
unit  = "points"
step  = 1
cite  = "flair2020"
tag   = "published"

[threshold.medium_from]
value = 5
unit  = "points"
step  = 1
cite  = "flair2020"
tag   = "published"

[threshold.high_from]
value = 10
unit  = "points"
step  = 1
cite  = "flair2020"
tag   = "published"

[finding]
facts = ["total", "group", "index_date", "index_kind", "ferritin", "ldh", "line_blot", "hrct", "rp_ild"]
met = "FLAIR {total} points, {group} risk, at the index date {index_date} ({index_kind}): ferritin {ferritin}, LDH {ldh}, line blot {line_blot}, HRCT score {hrct}, RP-ILD {rp_ild}."
not_met = "FLAIR {total} points, {group} risk, at the index date {index_date} ({index_kind}): ferritin {ferritin}, LDH {ldh}, line blot {line_blot}, HRCT score {hrct}, RP-ILD {rp_ild}."
not_evaluable = "FLAIR cannot be told: {total} points are possible at the index date {index_date} ({index_kind}). Missing: {missing}."

[[history]]
on = 2026-11-21
why = "first version"
*/
WITH rp_ild AS (
    SELECT patient_id, on_date, record_id, coalesce(value, 'present') AS value,
        row_number() OVER (PARTITION BY patient_id, coalesce(value, 'present') ORDER BY on_date, record_id) AS place
    FROM event
    WHERE kind = 'diagnosis' AND code = 'rp_ild'
),
judged AS (     -- a date on which the index date, a value near it, or the record of RP-ILD changes
    SELECT patient_id, applies_from AS on_date FROM index_date
    UNION
    SELECT patient_id, applies_from FROM index_value WHERE analyte IN ('ferritin', 'ldh', 'anti_mda5_line_blot', 'hrct_score')
    UNION
    SELECT patient_id, on_date FROM rp_ild
),
day AS (
    SELECT
        judged.patient_id, judged.on_date, known.index_date,
        CASE known.kind WHEN 'rp_ild' THEN 'RP-ILD recorded' WHEN 'ild' THEN 'ILD recorded' ELSE 'first record' END AS index_kind
    FROM judged
    JOIN index_date AS known
        ON known.patient_id = judged.patient_id AND known.applies_from <= judged.on_date
        AND (known.applies_to IS NULL OR judged.on_date < known.applies_to)
),
valued AS (
    SELECT
        day.patient_id, day.on_date, near.analyte AS item, near.record_id,
        CASE near.analyte
            WHEN 'ferritin' THEN CASE WHEN near.low >= $ferritin_from THEN $ferritin_points ELSE 0 END
            WHEN 'ldh' THEN CASE WHEN near.low >= $ldh_from THEN $ldh_points ELSE 0 END
            WHEN 'hrct_score' THEN CASE WHEN near.low >= $hrct_from THEN $hrct_points ELSE 0 END
            ELSE CASE near.low WHEN 0 THEN 0 WHEN 1 THEN $one_band_points WHEN 2 THEN $two_band_points ELSE $three_band_points END
        END AS least,
        CASE near.analyte
            WHEN 'ferritin' THEN
                CASE WHEN near.high < $ferritin_from OR (near.high = $ferritin_from AND near.high_open) THEN 0 ELSE $ferritin_points END
            WHEN 'ldh' THEN CASE WHEN near.high < $ldh_from OR (near.high = $ldh_from AND near.high_open) THEN 0 ELSE $ldh_points END
            WHEN 'hrct_score' THEN
                CASE WHEN near.high < $hrct_from OR (near.high = $hrct_from AND near.high_open) THEN 0 ELSE $hrct_points END
            ELSE CASE near.high WHEN 0 THEN 0 WHEN 1 THEN $one_band_points WHEN 2 THEN $two_band_points ELSE $three_band_points END
        END AS most
    FROM day
    JOIN index_value AS near
        ON near.patient_id = day.patient_id AND near.applies_from <= day.on_date
        AND (near.applies_to IS NULL OR day.on_date < near.applies_to)
    WHERE near.analyte IN ('ferritin', 'ldh', 'anti_mda5_line_blot', 'hrct_score')
    UNION ALL
    SELECT
        day.patient_id, day.on_date, 'rp_ild', rp_ild.record_id,
        CASE rp_ild.value WHEN 'present' THEN $rp_ild_points ELSE 0 END,
        CASE rp_ild.value WHEN 'present' THEN $rp_ild_points ELSE 0 END
    FROM day
    JOIN rp_ild ON rp_ild.patient_id = day.patient_id AND rp_ild.place = 1 AND rp_ild.on_date <= day.on_date
),
worst AS (      -- of the results of one day: points, then none, then not to be told
    SELECT *
    FROM valued
    QUALIFY row_number() OVER (PARTITION BY patient_id, on_date, item ORDER BY least DESC, most, record_id) = 1
),
item AS (
    SELECT 'ferritin' AS item, 'ferritin' AS title, $ferritin_points AS full_points
    UNION ALL
    SELECT 'ldh', 'LDH', $ldh_points
    UNION ALL
    SELECT 'anti_mda5_line_blot', 'anti-MDA5 line blot', $three_band_points
    UNION ALL
    SELECT 'hrct_score', 'HRCT score', $hrct_points
    UNION ALL
    SELECT 'rp_ild', 'RP-ILD present or absent', $rp_ild_points
),
scored AS (     -- every item of every judged date: an unknown one may give none or all of its points
    SELECT
        day.patient_id, day.on_date, day.index_date, day.index_kind, item.item, item.title, worst.record_id,
        CAST(coalesce(worst.least, 0) AS INTEGER) AS least, CAST(coalesce(worst.most, item.full_points) AS INTEGER) AS most
    FROM day
    CROSS JOIN item
    LEFT JOIN worst ON worst.patient_id = day.patient_id AND worst.on_date = day.on_date AND worst.item = item.item
),
printed AS (
    SELECT
        *,
        CASE WHEN least = most THEN CAST(least AS VARCHAR) ELSE concat(CAST(least AS VARCHAR), ' to ', CAST(most AS VARCHAR)) END AS points
    FROM scored
),
total AS (
    SELECT
        patient_id, on_date, index_date, index_kind,
        sum(least) AS least, sum(most) AS most,
        list_sort(list(record_id) FILTER (WHERE record_id IS NOT NULL)) AS evidence,
        list_sort(list(title) FILTER (WHERE least <> most)) AS missing,
        max(CASE item WHEN 'ferritin' THEN points END) AS ferritin,
        max(CASE item WHEN 'ldh' THEN points END) AS ldh,
        max(CASE item WHEN 'anti_mda5_line_blot' THEN points END) AS line_blot,
        max(CASE item WHEN 'hrct_score' THEN points END) AS hrct,
        max(CASE item WHEN 'rp_ild' THEN points END) AS rp_ild
    FROM printed
    GROUP BY patient_id, on_date, index_date, index_kind
),
grouped AS (
    SELECT
        *,
        CASE WHEN least >= $high_from THEN 2 WHEN least >= $medium_from THEN 1 ELSE 0 END AS least_group,
        CASE WHEN most >= $high_from THEN 2 WHEN most >= $medium_from THEN 1 ELSE 0 END AS most_group
    FROM total
)
SELECT
    patient_id, on_date, NULL AS item,
    CASE WHEN least_group <> most_group THEN 'not_evaluable' WHEN least_group = 2 THEN 'met' ELSE 'not_met' END AS status,
    CASE WHEN least_group = most_group THEN least_group END AS grade,
    coalesce(evidence, CAST([] AS BIGINT[])) AS evidence,
    CASE WHEN least_group = most_group THEN CAST([] AS VARCHAR[]) ELSE missing END AS missing,
    [
        CASE WHEN least = most THEN CAST(least AS VARCHAR) ELSE concat(CAST(least AS VARCHAR), ' to ', CAST(most AS VARCHAR)) END,
        CASE WHEN least_group <> most_group THEN NULL WHEN least_group = 2 THEN 'high' WHEN least_group = 1 THEN 'medium' ELSE 'low' END,
        CAST(index_date AS VARCHAR), index_kind, ferritin, ldh, line_blot, hrct, rp_ild
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(
        CASE WHEN least_group <> most_group THEN NULL WHEN least_group = 2 THEN least - $high_from ELSE most - $high_from END AS DECIMAL(19, 6)
    ) AS margin
FROM grouped
