/*
title = "No PJP prophylaxis while dose and duration of glucocorticoid call for it"
group = "infection"
why   = """EULAR 2022 advises prophylaxis against Pneumocystis above 15 to 30 mg/day prednisone equivalent for more than 2 to 4 weeks, sooner with
other immunosuppressants; doses and days here are a choice inside that range. Met from the day the run is long enough until
prophylaxis starts or the dose falls. A drug marked ongoing but not confirmed for more than 30 days may or may not still be taken."""
unknown = ["drug records"]

[threshold.dose_alone]
value = 20
unit  = "mg/day prednisone equivalent"
step  = 1
cite  = "fragoulis2022"
tag   = "project default"

[threshold.days_alone]
value = 28
unit  = "consecutive days"
step  = 1
cite  = "fragoulis2022"
tag   = "project default"

[threshold.dose_combined]
value = 15
unit  = "mg/day prednisone equivalent, with another agent acting"
step  = 1
cite  = "park2019"
tag   = "project default"

[threshold.days_combined]
value = 14
unit  = "consecutive days"
step  = 1
cite  = "fragoulis2022"
tag   = "project default"

[finding]
facts         = ["dose", "least", "since", "others", "prophylaxis"]
met           = """No PJP prophylaxis on {on_date}: at least {least} mg/day prednisone equivalent every day since {since} \
({dose} mg/day on {on_date}); other agents acting: {others}."""
not_met       = "PJP prophylaxis on {on_date}: {prophylaxis}. Prednisone equivalent {dose} mg/day; other agents acting: {others}."
not_evaluable = "Cannot be told ({missing}). Prophylaxis: {prophylaxis}; prednisone equivalent {dose} mg/day on {on_date}."

[finding.notes]
run_too_short = "Dose and duration do not call for it."
treatment     = "Treatment of Pneumocystis pneumonia counts as cover."

[[history]]
on  = 2026-11-21
why = "first version"
*/
WITH dose_part AS (   -- `unread`: a dose was given that cannot be read; gap days count only as `filled`
    SELECT
        patient_id, from_date, coalesce(to_date, DATE '9999-12-31') AS reached_to,
        CASE WHEN dose_unread AND NOT gap THEN 1 ELSE 0 END AS unread,
        CASE WHEN dose_unread THEN 1 ELSE 0 END AS unread_filled,
        CASE WHEN gap THEN 1 ELSE 0 END AS gap
    FROM treatment_course
    WHERE drug_class = 'glucocorticoid' AND systemic AND action = 'given'
),
other_agent AS (
    SELECT patient_id, drug, from_date, coalesce(to_date, DATE '9999-12-31') AS reached_to, 1 AS acts, 0 AS gap, from_date AS counts_from, evidence
    FROM agent_acting
    WHERE drug_class <> 'glucocorticoid'
    UNION ALL
    SELECT course.patient_id, course.drug, course.from_date, course.to_date, 0, 1, course.counts_from, course.evidence
    FROM treatment_course AS course
    JOIN drug ON drug.drug = course.drug
    WHERE course.gap AND course.systemic AND course.action = 'given' AND drug.agent AND course.drug_class <> 'glucocorticoid'
),
gap_part AS (   -- what the days of a gap count for once it is over
    SELECT
        course.patient_id, course.from_date, course.to_date AS reached_to,
        coalesce(
            CASE WHEN course.drug_class = 'glucocorticoid' THEN CAST(course.dose_per_day * drug.prednisone_factor AS DECIMAL(19, 6)) END, 0
        ) AS mg,
        CASE WHEN course.drug_class = 'glucocorticoid' AND course.dose_unread THEN 1 ELSE 0 END AS unread,
        CASE WHEN course.drug_class = 'glucocorticoid' THEN 0 ELSE 1 END AS agents
    FROM treatment_course AS course
    JOIN drug ON drug.drug = course.drug
    WHERE course.gap AND course.systemic AND course.action = 'given' AND drug.agent
),
cover AS (
    SELECT
        prophylaxis.patient_id, prophylaxis.from_date, coalesce(prophylaxis.to_date, DATE '9999-12-31') AS reached_to,
        prophylaxis.certain, prophylaxis.treatment, prophylaxis.evidence,
        coalesce(drug.title, prophylaxis.drug)
        || coalesce(', last confirmed ' || CAST(prophylaxis.last_confirmed AS VARCHAR), '') AS told
    FROM prophylaxis
    LEFT JOIN drug ON drug.drug = prophylaxis.drug
    WHERE prophylaxis.kind = 'pjp'
),
span AS (   -- everything that holds on [from_date, reached_to), as numbers to be summed
    SELECT
        patient_id, from_date, coalesce(to_date, DATE '9999-12-31') AS reached_to,
        mg_per_day AS mg, mg_per_day_filled AS mg_filled, 0 AS unread, 0 AS unread_filled, 0 AS agents, 0 AS agents_filled, 0 AS gap,
        0 AS covered, 0 AS in_doubt
    FROM prednisone_equivalent
    UNION ALL
    SELECT patient_id, from_date, reached_to, 0, 0, unread, unread_filled, 0, 0, gap, 0, 0 FROM dose_part
    UNION ALL
    SELECT patient_id, from_date, reached_to, 0, 0, 0, 0, acts, 1, gap, 0, 0 FROM other_agent
    UNION ALL
    SELECT
        patient_id, from_date, reached_to, 0, 0, 0, 0, 0, 0, 0,
        CASE WHEN certain THEN 1 ELSE 0 END, CASE WHEN certain THEN 0 ELSE 1 END
    FROM cover
    UNION ALL
    SELECT patient_id, from_date, DATE '9999-12-31', 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM recorded_drugs
),
turn AS (
    SELECT
        span.patient_id, CASE sign.sign WHEN 1 THEN span.from_date ELSE span.reached_to END AS day,
        sum(sign.sign * mg) AS mg, sum(sign.sign * mg_filled) AS mg_filled, sum(sign.sign * unread) AS unread,
        sum(sign.sign * unread_filled) AS unread_filled, sum(sign.sign * agents) AS agents,
        sum(sign.sign * agents_filled) AS agents_filled, sum(sign.sign * gap) AS gap,
        sum(sign.sign * covered) AS covered, sum(sign.sign * in_doubt) AS in_doubt
    FROM span
    CROSS JOIN (SELECT 1 AS sign UNION ALL SELECT -1) AS sign
    GROUP BY span.patient_id, CASE sign.sign WHEN 1 THEN span.from_date ELSE span.reached_to END
),
segment AS (
    SELECT
        patient_id, day, lead(day) OVER (PARTITION BY patient_id ORDER BY day) AS until,
        sum(mg) OVER so_far AS mg, sum(mg_filled) OVER so_far AS mg_filled,
        sum(unread) OVER so_far > 0 AS unread, sum(unread_filled) OVER so_far AS unread_filled,
        sum(agents) OVER so_far > 0 AS combined, sum(agents_filled) OVER so_far AS agents_filled,
        sum(gap) OVER so_far > 0 AS in_gap, sum(covered) OVER so_far > 0 AS covered, sum(in_doubt) OVER so_far > 0 AS in_doubt
    FROM turn
    WINDOW so_far AS (PARTITION BY patient_id ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
branch AS (
    SELECT sureness.sure, way.combined, way.dose, way.days
    FROM (SELECT TRUE AS sure UNION ALL SELECT FALSE) AS sureness
    CROSS JOIN (
        SELECT FALSE AS combined, $dose_alone AS dose, CAST($days_alone AS INTEGER) AS days
        UNION ALL
        SELECT TRUE, $dose_combined, CAST($days_combined AS INTEGER)
    ) AS way
),
tested AS (   -- per branch: does the day count, surely or possibly; as given on it, and with gap days filled
    SELECT
        segment.patient_id, segment.day, segment.until, branch.sure, branch.combined, branch.dose, branch.days,
        (segment.mg >= branch.dose OR (segment.unread AND NOT branch.sure)) AND (segment.combined OR NOT branch.combined) AS holds,
        (segment.mg_filled >= branch.dose OR (segment.unread_filled > 0 AND NOT branch.sure))
            AND (segment.agents_filled > 0 OR NOT branch.combined) AS holds_filled
    FROM segment
    CROSS JOIN branch
    WHERE segment.until IS NOT NULL
),
waiting AS (   -- on a day in a gap, the earlier days of that gap, which do not yet count: of what counts for them, how much is its
    SELECT
        open_gap.patient_id, open_gap.day, earlier.day AS gap_day, earlier.until AS gap_day_until, earlier.mg_filled, earlier.unread_filled,
        earlier.agents_filled, sum(open_gap.mg) AS mg, sum(open_gap.unread) AS unread, sum(open_gap.agents) AS agents
    FROM (
        SELECT segment.patient_id, segment.day, gap_part.from_date, gap_part.mg, gap_part.unread, gap_part.agents
        FROM segment
        JOIN gap_part
            ON gap_part.patient_id = segment.patient_id AND gap_part.from_date < segment.day AND gap_part.reached_to > segment.day
        WHERE segment.in_gap
    ) AS open_gap
    JOIN segment AS earlier
        ON earlier.patient_id = open_gap.patient_id AND earlier.day >= open_gap.from_date AND earlier.day < open_gap.day
    GROUP BY
        open_gap.patient_id, open_gap.day, earlier.day, earlier.until, earlier.mg_filled, earlier.unread_filled, earlier.agents_filled
),
paused AS (
    SELECT waiting.patient_id, waiting.day, branch.sure, branch.combined, max(waiting.gap_day_until) AS paused_until
    FROM waiting
    CROSS JOIN branch
    WHERE
        NOT (waiting.mg_filled - waiting.mg >= branch.dose OR (waiting.unread_filled > waiting.unread AND NOT branch.sure))
        OR (branch.combined AND waiting.agents_filled = waiting.agents)
    GROUP BY waiting.patient_id, waiting.day, branch.sure, branch.combined
),
broken AS (   -- where the run before the day was last broken; gap days are filled only once the gap is over
    SELECT
        *,
        max(CASE WHEN NOT holds_filled THEN until END) OVER earlier AS broken_until,
        min(day) OVER (PARTITION BY patient_id, sure, combined) AS first_day
    FROM tested
    WINDOW earlier AS (PARTITION BY patient_id, sure, combined ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
run AS (
    SELECT
        broken.patient_id, broken.day, broken.until, broken.sure, broken.combined, broken.dose, broken.days,
        greatest(coalesce(broken.broken_until, broken.first_day), coalesce(paused.paused_until, broken.first_day)) AS run_from
    FROM broken
    LEFT JOIN paused
        ON paused.patient_id = broken.patient_id AND paused.day = broken.day
        AND paused.sure = broken.sure AND paused.combined = broken.combined
    WHERE broken.holds
),
risk AS (   -- the days of a segment on which a run is long enough
    SELECT patient_id, day AS segment_day, sure, combined, dose, run_from, greatest(day, run_from + days - 1) AS from_date
    FROM run
    WHERE run_from + days - 1 < until
),
judged_day AS (
    SELECT patient_id, day AS segment_day, day AS on_date FROM segment WHERE until IS NOT NULL
    UNION
    SELECT patient_id, segment_day, from_date FROM risk
),
ranked AS (   -- the risk told is a sure one before a possible one, and the glucocorticoid alone before the combination
    SELECT
        judged_day.patient_id, judged_day.segment_day, judged_day.on_date, risk.sure, risk.combined, risk.dose, risk.run_from,
        row_number() OVER (PARTITION BY judged_day.patient_id, judged_day.on_date ORDER BY risk.sure DESC NULLS LAST, risk.combined) AS place
    FROM judged_day
    LEFT JOIN risk
        ON risk.patient_id = judged_day.patient_id AND risk.segment_day = judged_day.segment_day AND risk.from_date <= judged_day.on_date
),
stated AS (
    SELECT
        *,
        CASE WHEN status = 'not_met' THEN on_date ELSE run_from END AS decided_from   -- the days whose records decide
    FROM (
        SELECT
            ranked.patient_id, ranked.on_date, ranked.sure, ranked.combined AS needs_other, ranked.dose, ranked.run_from,
            segment.mg, segment.unread, segment.covered, segment.in_doubt,
            CASE
                WHEN segment.covered OR ranked.sure IS NULL THEN 'not_met'
                WHEN ranked.sure AND NOT segment.in_doubt THEN 'met'
                ELSE 'not_evaluable'
            END AS status
        FROM ranked
        JOIN segment ON segment.patient_id = ranked.patient_id AND segment.day = ranked.segment_day
        WHERE ranked.place = 1
    ) AS placed
),
part AS (   -- what could decide: doses and other agents over the run, prophylaxis of the day
    SELECT
        patient_id, 'dose' AS what, from_date, coalesce(to_date, DATE '9999-12-31') AS reached_to, counts_from, evidence,
        NULL AS told, FALSE AS treatment
    FROM treatment_course
    WHERE drug_class = 'glucocorticoid' AND systemic AND action = 'given'
    UNION ALL
    SELECT
        other_agent.patient_id, 'other', other_agent.from_date, other_agent.reached_to, other_agent.counts_from, other_agent.evidence,
        drug.title, FALSE
    FROM other_agent
    JOIN drug ON drug.drug = other_agent.drug
    UNION ALL
    SELECT patient_id, CASE WHEN certain THEN 'covered' ELSE 'in doubt' END, from_date, reached_to, from_date, evidence, told, treatment
    FROM cover
),
acting AS (
    SELECT
        stated.patient_id, stated.on_date,
        array_to_string(list_sort(list_distinct(list(part.told) FILTER (
            WHERE part.what = 'other' AND part.reached_to > stated.on_date
        ))), ', ') AS others,
        array_to_string(list_sort(list_distinct(list(part.told) FILTER (
            WHERE part.reached_to > stated.on_date AND (part.what = 'covered' OR (part.what = 'in doubt' AND NOT stated.covered))
        ))), '; ') AS prophylaxis,
        min(CASE WHEN part.what = 'covered' AND part.reached_to > stated.on_date THEN CASE WHEN part.treatment THEN 1 ELSE 0 END END) AS treatment,
        list_sort(list_distinct(flatten(list(part.evidence) FILTER (WHERE CASE part.what
            WHEN 'covered' THEN part.reached_to > stated.on_date
            WHEN 'in doubt' THEN NOT stated.covered AND stated.status <> 'not_met' AND part.reached_to > stated.on_date
            WHEN 'other' THEN NOT stated.covered AND stated.status <> 'not_met' AND stated.needs_other
            ELSE NOT stated.covered
        END)))) AS evidence
    FROM stated
    JOIN part
        ON part.patient_id = stated.patient_id AND part.from_date <= stated.on_date AND part.counts_from <= stated.on_date
        AND part.reached_to > stated.decided_from
    GROUP BY stated.patient_id, stated.on_date
)
SELECT
    stated.patient_id, stated.on_date, CAST(NULL AS VARCHAR) AS item, stated.status, CAST(NULL AS INTEGER) AS grade,
    coalesce(acting.evidence, CAST([] AS BIGINT[])) AS evidence,
    CASE
        WHEN stated.status <> 'not_evaluable' THEN CAST([] AS VARCHAR[])
        WHEN NOT stated.sure AND stated.in_doubt THEN ['glucocorticoid dose', 'is prophylaxis still taken?']
        WHEN NOT stated.sure THEN ['glucocorticoid dose']
        ELSE ['is prophylaxis still taken?']
    END AS missing,
    [
        CASE WHEN stated.unread THEN NULL ELSE CAST(stated.mg AS VARCHAR) END, CAST(stated.dose AS VARCHAR),
        CAST(stated.run_from AS VARCHAR),
        coalesce(nullif(acting.others, ''), 'none'), coalesce(nullif(acting.prophylaxis, ''), 'none recorded')
    ] AS facts,
    CASE
        WHEN stated.covered AND acting.treatment = 1 THEN ['treatment']
        WHEN NOT stated.covered AND stated.status = 'not_met' THEN ['run_too_short']
        ELSE CAST([] AS VARCHAR[])
    END AS notes,
    CAST(CASE WHEN stated.status = 'met' THEN stated.mg - stated.dose END AS DECIMAL(19, 6)) AS margin
FROM stated
LEFT JOIN acting ON acting.patient_id = stated.patient_id AND acting.on_date = stated.on_date
