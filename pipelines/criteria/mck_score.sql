/*
title   = "MCK score at the index date is 2"
group   = "prognosis"
why     = """CRP and KL-6 at presentation of myositis-associated ILD, one point each; the CRP limit depends on the antibody. A validation
cohort did not confirm that 2 points predict death in anti-MDA5 disease, and every answer there says so. The antibody counts as
positive once a result is, else as negative once a result is."""
unknown = ["CRP", "KL-6", "anti-MDA5 result"]

[threshold.crp_positive_from]
value = 0.8
unit  = "mg/dL"
step  = 0.1
cite  = "miyake_mck"
tag   = "published"

[threshold.crp_negative_from]
value = 1.1
unit  = "mg/dL"
step  = 0.1
cite  = "miyake_mck"
tag   = "published"

[threshold.kl6_from]
value = 1000
unit  = "U/mL"
step  = 1
cite  = "miyake_mck"
tag   = "published"

[threshold.met_from]
value = 2
unit  = "points"
step  = 1
cite  = "project"
tag   = "project default"

[finding]
facts = ["points", "index_date", "crp", "kl6", "antibody"]
met = "MCK score {points} at the index date {index_date}: CRP {crp}, KL-6 {kl6}, anti-MDA5 {antibody}."
not_met = "MCK score {points} at the index date {index_date}: CRP {crp}, KL-6 {kl6}, anti-MDA5 {antibody}."
not_evaluable = "The MCK score cannot be told: {points} is possible at the index date {index_date}. Missing: {missing}."

[finding.notes]
not_confirmed = "The score was not confirmed on validation in anti-MDA5 disease."

[[history]]
on = 2026-11-21
why = "first version"
*/
WITH titre_day AS (
    SELECT
        patient_id, on_date, max(CASE WHEN positive THEN 1 END) AS positive, max(CASE WHEN positive = FALSE THEN 1 END) AS negative,
        list(record_id) FILTER (WHERE positive) AS positive_ids, list(record_id) FILTER (WHERE positive = FALSE) AS negative_ids
    FROM titre_course
    GROUP BY patient_id, on_date
),
judged AS (     -- a date on which the index date, a value near it, or what is known of the antibody may change
    SELECT patient_id, applies_from AS on_date, NULL AS positive_on, NULL AS negative_on FROM index_date
    UNION ALL
    SELECT patient_id, applies_from, NULL, NULL FROM index_value WHERE analyte IN ('crp', 'kl6')
    UNION ALL
    SELECT patient_id, on_date, CASE WHEN positive = 1 THEN on_date END, CASE WHEN negative = 1 THEN on_date END FROM titre_day
),
known AS (      -- the first positive and the last negative day so far: a result that cannot be read says nothing
    SELECT
        patient_id, on_date,
        min(min(positive_on)) OVER so_far AS positive_on,
        max(max(negative_on)) OVER so_far AS negative_on
    FROM judged
    GROUP BY patient_id, on_date
    WINDOW so_far AS (PARTITION BY patient_id ORDER BY on_date)
),
day AS (
    SELECT
        known.patient_id, known.on_date, dated.index_date,
        CASE WHEN known.positive_on IS NOT NULL THEN 'positive' WHEN known.negative_on IS NOT NULL THEN 'negative' ELSE 'unknown' END
            AS antibody,
        coalesce(
            CASE WHEN known.positive_on IS NOT NULL THEN titre_day.positive_ids ELSE titre_day.negative_ids END, CAST([] AS BIGINT[])
        ) AS antibody_evidence
    FROM known
    JOIN index_date AS dated
        ON dated.patient_id = known.patient_id AND dated.applies_from <= known.on_date
        AND (dated.applies_to IS NULL OR known.on_date < dated.applies_to)
    LEFT JOIN titre_day
        ON titre_day.patient_id = known.patient_id AND titre_day.on_date = coalesce(known.positive_on, known.negative_on)
),
limited AS (    -- the CRP from which the point is certain, and that below which it is certainly not given
    SELECT
        day.patient_id, day.on_date, near.analyte, near.record_id, near.low, near.high, near.high_open, near.value,
        CASE WHEN near.analyte = 'kl6' THEN $kl6_from WHEN day.antibody = 'positive' THEN $crp_positive_from ELSE $crp_negative_from END
            AS given_from,
        CASE WHEN near.analyte = 'kl6' THEN $kl6_from WHEN day.antibody = 'negative' THEN $crp_negative_from ELSE $crp_positive_from END
            AS none_below
    FROM day
    JOIN index_value AS near
        ON near.patient_id = day.patient_id AND near.applies_from <= day.on_date
        AND (near.applies_to IS NULL OR day.on_date < near.applies_to)
    WHERE near.analyte IN ('crp', 'kl6')
),
point AS (
    SELECT
        patient_id, on_date, analyte, record_id,
        CASE WHEN low >= given_from THEN 1 ELSE 0 END AS least,
        CASE WHEN high < none_below OR (high = none_below AND high_open) THEN 0 ELSE 1 END AS most,
        concat(
            CASE WHEN value IS NOT NULL THEN '' WHEN high IS NULL THEN 'above ' ELSE 'below ' END,
            rtrim(rtrim(CAST(CASE WHEN value IS NULL AND high IS NOT NULL THEN high ELSE low END AS VARCHAR), '0'), '.'),
            CASE analyte WHEN 'crp' THEN ' mg/dL' ELSE ' U/mL' END
        ) AS printed
    FROM limited
    QUALIFY row_number() OVER (PARTITION BY patient_id, on_date, analyte ORDER BY least DESC, most, record_id) = 1
),
total AS (
    SELECT
        day.patient_id, day.on_date, day.index_date, day.antibody,
        coalesce(crp.least, 0) + coalesce(kl6.least, 0) AS least, coalesce(crp.most, 1) + coalesce(kl6.most, 1) AS most,
        crp.record_id AS crp_id, kl6.record_id AS kl6_id, crp.printed AS crp, kl6.printed AS kl6, day.antibody_evidence,
        coalesce(crp.least <> crp.most, TRUE) AS crp_unknown, coalesce(kl6.least <> kl6.most, TRUE) AS kl6_unknown
    FROM day
    LEFT JOIN point AS crp ON crp.patient_id = day.patient_id AND crp.on_date = day.on_date AND crp.analyte = 'crp'
    LEFT JOIN point AS kl6 ON kl6.patient_id = day.patient_id AND kl6.on_date = day.on_date AND kl6.analyte = 'kl6'
),
answered AS (
    SELECT
        *,
        CASE WHEN least >= $met_from THEN 'met' WHEN most < $met_from THEN 'not_met' ELSE 'not_evaluable' END AS status
    FROM total
)
SELECT
    patient_id, on_date, NULL AS item, status,
    CASE WHEN status <> 'not_evaluable' THEN least END AS grade,
    list_sort(
        CASE WHEN crp_id IS NULL THEN CAST([] AS BIGINT[]) ELSE list_concat([crp_id], antibody_evidence) END
        || CASE WHEN kl6_id IS NULL THEN CAST([] AS BIGINT[]) ELSE [kl6_id] END
    ) AS evidence,
    CASE
        WHEN status <> 'not_evaluable' THEN CAST([] AS VARCHAR[])
        ELSE
            CASE WHEN crp_id IS NULL THEN ['CRP'] ELSE CAST([] AS VARCHAR[]) END
            || CASE WHEN kl6_unknown THEN [CASE WHEN kl6_id IS NULL THEN 'KL-6' ELSE 'KL-6 as an exact value' END] ELSE CAST([] AS VARCHAR[]) END
            || CASE
                WHEN crp_unknown AND antibody = 'unknown' THEN ['anti-MDA5 result']
                WHEN crp_unknown AND crp_id IS NOT NULL THEN ['CRP as an exact value']
                ELSE CAST([] AS VARCHAR[])
            END
    END AS missing,
    [
        CASE WHEN least = most THEN CAST(least AS VARCHAR) ELSE concat(CAST(least AS VARCHAR), ' to ', CAST(most AS VARCHAR)) END,
        CAST(index_date AS VARCHAR), crp, kl6, antibody
    ] AS facts,
    CASE WHEN antibody = 'negative' THEN CAST([] AS VARCHAR[]) ELSE ['not_confirmed'] END AS notes,
    CAST(CASE status WHEN 'met' THEN least - $met_from WHEN 'not_met' THEN most - $met_from END AS DECIMAL(19, 6)) AS margin
FROM answered
