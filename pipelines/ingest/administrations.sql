-- administrations: one row, one course or one dose. A dose that cannot be read was still given: dose unknown, text kept.
-- A fact without record_id is (patient, drug, route, start, dose, action, purpose): a row that adds a stop is a new version of it.

CREATE OR REPLACE TEMP TABLE named AS
SELECT text.drug, text.code, by_drug.drug AS by_name, coalesce(by_name, by_code.drug) AS resolved, by_drug.drug <> by_code.drug AS contradicts,
    coalesce(by_code.route, by_drug.route) AS route, coalesce(by_drug.systemic, TRUE) AND coalesce(by_code.systemic, TRUE) AS systemic
FROM (SELECT DISTINCT drug, code FROM received) AS text
LEFT JOIN drug_name AS by_drug ON by_drug.name = plain_name(text.drug)
LEFT JOIN drug_name AS by_code ON by_code.name = plain_name(text.code);

INSERT INTO fault
SELECT line, 'drug_missing', 'drug', NULL, NULL FROM received WHERE drug IS NULL AND code IS NULL
UNION ALL
SELECT line, 'drug_unknown', CASE WHEN received.drug IS NULL OR contradicts THEN 'code' ELSE 'drug' END,
    CASE WHEN received.drug IS NULL OR contradicts THEN received.code ELSE received.drug END,
    CASE WHEN contradicts THEN 'Drug and code name different things: ' || received.drug || ', ' || received.code || '.' END
FROM received JOIN named ON named.drug IS NOT DISTINCT FROM received.drug AND named.code IS NOT DISTINCT FROM received.code
WHERE (resolved IS NULL OR contradicts) AND (received.drug IS NOT NULL OR received.code IS NOT NULL)
UNION ALL
SELECT line, 'route_unknown', 'route', route, 'Known: ' || (SELECT string_agg(DISTINCT route, ', ' ORDER BY route) FROM route_name) || '.'
FROM received WHERE plain_name(route) NOT IN (SELECT name FROM route_name)
UNION ALL
SELECT line, 'stop_before_start', 'stop', stop, NULL
FROM received JOIN instant AS ended ON ended.text = stop JOIN instant AS started ON started.text = received.start
WHERE CAST(ended.high AS DATE) < CAST(started.low AS DATE);

CREATE OR REPLACE TEMP TABLE dosed AS
SELECT line, patient_id, resolved AS drug, coalesce(route_name.route, named.route) AS route,
    coalesce(route_name.systemic, TRUE) AND named.systemic AS systemic,
    CASE WHEN received.per IS NULL OR per.value IS NOT NULL THEN
        TRY_CAST(TRY(CASE WHEN is_number AND NOT percent AND comparator = '' AND number >= 0 THEN number * CAST(dose_unit.factor AS DECIMAL(22, 12)) END)
            AS DECIMAL(19, 6)) END AS dose,
    received.dose AS dose_text, received.dose_unit AS unit_text, per.value AS per, received.per AS per_text, record_id,
    start_read.low AS start_low, start_read.high AS start_high, stop_read.low AS stop_low, stop_read.high AS stop_high,
    coalesce(ongoing.value = 'yes', FALSE) AS ongoing, confirmed.low AS confirmed_low, confirmed.high AS confirmed_high,
    coalesce(action.value, 'given') AS action, purpose.value AS purpose, coalesce(status.value, 'final') AS status, reported.high AS issued_at
FROM received JOIN named ON named.drug IS NOT DISTINCT FROM received.drug AND named.code IS NOT DISTINCT FROM received.code
LEFT JOIN route_name ON route_name.name = plain_name(received.route)
LEFT JOIN numeral ON numeral.text = received.dose
LEFT JOIN dose_unit ON dose_unit.drug = named.resolved AND dose_unit.unit = plain_unit(received.dose_unit)
LEFT JOIN instant AS start_read ON start_read.text = received.start
LEFT JOIN instant AS stop_read ON stop_read.text = received.stop
LEFT JOIN instant AS confirmed ON confirmed.text = received.last_confirmed_on
LEFT JOIN word AS per ON per.field = 'per' AND per.text = received.per
LEFT JOIN word AS ongoing ON ongoing.field = 'ongoing' AND ongoing.text = received.ongoing
LEFT JOIN word AS action ON action.field = 'action' AND action.text = received.action
LEFT JOIN word AS purpose ON purpose.field = 'purpose' AND purpose.text = received.purpose
LEFT JOIN word AS status ON status.field = 'status' AND status.text = received.status
LEFT JOIN instant AS reported ON reported.text = received.reported_at;
