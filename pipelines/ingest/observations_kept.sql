-- The new versions as records, and the end of those that they close.

INSERT INTO record.observation
SELECT CASE row_kind WHEN 'labs' THEN fresh.version_id ELSE hash63(concat(fresh.version_id, cell_break(), analyte)) END, fact_id, fresh.version_id,
    patient_id, row_kind, analyte, value, low, low_open, high, high_open, coded, unit, unit_assumed, coalesce(text, ''), unit_text, ref_low, ref_high,
    assay, laboratory, sample_timing, activity, phase, reference_set, specimen_id, at_low, at_high, at_timed, utc_offset, status, issued_at,
    known_from, issued_at IS NULL, known_until, received_at, received_until, file_id, line
FROM fresh JOIN converted USING (line) LEFT JOIN standing ON standing.version_id = fresh.version_id AND is_new, receipt;

UPDATE record.observation SET known_until = standing.known_until, received_until = standing.received_until FROM standing
WHERE observation.set_id = standing.version_id AND NOT is_new
    AND (observation.known_until, observation.received_until) IS DISTINCT FROM (standing.known_until, standing.received_until);

INSERT INTO remark SELECT 'reference ranges could not be read', count(*) FROM converted JOIN fresh USING (line) WHERE range_unread;
