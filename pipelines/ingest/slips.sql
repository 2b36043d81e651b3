-- The results of this file that stand, and what the store knows of the same patient, analyte, assay and unit around them: only of
-- series in which a new value is far off one before it. Exact numbers only: a censored value is no slip of the unit.

CREATE OR REPLACE TEMP TABLE changed AS     -- a table, so that DuckDB knows how few they are before it reads every result of the store
SELECT DISTINCT patient_id, analyte FROM record.observation JOIN receipt USING (file_id) WHERE kind = 'labs' AND value > 0;

CREATE OR REPLACE TEMP TABLE series AS
WITH result AS (
    SELECT record_id, patient_id, analyte, assay, unit, value, at_high AS "at", line, status,
        observation.file_id = receipt.file_id AND status IN ('final', 'preliminary') AS is_new,
        lag(value) OVER before AS value_before, lag(at_high) OVER before AS at_before
    FROM record.observation SEMI JOIN changed USING (patient_id, analyte), receipt
    WHERE kind = 'labs' AND value > 0 AND known_until IS NULL AND status IN ('final', 'preliminary', 'corrected', 'amended')
    WINDOW before AS (PARTITION BY patient_id, analyte, assay, unit ORDER BY at_high, line)
),
suspect AS (
    SELECT DISTINCT patient_id, analyte, assay, unit FROM result
    WHERE is_new AND (value >= value_before * 4 OR value * 4 <= value_before)
    UNION
    SELECT patient_id, analyte, assay, unit FROM source.slip SEMI JOIN changed USING (patient_id, analyte)
)
SELECT result.record_id, patient_id, analyte, result.assay, result.unit, value, "at", line, is_new, swings
FROM result JOIN guard USING (analyte)
SEMI JOIN suspect ON suspect.patient_id = result.patient_id AND suspect.analyte = result.analyte
    AND suspect.assay IS NOT DISTINCT FROM result.assay AND suspect.unit IS NOT DISTINCT FROM result.unit
ORDER BY patient_id, analyte, result.assay, result.unit, "at", line;
