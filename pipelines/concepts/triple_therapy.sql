/*
title = "Start of triple therapy, as known on each day"
why   = "The triple clock of therapy_clock under its own name: start_date is day 0."
*/
SELECT patient_id, day0 AS start_date, applies_from, applies_to, evidence, high_dose
FROM therapy_clock
WHERE clock = 'triple'
