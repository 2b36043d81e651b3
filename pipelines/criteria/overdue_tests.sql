/*
title = "A test of the monitoring schedule is overdue"
group = "monitoring"
why   = """The schedule is in the dictionary, one source per test: lung function every 180 days in the first year (ACR/CHEST 2023: 3 to 6
months); all other intervals are project defaults that count from the start of combination therapy. A test is due one interval after its
last result since the clock's start, or after the start itself; the interval is that of the phase in which this day lies. From the due day
on it is overdue until a result is dated. A result on the first day of the clock is that day's, none before it counts, and the clock starts
anew where therapy or the index date do. IgG is asked for once rituximab, an exchange or cyclophosphamide was given."""
items   = "test"
unknown = ["combination therapy"]

[finding]
facts         = ["test", "due", "counted"]
met           = "{test}: no result by {due}, when one was due ({counted})."
not_met       = "{test}: not overdue on {on_date}; next due: {due} ({counted})."
not_evaluable = "Whether the test is overdue cannot be told. Missing: {missing}."

[finding.notes]
project                   = "The interval is a project default, no published source."
acr_chest_2023_monitoring = "ACR/CHEST 2023: every 3 to 6 months in the first year."

[[history]]
on  = 2026-11-30
why = "first version"
*/
WITH phase AS (   -- open intervals are closed first: an OR in the join below would compare every pair
    SELECT
        test, from_day, coalesce(to_day, 999999) AS to_day, every, max(coalesce(to_day, 999999)) OVER (PARTITION BY test) AS scheduled_to
    FROM monitoring
),
test AS (
    SELECT
        monitoring.test, max(monitoring.clock) AS clock, max(monitoring.title) AS title, max(monitoring.cite) AS cite,
        count(monitoring_condition.given) > 0 AS conditional
    FROM monitoring
    LEFT JOIN monitoring_condition ON monitoring_condition.test = monitoring.test
    GROUP BY monitoring.test
),
asked AS (   -- since when a test with a condition is asked for
    SELECT given.patient_id, monitoring_condition.test, min(given.on_date) AS from_day
    FROM monitoring_condition
    JOIN (
        SELECT patient_id, drug AS given, start_date AS on_date FROM administration WHERE action = 'given'
        UNION ALL
        SELECT patient_id, code, on_date FROM event WHERE kind = 'procedure'
    ) AS given ON given.given = monitoring_condition.given
    GROUP BY given.patient_id, monitoring_condition.test
),
clock_turn AS (   -- the days on which a clock starts or, with no other start, stops
    SELECT patient_id, clock, on_date, max(started) = 1 AS runs, max(evidence) AS evidence
    FROM (
        SELECT patient_id, 'combination' AS clock, first_day AS on_date, 0 AS started, CAST(NULL AS BIGINT[]) AS evidence FROM patient
        UNION ALL
        SELECT patient_id, 'combination', applies_to, 0, NULL FROM combination_therapy WHERE applies_to IS NOT NULL
        UNION ALL
        SELECT patient_id, 'combination', applies_from, 1, evidence FROM combination_therapy
        UNION ALL
        SELECT patient_id, 'index', applies_from, 1, evidence FROM index_date
    ) AS turns
    GROUP BY patient_id, clock, on_date
),
span AS (
    SELECT
        patient_id, clock, on_date AS from_day, runs, evidence,
        coalesce(lead(on_date) OVER (PARTITION BY patient_id, clock ORDER BY on_date), DATE '9999-12-31') AS to_day
    FROM clock_turn
),
watched AS (   -- per test; a clock that does not run is a span too
    SELECT
        span.patient_id, test.test, span.from_day, span.to_day, span.runs, span.evidence,
        greatest(span.from_day, asked.from_day) AS asked_from   -- greatest() passes over NULL
    FROM span
    JOIN test ON test.clock = span.clock
    LEFT JOIN asked ON asked.patient_id = span.patient_id AND asked.test = test.test
    WHERE NOT test.conditional OR asked.from_day < span.to_day
),
result AS (
    SELECT observation.patient_id, monitoring_result.test, observation.on_date, min(observation.record_id) AS record_id
    FROM observation
    JOIN monitoring_result ON monitoring_result.analyte = observation.analyte
    WHERE coalesce(observation.phase, 'pre') = 'pre'
    GROUP BY observation.patient_id, monitoring_result.test, observation.on_date
),
point AS (   -- what the next due day is counted from: the clock's start and every result since
    SELECT
        patient_id, test, from_day AS clock_on, to_day, runs, asked_from, from_day AS on_date, CAST(NULL AS BIGINT) AS record_id, evidence
    FROM watched
    UNION ALL
    SELECT
        result.patient_id, result.test, watched.from_day, watched.to_day, TRUE, greatest(watched.asked_from, result.on_date),
        result.on_date, result.record_id, NULL
    FROM result
    JOIN watched
        ON watched.patient_id = result.patient_id AND watched.test = result.test
        AND result.on_date >= watched.from_day AND result.on_date < watched.to_day
    WHERE watched.runs
),
followed AS (   -- a result of the clock's first day takes the place of the start; least() passes over NULL
    SELECT
        *,
        least(to_day, lead(on_date) OVER (PARTITION BY patient_id, test ORDER BY on_date, record_id NULLS FIRST)) AS next_on
    FROM point
),
scheduled AS (
    SELECT
        followed.patient_id, followed.test, followed.on_date, followed.next_on, followed.asked_from, followed.record_id, followed.clock_on,
        followed.runs, followed.evidence, phase.every,
        CASE
            WHEN date_diff('day', followed.clock_on, followed.on_date) + phase.every < phase.scheduled_to
            THEN followed.on_date + phase.every
        END AS due
    FROM followed
    LEFT JOIN phase
        ON phase.test = CASE WHEN followed.runs THEN followed.test END
        AND date_diff('day', followed.clock_on, followed.on_date) >= phase.from_day
        AND date_diff('day', followed.clock_on, followed.on_date) < phase.to_day
    WHERE followed.asked_from < followed.next_on
),
answered AS (   -- from the point on, and from the due day on if no result comes before
    SELECT patient_id, test, asked_from AS judged_on, on_date, record_id, runs, evidence, every, due FROM scheduled
    UNION ALL
    SELECT patient_id, test, due, on_date, record_id, runs, evidence, every, due FROM scheduled WHERE due > asked_from AND due < next_on
),
judged AS (
    SELECT
        answered.patient_id, answered.test, answered.judged_on AS on_date, answered.on_date AS counted_from, answered.record_id,
        answered.runs, answered.evidence AS clock_evidence, answered.every, answered.due, test.clock, test.title, test.cite
    FROM answered
    JOIN test ON test.test = answered.test
)
SELECT
    patient_id, on_date, test AS item,
    CASE WHEN NOT runs THEN 'not_evaluable' WHEN due <= on_date THEN 'met' ELSE 'not_met' END AS status,
    CAST(NULL AS INTEGER) AS grade,
    CASE
        WHEN NOT runs THEN CAST([] AS BIGINT[]) WHEN record_id IS NOT NULL THEN [record_id]
        ELSE coalesce(clock_evidence, CAST([] AS BIGINT[]))
    END AS evidence,
    CASE WHEN NOT runs THEN ['combination therapy'] ELSE CAST([] AS VARCHAR[]) END AS missing,
    [
        title,
        CASE WHEN runs THEN coalesce(CAST(due AS VARCHAR), 'no further one is scheduled') END,
        CASE
            WHEN runs THEN concat(
                CASE WHEN due IS NOT NULL THEN concat(CAST(every AS VARCHAR), ' days after ') ELSE 'after ' END,
                CASE
                    WHEN record_id IS NOT NULL THEN 'the result of ' WHEN clock = 'index' THEN 'the index date, '
                    ELSE 'the start of combination therapy, '
                END,
                CAST(counted_from AS VARCHAR)
            )
        END
    ] AS facts,
    CASE WHEN NOT runs THEN CAST([] AS VARCHAR[]) ELSE [cite] END AS notes,
    CAST(date_diff('day', due, on_date) AS DECIMAL(19, 6)) AS margin
FROM judged
