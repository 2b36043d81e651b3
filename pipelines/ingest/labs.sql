-- labs: one row, one result. What each row is about (`taken`), and its value as printed (`cell`).

CREATE OR REPLACE TEMP TABLE named AS
SELECT text.analyte, text.code, text.assay, coalesce(assay_name.assay, text.assay) AS assay_resolved,
    coalesce(by_name.analyte, by_loinc.analyte, by_code.analyte, by_code_name.analyte) AS resolved,
    coalesce(by_name.analyte, by_loinc.analyte) <> coalesce(by_code.analyte, by_code_name.analyte) AS contradicts
FROM (SELECT DISTINCT analyte, code, assay FROM received) AS text
LEFT JOIN analyte_name AS by_name ON by_name.name = plain_name(text.analyte)
LEFT JOIN analyte_name AS by_loinc ON by_loinc.name = text.analyte    -- a LOINC code keeps its hyphen
LEFT JOIN analyte_name AS by_code ON by_code.name = text.code
LEFT JOIN analyte_name AS by_code_name ON by_code_name.name = plain_name(text.code)
LEFT JOIN assay_name ON assay_name.name = plain_name(text.assay);

INSERT INTO fault
SELECT line, 'analyte_missing', 'analyte', NULL, NULL FROM received WHERE analyte IS NULL AND code IS NULL
UNION ALL
SELECT line, 'analyte_unknown', CASE WHEN received.analyte IS NULL OR contradicts THEN 'code' ELSE 'analyte' END,
    CASE WHEN received.analyte IS NULL OR contradicts THEN received.code ELSE received.analyte END,
    CASE WHEN contradicts THEN 'Analyte and code name different things: ' || received.analyte || ', ' || received.code || '.' END
FROM received JOIN named ON named.analyte IS NOT DISTINCT FROM received.analyte AND named.code IS NOT DISTINCT FROM received.code
    AND named.assay IS NOT DISTINCT FROM received.assay
WHERE (resolved IS NULL OR contradicts) AND (received.analyte IS NOT NULL OR received.code IS NOT NULL);

CREATE OR REPLACE TEMP TABLE taken AS
SELECT line, patient_id, received."at" AS at_text, reported_at AS reported_text, status AS status_text,
    assay_resolved AS assay, laboratory,
    CASE WHEN lower(sample_timing) IN ('c0', 'c2') THEN upper(sample_timing) WHEN lower(sample_timing) = 'trough' THEN 'trough'
         ELSE sample_timing END AS sample_timing,
    CAST(NULL AS VARCHAR) AS activity, CAST(NULL AS VARCHAR) AS phase, CAST(NULL AS VARCHAR) AS reference_set, specimen_id, record_id, resolved AS what
FROM received JOIN named ON named.analyte IS NOT DISTINCT FROM received.analyte AND named.code IS NOT DISTINCT FROM received.code
    AND named.assay IS NOT DISTINCT FROM received.assay;

CREATE OR REPLACE TEMP TABLE cell AS
SELECT received.line, 'value' AS field, what AS analyte, value AS text, unit AS unit_text, ref_low AS ref_low_text,
    ref_high AS ref_high_text, FALSE AS unit_given
FROM received JOIN taken USING (line);
