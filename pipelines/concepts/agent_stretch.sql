/*
title = "Days on which one immunosuppressant acts, since when without a break, and days on which it no longer does"
why   = """One row per drug and stretch of days, from its first dose on. acts: a dose of it acts on these days, without a break since the
day in `since`, which is a start of the drug: doses and courses are one where each begins before, or on the day, the one before ceases
to act. On the days of a gap the drug does not act. confirmed_on: marked ongoing with no stop recorded, so it goes on counting; the day
on which that was last confirmed, its start being the first. evidence: the records of the doses that act, or that acted last."""
*/
WITH acting AS (
    SELECT
        patient_id, drug, drug_class, from_date, coalesce(to_date, DATE '9999-12-31') AS reached_to, no_stop,
        CASE WHEN no_stop AND last_confirmed > from_date THEN last_confirmed END AS last_confirmed, evidence
    FROM agent_acting
),
boundary AS (
    SELECT patient_id, drug, drug_class, from_date AS day FROM acting
    UNION
    SELECT patient_id, drug, drug_class, reached_to FROM acting
    UNION
    SELECT patient_id, drug, drug_class, last_confirmed FROM acting WHERE last_confirmed < reached_to
),
segment AS (
    SELECT
        patient_id, drug, drug_class, day AS from_date,
        lead(day) OVER (PARTITION BY patient_id, drug ORDER BY day) AS to_date
    FROM boundary
),
judged AS (   -- the doses that act on the first day of a segment, and those that ceased to act on it
    SELECT
        segment.patient_id, segment.drug, segment.drug_class, segment.from_date, segment.to_date,
        max(acting.reached_to) > segment.from_date AS acts,
        max(
            CASE
                WHEN NOT acting.no_stop OR acting.reached_to = segment.from_date THEN NULL
                WHEN acting.last_confirmed <= segment.from_date THEN acting.last_confirmed
                ELSE acting.from_date
            END
        ) AS confirmed_on,
        flatten(list(acting.evidence) FILTER (WHERE acting.reached_to > segment.from_date)) AS acting_evidence,
        flatten(list(acting.evidence) FILTER (WHERE acting.reached_to = segment.from_date)) AS ended_evidence
    FROM segment
    JOIN acting
        ON acting.patient_id = segment.patient_id AND acting.drug = segment.drug
        AND acting.from_date <= segment.from_date AND acting.reached_to >= segment.from_date
    WHERE segment.from_date < DATE '9999-12-31'
    GROUP BY segment.patient_id, segment.drug, segment.drug_class, segment.from_date, segment.to_date
),
marked AS (
    SELECT
        *,
        CASE
            WHEN acts AND NOT coalesce(lag(acts) OVER (PARTITION BY patient_id, drug ORDER BY from_date), FALSE) THEN from_date
        END AS began_on
    FROM judged
)
SELECT
    patient_id, drug, drug_class, from_date,
    CASE WHEN to_date = DATE '9999-12-31' THEN NULL ELSE to_date END AS to_date,
    acts,
    max(began_on) OVER (PARTITION BY patient_id, drug ORDER BY from_date) AS since,
    confirmed_on,
    list_sort(list_distinct(CASE WHEN acts THEN acting_evidence ELSE ended_evidence END)) AS evidence
FROM marked
