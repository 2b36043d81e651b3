-- The versions that labs, pft and oxygen rows bring, and the stored ones they may meet.
-- A fact is what its record_id says, else (patient, what, when, assay, laboratory, timing) and its value.
-- A slot is the same without the value: there a higher status corrects a lower one, whatever the values.

CREATE OR REPLACE TEMP MACRO slot_hash(
    kind, patient_id, what, at_low, at_high, at_timed, assay, laboratory, sample_timing, phase, reference_set) AS
    hash(kind, patient_id, what, at_low, at_high, at_timed, assay, laboratory, sample_timing, phase, reference_set);

CREATE OR REPLACE TEMP TABLE arriving AS
WITH dated AS MATERIALIZED (
    SELECT taken.*, instant.low AS at_low, instant.high AS at_high, instant.timed AS at_timed, instant.utc_offset, instant.span,
        coalesce(word.value, 'final') AS status, reported.high AS issued_at, given, ref_low, ref_high, row_kind AS kind
    FROM taken JOIN valued USING (line)
    JOIN instant ON instant.text = at_text
    LEFT JOIN instant AS reported ON reported.text = reported_text
    LEFT JOIN word ON word.field = 'status' AND word.text = status_text, receipt
),
keyed AS MATERIALIZED (
    SELECT *, concat(what, cell_break(), span, cell_break(), assay, cell_break(), laboratory,
            cell_break(), sample_timing, cell_break(), activity, cell_break(), phase, cell_break(), reference_set, cell_break(), given) AS key,
        concat(kind, cell_break(), patient_id, cell_break(), CASE WHEN record_id IS NULL THEN key END, cell_break(), record_id) AS fact
    FROM dated
)
SELECT line, patient_id, fact_hash(fact, record_id IS NOT NULL) AS fact_id,
    hash63(concat(fact, cell_break(), CASE WHEN record_id IS NOT NULL THEN key END, cell_break(), ref_low, cell_break(), ref_high,
        cell_break(), specimen_id, cell_break(), utc_offset, cell_break(), status, cell_break(), issued_at)) AS version_id,
    CASE WHEN record_id IS NOT NULL THEN hash(fact_id) ELSE slot_hash(kind, patient_id, what, at_low, at_high, at_timed, assay, laboratory,
        sample_timing, phase, reference_set) END AS slot,
    status, issued_at, coalesce(issued_at, at_high) AS known_from, at_low, at_high, at_timed, utc_offset, assay, laboratory, sample_timing,
    activity, phase, reference_set, specimen_id
FROM keyed;

CREATE OR REPLACE TEMP TABLE held AS
WITH met AS (
    SELECT * FROM record.observation WHERE fact_id IN (SELECT fact_id FROM arriving)
    UNION ALL
    SELECT * FROM record.observation WHERE fact_id % 2 = 0 AND status <> 'final' AND patient_id IN (SELECT patient_id FROM arriving)
    UNION ALL
    SELECT * FROM record.observation WHERE fact_id % 2 = 0
        AND patient_id IN (SELECT patient_id FROM arriving WHERE fact_id % 2 = 0 AND status <> 'final')
),
placed AS (
    SELECT set_id AS version_id, fact_id, status, issued_at, known_from, known_until, received_at, met.file_id, met.line,
        CASE WHEN fact_id % 2 = 1 THEN hash(fact_id) ELSE slot_hash(kind, patient_id,
            CASE kind WHEN 'oxygen' THEN 'oxygen' WHEN 'pft' THEN regexp_replace(analyte, '_percent$', '') ELSE analyte END,
            at_low, at_high, at_timed, assay, laboratory, sample_timing, phase, reference_set) END AS slot
    FROM met
)
SELECT DISTINCT ON (version_id) * FROM placed WHERE slot IN (SELECT slot FROM arriving);
