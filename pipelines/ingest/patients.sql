-- patients: the newest row of a patient wins; an older one stays accepted. The same row again is a duplicate.

CREATE OR REPLACE TEMP TABLE person AS
SELECT line, patient_id, nullif(word.value, 'unknown') AS sex, TRY_CAST(birth_year AS INTEGER) AS year, birth_year, site
FROM received LEFT JOIN word ON word.field = 'sex' AND word.text = received.sex;

INSERT INTO fault
SELECT line, 'value_unreadable', 'birth_year', birth_year, NULL FROM person
WHERE birth_year IS NOT NULL AND NOT regexp_full_match(birth_year, '\d{1,5}')
UNION ALL
SELECT line, 'birth_year_impossible', 'birth_year', birth_year, 'Possible: 1900 to the year of receipt.' FROM person, receipt
WHERE year < 1900 OR year > year(received_at);
