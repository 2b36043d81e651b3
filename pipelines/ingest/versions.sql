-- Which of the versions of a fact stands, by status, then the source's issue time, then order of arrival; `arriving` and `held` go in,
-- `outcome` (per row) and `standing` (per version) come out. Nothing here depends on how a file is cut into batches.
-- Of what people entered time and arrival alone decide: a withdrawal is taken back by what is entered after it.
--
-- A version is closed by a later one of the same fact. At its slot, a preliminary one is also closed by a final one, and every one
-- by a correction that comes after it. It is closed when the first of those that close it is known, and to this store when it receives the first.

CREATE OR REPLACE TEMP TABLE fresh AS       -- a version that came before is a duplicate, in this file or an earlier one
SELECT * FROM arriving WHERE version_id NOT IN (SELECT version_id FROM held)
QUALIFY row_number() OVER (PARTITION BY version_id ORDER BY line) = 1;

CREATE OR REPLACE TEMP TABLE contender AS
WITH every AS (
    SELECT version_id, fact_id, slot, status, issued_at, known_from, received_at, file_id, line, TRUE AS is_new FROM fresh, receipt
    UNION ALL
    SELECT version_id, fact_id, slot, status, issued_at, known_from, received_at, file_id, line, FALSE FROM held
)
SELECT *, CASE WHEN (SELECT format = 'csv/entries' FROM source.file JOIN receipt USING (file_id)) THEN 2
    WHEN status = 'preliminary' THEN 0 WHEN status = 'final' THEN 1 ELSE 2 END AS rank,
    status IN ('corrected', 'amended') AS corrects
FROM every WHERE slot IN (SELECT slot FROM every GROUP BY slot HAVING count(*) > 1);

CREATE OR REPLACE TEMP TABLE standing AS
WITH ordered AS (
    SELECT *, row_number() OVER (PARTITION BY slot ORDER BY rank, issued_at NULLS FIRST, file_id, line) AS place FROM contender
),
met AS (
    SELECT version_id, is_new, known_from,
        min(known_from) OVER later_of_fact AS by_version, min(received_at) OVER later_of_fact AS version_received,
        CASE WHEN rank = 0 THEN min(CASE WHEN rank = 1 THEN known_from END) OVER (PARTITION BY slot) END AS by_final,
        CASE WHEN rank = 0 THEN min(CASE WHEN rank = 1 THEN received_at END) OVER (PARTITION BY slot) END AS final_received,
        min(CASE WHEN corrects THEN known_from END) OVER later_at_slot AS by_correction,
        min(CASE WHEN corrects THEN received_at END) OVER later_at_slot AS correction_received,
        max(place) OVER (PARTITION BY fact_id ORDER BY file_id, line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS version_before,
        rank = 0 AND max(CASE WHEN rank = 1 THEN 1 END)
            OVER (PARTITION BY slot ORDER BY file_id, line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) = 1 AS final_before,
        max(CASE WHEN corrects THEN place END)
            OVER (PARTITION BY slot ORDER BY file_id, line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS correction_before,
        place
    FROM ordered
    WINDOW later_of_fact AS (PARTITION BY fact_id ORDER BY place ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING),
        later_at_slot AS (PARTITION BY slot ORDER BY place ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
)
SELECT version_id, is_new, CASE WHEN least(by_version, by_final, by_correction) IS NOT NULL
        THEN greatest(known_from, least(by_version, by_final, by_correction)) END AS known_until,
    least(version_received, final_received, correction_received) AS received_until,
    coalesce(version_before > place, FALSE) OR coalesce(final_before, FALSE) OR coalesce(correction_before > place, FALSE) AS superseded
FROM met;

CREATE OR REPLACE TEMP TABLE outcome AS
SELECT arriving.line, CASE WHEN fresh.line IS NULL THEN 'duplicate' WHEN superseded THEN 'superseded' ELSE 'accepted' END AS outcome
FROM arriving LEFT JOIN fresh USING (line) LEFT JOIN standing ON standing.version_id = fresh.version_id;

INSERT INTO source.row
SELECT file_id, line, row_kind, outcome, place FROM outcome JOIN received USING (line), receipt ORDER BY line;

INSERT INTO changed_patient
SELECT DISTINCT patient_id FROM fresh ON CONFLICT DO NOTHING;

INSERT INTO record.patient
SELECT DISTINCT patient_id, NULL, NULL, NULL, NULL, NULL FROM fresh
WHERE patient_id NOT IN (SELECT patient_id FROM record.patient);
