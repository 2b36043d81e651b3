-- The versions that events rows bring, as records. A fact without record_id is (patient, kind, code, when, value); its text and its
-- end are content. A decision or review without a value is told apart from another of the same moment by its text.

CREATE OR REPLACE TEMP TABLE arriving AS
WITH dated AS (
    SELECT line, received.patient_id, valued.kind, valued.code, valued.value, number, received.text, record_id, started.low AS at_low,
        started.high AS at_high, started.timed AS at_timed, started.utc_offset, CAST(ended.low AS DATE) AS until_low,
        CAST(ended.high AS DATE) AS until_high, coalesce(assumed.value = 'yes', FALSE) AS date_assumed, reported.high AS issued_at,
        coalesce(status.value, 'final') AS status,
        CASE WHEN value_kind = 'text' AND valued.value IS NULL THEN received.text END AS said
    FROM received JOIN valued USING (line) ANTI JOIN rejected USING (line)
    JOIN instant AS started ON started.text = received."at"
    LEFT JOIN instant AS ended ON ended.text = received.until
    LEFT JOIN instant AS reported ON reported.text = received.reported_at
    LEFT JOIN word AS status ON status.field = 'status' AND status.text = received.status
    LEFT JOIN word AS assumed ON assumed.field = 'date_assumed' AND assumed.text = received.date_assumed
),
keyed AS (
    SELECT *, concat(kind, cell_break(), code, cell_break(), at_low, cell_break(), at_high, cell_break(), at_timed, cell_break(),
            coalesce(CAST(number AS VARCHAR), value), cell_break(), said) AS key,
        concat('events', cell_break(), patient_id, cell_break(), CASE WHEN record_id IS NULL THEN key END, cell_break(), record_id) AS fact
    FROM dated
)
SELECT *, fact_hash(fact, record_id IS NOT NULL) AS fact_id, hash(fact_id) AS slot, coalesce(issued_at, at_high) AS known_from,
    hash63(concat(fact, cell_break(), key, cell_break(), text, cell_break(), until_low, cell_break(), until_high, cell_break(), utc_offset,
        cell_break(), date_assumed, cell_break(), status, cell_break(), issued_at)) AS version_id
FROM keyed;

CREATE OR REPLACE TEMP TABLE held AS
SELECT record_id AS version_id, fact_id, hash(fact_id) AS slot, status, issued_at, known_from, known_until, received_at, file_id, line
FROM record.event WHERE fact_id IN (SELECT fact_id FROM arriving);
