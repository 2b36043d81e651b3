-- The versions that administrations rows bring, as records.

CREATE OR REPLACE TEMP TABLE arriving AS
WITH keyed AS (
    SELECT *, concat(drug, cell_break(), route, cell_break(), start_low, cell_break(), start_high, cell_break(),
            coalesce(CAST(dose AS VARCHAR), concat(dose_text, ' ', unit_text)), cell_break(), coalesce(per, per_text), cell_break(), action,
            cell_break(), purpose) AS key,
        concat('administrations', cell_break(), patient_id, cell_break(), CASE WHEN record_id IS NULL THEN key END, cell_break(), record_id) AS fact
    FROM dosed ANTI JOIN rejected USING (line)
)
SELECT *, fact_hash(fact, record_id IS NOT NULL) AS fact_id, hash(fact_id) AS slot, coalesce(issued_at, start_high) AS known_from,
    hash63(concat(fact, cell_break(), key, cell_break(), stop_low, cell_break(), stop_high, cell_break(), ongoing, cell_break(), confirmed_low,
        cell_break(), confirmed_high, cell_break(), status, cell_break(), issued_at)) AS version_id
FROM keyed;

CREATE OR REPLACE TEMP TABLE held AS
SELECT record_id AS version_id, fact_id, hash(fact_id) AS slot, status, issued_at, known_from, known_until, received_at, file_id, line
FROM record.administration WHERE fact_id IN (SELECT fact_id FROM arriving);
