/*
title = "The values nearest to the index date, as known on each day"
why   = """Within 14 days either side of the index date, of the values dated so far, ties to the earlier. One row per record of the
nearest day: where a day has several the rule takes the worst. On a judged date D the rows with applies_from <= D < applies_to hold;
each value dated inside the window starts rows anew, and nothing changes after final_on. A moved index date starts the search
anew. anti_mda5_line_blot is the band intensity, 0 negative, 1 +, 2 ++, 3 +++ (positive with no intensity: 1 to 3); a result counts as a
line blot when it is graded and no other assay is named, or when its assay is one. ELISA units never."""

[threshold.near_days]
value = 14
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"
*/
WITH measured AS (
    SELECT patient_id, analyte, on_date, record_id, value, low, low_open, high, high_open
    FROM observation
    WHERE analyte IN ('ferritin', 'ldh', 'crp', 'kl6') AND low IS NOT NULL
    UNION ALL
    SELECT
        patient_id, 'anti_mda5_line_blot', on_date, record_id,
        CASE coded WHEN 'negative' THEN 0 WHEN '+' THEN 1 WHEN '++' THEN 2 WHEN '+++' THEN 3 END,
        CASE coded WHEN 'negative' THEN 0 WHEN '++' THEN 2 WHEN '+++' THEN 3 ELSE 1 END, FALSE,
        CASE coded WHEN 'negative' THEN 0 WHEN '+' THEN 1 WHEN '++' THEN 2 ELSE 3 END, FALSE
    FROM observation
    WHERE
        analyte = 'anti_mda5'
        AND (
            (coded IN ('+', '++', '+++') AND assay IS NULL)
            OR (coded IN ('negative', 'positive', '+', '++', '+++') AND lower(assay) LIKE '%blot%')
        )
    UNION ALL
    SELECT patient_id, 'hrct_score', on_date, record_id, number, number, FALSE, number, FALSE
    FROM event
    WHERE kind = 'imaging' AND code = 'hrct_score' AND number IS NOT NULL
),
near AS (       -- one row per day with a value, for each index date: when it can be seen, and how far it lies (odd: after)
    SELECT DISTINCT
        measured.patient_id, measured.analyte, known.index_date, known.applies_from AS index_from, known.applies_to AS index_to,
        measured.on_date, greatest(measured.on_date, known.applies_from) AS seen_on,
        2 * abs(date_diff('day', known.index_date, measured.on_date))
        + CASE WHEN measured.on_date > known.index_date THEN 1 ELSE 0 END AS distance
    FROM measured
    JOIN index_date AS known ON known.patient_id = measured.patient_id
    WHERE
        measured.on_date >= known.index_date - CAST($near_days AS INTEGER)
        AND measured.on_date <= known.index_date + CAST($near_days AS INTEGER)
        AND (known.applies_to IS NULL OR measured.on_date < known.applies_to)
),
seen AS (       -- one row per day on which a value is seen, with the nearest so far
    SELECT
        patient_id, analyte, index_date, index_from, index_to, seen_on,
        min(min(distance)) OVER (PARTITION BY patient_id, analyte, index_from ORDER BY seen_on) AS distance,
        lead(seen_on) OVER (PARTITION BY patient_id, analyte, index_from ORDER BY seen_on) AS next_on
    FROM near
    GROUP BY patient_id, analyte, index_date, index_from, index_to, seen_on
)
SELECT
    seen.patient_id, seen.index_date, seen.analyte, seen.seen_on AS applies_from, coalesce(seen.next_on, seen.index_to) AS applies_to,
    seen.index_date + CAST($near_days AS INTEGER) AS final_on,
    measured.on_date, measured.record_id, CAST(measured.value AS DECIMAL(19, 6)) AS value, CAST(measured.low AS DECIMAL(19, 6)) AS low,
    measured.low_open, CAST(measured.high AS DECIMAL(19, 6)) AS high, measured.high_open
FROM seen
JOIN near
    ON near.patient_id = seen.patient_id AND near.analyte = seen.analyte AND near.index_from = seen.index_from
    AND near.distance = seen.distance
JOIN measured
    ON measured.patient_id = near.patient_id AND measured.analyte = near.analyte AND measured.on_date = near.on_date
