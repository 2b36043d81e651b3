/*
title = "Step-up pattern: the second or third immunosuppressant came late after the first high-dose glucocorticoid"
group = "therapy"
why   = """Combined immunosuppression from the start did better than stepwise addition in anti-MDA5 RP-ILD (Tsuji 2020: 6-month survival 89 %
against 33 %); ACR/CHEST 2023 advises triple therapy at once. Neither names a number of days: those here are project defaults.
It describes what happened, so once met it stays met; upfront triple therapy is not met. An untested antibody counts as possible; a
negative result by the day the limit passes rules the pattern out. Two drugs of one class are one agent. A dose that cannot be read may
have been high on each of its days: where these do not all give one answer it cannot be told."""
unknown = ["RP-ILD: present or absent"]

[threshold.second_days]
value = 7
unit  = "days after the first high-dose glucocorticoid"
step  = 1
cite  = "tsuji2020"
tag   = "project default"

[threshold.third_days]
value = 14
unit  = "days after the first high-dose glucocorticoid"
step  = 1
cite  = "tsuji2020"
tag   = "project default"

[threshold.lookback_days]
value = 90
unit  = "days before RP-ILD"
step  = 1
cite  = "project"
tag   = "project default"

[threshold.high_dose_per_kg]
value = 0.5
unit  = "mg/kg/day prednisone equivalent"
step  = 0.1
cite  = "romero_bueno_2020"
tag   = "published"

[threshold.high_dose_mg]
value = 30
unit  = "mg/day prednisone equivalent"
step  = 1
cite  = "project"
tag   = "unverified"

[finding]
facts         = ["start", "dose", "second", "third", "rp_ild"]
met           = """First high-dose glucocorticoid {start} ({dose} mg/day prednisone equivalent); second agent: {second}; \
third agent: {third}. RP-ILD recorded {rp_ild}."""
not_met       = """No step-up pattern on {on_date}: first high-dose glucocorticoid {start}; second agent: {second}; \
third agent: {third}. RP-ILD: {rp_ild}."""
not_evaluable = "Cannot be told ({missing})."

[finding.notes]
negative_antibody = "A negative anti-MDA5 result is on record."
no_high_dose      = "No high-dose glucocorticoid is recorded since 90 days before RP-ILD."

[[history]]
on  = 2026-11-21
why = "first version"
*/
WITH rp_ild AS (
    SELECT patient_id, on_date AS recorded_on, list_sort(list(record_id)) AS records
    FROM (
        SELECT patient_id, on_date, record_id, min(on_date) OVER (PARTITION BY patient_id) AS first_on
        FROM event
        WHERE kind = 'diagnosis' AND code = 'rp_ild' AND value IS DISTINCT FROM 'absent'
    ) AS present
    WHERE on_date = first_on
    GROUP BY patient_id, on_date
),
change AS (   -- what changes the dose per kilogram on a day, from the first day that counts
    SELECT patient_id, day, sum(mg) AS mg, sum(unread) AS unread, min(kg) AS kg
    FROM (
        SELECT patient_id, from_date AS day, mg_per_day AS mg, CASE WHEN dose_unknown THEN 1 ELSE 0 END AS unread, NULL AS kg
        FROM prednisone_equivalent
        UNION ALL
        SELECT patient_id, to_date, -mg_per_day, CASE WHEN dose_unknown THEN -1 ELSE 0 END, NULL
        FROM prednisone_equivalent
        WHERE to_date IS NOT NULL
        UNION ALL
        SELECT patient_id, recorded_on - CAST($lookback_days AS INTEGER), 0, 0, NULL FROM rp_ild
        UNION ALL
        SELECT patient_id, on_date, 0, 0, number FROM event WHERE kind = 'measure' AND code = 'weight_kg'
        UNION ALL
        SELECT patient_id, on_date, 0, 0, value FROM observation WHERE analyte = 'weight'
    ) AS changes
    GROUP BY patient_id, day
),
dose AS (
    SELECT
        patient_id, day, sum(mg) OVER patient_days AS mg, sum(unread) OVER patient_days > 0 AS unread,
        last_value(kg IGNORE NULLS) OVER patient_days AS kg
    FROM change
    WINDOW patient_days AS (PARTITION BY patient_id ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
high AS (
    SELECT
        dose.patient_id, dose.day, dose.mg, rp_ild.recorded_on, dose.unread,
        lead(dose.day, 1, DATE '9999-12-31') OVER (PARTITION BY dose.patient_id ORDER BY dose.day) AS until,
        CASE WHEN dose.kg IS NULL THEN dose.mg > $high_dose_mg ELSE dose.mg >= $high_dose_per_kg * dose.kg END AS is_high
    FROM dose
    JOIN rp_ild ON rp_ild.patient_id = dose.patient_id AND dose.day >= rp_ild.recorded_on - CAST($lookback_days AS INTEGER)
),
first_high AS (   -- sure: the first dose known to be high; not sure: the first that may be
    SELECT
        patient_id, recorded_on, sure, day AS began_on, CASE WHEN is_high OR NOT unread THEN mg END AS mg
    FROM (
        SELECT
            high.*, sureness.sure,
            row_number() OVER (PARTITION BY high.patient_id, sureness.sure ORDER BY high.day) AS place
        FROM high
        CROSS JOIN (SELECT TRUE AS sure UNION ALL SELECT FALSE) AS sureness
        WHERE high.is_high OR (high.unread AND NOT sureness.sure)
    ) AS placed_high
    WHERE place = 1
),
maybe AS (   -- the days before the first dose known to be high on which an unreadable one may have been
    SELECT high.patient_id, high.day AS from_day, least(high.until, coalesce(sure.began_on, DATE '9999-12-31')) AS to_day
    FROM high
    LEFT JOIN first_high AS sure ON sure.patient_id = high.patient_id AND sure.sure
    WHERE high.unread AND NOT high.is_high AND high.day < coalesce(sure.began_on, DATE '9999-12-31')
),
second_agent AS (
    SELECT
        acting.patient_id, acting.drug, acting.drug_class, drug.title, acting.from_date, acting.evidence,
        coalesce(acting.to_date, DATE '9999-12-31') AS reached_to
    FROM agent_acting AS acting
    JOIN drug ON drug.drug = acting.drug
    WHERE drug.second_agent
),
candidate AS (   -- possible first days: between two of these whether it is late does not change, and the last is late last
    SELECT patient_id, began_on FROM first_high WHERE sure
    UNION
    SELECT patient_id, from_day FROM maybe
    UNION
    SELECT patient_id, to_day - 1 FROM maybe WHERE to_day < DATE '9999-12-31'
    UNION
    SELECT maybe.patient_id, turn.day - side.before
    FROM maybe
    JOIN (
        SELECT patient_id, from_date - CAST($second_days AS INTEGER) AS day FROM second_agent
        UNION
        SELECT patient_id, from_date - CAST($third_days AS INTEGER) FROM second_agent
        UNION
        SELECT patient_id, reached_to FROM second_agent
    ) AS turn ON turn.patient_id = maybe.patient_id AND turn.day > maybe.from_day AND turn.day < maybe.to_day
    CROSS JOIN (SELECT 0 AS before UNION ALL SELECT 1) AS side
),
timed AS (   -- late_from: the day from which the second or the third agent is late after it
    SELECT
        counted.patient_id, counted.began_on,
        greatest(rp_ild.recorded_on, least(
            CASE WHEN counted.second_agents < 1 THEN counted.began_on + 1 + CAST($second_days AS INTEGER) END,
            CASE WHEN counted.third_agents < 2 THEN counted.began_on + 1 + CAST($third_days AS INTEGER) END
        )) AS late_from
    FROM (
        SELECT
            candidate.patient_id, candidate.began_on,
            count(DISTINCT CASE WHEN agent.from_date <= candidate.began_on + CAST($second_days AS INTEGER) THEN agent.drug_class END)
                AS second_agents,
            count(DISTINCT CASE WHEN agent.from_date <= candidate.began_on + CAST($third_days AS INTEGER) THEN agent.drug_class END)
                AS third_agents
        FROM candidate
        LEFT JOIN second_agent AS agent ON agent.patient_id = candidate.patient_id AND agent.reached_to > candidate.began_on
        GROUP BY candidate.patient_id, candidate.began_on
    ) AS counted
    JOIN rp_ild ON rp_ild.patient_id = counted.patient_id
    WHERE counted.second_agents < 1 OR counted.third_agents < 2
),
agent AS (   -- the first drug of each class that acts on or after the glucocorticoid, and since when
    SELECT
        first_high.patient_id, first_high.sure, acting.drug_class, acting.title, acting.evidence,
        greatest(acting.from_date, first_high.began_on) AS joined_on,
        row_number() OVER (
            PARTITION BY first_high.patient_id, first_high.sure, acting.drug_class ORDER BY acting.from_date, acting.drug, acting.reached_to
        ) AS place_in_class
    FROM first_high
    JOIN second_agent AS acting ON acting.patient_id = first_high.patient_id AND acting.reached_to > first_high.began_on
),
placed AS (
    SELECT
        patient_id, sure, title, joined_on, evidence,
        row_number() OVER (PARTITION BY patient_id, sure ORDER BY joined_on, drug_class) AS place
    FROM agent
    WHERE place_in_class = 1
),
glucocorticoid AS (
    SELECT candidate.patient_id, candidate.began_on, list_sort(list_distinct(flatten(list(acting.evidence)))) AS evidence
    FROM candidate
    JOIN (
        SELECT patient_id, from_date, evidence, coalesce(to_date, DATE '9999-12-31') AS reached_to
        FROM agent_acting
        WHERE drug_class = 'glucocorticoid'
    ) AS acting
        ON acting.patient_id = candidate.patient_id AND acting.from_date <= candidate.began_on AND acting.reached_to > candidate.began_on
    GROUP BY candidate.patient_id, candidate.began_on
),
pattern AS (
    SELECT
        first_high.patient_id, first_high.recorded_on, first_high.sure, first_high.began_on, first_high.mg,
        glucocorticoid.evidence AS glucocorticoid_evidence,
        second.joined_on AS second_on, second.title AS second_title, second.evidence AS second_evidence,
        third.joined_on AS third_on, third.title AS third_title, third.evidence AS third_evidence,
        coalesce(date_diff('day', first_high.began_on, second.joined_on) > $second_days, TRUE) AS second_late
    FROM first_high
    LEFT JOIN glucocorticoid
        ON glucocorticoid.patient_id = first_high.patient_id AND glucocorticoid.began_on = first_high.began_on
    LEFT JOIN placed AS second ON second.patient_id = first_high.patient_id AND second.sure = first_high.sure AND second.place = 1
    LEFT JOIN placed AS third ON third.patient_id = first_high.patient_id AND third.sure = first_high.sure AND third.place = 2
),
antibody AS (   -- the first negative result
    SELECT patient_id, on_date AS negative_on, list(record_id) AS evidence
    FROM (
        SELECT patient_id, record_id, on_date, min(on_date) OVER (PARTITION BY patient_id) AS first_on
        FROM titre_course
        WHERE NOT positive
    ) AS negative
    WHERE on_date = first_on
    GROUP BY patient_id, on_date
),
change_day AS (
    SELECT patient_id, recorded_on AS on_date FROM rp_ild
    UNION
    SELECT patient_id, began_on FROM first_high
    UNION
    SELECT patient_id, from_day FROM maybe   -- the other candidates lie where they do by what comes later
    UNION
    SELECT patient_id, second_on FROM pattern
    UNION
    SELECT patient_id, third_on FROM pattern
    UNION
    SELECT patient_id, late_from FROM timed
    UNION
    SELECT patient_id, negative_on FROM antibody
    UNION
    SELECT patient_id, from_date FROM recorded_drugs
),
stated AS (
    SELECT
        change_day.patient_id, change_day.on_date, rp_ild.recorded_on, rp_ild.records,
        coalesce(recorded_drugs.from_date <= change_day.on_date, FALSE) AS drugs_known,
        antibody.negative_on <= change_day.on_date AS negative, coalesce(antibody.negative_on, DATE '9999-12-31') AS negative_on,
        antibody.evidence AS negative_evidence
    FROM change_day
    JOIN rp_ild ON rp_ild.patient_id = change_day.patient_id AND rp_ild.recorded_on <= change_day.on_date
    LEFT JOIN recorded_drugs ON recorded_drugs.patient_id = change_day.patient_id
    LEFT JOIN antibody ON antibody.patient_id = change_day.patient_id
),
weighed AS (   -- of the possible first days so far, how many are late by the judged day, before a negative antibody
    SELECT
        stated.patient_id, stated.on_date, count(*) AS firsts,
        count(CASE WHEN timed.late_from <= stated.on_date AND timed.late_from < stated.negative_on THEN 1 END) AS late,
        list_sort(list_distinct(flatten(list(glucocorticoid.evidence)))) AS evidence
    FROM stated
    JOIN candidate ON candidate.patient_id = stated.patient_id AND candidate.began_on <= stated.on_date
    LEFT JOIN timed ON timed.patient_id = candidate.patient_id AND timed.began_on = candidate.began_on
    LEFT JOIN glucocorticoid ON glucocorticoid.patient_id = candidate.patient_id AND glucocorticoid.began_on = candidate.began_on
    GROUP BY stated.patient_id, stated.on_date
),
known AS (   -- of the course that is told (the sure one, else the possible one), what had happened by the judged day
    SELECT
        stated.*,
        weighed.late > 0 AND weighed.late = weighed.firsts AND told.sure AS surely_late, weighed.late > 0 AS possibly_late,
        weighed.evidence AS possible_evidence, weighed.firsts,
        told.began_on, told.mg, told.glucocorticoid_evidence, told.second_late,
        CASE WHEN told.second_on <= stated.on_date THEN told.second_on END AS second_on,
        CASE WHEN told.third_on <= stated.on_date THEN told.third_on END AS third_on,
        told.second_title, told.third_title, told.second_evidence, told.third_evidence,
        row_number() OVER (PARTITION BY stated.patient_id, stated.on_date ORDER BY told.sure DESC) AS place
    FROM stated
    LEFT JOIN weighed ON weighed.patient_id = stated.patient_id AND weighed.on_date = stated.on_date
    LEFT JOIN pattern AS told ON told.patient_id = stated.patient_id AND told.began_on <= stated.on_date
),
decided AS (
    SELECT
        *,
        CASE
            WHEN surely_late THEN 'met' WHEN possibly_late THEN 'not_evaluable' WHEN negative THEN 'not_met'
            WHEN NOT drugs_known THEN 'not_evaluable' ELSE 'not_met'
        END AS status
    FROM known
    WHERE place = 1
),
answered_day AS (
    SELECT
        patient_id, on_date, CAST(NULL AS VARCHAR) AS item, status,
        CASE WHEN status = 'met' AND firsts = 1 THEN date_diff('day', began_on, third_on) END AS grade,
        list_sort(list_distinct(list_concat(
            records,
            CASE
                WHEN negative AND status = 'not_met' THEN negative_evidence
                WHEN status = 'not_evaluable' THEN coalesce(possible_evidence, CAST([] AS BIGINT[]))
                ELSE list_concat(
                    coalesce(glucocorticoid_evidence, CAST([] AS BIGINT[])),
                    list_concat(
                        CASE WHEN second_on IS NOT NULL THEN second_evidence ELSE CAST([] AS BIGINT[]) END,
                        CASE WHEN third_on IS NOT NULL THEN third_evidence ELSE CAST([] AS BIGINT[]) END
                    )
                )
            END
        ))) AS evidence,
        CASE
            WHEN status <> 'not_evaluable' THEN CAST([] AS VARCHAR[]) WHEN NOT drugs_known THEN ['drug records'] ELSE ['glucocorticoid dose']
        END AS missing,
        [
            coalesce(CAST(began_on AS VARCHAR), 'not recorded'), CAST(mg AS VARCHAR),
            coalesce(second_title || ' on day ' || CAST(date_diff('day', began_on, second_on) AS VARCHAR), 'none by then'),
            coalesce(third_title || ' on day ' || CAST(date_diff('day', began_on, third_on) AS VARCHAR), 'none by then'),
            CAST(recorded_on AS VARCHAR)
        ] AS facts,
        CASE
            WHEN negative AND status = 'not_met' THEN ['negative_antibody']
            WHEN drugs_known AND began_on IS NULL THEN ['no_high_dose']
            ELSE CAST([] AS VARCHAR[])
        END AS notes,
        CAST(CASE
            WHEN status <> 'met' THEN NULL
            WHEN second_late THEN date_diff('day', began_on, coalesce(second_on, on_date)) - $second_days
            ELSE date_diff('day', began_on, coalesce(third_on, on_date)) - $third_days
        END AS DECIMAL(19, 6)) AS margin
    FROM decided
    UNION ALL   -- recorded as absent, and not yet as present
    SELECT
        event.patient_id, event.on_date, NULL, 'not_met', NULL, list_sort(list(event.record_id)), CAST([] AS VARCHAR[]),
        [CAST(NULL AS VARCHAR), NULL, NULL, NULL, 'absent'], CAST([] AS VARCHAR[]), NULL
    FROM event
    LEFT JOIN rp_ild ON rp_ild.patient_id = event.patient_id
    WHERE
        event.kind = 'diagnosis' AND event.code = 'rp_ild' AND event.value = 'absent'
        AND event.on_date < coalesce(rp_ild.recorded_on, DATE '9999-12-31')
    GROUP BY event.patient_id, event.on_date
)
SELECT
    patient_id, on_date, item, status, grade, evidence, missing, facts, notes, margin
FROM answered_day
