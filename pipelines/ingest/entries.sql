-- entries: of whom, and of what they are a version. What a row must say was read with the file (sources/entries.py).

INSERT INTO fault
SELECT line, 'entry_patient_unknown', 'patient_id', patient_id, NULL FROM received
WHERE cell_fault IS NULL AND patient_id NOT IN (SELECT patient_id FROM record.patient)
UNION ALL
SELECT received.line, 'entry_of_another', 'entry_id', received.entry_id, NULL
FROM received JOIN (
    SELECT entry_id, min(kind) AS kind, min(patient_id) AS patient_id FROM (
        SELECT entry_id, kind, patient_id FROM record.entry
        UNION ALL SELECT entry_id, kind, patient_id FROM (SELECT * FROM received QUALIFY row_number() OVER (PARTITION BY entry_id ORDER BY line) = 1)
            WHERE entry_id NOT IN (SELECT entry_id FROM record.entry)) AS first_said
    GROUP BY entry_id) AS said USING (entry_id)
WHERE cell_fault IS NULL AND (said.kind, said.patient_id) IS DISTINCT FROM (received.kind, received.patient_id)
UNION ALL
SELECT line, 'date_future', 'entered_at', entered_at, NULL FROM received, receipt
WHERE cell_fault IS NULL AND TRY_CAST(entered_at AS TIMESTAMP) > received_at
UNION ALL
SELECT line, 'date_future', 'day', received.day, NULL FROM received, receipt
WHERE cell_fault IS NULL AND TRY_CAST(received.day AS DATE) > CAST(received_at AS DATE)
    AND (kind IN (SELECT kind FROM entry_rule WHERE past) OR (kind = 'workup' AND code = 'done'));
