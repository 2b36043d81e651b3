-- The new versions of administrations as records, and the end of those that they close.

INSERT INTO record.administration
SELECT fresh.version_id, fact_id, patient_id, drug, route, systemic, dose, dose_unit.unit, dose_text,
    CASE WHEN per IS NULL AND per_text IS NOT NULL THEN concat_ws(' ', unit_text, 'per', per_text) ELSE unit_text END, per,
    CAST(start_low AS DATE), CAST(start_high AS DATE), CAST(stop_low AS DATE), CAST(stop_high AS DATE), ongoing,
    CAST(confirmed_low AS DATE), CAST(confirmed_high AS DATE), action, purpose, status, issued_at, known_from, issued_at IS NULL, known_until,
    received_at, received_until, file_id, line
FROM fresh LEFT JOIN standing ON standing.version_id = fresh.version_id AND is_new
JOIN (SELECT drug, dose_unit AS unit FROM drug) AS dose_unit USING (drug), receipt
ORDER BY line;

UPDATE record.administration SET known_until = standing.known_until, received_until = standing.received_until FROM standing
WHERE administration.record_id = standing.version_id AND NOT is_new
    AND (administration.known_until, administration.received_until) IS DISTINCT FROM (standing.known_until, standing.received_until);

INSERT INTO remark SELECT 'doses could not be read: dose unknown', count(*) FROM fresh WHERE dose IS NULL AND dose_text IS NOT NULL;
