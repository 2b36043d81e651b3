/*
title = "Oxygen episodes: runs of the same level of support"
why   = """The highest level of a day is the day's. A record with no level neither ends nor begins a run. to_date is the day on
which another level is recorded, empty for the last run; last_date is the run's last record."""
*/
WITH daily AS (
    SELECT patient_id, on_date, max(level) AS level
    FROM oxygen_support
    WHERE level IS NOT NULL
    GROUP BY patient_id, on_date
),
numbered AS (
    SELECT *, sum(begins) OVER (PARTITION BY patient_id ORDER BY on_date ROWS UNBOUNDED PRECEDING) AS run
    FROM (
        SELECT *, CASE WHEN lag(level) OVER (PARTITION BY patient_id ORDER BY on_date) = level THEN 0 ELSE 1 END AS begins
        FROM daily
    ) AS compared
)
SELECT
    numbered.patient_id,
    min(numbered.on_date) AS from_date,
    lead(min(numbered.on_date)) OVER (PARTITION BY numbered.patient_id ORDER BY numbered.run) AS to_date,
    max(numbered.on_date) AS last_date,
    max(numbered.level) AS level,
    max(support.fio2) AS highest_fio2,
    max(support.flow) AS highest_flow,
    list_sort(list_distinct(flatten(list(support.evidence)))) AS evidence
FROM numbered
JOIN oxygen_support AS support
    ON support.patient_id = numbered.patient_id AND support.on_date = numbered.on_date AND support.level = numbered.level
GROUP BY numbered.patient_id, numbered.run
