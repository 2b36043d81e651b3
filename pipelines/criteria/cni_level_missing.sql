/*
title = "A calcineurin inhibitor was started or its dose changed, and its level was not measured"
group = "therapy"
why   = """Romero-Bueno 2020 rec. 2b asks for drug-level monitoring and names no days; the days here are project defaults. Every start and
every change of dose has its own due day, which a later change does not cancel; in the first 90 days a level is also due every
14 days while it is given. A level counts for a start or change only if it is dated after that day; one that was due stays missing
until a level is dated. Whether a dose changed that cannot be read is not known."""
items   = "drug"
unknown = ["drug records"]

[threshold.due_days]
value = 7
unit  = "days after a start or change of dose"
step  = 1
cite  = "romero_bueno_2020"
tag   = "project default"

[threshold.every_days]
value = 14
unit  = "days between levels"
step  = 1
cite  = "romero_bueno_2020"
tag   = "project default"

[threshold.first_days]
value = 90
unit  = "days from the start"
step  = 1
cite  = "romero_bueno_2020"
tag   = "project default"

[finding]
facts         = ["drug", "due", "changed", "level"]
met           = "{drug}: no level is dated by {due}, the first day on which one was due. Last start or change of dose by {on_date}: {changed}; last level: {level}."
not_met       = "{drug}: no level is overdue on {on_date} (last start or change of dose {changed}; last level: {level})."
not_evaluable = "Cannot be told ({missing})."

[finding.notes]
not_given = "It is not given on this day."

[[history]]
on  = 2026-11-21
why = "first version"

[[history]]
on  = 2026-11-30
why = "the sentence names the first due day apart from the last change of dose, which may be later"
*/
WITH row_given AS (   -- gap days join what is before and after them, and carry the earlier dose
    SELECT
        *,
        coalesce(lag(to_date) OVER drug_rows = from_date, FALSE) AS goes_on,
        lag(dose_per_day) OVER drug_rows AS dose_before,
        lag(dose_unread) OVER drug_rows AS unread_before,
        lag(evidence) OVER drug_rows AS evidence_before
    FROM treatment_course
    WHERE drug_class = 'cni' AND action = 'given' AND systemic
    WINDOW drug_rows AS (PARTITION BY patient_id, drug ORDER BY from_date)
),
course AS (
    SELECT
        patient_id, drug, from_date, coalesce(to_date, DATE '9999-12-31') AS reached_to, gap, evidence,
        NOT goes_on OR (NOT gap AND NOT unread_before AND NOT dose_unread AND dose_before <> dose_per_day) AS changed,
        goes_on AND NOT gap AND (unread_before OR dose_unread) AND evidence_before <> evidence AS may_be_changed,
        max(CASE WHEN NOT goes_on THEN from_date END) OVER (PARTITION BY patient_id, drug ORDER BY from_date) AS started_on
    FROM row_given
),
given AS (
    SELECT *, max(CASE WHEN changed OR may_be_changed THEN from_date END) OVER (PARTITION BY patient_id, drug ORDER BY from_date) AS changed_on
    FROM course
    WHERE NOT gap
),
level AS (
    SELECT
        patient_id, CASE analyte WHEN 'tacrolimus_level' THEN 'tacrolimus' ELSE 'ciclosporin' END AS drug, on_date, list(record_id) AS records
    FROM observation
    WHERE analyte IN ('tacrolimus_level', 'ciclosporin_level')
    GROUP BY patient_id, analyte, on_date
),
judged_day AS (
    SELECT patient_id, drug, from_date AS on_date FROM given
    UNION
    SELECT patient_id, drug, reached_to FROM given WHERE reached_to < DATE '9999-12-31'
    UNION
    SELECT patient_id, drug, from_date + CAST($due_days AS INTEGER) FROM given WHERE changed OR may_be_changed
    UNION
    SELECT patient_id, drug, started_on + CAST($every_days AS INTEGER) FROM given
    UNION
    SELECT patient_id, drug, started_on + CAST($first_days AS INTEGER) FROM given
    UNION
    SELECT patient_id, drug, on_date FROM level
    UNION
    SELECT patient_id, drug, on_date + CAST($every_days AS INTEGER) FROM level
),
stands AS (   -- the row given last by the judged day, and whether it still is
    SELECT
        judged_day.patient_id, judged_day.drug, judged_day.on_date, given.started_on, given.changed_on,
        given.reached_to > judged_day.on_date AS is_given,
        row_number() OVER (PARTITION BY judged_day.patient_id, judged_day.drug, judged_day.on_date ORDER BY given.from_date DESC) AS newest
    FROM judged_day
    JOIN given ON given.patient_id = judged_day.patient_id AND given.drug = judged_day.drug AND given.from_date <= judged_day.on_date
),
measured AS (   -- the last level by the judged day
    SELECT
        stands.patient_id, stands.drug, stands.on_date, stands.started_on, stands.changed_on, stands.is_given,
        max(level.on_date) AS level_on, arg_max(level.records, level.on_date) AS level_records,
        coalesce(max(level.on_date), DATE '0001-01-01') AS unmeasured_from, stands.on_date - CAST($due_days AS INTEGER) AS due_from
    FROM stands
    LEFT JOIN level ON level.patient_id = stands.patient_id AND level.drug = stands.drug AND level.on_date <= stands.on_date
    WHERE stands.newest = 1
    GROUP BY stands.patient_id, stands.drug, stands.on_date, stands.started_on, stands.changed_on, stands.is_given
),
overdue AS (   -- the earliest start or change whose due day has passed with no level after it
    SELECT
        measured.patient_id, measured.drug, measured.on_date, measured.started_on, measured.changed_on, measured.is_given,
        measured.level_on, measured.level_records,
        min(CASE WHEN given.changed THEN given.from_date END) AS unmeasured_on,
        min(CASE WHEN given.may_be_changed THEN given.from_date END) AS possible_on,
        CASE WHEN measured.is_given AND measured.on_date < measured.started_on + CAST($first_days AS INTEGER)
            THEN greatest(measured.started_on, measured.level_on) + CAST($every_days AS INTEGER)   -- greatest() passes over NULL
        END AS interval_due
    FROM measured
    LEFT JOIN given
        ON given.patient_id = measured.patient_id AND given.drug = measured.drug
        AND given.from_date >= measured.unmeasured_from AND given.from_date <= measured.due_from
    GROUP BY
        measured.patient_id, measured.drug, measured.on_date, measured.started_on, measured.changed_on, measured.is_given,
        measured.level_on, measured.level_records
),
timed AS (
    SELECT
        *, unmeasured_on + CAST($due_days AS INTEGER) AS change_due, CASE WHEN interval_due <= on_date THEN interval_due END AS level_due
    FROM overdue
),
decided AS (
    SELECT
        *,
        least(change_due, level_due) AS due,   -- least() passes over NULL
        CASE
            WHEN change_due <= coalesce(level_due, change_due) THEN unmeasured_on
            WHEN level_due IS NOT NULL THEN started_on
            ELSE coalesce(possible_on, changed_on)
        END AS decided_by
    FROM timed
),
answered_day AS (
    SELECT
        decided.patient_id, decided.on_date, decided.drug AS item,
        CASE WHEN decided.due IS NOT NULL THEN 'met' WHEN decided.possible_on IS NOT NULL THEN 'not_evaluable' ELSE 'not_met' END AS status,
        CAST(NULL AS INTEGER) AS grade,
        list_sort(list_distinct(list_concat(
            given.evidence, CASE WHEN decided.level_on >= decided.started_on THEN decided.level_records ELSE CAST([] AS BIGINT[]) END
        ))) AS evidence,
        CASE WHEN decided.due IS NULL AND decided.possible_on IS NOT NULL THEN ['dose of ' || decided.drug] ELSE CAST([] AS VARCHAR[]) END AS missing,
        [
            drug.title, CAST(decided.due AS VARCHAR), CAST(decided.changed_on AS VARCHAR), coalesce(CAST(decided.level_on AS VARCHAR), 'none')
        ] AS facts,
        CASE WHEN decided.is_given THEN CAST([] AS VARCHAR[]) ELSE ['not_given'] END AS notes,
        CAST(date_diff('day', decided.due, decided.on_date) AS DECIMAL(19, 6)) AS margin
    FROM decided
    JOIN given
        ON given.patient_id = decided.patient_id AND given.drug = decided.drug AND given.from_date = decided.decided_by
    JOIN drug ON drug.drug = decided.drug
    UNION ALL   -- drugs are recorded, and no calcineurin inhibitor
    SELECT
        patient_id, from_date, NULL, 'not_met', NULL, CAST([] AS BIGINT[]), CAST([] AS VARCHAR[]),
        ['Calcineurin inhibitor', NULL, 'none', 'none'], CAST([] AS VARCHAR[]), NULL
    FROM recorded_drugs
)
SELECT
    patient_id, on_date, item, status, grade, evidence, missing, facts, notes, margin
FROM answered_day
