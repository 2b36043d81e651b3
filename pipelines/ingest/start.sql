-- What one ingest needs throughout. `receipt` holds what every step may ask about the file.

CREATE OR REPLACE TEMP MACRO plain_text(t) AS     -- blanks and signs of typography as their plain equals
    trim(regexp_replace(replace(replace(translate(t, '−‒–‑﹣－＋＜＞％' || chr(160) || chr(8199) || chr(8201) || chr(8239) || chr(12288),
         '-----' || '-+<>%     '), '≤', '<='), '≥', '>='), '\s+', ' ', 'g'));
CREATE OR REPLACE TEMP MACRO hash63(t) AS         -- the same on any engine: the first 63 bits of SHA-256
    CAST(CAST('0x' || substr(sha256(t), 1, 16) AS UBIGINT) >> 1 AS BIGINT);
-- A fact's id tells by its lowest bit what identifies it: 1 the source's own record_id, 0 what, when and the value.
CREATE OR REPLACE TEMP MACRO fact_hash(t, named) AS
    CAST((hash63(t) >> 1) * 2 + CASE WHEN named THEN 1 ELSE 0 END AS BIGINT);
CREATE OR REPLACE TEMP MACRO cell_break() AS chr(31);


CREATE OR REPLACE TEMP TABLE changed_patient (patient_id VARCHAR PRIMARY KEY);
CREATE OR REPLACE TEMP TABLE remark (what VARCHAR, rows BIGINT);    -- what the file's notes should say, counted per batch
CREATE OR REPLACE TEMP TABLE settled (line INTEGER);                -- rows that a person has accepted as printed

-- What hints name as allowed.
CREATE OR REPLACE TEMP TABLE allowed_unit AS
SELECT analyte, 'Known for ' || analyte || ': ' || string_agg(DISTINCT ucum, ', ' ORDER BY ucum) || '.' AS hint FROM unit_factor GROUP BY analyte;
CREATE OR REPLACE TEMP TABLE allowed_code AS
SELECT analyte, 'Coded results of ' || analyte || ': ' || string_agg(DISTINCT coded, ', ' ORDER BY coded) || '.' AS hint
FROM coded_value GROUP BY analyte;
CREATE OR REPLACE TEMP TABLE allowed_range AS
SELECT analyte, concat('Possible for ', analyte, ': ', CAST(plausible_low AS DOUBLE), ' to ', CAST(plausible_high AS DOUBLE), ' ', unit, '.') AS hint
FROM analyte WHERE plausible_low IS NOT NULL;
