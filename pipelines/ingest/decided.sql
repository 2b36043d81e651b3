-- decisions: each is about a row that is held and on which nobody decided before; what it brings is then read like any other row.

CREATE OR REPLACE TEMP TABLE waiting AS
SELECT sha256, rejected.line, max(rejected.file_id) AS file_id
FROM source.rejected JOIN source.file USING (file_id)
WHERE class = 'held' AND (sha256, rejected.line) NOT IN (
    SELECT sha256, of_line FROM source.decision JOIN source.file ON file.file_id = of_file_id)
GROUP BY sha256, rejected.line;

-- Only the last arrival of a file asks: an earlier one may have been settled by what came in between.
DELETE FROM temp.waiting WHERE (sha256, file_id) NOT IN (SELECT sha256, max(file_id) FROM source.file GROUP BY sha256);

INSERT INTO fault
SELECT received.line, 'decision_unmatched', 'of_file', of_file, NULL FROM received
LEFT JOIN waiting ON waiting.sha256 = of_file AND waiting.line = TRY_CAST(of_line AS INTEGER)
WHERE waiting.line IS NULL
    OR received.line > (SELECT min(first.line) FROM received AS first WHERE first.of_file = received.of_file AND first.of_line = received.of_line)
UNION ALL
SELECT received.line, 'decision_unmatched', 'decision', decision, 'A row held for this reason cannot be accepted as it is printed.'
FROM received JOIN waiting ON waiting.sha256 = of_file AND waiting.line = TRY_CAST(of_line AS INTEGER)
JOIN source.rejected AS held ON held.file_id = waiting.file_id AND held.line = waiting.line JOIN reason ON reason.reason = held.reason
WHERE decision = 'accept' AND NOT acceptable
UNION ALL
SELECT line, 'date_future', 'decided_at', decided_at, NULL FROM received, receipt WHERE TRY_CAST(decided_at AS TIMESTAMP) > received_at;

-- What a decision may bring: the row that is held, as it was read, with another unit where the unit is corrected.
CREATE OR REPLACE TEMP TABLE waiting_cells AS
SELECT received.line, source.row.kind AS held_kind, rejected.cells AS held_cells
FROM received JOIN waiting ON waiting.sha256 = of_file AND waiting.line = TRY_CAST(of_line AS INTEGER)
JOIN source.rejected ON rejected.file_id = waiting.file_id AND rejected.line = waiting.line
JOIN source.row ON source.row.file_id = waiting.file_id AND source.row.line = waiting.line;
