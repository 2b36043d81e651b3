-- Brings the readings of patients with partial dates together (see inputs.py): on a judged day in [cut, until) of a reading,
-- an answer stands only where the reading with last days and the reading with first days agree; where they differ, the rule
-- is not evaluable and `missing` names the dates. Reads judged_all (one row per criterion, world, item, judged date; item_from:
-- the day the world's first item has a row),
-- world and partial_record; gives the same columns for the patients themselves.
WITH answered AS (   -- every row with the day on which the next one of its item replaces it
    SELECT
        *,
        coalesce(
            lead(on_date) OVER (PARTITION BY criterion, patient_id, item ORDER BY on_date),
            CASE WHEN item IS NULL THEN item_from END
        ) AS replaced_on
    FROM judged_all
),
last_days AS (SELECT * FROM answered WHERE patient_id IN (SELECT patient_id FROM world)),
first_days AS (
    SELECT answered.* EXCLUDE (patient_id), world.patient_id, world.cut, world.until
    FROM answered JOIN world ON world.world_id = answered.patient_id
),
days AS (            -- the days on which either reading has something new to say
    SELECT criterion, patient_id, item, on_date FROM last_days
    UNION
    SELECT criterion, patient_id, item, on_date FROM first_days
    WHERE on_date >= cut AND (until IS NULL OR on_date < until)
    UNION
    SELECT criterion, patient_id, item, cut FROM first_days WHERE on_date < cut AND (replaced_on IS NULL OR replaced_on > cut)
    UNION
    SELECT one.criterion, one.patient_id, one.item, world.cut FROM last_days AS one JOIN world USING (patient_id)
    WHERE one.on_date < world.cut AND (one.replaced_on IS NULL OR one.replaced_on > world.cut)
),
paired AS (
    SELECT
        days.criterion, days.patient_id, days.item, days.on_date, world.world_id IS NOT NULL AS two_readings,
        late.status AS late_status, late.grade AS late_grade, late.evidence AS late_evidence, late.missing AS late_missing,
        late.facts AS late_facts, late.notes AS late_notes, late.margin AS late_margin,
        early.status AS early_status, early.grade AS early_grade, early.evidence AS early_evidence, early.facts AS early_facts
    FROM days
    LEFT JOIN world
        ON world.patient_id = days.patient_id AND days.on_date >= world.cut
        AND (world.until IS NULL OR days.on_date < world.until)
    LEFT JOIN last_days AS late
        ON late.criterion = days.criterion AND late.patient_id = days.patient_id AND late.item IS NOT DISTINCT FROM days.item
        AND late.on_date <= days.on_date AND (late.replaced_on IS NULL OR late.replaced_on > days.on_date)
    LEFT JOIN first_days AS early
        ON early.criterion = days.criterion AND early.patient_id = days.patient_id AND early.cut = world.cut
        AND early.item IS NOT DISTINCT FROM days.item
        AND early.on_date <= days.on_date AND (early.replaced_on IS NULL OR early.replaced_on > days.on_date)
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
