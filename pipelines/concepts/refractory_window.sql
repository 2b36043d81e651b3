/*
title = "The days on which each therapy clock judges refractory disease"
why   = """A record counts when it is dated on or after day 7 of the clock [Romero-Bueno 2020, for triple therapy; for other
combinations no waiting time is published and the same one is used]. It is compared with the last one on or before day 0 that is at most
28 days older than day 0 [P], or else with the first after day 0. A window holds on judged dates from_date <= D < to_date: a clock that
starts anew, or whose day 0 a later RP-ILD record moves, has a new window from that day. day0 empty: the clock stood, and was
taken back by a later index date on which its regimen was over."""

[threshold.wait_days]
value = 7
unit  = "days"
step  = 1
cite  = "romero_bueno_2020"
tag   = "published"

[threshold.baseline_days]
value = 28
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"
*/
WITH followed AS (
    SELECT
        patient_id, clock, day0, applies_from, applies_to, evidence,
        lead(applies_from) OVER (PARTITION BY patient_id, clock ORDER BY applies_from) AS next_from
    FROM therapy_clock
)
SELECT
    patient_id, clock, day0, applies_from AS from_date, applies_to AS to_date,
    day0 + CAST($wait_days AS INTEGER) AS judged_from,
    day0 - CAST($baseline_days AS INTEGER) AS baseline_from,
    evidence
FROM followed
UNION ALL
SELECT patient_id, clock, NULL, applies_to, next_from, NULL, NULL, CAST([] AS BIGINT[])
FROM followed
WHERE applies_to IS NOT NULL AND next_from IS DISTINCT FROM applies_to
