/*
title = "Window in which early plasma exchange was reported is open"
group = "therapy"
why   = """In one cohort all 9 patients in whom plasma exchange was begun within 2 weeks of starting treatment lived, and 19 of 31 of the
others. The window counts as open while gas exchange is failing on combination therapy, no session has been given yet and day 14
has not passed. It says that time is running, not that exchange is indicated: the cohort was small and not randomised."""
unknown = ["combination therapy"]

[threshold.window_days]
value = 14
unit  = "days after the start of combination therapy"
step  = 1
cite  = "early_exchange_2023"
tag   = "published"

[finding]
facts = ["day", "gas_exchange", "closes_on", "because"]
met = "Gas exchange is failing on day {day} of combination therapy ({gas_exchange}) and no plasma exchange has been given: early exchange was reported within two weeks of starting treatment, here up to {closes_on}."
not_met = "No open window for early plasma exchange: {because}."
not_evaluable = "Whether the window for early plasma exchange is open cannot be told. Missing: {missing}."
[finding.notes]

[[history]]
on  = 2026-11-21
why = "first version"
*/
WITH gas AS (
    SELECT
        patient_id, on_date, status,
        lead(on_date) OVER (PARTITION BY patient_id ORDER BY on_date) AS replaced_on
    FROM refractory_gas_exchange
    WHERE item = 'combination'
),
session AS (
    SELECT patient_id, on_date, min(record_id) AS record_id
    FROM event
    WHERE kind = 'procedure' AND code = 'plasma_exchange'
    GROUP BY patient_id, on_date
    QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY on_date) = 1
),
span AS (
    SELECT
        span.patient_id, span.day0, span.from_date, span.to_date, span.evidence,
        span.day0 + CAST($window_days AS INTEGER) AS closes_on,
        session.on_date AS session_on, session.record_id AS session_id
    FROM refractory_window AS span
    LEFT JOIN session ON session.patient_id = span.patient_id
    WHERE span.clock = 'combination'
),
point AS (   -- the start, each answer of gas exchange inside the window, the first session, and the day after the last
    SELECT patient_id, from_date, from_date AS on_date FROM span
    UNION
    SELECT span.patient_id, span.from_date, gas.on_date
    FROM span
    JOIN gas ON gas.patient_id = span.patient_id AND gas.on_date BETWEEN span.from_date AND span.closes_on
    UNION
    SELECT patient_id, from_date, session_on FROM span WHERE session_on >= from_date
    UNION
    SELECT patient_id, from_date, closes_on + 1 FROM span WHERE day0 IS NOT NULL
),
opened AS (
    SELECT span.patient_id, span.from_date, min(gas.on_date) AS opened_on
    FROM span
    JOIN gas ON gas.patient_id = span.patient_id AND gas.on_date BETWEEN span.from_date AND span.closes_on AND gas.status = 'met'
    WHERE (span.session_on IS NULL OR gas.on_date < span.session_on) AND (span.to_date IS NULL OR gas.on_date < span.to_date)
    GROUP BY span.patient_id, span.from_date
),
judged AS (
    SELECT
        span.patient_id, span.day0, span.closes_on, span.session_on, span.session_id, span.evidence AS started_by, point.on_date,
        gas.on_date AS gas_on, opened.opened_on,
        CASE
            WHEN span.day0 IS NULL THEN 'taken_back'
            WHEN span.session_on <= point.on_date THEN 'session'
            WHEN point.on_date > span.closes_on THEN 'passed'
            ELSE gas.status
        END AS state
    FROM span
    JOIN point
        ON point.patient_id = span.patient_id AND point.from_date = span.from_date
        AND (span.to_date IS NULL OR point.on_date < span.to_date)
    JOIN gas
        ON gas.patient_id = span.patient_id AND gas.on_date <= point.on_date AND (gas.replaced_on IS NULL OR gas.replaced_on > point.on_date)
    LEFT JOIN opened ON opened.patient_id = span.patient_id AND opened.from_date = span.from_date
)
SELECT
    judged.patient_id, judged.on_date, NULL AS item,
    CASE judged.state WHEN 'met' THEN 'met' WHEN 'not_evaluable' THEN judged.state WHEN 'taken_back' THEN 'not_evaluable' ELSE 'not_met' END AS status,
    NULL AS grade,
    CASE judged.state WHEN 'session' THEN [judged.session_id] WHEN 'passed' THEN judged.started_by ELSE gas.evidence END AS evidence,
    CASE judged.state WHEN 'not_evaluable' THEN gas.missing WHEN 'taken_back' THEN ['combination therapy'] ELSE CAST([] AS VARCHAR[]) END AS missing,
    [
        CAST(date_diff('day', judged.day0, judged.on_date) AS VARCHAR), gas.facts[1] || ', against ' || gas.facts[2] || ' on ' || gas.facts[3], CAST(judged.closes_on AS VARCHAR),
        CASE judged.state
            WHEN 'not_met' THEN 'gas exchange is not failing (' || gas.facts[1] || ', against ' || gas.facts[2] || ' on ' || gas.facts[3] || ')'
            WHEN 'passed' THEN 'day ' || CAST($window_days AS VARCHAR) || ' of combination therapy, '
                || CAST(judged.closes_on AS VARCHAR) || ', has passed with no plasma exchange'
            WHEN 'session' THEN 'plasma exchange was begun on ' || CAST(judged.session_on AS VARCHAR)
                || CASE
                    WHEN judged.opened_on <= judged.session_on
                    THEN ', ' || CAST(date_diff('day', judged.opened_on, judged.session_on) AS VARCHAR) || ' days after the window opened'
                    ELSE ''
                END
        END
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CASE WHEN judged.state IN ('met', 'passed') THEN date_diff('day', judged.on_date, judged.closes_on) END AS margin
FROM judged
LEFT JOIN refractory_gas_exchange AS gas
    ON gas.patient_id = judged.patient_id AND gas.item = 'combination' AND gas.on_date = judged.gas_on
