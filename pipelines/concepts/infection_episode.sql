/*
title = "Infection episodes, and how long each is known to be open"
why   = """One row per record of an infection. On a day within [from_date, to_date) the infection is open before open_until and
unknown from then on; to_date empty: nothing more is recorded of it. With no recorded end it is open for 28 days after its last
record [P]; treatment is not evidence of infection, and a lone culture or PCR is microbiology, not an episode. A recorded end is the
last day of the infection and is not known before its own day, which has a row of its own when the days before it were unknown
or an earlier end was recorded (ended: to_date is such an end; else it is the next row of the same organism at the same site). since:
first day of the episode; recorded_on: the day of the record behind the row. Attributes recorded on one day at one time belong
together."""
kept  = true

[threshold.open_days]
value = 28
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"
*/
WITH attribute AS (
    SELECT
        patient_id, on_date, event.at AS moment,
        max(CASE WHEN code = 'site' THEN value END) AS site,
        max(CASE WHEN code = 'proof' THEN value END) AS proof,
        max(CASE WHEN code = 'end_organ' THEN value = 'yes' END) AS end_organ,
        list(record_id) AS records
    FROM event
    WHERE kind = 'infection' AND code <> 'organism'
    GROUP BY patient_id, on_date, event.at
),
organism AS (
    SELECT patient_id, on_date, event.at AS moment, value AS organism, list(record_id) AS records
    FROM event
    WHERE kind = 'infection' AND code = 'organism'
    GROUP BY patient_id, on_date, event.at, value
),
recorded AS (   -- attributes join the organism, or the organisms, of the same moment
    SELECT
        coalesce(organism.patient_id, attribute.patient_id) AS patient_id,
        coalesce(organism.on_date, attribute.on_date) AS on_date,
        organism.organism, attribute.site, attribute.proof, attribute.end_organ,
        coalesce(organism.moment, attribute.moment) AS moment,
        list_concat(coalesce(organism.records, CAST([] AS BIGINT[])), coalesce(attribute.records, CAST([] AS BIGINT[]))) AS records
    FROM organism
    FULL JOIN attribute
        ON attribute.patient_id = organism.patient_id AND attribute.on_date = organism.on_date
        AND attribute.moment IS NOT DISTINCT FROM organism.moment
),
daily AS (
    SELECT
        patient_id, organism, site, on_date, max(proof) AS proof, max(end_organ) AS end_organ,
        list_sort(list_distinct(flatten(list(records)))) AS evidence
    FROM recorded
    GROUP BY patient_id, organism, site, on_date
),
bounded AS (
    SELECT
        *, lead(on_date) OVER (PARTITION BY patient_id, organism, site ORDER BY on_date) AS next_on
    FROM daily
),
said_end AS (   -- the last days recorded of each infection
    SELECT
        recorded.patient_id, recorded.organism, recorded.site, event.until_date AS last_day,
        list_sort(list_distinct(flatten(list(recorded.records)))) AS evidence
    FROM recorded
    JOIN event
        ON event.patient_id = recorded.patient_id AND event.on_date = recorded.on_date AND event.at IS NOT DISTINCT FROM recorded.moment
        AND event.until_date >= event.on_date AND (event.code <> 'organism' OR event.value = recorded.organism)
    WHERE event.kind = 'infection'
    GROUP BY recorded.patient_id, recorded.organism, recorded.site, event.until_date
),
ending AS (     -- those between a record and the next: each is known on its own day
    SELECT
        bounded.patient_id, bounded.organism, bounded.site, bounded.on_date, said_end.last_day, said_end.evidence,
        row_number() OVER (
            PARTITION BY bounded.patient_id, bounded.organism, bounded.site, bounded.on_date ORDER BY said_end.last_day
        ) AS place
    FROM bounded
    JOIN said_end
        ON said_end.patient_id = bounded.patient_id AND said_end.organism IS NOT DISTINCT FROM bounded.organism
        AND said_end.site IS NOT DISTINCT FROM bounded.site
        AND said_end.last_day >= bounded.on_date AND said_end.last_day < coalesce(bounded.next_on, DATE '9999-12-31')
),
dated AS (
    SELECT
        bounded.patient_id, bounded.organism, bounded.site, bounded.on_date, bounded.proof, bounded.end_organ, bounded.evidence,
        bounded.next_on, ending.last_day + 1 AS ended_on, bounded.on_date + 1 + CAST($open_days AS INTEGER) AS unknown_from
    FROM bounded
    LEFT JOIN ending
        ON ending.patient_id = bounded.patient_id AND ending.organism IS NOT DISTINCT FROM bounded.organism
        AND ending.site IS NOT DISTINCT FROM bounded.site AND ending.on_date = bounded.on_date AND ending.place = 1
),
numbered AS (   -- a record after the end, or after days unknown, begins a new episode
    SELECT *, sum(begins) OVER (PARTITION BY patient_id, organism, site ORDER BY on_date) AS episode
    FROM (
        SELECT
            *,
            CASE WHEN on_date <= lag(unknown_from) OVER infection AND lag(ended_on) OVER infection IS NULL THEN 0 ELSE 1 END AS begins
        FROM dated
        WINDOW infection AS (PARTITION BY patient_id, organism, site ORDER BY on_date)
    ) AS compared
),
told AS (
    SELECT
        patient_id, organism, site, on_date, next_on, ended_on, unknown_from, evidence,
        max(proof) OVER episode AS proof,
        max(end_organ) OVER episode AS end_organ,
        min(on_date) OVER episode AS since,
        ended_on - 1 >= unknown_from AS ended_late   -- unknown for a while, then the last day is recorded
    FROM numbered
    WINDOW episode AS (PARTITION BY patient_id, organism, site, episode ORDER BY on_date)
)
SELECT
    patient_id, organism, site, proof, end_organ, since, on_date AS recorded_on, on_date AS from_date,
    least(unknown_from, coalesce(ended_on, unknown_from), coalesce(next_on, unknown_from)) AS open_until,
    CASE WHEN ended_late THEN ended_on - 1 ELSE coalesce(ended_on, next_on) END AS to_date,
    ended_on IS NOT NULL AND NOT ended_late AS ended, evidence
FROM told
UNION ALL
SELECT patient_id, organism, site, proof, end_organ, since, on_date, ended_on - 1, ended_on, ended_on, TRUE, evidence
FROM told
WHERE ended_late
UNION ALL   -- a later end of an infection that had ended
SELECT
    told.patient_id, told.organism, told.site, told.proof, told.end_organ, told.since, told.on_date, ending.last_day, ending.last_day + 1,
    ending.last_day + 1, TRUE, ending.evidence
FROM told
JOIN ending
    ON ending.patient_id = told.patient_id AND ending.organism IS NOT DISTINCT FROM told.organism
    AND ending.site IS NOT DISTINCT FROM told.site AND ending.on_date = told.on_date AND ending.place > 1
