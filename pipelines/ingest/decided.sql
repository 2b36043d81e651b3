-- decisions: each is about a row that is held and on which nobody decided before; what it brings is then read like any other row.

CREATE OR REPLACE TEMP TABLE waiting AS
SELECT sha256, line, file_id, kind, reason, cells
FROM source.rejected JOIN source.row USING (file_id, line) JOIN source.last_arrival USING (file_id)
ANTI JOIN source.decided USING (sha256, line) WHERE class = 'held';

-- Each decision with the row it is about; NULLs where there is none.
CREATE OR REPLACE TEMP TABLE decided_on AS
SELECT received.line, waiting.file_id AS of_file_id, waiting.line AS of_line, waiting.kind AS held_kind, waiting.reason AS held_for,
    waiting.cells AS held_cells, row_number() OVER (PARTITION BY of_file, received.of_line ORDER BY received.line) > 1 AS again
FROM received LEFT JOIN waiting ON waiting.sha256 = of_file AND waiting.line = TRY_CAST(received.of_line AS INTEGER);

INSERT INTO fault
SELECT received.line, 'decision_unmatched', 'of_file', of_file, NULL FROM received JOIN decided_on USING (line) WHERE of_file_id IS NULL OR again
UNION ALL
SELECT received.line, 'decision_unmatched', 'decision', decision, 'A row held for this reason cannot be accepted as it is printed.'
FROM received JOIN decided_on USING (line) JOIN reason ON reason.reason = held_for WHERE decision = 'accept' AND NOT acceptable
UNION ALL
SELECT line, 'date_future', 'decided_at', decided_at, NULL FROM received, receipt WHERE TRY_CAST(decided_at AS TIMESTAMP) > received_at;
