-- decisions: each is about a row that is held and on which nobody decided before; what it brings is then read like any other row.

CREATE OR REPLACE TEMP TABLE waiting AS
SELECT sha256, rejected.line, max(rejected.file_id) AS file_id
FROM source.rejected JOIN source.file USING (file_id)
WHERE class = 'held' AND (sha256, rejected.line) NOT IN (
    SELECT sha256, of_line FROM source.decision JOIN source.file ON file.file_id = of_file_id)
GROUP BY sha256, rejected.line;

INSERT INTO fault
SELECT received.line, 'decision_unmatched', 'of_file', of_file, NULL FROM received
LEFT JOIN waiting ON waiting.sha256 = of_file AND waiting.line = TRY_CAST(of_line AS INTEGER)
WHERE waiting.line IS NULL
    OR received.line > (SELECT min(first.line) FROM received AS first WHERE first.of_file = received.of_file AND first.of_line = received.of_line);
