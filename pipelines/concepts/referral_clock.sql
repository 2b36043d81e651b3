/*
title = "Referral clock: from the first day a condition for referral was met to the first referral record"
why   = """One row per patient and trigger that was ever met (transplant_referral, transplant_early_referral, urgent_transfer), and
one for the earliest of them (trigger any, first_trigger says which); the evidence is that trigger's own on that day. referred_on: the first record of a work-up, a referral or what
follows one (accepted, declined, listed, transplanted), whenever it was; that it was discussed, or said not to be needed, ends no
clock, and the first such day stands beside it. days: from first_met to referred_on, 0 where the referral came first; NULL while the
clock runs: then it is counted to the as-of date. published_*: of so many patients with ILD who met lung-function criteria so many
percent were referred, after so many days (median): to compare with, not a limit."""
kept  = true

[threshold.published_patients]
value = 114
unit  = "patients with ILD who met lung-function criteria"
step  = 1
cite  = "referral_delay_2024"
tag   = "published"

[threshold.published_referred]
value = 30.7
unit  = "% of them referred"
step  = 0.1
cite  = "referral_delay_2024"
tag   = "published"

[threshold.published_days]
value = 255
unit  = "days, median"
step  = 1
cite  = "referral_delay_2024"
tag   = "published"
*/
WITH met AS (
    SELECT patient_id, 'transplant_referral' AS trigger, min(on_date) AS first_met
    FROM transplant_referral
    WHERE status = 'met'
    GROUP BY patient_id
    UNION ALL
    SELECT patient_id, 'transplant_early_referral', min(on_date)
    FROM transplant_early_referral
    WHERE status = 'met'
    GROUP BY patient_id
    UNION ALL
    SELECT patient_id, 'urgent_transfer', min(on_date)
    FROM urgent_transfer
    WHERE status = 'met'
    GROUP BY patient_id
),
clock AS (
    SELECT patient_id, trigger, trigger AS first_trigger, first_met FROM met
    UNION ALL
    SELECT patient_id, 'any', trigger, first_met
    FROM (SELECT *, row_number() OVER (PARTITION BY patient_id ORDER BY first_met, trigger) AS place FROM met) AS ordered
    WHERE place = 1
),
referral AS (
    SELECT patient_id, on_date, code, record_id, row_number() OVER (PARTITION BY patient_id ORDER BY on_date, record_id) AS place
    FROM event
    WHERE kind = 'referral' AND code IN ('work_up', 'referred', 'accepted', 'declined', 'listed', 'transplanted')
),
beside AS (
    SELECT
        patient_id, min(CASE WHEN code = 'discussed' THEN on_date END) AS discussed_on,
        min(CASE WHEN code = 'not_needed' THEN on_date END) AS not_needed_on
    FROM event
    WHERE kind = 'referral' AND code IN ('discussed', 'not_needed')
    GROUP BY patient_id
)
SELECT
    clock.patient_id, clock.trigger, clock.first_trigger, clock.first_met, referral.on_date AS referred_on, referral.code AS referred_as,
    CASE WHEN referral.on_date < clock.first_met THEN 0 ELSE date_diff('day', clock.first_met, referral.on_date) END AS days,
    beside.discussed_on, beside.not_needed_on,
    referral.record_id AS referral_id,
    $published_patients AS published_patients, CAST($published_referred AS DECIMAL(19, 6)) AS published_referred,
    $published_days AS published_days
FROM clock
LEFT JOIN referral ON referral.patient_id = clock.patient_id AND referral.place = 1
LEFT JOIN beside ON beside.patient_id = clock.patient_id
