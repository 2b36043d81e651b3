-- The versions of entries that are taken; the same version again is a duplicate. A referral brings its event (`brought`), under the
-- entry's id with a mark, so that it is never a version of a record of the hospital: a later version corrects it, a withdrawn one says
-- that it was entered in error; the one entered last stands (versions.sql), as of the entry itself.

CREATE OR REPLACE TEMP TABLE entered AS
WITH said AS (
    SELECT received.*, hash63(concat_ws(cell_break(), 'entry', kind, entry_id, patient_id, author, author_known, entered_at,
        coalesce(received.day, ''), coalesce(code, ''), coalesce(item, ''), coalesce(criterion, ''), coalesce(received.text, ''),
        coalesce(why, ''), coalesce(owner, ''), coalesce(due_on, ''), coalesce(until, ''), coalesce(about, ''), coalesce(topic, ''),
        coalesce(frozen, ''), coalesce(withdrawn, ''))) AS version_id
    FROM received ANTI JOIN rejected USING (line)
)
SELECT *, version_id IN (SELECT version_id FROM record.entry) OR row_number() OVER (PARTITION BY version_id ORDER BY line) > 1 AS again,
    row_number() OVER (PARTITION BY entry_id ORDER BY line) > 1 OR entry_id IN (SELECT entry_id FROM record.entry) AS corrects
FROM said;

INSERT INTO record.entry
SELECT version_id, entry_id, kind, patient_id, author, author_known, CAST(entered_at AS TIMESTAMP), CAST(entered.day AS DATE), code, item,
    criterion, entered.text, why, owner, CAST(due_on AS DATE), CAST(until AS DATE), about, topic, frozen, withdrawn IS NOT NULL, file_id, line
FROM entered, receipt WHERE NOT again ORDER BY line;

INSERT INTO source.row
SELECT file_id, line, row_kind, CASE WHEN again THEN 'duplicate' ELSE 'accepted' END, NULL
FROM entered, receipt WHERE kind <> 'referral' OR again ORDER BY line;

CREATE OR REPLACE TEMP TABLE brought AS
SELECT line, raw, 'events' AS kind, NULL AS unit, CAST(to_json({
        'patient_id': patient_id, 'kind': 'referral', 'code': code, 'at': entered.day, 'text': entered.text, 'reported_at': entered_at,
        'record_id': 'entry:' || entry_id, 'status': CASE WHEN withdrawn IS NOT NULL THEN 'entered_in_error' WHEN corrects THEN 'corrected' ELSE 'final' END
    }) AS VARCHAR) AS cells
FROM entered JOIN (SELECT line, raw FROM arrived) AS printed USING (line) WHERE kind = 'referral' AND NOT again;
