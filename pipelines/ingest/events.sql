-- events: kind, code and value as dictionary/events.toml allows them. A kind with one code named like itself needs no code.

CREATE OR REPLACE TEMP TABLE coded AS
WITH words AS (
    SELECT *, replace(plain_name(kind), ' ', '_') AS kind_word, replace(plain_name(code), ' ', '_') AS code_word FROM received
)
SELECT words.line, words.patient_id, kind_word, coalesce(event_code.code, stopped.code) AS code_word, rule.value_kind, rule.choices, rule.low,
    rule.high, rule.when_blank,
    CASE WHEN stopped.code IS NOT NULL AND words.value IS NULL THEN words.code ELSE words.value END AS value_text   -- drug_stopped, <drug>
FROM words
LEFT JOIN event_code ON event_code.kind = kind_word AND event_code.code = coalesce(code_word, kind_word)
LEFT JOIN event_code AS stopped ON event_code.code IS NULL AND stopped.kind = kind_word AND stopped.value_kind = 'drug'
LEFT JOIN event_code AS rule ON rule.kind = kind_word AND rule.code = coalesce(event_code.code, stopped.code);

CREATE OR REPLACE TEMP TABLE valued AS
SELECT coded.line, coded.patient_id, kind_word AS kind, code_word AS code, value_kind, choices, coded.low, coded.high, value_text, numeral.ambiguous,
    CASE value_kind
        WHEN 'choice' THEN CASE WHEN value_text IS NULL THEN when_blank
            WHEN list_contains(choices, replace(plain_name(value_text), ' ', '_')) THEN replace(plain_name(value_text), ' ', '_') END
        WHEN 'drug' THEN drug_name.drug
        WHEN 'text' THEN lower(value_text)
        ELSE value_text END AS value,
    CASE WHEN value_kind = 'number' AND numeral.is_number AND comparator = '' AND (NOT percent OR code_word LIKE '%spo2')
        THEN TRY_CAST(numeral.number AS DECIMAL(19, 6)) END AS number,
    value_kind = 'number' AND coalesce(numeral.is_number AND comparator = '', FALSE) AS is_number
FROM coded
LEFT JOIN numeral ON numeral.text = value_text
LEFT JOIN drug_name ON value_kind = 'drug' AND drug_name.name = plain_name(value_text);

INSERT INTO fault
SELECT line, 'kind_unknown', 'kind', kind, 'Kinds: ' || (SELECT string_agg(DISTINCT kind, ', ' ORDER BY kind) FROM event_code) || '.'
FROM received JOIN coded USING (line) WHERE kind_word IS NULL OR kind_word NOT IN (SELECT kind FROM event_code)
UNION ALL
SELECT line, 'code_unknown', 'code', received.code, known.hint
FROM received JOIN coded USING (line)
JOIN (SELECT kind, 'Codes of ' || kind || ': ' || string_agg(code, ', ' ORDER BY code) || '.' AS hint FROM event_code GROUP BY kind) AS known
    ON known.kind = kind_word
WHERE code_word IS NULL
UNION ALL
SELECT line, 'drug_unknown', 'value', value_text, NULL FROM valued WHERE value_kind = 'drug' AND value IS NULL AND value_text IS NOT NULL
UNION ALL
SELECT line, 'event_value_missing', 'value', NULL, CASE WHEN value_kind = 'choice' THEN 'One of: ' || array_to_string(choices, ', ') || '.' END
FROM valued WHERE value_kind IN ('choice', 'number', 'drug') AND value_text IS NULL AND value IS NULL
UNION ALL
SELECT line, 'event_value_unknown', 'value', value_text, 'One of: ' || array_to_string(choices, ', ') || '.'
FROM valued WHERE value_kind = 'choice' AND value IS NULL AND value_text IS NOT NULL
UNION ALL
SELECT line, 'value_unreadable', 'value', value_text, NULL
FROM valued WHERE value_kind = 'number' AND NOT is_number AND NOT coalesce(ambiguous, FALSE) AND value_text IS NOT NULL
UNION ALL
SELECT line, 'value_impossible', 'value', value_text, concat('Possible: ', CAST(low AS DOUBLE), ' to ', CAST(high AS DOUBLE), '.')
FROM valued WHERE is_number AND (number IS NULL OR number < low OR number > high)
UNION ALL
SELECT line, 'stop_before_start', 'until', until, NULL
FROM received JOIN instant AS ended ON ended.text = until JOIN instant AS started ON started.text = received."at"
WHERE CAST(ended.high AS DATE) < CAST(started.low AS DATE);
