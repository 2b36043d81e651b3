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
scheduled_test AS (
    SELECT monitoring.test, max(monitoring.clock) AS clock, count(monitoring_condition.given) > 0 AS conditional
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
    SELECT patient_id, clock, on_date, max(started) AS started
    FROM (
        SELECT patient_id, 'combination' AS clock, first_day AS on_date, 0 AS started FROM patient
        UNION ALL
        SELECT patient_id, 'combination', applies_to, 0 FROM combination_therapy WHERE applies_to IS NOT NULL
        UNION ALL
        SELECT patient_id, 'combination', applies_from, 1 FROM combination_therapy
        UNION ALL
        SELECT patient_id, 'index', applies_from, 1 FROM index_date
    ) AS turns
    GROUP BY patient_id, clock, on_date
),
span AS (
    SELECT
        patient_id, clock, on_date AS from_day, CASE WHEN started = 1 THEN on_date END AS clock_on,
        coalesce(lead(on_date) OVER (PARTITION BY patient_id, clock ORDER BY on_date), DATE '9999-12-31') AS to_day
    FROM clock_turn
),
watched AS (   -- per test; a clock that does not run is a span too, with no clock_on
    SELECT
        span.patient_id, scheduled_test.test, span.from_day, span.to_day, span.clock_on,
        greatest(span.from_day, asked.from_day) AS asked_from   -- greatest() passes over NULL
    FROM span
    JOIN scheduled_test ON scheduled_test.clock = span.clock
    LEFT JOIN asked ON asked.patient_id = span.patient_id AND asked.test = scheduled_test.test
    WHERE NOT scheduled_test.conditional OR asked.from_day < span.to_day
),
result AS (
    SELECT observation.patient_id, monitoring_result.test, observation.on_date, min(observation.record_id) AS record_id
    FROM observation
    JOIN monitoring_result ON monitoring_result.analyte = observation.analyte
    WHERE coalesce(observation.phase, 'pre') = 'pre'
    GROUP BY observation.patient_id, monitoring_result.test, observation.on_date
),
point AS (   -- what the next due day is counted from: the clock's start and every result since
    SELECT patient_id, test, clock_on, to_day, asked_from, from_day AS on_date, CAST(NULL AS BIGINT) AS record_id
    FROM watched
    UNION ALL
    SELECT
        result.patient_id, result.test, watched.clock_on, watched.to_day, greatest(watched.asked_from, result.on_date), result.on_date,
        result.record_id
    FROM result
    JOIN watched
        ON watched.patient_id = result.patient_id AND watched.test = result.test
        AND result.on_date >= watched.clock_on AND result.on_date < watched.to_day
),
followed AS (   -- a result of the clock's first day takes the place of the start; least() passes over NULL
    SELECT
        *,
        least(to_day, lead(on_date) OVER (PARTITION BY patient_id, test ORDER BY on_date, record_id NULLS FIRST)) AS next_on
    FROM point
),
scheduled AS (
    SELECT
        followed.patient_id, followed.test, followed.clock_on, followed.asked_from, followed.on_date, followed.next_on, followed.record_id,
        CASE
            WHEN date_diff('day', followed.clock_on, followed.on_date) + phase.every < phase.scheduled_to
            THEN followed.on_date + phase.every
        END AS due
    FROM followed
    LEFT JOIN phase
        ON phase.test = CASE WHEN followed.clock_on IS NOT NULL THEN followed.test END
        AND date_diff('day', followed.clock_on, followed.on_date) >= phase.from_day
        AND date_diff('day', followed.clock_on, followed.on_date) < phase.to_day
    WHERE followed.asked_from < followed.next_on
),
judged AS (   -- from the point on, and from the due day on if no result comes before
    SELECT patient_id, test, asked_from AS on_date, clock_on, on_date AS counted_from, record_id, due FROM scheduled
    UNION ALL
    SELECT patient_id, test, due, clock_on, on_date, record_id, due FROM scheduled WHERE due > asked_from AND due < next_on
),
named AS (
    SELECT test, max(clock) AS clock, max(title) AS title, max(cite) AS cite FROM monitoring GROUP BY test
),
clock_start AS (
    SELECT patient_id, 'combination' AS clock, applies_from, evidence FROM combination_therapy
    UNION ALL
    SELECT patient_id, 'index', applies_from, evidence FROM index_date
)
SELECT
    judged.patient_id, judged.on_date, judged.test AS item,
    CASE WHEN judged.clock_on IS NULL THEN 'not_evaluable' WHEN judged.due <= judged.on_date THEN 'met' ELSE 'not_met' END AS status,
    CAST(NULL AS INTEGER) AS grade,
    CASE
        WHEN judged.record_id IS NOT NULL THEN [judged.record_id] ELSE coalesce(clock_start.evidence, CAST([] AS BIGINT[]))
    END AS evidence,
    CASE WHEN judged.clock_on IS NULL THEN ['combination therapy'] ELSE CAST([] AS VARCHAR[]) END AS missing,
    [
        named.title,
        CASE WHEN judged.clock_on IS NOT NULL THEN coalesce(CAST(judged.due AS VARCHAR), 'no further one is scheduled') END,
        CASE
            WHEN judged.clock_on IS NOT NULL THEN concat(
                CASE
                    WHEN judged.due IS NOT NULL
                    THEN concat(CAST(date_diff('day', judged.counted_from, judged.due) AS VARCHAR), ' days after ')
                    ELSE 'after '
                END,
                CASE
                    WHEN judged.record_id IS NOT NULL THEN 'the result of ' WHEN named.clock = 'index' THEN 'the index date, '
                    ELSE 'the start of combination therapy, '
                END,
                CAST(judged.counted_from AS VARCHAR)
            )
        END
    ] AS facts,
    CASE WHEN judged.clock_on IS NULL THEN CAST([] AS VARCHAR[]) ELSE [named.cite] END AS notes,
    CAST(date_diff('day', judged.due, judged.on_date) AS DECIMAL(19, 6)) AS margin
FROM judged
LEFT JOIN named ON named.test = judged.test
LEFT JOIN clock_start
    ON clock_start.patient_id = judged.patient_id AND clock_start.clock = named.clock
    AND clock_start.applies_from = CASE WHEN judged.record_id IS NULL THEN judged.clock_on END
