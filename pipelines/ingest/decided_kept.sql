-- The decisions that are taken. A rejected row stays rejected, and is settled; the other ones bring a record of their own (`brought`).

INSERT INTO source.decision
SELECT receipt.file_id, received.line, waiting.file_id, waiting.line, decision, unit, decided_by, why, CAST(decided_at AS TIMESTAMP)
FROM received ANTI JOIN rejected USING (line) JOIN waiting ON waiting.sha256 = of_file AND waiting.line = CAST(of_line AS INTEGER), receipt;

INSERT INTO settled
SELECT line FROM received ANTI JOIN rejected USING (line) WHERE decision = 'accept';

INSERT INTO source.row
SELECT file_id, line, row_kind, 'accepted', NULL FROM received ANTI JOIN rejected USING (line), receipt WHERE decision = 'reject' ORDER BY line;

CREATE OR REPLACE TEMP TABLE brought AS
SELECT line, printed.raw, held_kind AS kind, held_cells AS cells, CASE decision WHEN 'correct_unit' THEN unit END AS unit
FROM received JOIN (SELECT line, raw FROM arrived) AS printed USING (line) JOIN waiting_cells USING (line) ANTI JOIN rejected USING (line) WHERE decision <> 'reject';
