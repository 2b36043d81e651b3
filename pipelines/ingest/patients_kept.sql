-- The patients rows that are taken. The newest word on each of sex, birth year and site wins; a blank says nothing and changes nothing.
-- A file received before, byte for byte, changes nothing.

CREATE OR REPLACE TEMP TABLE following AS
WITH told AS (
    SELECT person.line, person.patient_id, coalesce(last_value(person.sex IGNORE NULLS) OVER so_far, held.sex) AS sex,
        coalesce(last_value(person.year IGNORE NULLS) OVER so_far, held.birth_year) AS year,
        coalesce(last_value(person.site IGNORE NULLS) OVER so_far, held.site) AS site
    FROM person ANTI JOIN rejected USING (line) LEFT JOIN record.patient AS held ON held.patient_id = person.patient_id
    WINDOW so_far AS (PARTITION BY person.patient_id ORDER BY person.line)
)
SELECT told.*, row_number() OVER (PARTITION BY told.patient_id ORDER BY told.line DESC) = 1 AS is_last,
    EXISTS (SELECT 1 FROM source.file AS this JOIN source.file AS earlier ON earlier.sha256 = this.sha256 AND earlier.file_id < this.file_id
            WHERE this.sha256 <> '' AND this.file_id = (SELECT file_id FROM receipt))
        OR (lag(told.line) OVER before IS NOT NULL AND (told.sex, told.year, told.site) IS NOT DISTINCT FROM
            (lag(told.sex) OVER before, lag(told.year) OVER before, lag(told.site) OVER before))
        OR (lag(told.line) OVER before IS NULL AND held.file_id IS NOT NULL
            AND (told.sex, told.year, told.site) IS NOT DISTINCT FROM (held.sex, held.birth_year, held.site)) AS is_duplicate
FROM told LEFT JOIN record.patient AS held USING (patient_id)
WINDOW before AS (PARTITION BY told.patient_id ORDER BY told.line);

INSERT INTO source.row
SELECT file_id, line, 'patients', CASE WHEN is_duplicate THEN 'duplicate' ELSE 'accepted' END, place
FROM following JOIN received USING (line), receipt ORDER BY line;

INSERT INTO changed_patient
SELECT DISTINCT patient_id FROM following WHERE NOT is_duplicate ON CONFLICT DO NOTHING;

INSERT INTO record.patient_version
SELECT patient_id, sex, year, site, received_at, file_id, line FROM following, receipt WHERE NOT is_duplicate
QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY line DESC) = 1;

-- the line named is that of the newest row that said something new
INSERT INTO record.patient
SELECT patient_id, sex, year, site, file_id, line FROM following, receipt WHERE NOT is_duplicate
QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY line DESC) = 1
ON CONFLICT (patient_id) DO UPDATE SET sex = excluded.sex, birth_year = excluded.birth_year, site = excluded.site,
    file_id = excluded.file_id, line = excluded.line;
