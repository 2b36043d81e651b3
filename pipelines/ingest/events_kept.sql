-- The new versions of events as records, and the end of those that they close.

INSERT INTO record.event
SELECT fresh.version_id, fact_id, patient_id, kind, code, value, number, text, at_low, at_high, at_timed, utc_offset, until_low, until_high,
    date_assumed, status, issued_at, known_from, issued_at IS NULL, known_until, received_at, received_until, file_id, line
FROM fresh LEFT JOIN standing ON standing.version_id = fresh.version_id AND is_new, receipt
ORDER BY line;

UPDATE record.event SET known_until = standing.known_until, received_until = standing.received_until FROM standing
WHERE event.record_id = standing.version_id AND NOT is_new
    AND (event.known_until, event.received_until) IS DISTINCT FROM (standing.known_until, standing.received_until);
