/*
title = "Stretches of days on which one immunosuppressant acts without a break"
why   = """One row per stretch: doses and courses of one drug joined where each begins before, or on the day, the one before ceases to
act. Its first day is a start of the drug. to_date empty: marked ongoing with no stop recorded, so it goes on counting; last_confirmed
says when that was last seen, and is known from that day on. evidence: the records of the dose that began the stretch; ended_by: of the
one that acted longest. On the days of a gap the drug does not act."""
*/
WITH acting AS (
    SELECT
        patient_id, drug, drug_class, from_date, coalesce(to_date, DATE '9999-12-31') AS reached_to,
        CASE WHEN to_date IS NULL AND last_confirmed > from_date THEN last_confirmed END AS last_confirmed, evidence
    FROM agent_acting
),
marked AS (
    SELECT
        *,
        CASE
            WHEN from_date <= max(reached_to) OVER (
                PARTITION BY patient_id, drug ORDER BY from_date, reached_to ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) THEN NULL
            ELSE from_date
        END AS began_on
    FROM acting
),
placed AS (
    SELECT *, max(began_on) OVER (PARTITION BY patient_id, drug ORDER BY from_date) AS stretch_from FROM marked
),
measured AS (
    SELECT *, max(reached_to) OVER (PARTITION BY patient_id, drug, stretch_from) AS stretch_to FROM placed
)
SELECT
    patient_id, drug, drug_class, stretch_from AS from_date,
    CASE WHEN stretch_to = DATE '9999-12-31' THEN NULL ELSE stretch_to END AS to_date,
    max(last_confirmed) AS last_confirmed,
    list_sort(list_distinct(flatten(list(evidence) FILTER (WHERE from_date = stretch_from)))) AS evidence,
    list_sort(list_distinct(flatten(list(evidence) FILTER (WHERE reached_to = stretch_to)))) AS ended_by
FROM measured
GROUP BY patient_id, drug, drug_class, stretch_from, stretch_to
