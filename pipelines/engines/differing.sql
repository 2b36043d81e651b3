-- The criteria and patients for whom the readings of a partial date disagree: a run of one reading, cut to the days for which the
-- further reading answers, that the other has not. Reads run and judging (on_duckdb.py).
WITH read AS (
    SELECT
        run.criterion, judging.patient_id, judging.world_id, run.item, run.status, run.grade, greatest(run.from_date, judging.cut) AS from_date,
        least(coalesce(run.until_date, DATE '9999-12-31'), judging.until) AS until_date
    FROM judging JOIN run ON run.criterion = judging.criterion AND run.patient_id = judging.patient_id
    UNION ALL
    SELECT
        run.criterion, judging.patient_id, judging.world_id, run.item, run.status, run.grade, greatest(run.from_date, judging.cut),
        least(coalesce(run.until_date, DATE '9999-12-31'), judging.until)
    FROM judging JOIN run ON run.criterion = judging.criterion AND run.patient_id = judging.world_id
)
SELECT DISTINCT criterion, patient_id
FROM (
    SELECT criterion, patient_id, world_id, item, status, grade, from_date, until_date
    FROM read
    WHERE from_date < until_date
    GROUP BY criterion, patient_id, world_id, item, status, grade, from_date, until_date
    HAVING count(*) = 1
) AS alone
