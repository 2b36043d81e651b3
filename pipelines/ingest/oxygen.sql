-- oxygen: one row, one moment. Every filled cell is an observation; all share the row's set_id. Units are those of the columns.

CREATE OR REPLACE TEMP TABLE taken AS
SELECT line, patient_id, received."at" AS at_text, reported_at AS reported_text, status AS status_text, CAST(NULL AS VARCHAR) AS assay, CAST(NULL AS VARCHAR) AS laboratory,
    CAST(NULL AS VARCHAR) AS sample_timing, word.value AS activity, CAST(NULL AS VARCHAR) AS phase, CAST(NULL AS VARCHAR) AS reference_set, CAST(NULL AS VARCHAR) AS specimen_id, record_id,
    'oxygen' AS what
FROM received LEFT JOIN word ON word.field = 'activity' AND word.text = received.activity;

CREATE OR REPLACE TEMP TABLE cell AS
SELECT line, field, CASE field WHEN 'flow_l_min' THEN 'oxygen_flow' WHEN 'device' THEN 'oxygen_device' ELSE field END AS analyte,
    text, CAST(NULL AS VARCHAR) AS unit_text, CAST(NULL AS VARCHAR) AS ref_low_text, CAST(NULL AS VARCHAR) AS ref_high_text, TRUE AS unit_given
FROM (UNPIVOT received ON device, flow_l_min, fio2, spo2, respiratory_rate, pao2, paco2 INTO NAME field VALUE text);

INSERT INTO fault
SELECT line, 'nothing_measured', NULL, NULL, NULL FROM received WHERE line NOT IN (SELECT line FROM cell)
UNION ALL
SELECT line, 'device_unknown', 'device', text, NULL FROM cell
WHERE field = 'device' AND plain_name(text) NOT IN (SELECT name FROM device_name);
