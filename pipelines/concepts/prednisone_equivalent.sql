/*
title = "Systemic glucocorticoid in mg/day prednisone equivalent"
why   = """Different drugs add up and a pulse is added to the daily dose; alternate days count as the mean, which is what
`per week` gives. mg_per_day is what was given on the day itself. mg_per_day_filled also counts the days of a gap of up to three
days at the earlier dose, which holds only on judged dates from counts_from on. dose_unknown: a dose was given that cannot be read, and
mg_per_day is the least that was given."""
kept  = true
*/
WITH part AS (
    SELECT
        course.patient_id, course.from_date, coalesce(course.to_date, DATE '9999-12-31') AS reached_to, course.counts_from, course.gap,
        CAST(course.dose_per_day * drug.prednisone_factor AS DECIMAL(19, 6)) AS mg, course.dose_unread, course.evidence, course.notes
    FROM treatment_course AS course
    JOIN drug ON drug.drug = course.drug
    WHERE course.drug_class = 'glucocorticoid' AND course.systemic AND course.action = 'given'
),
boundary AS (
    SELECT patient_id, from_date AS day FROM part
    UNION
    SELECT patient_id, reached_to FROM part
),
segment AS (
    SELECT patient_id, day, lead(day) OVER (PARTITION BY patient_id ORDER BY day) AS until FROM boundary
)
SELECT
    segment.patient_id,
    segment.day AS from_date,
    CASE WHEN segment.until = DATE '9999-12-31' THEN NULL ELSE segment.until END AS to_date,
    CAST(coalesce(sum(CASE WHEN NOT part.gap THEN part.mg END), 0) AS DECIMAL(19, 6)) AS mg_per_day,
    max(CASE WHEN part.dose_unread AND NOT part.gap THEN 1 ELSE 0 END) = 1 AS dose_unknown,
    CAST(coalesce(sum(part.mg), 0) AS DECIMAL(19, 6)) AS mg_per_day_filled,
    max(CASE WHEN part.gap THEN part.counts_from ELSE segment.day END) AS counts_from,
    list_sort(list_distinct(flatten(list(part.evidence)))) AS evidence,
    list_sort(list_distinct(flatten(list(part.notes)))) AS notes
FROM segment
JOIN part ON part.patient_id = segment.patient_id AND part.from_date <= segment.day AND part.reached_to > segment.day
WHERE segment.until IS NOT NULL
GROUP BY segment.patient_id, segment.day, segment.until
