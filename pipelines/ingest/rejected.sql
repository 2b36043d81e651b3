-- Every row with a fault is rejected for its first one, in the order of reasons.toml, and keeps its text.

CREATE OR REPLACE TEMP TABLE rejected AS
SELECT line, reason, class, field, found, concat_ws(' ', hint, detail) AS hint
FROM fault JOIN reason USING (reason)
QUALIFY row_number() OVER (PARTITION BY line ORDER BY place, field) = 1;

INSERT INTO source.rejected
SELECT file_id, line, patient_id, class, reason, field, found, hint, raw, CASE class WHEN 'held' THEN to_json(received) END
FROM rejected JOIN received USING (line) JOIN (SELECT line, raw FROM arrived) AS printed USING (line), receipt ORDER BY line;

INSERT INTO source.row
SELECT file_id, line, row_kind, 'rejected', place FROM rejected JOIN received USING (line), receipt ORDER BY line;
