-- Judged rows -> spells: runs of the same status and grade per criterion, patient and item, with the answer of the run's
-- last judged day. A row with no item stops standing when an item has a row (`item_from`).
WITH marked AS (
    SELECT
        *,
        CASE
            WHEN lag(status) OVER history IS NOT DISTINCT FROM status AND lag(grade) OVER history IS NOT DISTINCT FROM grade
            THEN 0 ELSE 1
        END AS begins
    FROM judged
    WINDOW history AS (PARTITION BY criterion, patient_id, item ORDER BY on_date)
),
numbered AS (
    SELECT *, sum(begins) OVER (PARTITION BY criterion, patient_id, item ORDER BY on_date) AS run FROM marked
),
ranked AS (
    SELECT
        *,
        min(on_date) OVER (PARTITION BY criterion, patient_id, item, run) AS from_date,
        row_number() OVER (PARTITION BY criterion, patient_id, item, run ORDER BY on_date DESC) AS from_last
    FROM numbered
)
SELECT
    criterion, patient_id, item, from_date, on_date AS last_judged,
    coalesce(
        lead(from_date) OVER (PARTITION BY criterion, patient_id, item ORDER BY from_date),
        CASE WHEN item IS NULL THEN item_from END
    ) AS until_date,
    status, grade, evidence, missing, facts, notes, margin
FROM ranked
WHERE from_last = 1
