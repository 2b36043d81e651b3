-- Brings the readings of patients with partial dates together (see inputs.py): on a judged day in [cut, until) of a reading,
-- an answer stands only where the reading with last days and the reading with first days agree; where they differ, the rule
-- is not evaluable and `missing` names the dates. Reads judged_all (one row per criterion, world, item, judged date; item_from:
-- the day the world's first item has a row),
-- judging (on_duckdb.py) and partial_record; gives the same columns for the patients themselves.
WITH answered AS (   -- every row with the day on which the next one of its item replaces it
    SELECT
        *,
        coalesce(
            lead(on_date) OVER (PARTITION BY criterion, patient_id, item ORDER BY on_date),
            CASE WHEN item IS NULL THEN item_from END,
            DATE '9999-12-31'   -- plain comparisons in the joins below: an OR there would compare every pair
        ) AS replaced_on
    FROM judged_all
),
reading AS (SELECT * FROM judging),
last_days AS (SELECT * FROM answered WHERE patient_id IN (SELECT patient_id FROM judging)),
first_days AS (   -- within the days for which the reading answers
    SELECT
        answered.* EXCLUDE (patient_id, on_date, replaced_on), reading.patient_id, reading.cut,
        greatest(answered.on_date, reading.cut) AS on_date, least(answered.replaced_on, reading.until) AS replaced_on
    FROM answered JOIN reading ON reading.world_id = answered.patient_id AND reading.criterion = answered.criterion
    WHERE answered.on_date < reading.until AND answered.replaced_on > reading.cut
),
days AS (            -- the days on which either reading has something new to say
    SELECT criterion, patient_id, item, on_date FROM last_days
    UNION
    SELECT criterion, patient_id, item, on_date FROM first_days
    UNION
    SELECT last_days.criterion, last_days.patient_id, last_days.item, reading.cut
    FROM last_days JOIN reading
        ON reading.patient_id = last_days.patient_id AND reading.criterion = last_days.criterion AND last_days.on_date < reading.cut AND last_days.replaced_on > reading.cut
),
paired AS (
    SELECT
        days.criterion, days.patient_id, days.item, days.on_date, reading.world_id IS NOT NULL AS two_readings,
        late.status AS late_status, late.grade AS late_grade, late.evidence AS late_evidence, late.missing AS late_missing,
        late.facts AS late_facts, late.notes AS late_notes, late.margin AS late_margin,
        early.status AS early_status, early.grade AS early_grade, early.evidence AS early_evidence, early.facts AS early_facts
    FROM days
    LEFT JOIN reading
        ON reading.patient_id = days.patient_id AND reading.criterion = days.criterion AND days.on_date >= reading.cut AND days.on_date < reading.until
    LEFT JOIN last_days AS late
        ON late.criterion = days.criterion AND late.patient_id = days.patient_id AND late.item IS NOT DISTINCT FROM days.item
        AND late.on_date <= days.on_date AND late.replaced_on > days.on_date
    LEFT JOIN first_days AS early
        ON early.criterion = days.criterion AND early.patient_id = days.patient_id AND early.item IS NOT DISTINCT FROM days.item
        AND early.on_date <= days.on_date AND early.replaced_on > days.on_date
),
undecided AS (       -- the partial dates that are over by then: those in the evidence, or else all of them
    SELECT
        paired.criterion, paired.patient_id, paired.item, paired.on_date,
        list_sort(list(DISTINCT 'exact date of ' || what || ' (' || CAST(low AS VARCHAR) || ' to ' || CAST(high AS VARCHAR) || ')')
            FILTER (WHERE list_contains(late_evidence, record_id) OR list_contains(early_evidence, record_id))) AS deciding,
        list_sort(list(DISTINCT 'exact date of ' || what || ' (' || CAST(low AS VARCHAR) || ' to ' || CAST(high AS VARCHAR) || ')')) AS every
    FROM paired JOIN partial_record ON partial_record.patient_id = paired.patient_id AND partial_record.high <= paired.on_date
    WHERE two_readings AND late_status IS DISTINCT FROM early_status
    GROUP BY paired.criterion, paired.patient_id, paired.item, paired.on_date
)
SELECT
    paired.criterion, paired.patient_id, paired.item, paired.on_date,
    CASE WHEN differ THEN 'not_evaluable' ELSE late_status END AS status,
    CASE WHEN differ THEN NULL WHEN two_readings AND early_grade < late_grade THEN early_grade ELSE late_grade END AS grade,
    CASE
        WHEN differ THEN list_sort(list_distinct(coalesce(late_evidence, []) || coalesce(early_evidence, [])))
        ELSE late_evidence
    END AS evidence,
    CASE WHEN differ THEN coalesce(undecided.deciding, undecided.every, ['exact dates']) ELSE late_missing END AS missing,
    coalesce(late_facts, early_facts) AS facts,
    coalesce(late_notes, CAST([] AS VARCHAR[])) AS notes,
    CASE WHEN differ THEN NULL ELSE late_margin END AS margin
FROM (SELECT *, two_readings AND late_status IS DISTINCT FROM early_status AS differ FROM paired) AS paired
LEFT JOIN undecided
    ON undecided.criterion = paired.criterion AND undecided.patient_id = paired.patient_id
    AND undecided.on_date = paired.on_date AND undecided.item IS NOT DISTINCT FROM paired.item
WHERE late_status IS NOT NULL OR early_status IS NOT NULL
