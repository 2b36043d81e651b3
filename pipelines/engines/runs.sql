-- Light rows -> runs of the same status and grade per criterion, patient and item: from_date, last_judged, last_row (the row_id of
-- the last judged day) and until_date. A row with no item stops standing when an item has a row. Only the rows that begin a run,
-- and the last of all, are carried beyond the first sort.
WITH marked AS (
    SELECT
        *,
        lag(status) OVER history IS DISTINCT FROM status OR lag(grade) OVER history IS DISTINCT FROM grade AS begins,
        lag(on_date) OVER history AS before_on, lag(row_id) OVER history AS before_row,
        lead(on_date) OVER history IS NULL AS ends
    FROM light
    WINDOW history AS (PARTITION BY criterion, patient_id, item ORDER BY on_date)
),
turning AS (
    SELECT
        *,
        lead(begins) OVER history AS next_begins, lead(on_date) OVER history AS next_on, lead(row_id) OVER history AS next_row,
        lead(before_on) OVER history AS last_on, lead(before_row) OVER history AS last_row,
        min(CASE WHEN item IS NOT NULL THEN on_date END) OVER (PARTITION BY criterion, patient_id) AS item_from
    FROM marked
    WHERE begins OR ends
    WINDOW history AS (PARTITION BY criterion, patient_id, item ORDER BY on_date)
)
SELECT
    criterion, patient_id, item, on_date AS from_date, status, grade,
    CASE WHEN next_begins THEN last_on WHEN next_begins IS NULL THEN on_date ELSE next_on END AS last_judged,
    CASE WHEN next_begins THEN last_row WHEN next_begins IS NULL THEN row_id ELSE next_row END AS last_row,
    CASE WHEN next_begins THEN next_on WHEN item IS NULL THEN item_from END AS until_date
FROM turning
WHERE begins
