-- The decisions that are taken. A rejected row stays rejected, and is settled; the other ones bring the held row as it was read, with
-- another unit where the unit is corrected (`brought`).

CREATE OR REPLACE TEMP TABLE taken AS
SELECT received.line, decision, unit, decided_by, why, decided_at, decided_on.of_file_id, decided_on.of_line, held_kind, held_cells
FROM received JOIN decided_on USING (line) ANTI JOIN rejected USING (line);

INSERT INTO source.decision
SELECT file_id, line, of_file_id, of_line, decision, unit, decided_by, why, CAST(decided_at AS TIMESTAMP) FROM taken, receipt;

INSERT INTO settled
SELECT line FROM taken WHERE decision = 'accept';

INSERT INTO source.row
SELECT file_id, line, row_kind, 'accepted', NULL FROM taken, receipt WHERE decision = 'reject' ORDER BY line;

CREATE OR REPLACE TEMP TABLE brought AS
SELECT line, raw, held_kind AS kind, held_cells AS cells, CASE decision WHEN 'correct_unit' THEN unit END AS unit
FROM taken JOIN (SELECT line, raw FROM arrived) AS printed USING (line) WHERE decision <> 'reject';
