/*
title   = "A published condition for transplant referral is met"
group   = "transplant"
why     = """Any of the conditions of ISHLT 2021 that can be read from these records: lung function, its decline, oxygen, and progression
despite treatment. Histology and the radiological pattern are not judged. A condition met is not a verdict on what to do; barriers
are shown beside it and never hide it. The margin is that of the condition met longest."""
unknown = ["DLCO % predicted", "FVC % predicted", "combination therapy", "oxygen support"]

[finding]
facts = ["reached"]
met = "Conditions for transplant referral met: {reached}."
not_met = "No condition for transplant referral is met: lung function, its decline, oxygen and progression despite treatment are all known."
not_evaluable = "Whether a condition for transplant referral is met cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-21
why = "first version"
*/
WITH answer AS (   -- what each condition says on a day as one number: of two, the later day's is the greater
    SELECT 'decline' AS condition, patient_id, on_date, status FROM referral_decline
    UNION ALL
    SELECT 'lung', patient_id, on_date, status FROM referral_lung_function
    UNION ALL
    SELECT 'refractory', patient_id, on_date, status FROM referral_refractory
    UNION ALL
    SELECT 'oxygen', patient_id, on_date, status FROM referral_oxygen
),
daily AS (
    SELECT
        patient_id, on_date,
        max(CASE WHEN condition = 'decline' THEN told END) AS decline,
        max(CASE WHEN condition = 'lung' THEN told END) AS lung,
        max(CASE WHEN condition = 'refractory' THEN told END) AS refractory,
        max(CASE WHEN condition = 'oxygen' THEN told END) AS oxygen
    FROM (
        SELECT
            condition, patient_id, on_date,
            4 * date_diff('day', DATE '1900-01-01', on_date) + CASE status WHEN 'met' THEN 2 WHEN 'not_met' THEN 1 ELSE 0 END AS told
        FROM answer
    ) AS numbered
    GROUP BY patient_id, on_date
),
standing AS (
    SELECT
        patient_id, on_date,
        max(decline) OVER so_far AS decline,
        max(lung) OVER so_far AS lung,
        max(refractory) OVER so_far AS refractory,
        max(oxygen) OVER so_far AS oxygen
    FROM daily
    WINDOW so_far AS (PARTITION BY patient_id ORDER BY on_date ROWS UNBOUNDED PRECEDING)
),
turned AS (    -- the day on which a condition came to be met
    SELECT
        *,
        CASE WHEN decline % 4 = 2 AND lag(decline % 4) OVER previous IS DISTINCT FROM 2 THEN on_date END AS decline_turned,
        CASE WHEN lung % 4 = 2 AND lag(lung % 4) OVER previous IS DISTINCT FROM 2 THEN on_date END AS lung_turned,
        CASE WHEN refractory % 4 = 2 AND lag(refractory % 4) OVER previous IS DISTINCT FROM 2 THEN on_date END AS refractory_turned,
        CASE WHEN oxygen % 4 = 2 AND lag(oxygen % 4) OVER previous IS DISTINCT FROM 2 THEN on_date END AS oxygen_turned
    FROM standing
    WINDOW previous AS (PARTITION BY patient_id ORDER BY on_date)
),
together AS (
    SELECT
        patient_id, on_date,
        decline % 4 AS decline_says, DATE '1900-01-01' + CAST(decline // 4 AS INTEGER) AS decline_on,
        CASE WHEN decline % 4 = 2 THEN max(decline_turned) OVER so_far END AS decline_since,
        lung % 4 AS lung_says, DATE '1900-01-01' + CAST(lung // 4 AS INTEGER) AS lung_on,
        CASE WHEN lung % 4 = 2 THEN max(lung_turned) OVER so_far END AS lung_since,
        refractory % 4 AS refractory_says, DATE '1900-01-01' + CAST(refractory // 4 AS INTEGER) AS refractory_on,
        CASE WHEN refractory % 4 = 2 THEN max(refractory_turned) OVER so_far END AS refractory_since,
        oxygen % 4 AS oxygen_says, DATE '1900-01-01' + CAST(oxygen // 4 AS INTEGER) AS oxygen_on,
        CASE WHEN oxygen % 4 = 2 THEN max(oxygen_turned) OVER so_far END AS oxygen_since
    FROM turned
    WINDOW so_far AS (PARTITION BY patient_id ORDER BY on_date ROWS UNBOUNDED PRECEDING)
)
SELECT
    together.patient_id, together.on_date, NULL AS item,
    CASE
        WHEN 2 IN (together.decline_says, together.lung_says, together.refractory_says, together.oxygen_says) THEN 'met'
        WHEN 0 IN (together.decline_says, together.lung_says, together.refractory_says, together.oxygen_says) THEN 'not_evaluable'
        ELSE 'not_met'
    END AS status,
    NULL AS grade,
    list_sort(list_distinct(flatten(CASE
        WHEN 2 IN (together.decline_says, together.lung_says, together.refractory_says, together.oxygen_says)
        THEN [
            CASE WHEN together.decline_says = 2 THEN decline.evidence ELSE CAST([] AS BIGINT[]) END,
            CASE WHEN together.lung_says = 2 THEN lung.evidence ELSE CAST([] AS BIGINT[]) END,
            CASE WHEN together.refractory_says = 2 THEN refractory.evidence ELSE CAST([] AS BIGINT[]) END,
            CASE WHEN together.oxygen_says = 2 THEN oxygen.evidence ELSE CAST([] AS BIGINT[]) END
        ]
        ELSE [decline.evidence, lung.evidence, refractory.evidence, oxygen.evidence]
    END))) AS evidence,
    CASE
        WHEN 2 IN (together.decline_says, together.lung_says, together.refractory_says, together.oxygen_says) THEN CAST([] AS VARCHAR[])
        ELSE list_sort(list_distinct(flatten([
            CASE WHEN together.decline_says = 0 THEN decline.missing ELSE CAST([] AS VARCHAR[]) END,
            CASE WHEN together.lung_says = 0 THEN lung.missing ELSE CAST([] AS VARCHAR[]) END,
            CASE WHEN together.refractory_says = 0 THEN refractory.missing ELSE CAST([] AS VARCHAR[]) END,
            CASE WHEN together.oxygen_says = 0 THEN oxygen.missing ELSE CAST([] AS VARCHAR[]) END
        ])))
    END AS missing,
    [concat_ws(
        '; ',
        'decline of lung function since ' || CAST(together.decline_since AS VARCHAR),
        'lung function since ' || CAST(together.lung_since AS VARCHAR),
        'progression despite treatment since ' || CAST(together.refractory_since AS VARCHAR),
        'supplemental oxygen since ' || CAST(together.oxygen_since AS VARCHAR)
    )] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CASE least(together.decline_since, together.lung_since, together.refractory_since, together.oxygen_since)
        WHEN together.decline_since THEN decline.margin
        WHEN together.lung_since THEN lung.margin
        WHEN together.refractory_since THEN refractory.margin
        WHEN together.oxygen_since THEN oxygen.margin
    END AS margin
FROM together
LEFT JOIN referral_decline AS decline ON decline.patient_id = together.patient_id AND decline.on_date = together.decline_on
LEFT JOIN referral_lung_function AS lung ON lung.patient_id = together.patient_id AND lung.on_date = together.lung_on
LEFT JOIN referral_refractory AS refractory ON refractory.patient_id = together.patient_id AND refractory.on_date = together.refractory_on
LEFT JOIN referral_oxygen AS oxygen ON oxygen.patient_id = together.patient_id AND oxygen.on_date = together.oxygen_on
