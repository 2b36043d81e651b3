/*
title = "Since when a patient's drugs are recorded"
why   = """With at least one administration or procedure record an unrecorded drug or procedure counts as not given; before
the first one, or with none at all, drug rules cannot be told."""
*/
SELECT patient_id, min(on_date) AS from_date
FROM (
    SELECT patient_id, start_date AS on_date FROM administration
    UNION ALL
    SELECT patient_id, on_date FROM event WHERE kind = 'procedure'
) AS recorded
GROUP BY patient_id
