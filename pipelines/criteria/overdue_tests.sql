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
WITH phase AS (
    SELECT
        test, from_day, coalesce(to_day, 999999) AS to_day, every, max(coalesce(to_day, 999999)) OVER (PARTITION BY test) AS scheduled_to
    FROM monitoring
),
test AS (
    SELECT monitoring.test, max(monitoring.clock) AS clock, max(monitoring.title) AS title, max(monitoring.cite) AS cite, count(given) > 0 AS conditional
    FROM monitoring
    LEFT JOIN monitoring_condition ON monitoring_condition.test = monitoring.test
    GROUP BY monitoring.test
),
asked AS (   -- since when a test with a condition is asked for
    SELECT monitoring_condition.test, given.patient_id, min(given.on_date) AS from_day
    FROM monitoring_condition
    JOIN (
        SELECT patient_id, drug AS given, start_date AS on_date FROM administration WHERE action = 'given'
        UNION ALL
        SELECT patient_id, code, on_date FROM event WHERE kind = 'procedure'
    ) AS given ON given.given = monitoring_condition.given
    GROUP BY monitoring_condition.test, given.patient_id
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
turn AS (   -- one row per patient, test and day with a result or a turn of the clock
    SELECT patient_id, test, on_date, min(record_id) AS record_id, max(started) AS started
    FROM (
        SELECT observation.patient_id, monitoring_result.test, observation.on_date, observation.record_id, CAST(NULL AS INTEGER) AS started
        FROM observation
        JOIN monitoring_result ON monitoring_result.analyte = observation.analyte
        WHERE coalesce(observation.phase, 'pre') = 'pre'
        UNION ALL
        SELECT clock_turn.patient_id, test.test, clock_turn.on_date, NULL, clock_turn.started
        FROM clock_turn
        JOIN test ON test.clock = clock_turn.clock
    ) AS dated
    GROUP BY patient_id, test, on_date
),
placed AS (
    SELECT
        *,
        coalesce(lead(on_date) OVER by_day, DATE '9999-12-31') AS next_on,
        max(CASE WHEN started = 1 THEN on_date END) OVER by_day AS started_on,
        max(CASE WHEN started = 0 THEN on_date END) OVER by_day AS stopped_on
    FROM turn
    WINDOW by_day AS (PARTITION BY patient_id, test ORDER BY on_date)
),
timed AS (
    SELECT
        placed.patient_id, placed.test, placed.on_date, placed.next_on, placed.record_id, placed.started IS NOT NULL AS turns,
        CASE WHEN started_on > stopped_on OR stopped_on IS NULL THEN started_on END AS clock_on,
        greatest(placed.on_date, asked.from_day) AS begins,   -- greatest() passes over NULL
        test.conditional AND asked.from_day IS NULL AS never_asked, test.clock, test.title, test.cite
    FROM placed
    JOIN test ON test.test = placed.test
    LEFT JOIN asked ON asked.patient_id = placed.patient_id AND asked.test = placed.test
),
scheduled AS (
    SELECT
        timed.patient_id, timed.test, timed.on_date, timed.next_on, timed.begins, timed.record_id, timed.clock_on, timed.clock, timed.title,
        timed.cite, phase.every,
        CASE
            WHEN date_diff('day', timed.clock_on, timed.on_date) + phase.every < phase.scheduled_to THEN timed.on_date + phase.every
        END AS due
    FROM timed
    LEFT JOIN phase
        ON phase.test = timed.test AND date_diff('day', timed.clock_on, timed.on_date) >= phase.from_day
        AND date_diff('day', timed.clock_on, timed.on_date) < phase.to_day
    WHERE NOT timed.never_asked AND timed.begins < timed.next_on AND (timed.clock_on IS NOT NULL OR timed.turns OR timed.begins > timed.on_date)
),
answered AS (   -- from the result or turn on, and from the due day on if nothing comes before
    SELECT patient_id, test, begins AS judged_on, on_date AS counted_from, record_id, clock_on, clock, title, cite, every, due
    FROM scheduled
    UNION ALL
    SELECT patient_id, test, due, on_date, record_id, clock_on, clock, title, cite, every, due
    FROM scheduled
    WHERE due > begins AND due < next_on
),
clock_start AS (
    SELECT patient_id, 'combination' AS clock, applies_from, evidence FROM combination_therapy
    UNION ALL
    SELECT patient_id, 'index', applies_from, evidence FROM index_date
),
judged AS (   -- the records of the clock's start where no result has come since
    SELECT
        answered.patient_id, answered.test, answered.judged_on, answered.counted_from, answered.record_id, answered.clock_on, answered.clock,
        answered.title, answered.cite, answered.every, answered.due, clock_start.evidence AS clock_evidence
    FROM answered
    LEFT JOIN clock_start
        ON clock_start.patient_id = answered.patient_id AND clock_start.clock = answered.clock
        AND clock_start.applies_from = CASE WHEN answered.record_id IS NULL THEN answered.clock_on END
)
SELECT
    patient_id, judged_on AS on_date, test AS item,
    CASE WHEN clock_on IS NULL THEN 'not_evaluable' WHEN due <= judged_on THEN 'met' ELSE 'not_met' END AS status,
    CAST(NULL AS INTEGER) AS grade,
    CASE
        WHEN clock_on IS NULL THEN CAST([] AS BIGINT[]) WHEN record_id IS NOT NULL THEN [record_id]
        ELSE coalesce(clock_evidence, CAST([] AS BIGINT[]))
    END AS evidence,
    CASE WHEN clock_on IS NULL THEN ['combination therapy'] ELSE CAST([] AS VARCHAR[]) END AS missing,
    [
        title,
        CASE WHEN clock_on IS NOT NULL THEN coalesce(CAST(due AS VARCHAR), 'no further one is scheduled') END,
        CASE
            WHEN clock_on IS NOT NULL THEN concat(
                CASE WHEN due IS NOT NULL THEN concat(CAST(every AS VARCHAR), ' days after ') ELSE 'after ' END,
                CASE
                    WHEN record_id IS NOT NULL THEN 'the result of ' WHEN clock = 'index' THEN 'the index date, '
                    ELSE 'the start of combination therapy, '
                END,
                CAST(counted_from AS VARCHAR)
            )
        END
    ] AS facts,
    CASE WHEN clock_on IS NULL THEN CAST([] AS VARCHAR[]) ELSE [cite] END AS notes,
    CAST(date_diff('day', due, judged_on) AS DECIMAL(19, 6)) AS margin
FROM judged
