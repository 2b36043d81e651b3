/*
title   = "Inflammatory ILD progressing despite treatment"
group   = "transplant"
why     = """One of the published conditions for transplant referral (ISHLT 2021), read here as: refractory disease, possible or as published, on the
combination or the triple clock. A clock that has not started takes no part. A falling ferritin or titre never clears it."""
unknown = ["combination therapy"]

[finding]
facts = ["reached", "judged"]
met = "ILD is progressing despite treatment: {reached}."
not_met = "No progression despite treatment: {judged} not met."
not_evaluable = "Whether ILD is progressing despite treatment cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-21
why = "first version"
*/
WITH answer AS (   -- what each rule says of each clock on a day as one number: of two, the later day's is the greater
    SELECT 'possible_' || item AS branch, patient_id, on_date, status FROM refractory_possible WHERE item IS NOT NULL
    UNION ALL
    SELECT 'published_' || item, patient_id, on_date, status FROM refractory_published WHERE item IS NOT NULL
),
daily AS (
    SELECT
        patient_id, on_date,
        max(CASE WHEN branch = 'possible_combination' THEN told END) AS possible_combination,
        max(CASE WHEN branch = 'possible_triple' THEN told END) AS possible_triple,
        max(CASE WHEN branch = 'published_combination' THEN told END) AS published_combination,
        max(CASE WHEN branch = 'published_triple' THEN told END) AS published_triple
    FROM (
        SELECT
            branch, patient_id, on_date,
            4 * date_diff('day', DATE '1900-01-01', on_date) + CASE status WHEN 'met' THEN 2 WHEN 'not_met' THEN 1 ELSE 0 END AS told
        FROM answer
    ) AS numbered
    GROUP BY patient_id, on_date
),
standing AS (   -- NULL: a clock that has not started takes no part
    SELECT
        patient_id, on_date,
        max(possible_combination) OVER so_far AS possible_combination,
        max(possible_triple) OVER so_far AS possible_triple,
        max(published_combination) OVER so_far AS published_combination,
        max(published_triple) OVER so_far AS published_triple
    FROM daily
    WINDOW so_far AS (PARTITION BY patient_id ORDER BY on_date ROWS UNBOUNDED PRECEDING)
),
turned AS (    -- the day on which a branch came to be met
    SELECT
        *,
        CASE WHEN possible_combination % 4 = 2 AND lag(possible_combination % 4) OVER previous IS DISTINCT FROM 2 THEN on_date END AS possible_combination_turned,
        CASE WHEN possible_triple % 4 = 2 AND lag(possible_triple % 4) OVER previous IS DISTINCT FROM 2 THEN on_date END AS possible_triple_turned,
        CASE WHEN published_combination % 4 = 2 AND lag(published_combination % 4) OVER previous IS DISTINCT FROM 2 THEN on_date END AS published_combination_turned,
        CASE WHEN published_triple % 4 = 2 AND lag(published_triple % 4) OVER previous IS DISTINCT FROM 2 THEN on_date END AS published_triple_turned
    FROM standing
    WINDOW previous AS (PARTITION BY patient_id ORDER BY on_date)
),
together AS (
    SELECT
        patient_id, on_date,
        possible_combination % 4 AS possible_combination_says, DATE '1900-01-01' + CAST(possible_combination // 4 AS INTEGER) AS possible_combination_on,
        CASE WHEN possible_combination % 4 = 2 THEN max(possible_combination_turned) OVER so_far END AS possible_combination_since,
        possible_triple % 4 AS possible_triple_says, DATE '1900-01-01' + CAST(possible_triple // 4 AS INTEGER) AS possible_triple_on,
        CASE WHEN possible_triple % 4 = 2 THEN max(possible_triple_turned) OVER so_far END AS possible_triple_since,
        published_combination % 4 AS published_combination_says, DATE '1900-01-01' + CAST(published_combination // 4 AS INTEGER) AS published_combination_on,
        CASE WHEN published_combination % 4 = 2 THEN max(published_combination_turned) OVER so_far END AS published_combination_since,
        published_triple % 4 AS published_triple_says, DATE '1900-01-01' + CAST(published_triple // 4 AS INTEGER) AS published_triple_on,
        CASE WHEN published_triple % 4 = 2 THEN max(published_triple_turned) OVER so_far END AS published_triple_since
    FROM turned
    WINDOW so_far AS (PARTITION BY patient_id ORDER BY on_date ROWS UNBOUNDED PRECEDING)
),
answered AS (
    SELECT
        *,
        CASE greatest(possible_combination_says = 2, possible_triple_says = 2, published_combination_says = 2, published_triple_says = 2)
            WHEN TRUE THEN 'met'
            ELSE CASE least(possible_combination_says, possible_triple_says, published_combination_says, published_triple_says) WHEN 0 THEN 'not_evaluable' ELSE 'not_met' END
        END AS status
    FROM together
)
SELECT
    answered.patient_id, answered.on_date, NULL AS item, answered.status, NULL AS grade,
    list_sort(list_distinct(flatten([
        CASE WHEN answered.status <> 'met' OR answered.possible_combination_says = 2 THEN coalesce(possible_combination.evidence, CAST([] AS BIGINT[])) ELSE CAST([] AS BIGINT[]) END,
        CASE WHEN answered.status <> 'met' OR answered.possible_triple_says = 2 THEN coalesce(possible_triple.evidence, CAST([] AS BIGINT[])) ELSE CAST([] AS BIGINT[]) END,
        CASE WHEN answered.status <> 'met' OR answered.published_combination_says = 2 THEN coalesce(published_combination.evidence, CAST([] AS BIGINT[])) ELSE CAST([] AS BIGINT[]) END,
        CASE WHEN answered.status <> 'met' OR answered.published_triple_says = 2 THEN coalesce(published_triple.evidence, CAST([] AS BIGINT[])) ELSE CAST([] AS BIGINT[]) END
    ]))) AS evidence,
    CASE
        WHEN answered.status <> 'not_evaluable' THEN CAST([] AS VARCHAR[])
        ELSE list_sort(list_distinct(flatten([
            CASE WHEN answered.possible_combination_says = 0 THEN possible_combination.missing ELSE CAST([] AS VARCHAR[]) END,
            CASE WHEN answered.possible_triple_says = 0 THEN possible_triple.missing ELSE CAST([] AS VARCHAR[]) END,
            CASE WHEN answered.published_combination_says = 0 THEN published_combination.missing ELSE CAST([] AS VARCHAR[]) END,
            CASE WHEN answered.published_triple_says = 0 THEN published_triple.missing ELSE CAST([] AS VARCHAR[]) END
        ])))
    END AS missing,
    [
        concat_ws(
            '; ',
            'possible refractory disease (combination therapy) since ' || CAST(answered.possible_combination_since AS VARCHAR),
            'possible refractory disease (triple therapy) since ' || CAST(answered.possible_triple_since AS VARCHAR),
            'refractory disease as published (combination therapy) since ' || CAST(answered.published_combination_since AS VARCHAR),
            'refractory disease as published (triple therapy) since ' || CAST(answered.published_triple_since AS VARCHAR)
        ),
        concat_ws(
            ', ',
            CASE WHEN answered.possible_combination_says IS NOT NULL THEN 'possible refractory disease (combination therapy)' END,
            CASE WHEN answered.possible_triple_says IS NOT NULL THEN 'possible refractory disease (triple therapy)' END,
            CASE WHEN answered.published_combination_says IS NOT NULL THEN 'refractory disease as published (combination therapy)' END,
            CASE WHEN answered.published_triple_says IS NOT NULL THEN 'refractory disease as published (triple therapy)' END
        )
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CASE least(answered.possible_combination_since, answered.possible_triple_since, answered.published_combination_since, answered.published_triple_since)
        WHEN answered.possible_combination_since THEN possible_combination.margin
        WHEN answered.possible_triple_since THEN possible_triple.margin
        WHEN answered.published_combination_since THEN published_combination.margin
        WHEN answered.published_triple_since THEN published_triple.margin
    END AS margin
FROM answered
LEFT JOIN refractory_possible AS possible_combination
    ON possible_combination.patient_id = answered.patient_id AND possible_combination.item = 'combination' AND possible_combination.on_date = answered.possible_combination_on
LEFT JOIN refractory_possible AS possible_triple
    ON possible_triple.patient_id = answered.patient_id AND possible_triple.item = 'triple' AND possible_triple.on_date = answered.possible_triple_on
LEFT JOIN refractory_published AS published_combination
    ON published_combination.patient_id = answered.patient_id AND published_combination.item = 'combination' AND published_combination.on_date = answered.published_combination_on
LEFT JOIN refractory_published AS published_triple
    ON published_triple.patient_id = answered.patient_id AND published_triple.item = 'triple' AND published_triple.on_date = answered.published_triple_on
