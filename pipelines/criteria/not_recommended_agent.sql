/*
title = "A drug not recommended in rapidly progressive ILD is acting"
group = "therapy"
why   = """Azathioprine, methotrexate, leflunomide, TNF inhibitors, abatacept, tocilizumab, nintedanib and pirfenidone are not
recommended for RP-ILD (ACR/CHEST 2023; Romero-Bueno 2020 rec. 8 to 10). Azathioprine and nintedanib are allowed in chronic disease, so
nothing is said before RP-ILD is recorded. A dose acts for the days given in the drug dictionary."""
items   = "drug"
unknown = ["drug records"]

[finding]
facts         = ["drug", "course", "rp_ild"]
met           = "{drug}, {course}, acts on {on_date} in RP-ILD (recorded {rp_ild}): not recommended there."
not_met       = "Not acting in RP-ILD on {on_date}: {drug} ({course}). RP-ILD: {rp_ild}."
not_evaluable = "Cannot be told ({missing}). Acting: {drug} ({course})."

[finding.notes]
no_stop = "No stop is recorded."

[[history]]
on  = 2026-11-21
why = "first version"
*/
WITH acting AS (   -- each stretch of days on which a dose of the drug acts
    SELECT
        course.patient_id, course.drug, drug.title, course.from_date, course.evidence,
        -- until then no stop is known, though a later row may end it
        CASE WHEN course.no_stop THEN coalesce(course.to_date, DATE '9999-12-31') ELSE course.from_date END AS open_until,
        CASE
            WHEN course.no_stop AND course.last_confirmed > course.from_date
                AND course.last_confirmed < coalesce(course.to_date, DATE '9999-12-31') THEN course.last_confirmed
        END AS confirmed_on,
        coalesce(course.to_date - 1 + coalesce(drug_route.acts_for_days, drug.acts_for_days), DATE '9999-12-31') AS reached_to
    FROM treatment_course AS course
    JOIN drug ON drug.drug = course.drug
    LEFT JOIN drug_route ON drug_route.drug = course.drug AND drug_route.route = course.route
    WHERE
        course.action = 'given' AND course.systemic AND NOT course.gap
        AND course.drug_class IN (
            'azathioprine', 'methotrexate', 'leflunomide', 'tnf_inhibitor', 'abatacept', 'tocilizumab', 'antifibrotic'
        )
),
rp_ild AS (   -- what was last recorded, from its day to the next record; present and absent on one day: present
    SELECT
        patient_id, on_date AS from_date, present, evidence,
        lead(on_date, 1, DATE '9999-12-31') OVER (PARTITION BY patient_id ORDER BY on_date) AS reached_to
    FROM (
        SELECT
            patient_id, on_date, max(value IS DISTINCT FROM 'absent') AS present,
            CASE
                WHEN max(value IS DISTINCT FROM 'absent') THEN list(record_id) FILTER (WHERE value IS DISTINCT FROM 'absent')
                ELSE list(record_id)
            END AS evidence
        FROM event
        WHERE kind = 'diagnosis' AND code = 'rp_ild'
        GROUP BY patient_id, on_date
    ) AS daily
),
judged_day AS (
    SELECT patient_id, drug, from_date AS on_date FROM acting
    UNION
    SELECT patient_id, drug, reached_to FROM acting WHERE reached_to < DATE '9999-12-31'
    UNION
    SELECT patient_id, drug, confirmed_on FROM acting WHERE confirmed_on IS NOT NULL
    UNION
    SELECT acting.patient_id, acting.drug, rp_ild.from_date
    FROM acting
    JOIN rp_ild ON rp_ild.patient_id = acting.patient_id AND rp_ild.from_date >= acting.from_date
),
last_given AS (   -- the stretches known on the judged day; those that act on it come first
    SELECT
        judged_day.patient_id, judged_day.drug, judged_day.on_date, acting.title,
        acting.reached_to > judged_day.on_date AS acts, acting.from_date,
        acting.open_until > judged_day.on_date AS open,
        CASE WHEN acting.confirmed_on <= judged_day.on_date THEN acting.confirmed_on END AS confirmed_on,
        acting.evidence,
        row_number() OVER (
            PARTITION BY judged_day.patient_id, judged_day.drug, judged_day.on_date ORDER BY acting.from_date DESC, acting.reached_to DESC
        ) AS newest,
        max(acting.reached_to > judged_day.on_date) OVER (PARTITION BY judged_day.patient_id, judged_day.drug, judged_day.on_date) AS any_acts
    FROM judged_day
    JOIN acting
        ON acting.patient_id = judged_day.patient_id AND acting.drug = judged_day.drug AND acting.from_date <= judged_day.on_date
),
stated AS (
    SELECT
        patient_id, drug, on_date, any_acts AS acts, max(title) AS title, min(from_date) AS since, max(open) AS open,
        coalesce(max(confirmed_on), max(from_date)) AS confirmed_on,
        list_sort(list_distinct(flatten(list(evidence)))) AS evidence
    FROM last_given
    WHERE acts OR (NOT any_acts AND newest = 1)
    GROUP BY patient_id, drug, on_date, any_acts
),
judged AS (
    SELECT
        stated.patient_id, stated.on_date, stated.drug AS item,
        CASE
            WHEN NOT stated.acts OR NOT rp_ild.present THEN 'not_met' WHEN rp_ild.present THEN 'met' ELSE 'not_evaluable'
        END AS status,
        CASE
            WHEN stated.acts THEN list_concat(stated.evidence, coalesce(rp_ild.evidence, CAST([] AS BIGINT[]))) ELSE stated.evidence
        END AS evidence,
        CASE WHEN stated.acts AND rp_ild.present IS NULL THEN ['RP-ILD: present or absent'] ELSE CAST([] AS VARCHAR[]) END AS missing,
        [
            stated.title,
            'given from ' || CAST(stated.since AS VARCHAR)
            || CASE WHEN stated.open THEN ', last confirmed ' || CAST(stated.confirmed_on AS VARCHAR) ELSE '' END,
            CASE WHEN rp_ild.present THEN CAST(rp_ild.from_date AS VARCHAR) WHEN NOT rp_ild.present THEN 'absent' ELSE 'not recorded' END
        ] AS facts,
        CASE WHEN stated.open THEN ['no_stop'] ELSE CAST([] AS VARCHAR[]) END AS notes
    FROM stated
    LEFT JOIN rp_ild
        ON rp_ild.patient_id = stated.patient_id AND rp_ild.from_date <= stated.on_date AND rp_ild.reached_to > stated.on_date
    UNION ALL   -- drugs are recorded, and none of these
    SELECT
        patient_id, from_date, NULL, 'not_met', CAST([] AS BIGINT[]), CAST([] AS VARCHAR[]), ['drugs of this list', 'none recorded', 'not needed'],
        CAST([] AS VARCHAR[])
    FROM recorded_drugs
)
SELECT
    patient_id, on_date, item, status, CAST(NULL AS INTEGER) AS grade, list_sort(list_distinct(evidence)) AS evidence, missing, facts, notes,
    CAST(NULL AS DECIMAL(19, 6)) AS margin
FROM judged
