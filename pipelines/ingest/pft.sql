-- pft: one row, one measure, as a value, in percent of predicted, or both. They share the row's set_id.

CREATE OR REPLACE TEMP TABLE named AS
SELECT text.measure, name.analyte AS resolved, percent.analyte AS percent
FROM (SELECT DISTINCT measure FROM received) AS text
LEFT JOIN analyte_name AS name ON name.name = plain_name(text.measure)
LEFT JOIN analyte AS percent ON percent.analyte = regexp_replace(name.analyte, '_percent$', '') || '_percent';

CREATE OR REPLACE TEMP TABLE taken AS
SELECT line, patient_id, received."at" AS at_text, reported_at AS reported_text, status AS status_text, CAST(NULL AS VARCHAR) AS assay, CAST(NULL AS VARCHAR) AS laboratory,
    CAST(NULL AS VARCHAR) AS sample_timing, CAST(NULL AS VARCHAR) AS activity, word.value AS phase, reference_set, CAST(NULL AS VARCHAR) AS specimen_id, record_id,
    regexp_replace(resolved, '_percent$', '') AS what
FROM received JOIN named ON named.measure IS NOT DISTINCT FROM received.measure
LEFT JOIN word ON word.field = 'phase' AND word.text = received.phase;

-- FVC with the unit % (however printed) is a percentage of predicted
CREATE OR REPLACE TEMP TABLE cell AS
SELECT line, 'value' AS field, CASE WHEN plain_unit(received.unit) IN (SELECT unit FROM unit_factor WHERE ucum = '%') AND percent IS NOT NULL
        THEN percent ELSE resolved END AS analyte,
    value AS text, unit AS unit_text, CAST(NULL AS VARCHAR) AS ref_low_text, CAST(NULL AS VARCHAR) AS ref_high_text, FALSE AS unit_given
FROM received JOIN named ON named.measure IS NOT DISTINCT FROM received.measure
WHERE value IS NOT NULL OR percent_predicted IS NULL
UNION ALL
SELECT line, 'percent_predicted', percent, percent_predicted, '%', NULL, NULL, TRUE
FROM received JOIN named ON named.measure IS NOT DISTINCT FROM received.measure
WHERE percent_predicted IS NOT NULL;

INSERT INTO fault
SELECT line, 'analyte_missing', 'measure', NULL, NULL FROM received WHERE measure IS NULL
UNION ALL
SELECT line, 'analyte_unknown', 'measure', measure, NULL FROM received
WHERE measure IN (SELECT measure FROM named WHERE resolved IS NULL)
UNION ALL
SELECT line, 'analyte_unknown', 'percent_predicted', percent_predicted, 'A percent of predicted is not known for this measure.'
FROM received WHERE percent_predicted IS NOT NULL AND measure IN (SELECT measure FROM named WHERE percent IS NULL)
UNION ALL
SELECT line, 'value_contradicts', 'percent_predicted', any_value(text) FILTER (field = 'percent_predicted'), 'Both value and percent_predicted are percentages.'
FROM cell WHERE analyte IS NOT NULL GROUP BY line, analyte HAVING count(*) > 1;
