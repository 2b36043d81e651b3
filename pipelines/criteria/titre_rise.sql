/*
title   = "Anti-MDA5 titre rises"
group   = "prognosis"
why     = """A rising titre is described as a sign of relapse, with no published size: negative to positive, or at least twice the lowest
earlier value, are project defaults. Judged within one assay and sample timing; a result that names no assay only with those of its
laboratory and unit, and numbers only with numbers of one unit. Earlier means dated on an earlier day. A positive result counts as risen
while any earlier one was negative, not only the one before it. Where no upper limit is known, or no number, the rise that
would need it is unknown; a value of nothing is no rise."""
items   = "assay"
unknown = ["anti-MDA5 result"]

[threshold.times_lowest]
value = 2
unit  = "times the lowest earlier value"
step  = 0.1
cite  = "project"
tag   = "project default"

[finding]
facts = ["titre", "change"]
met = "Anti-MDA5 ({item}) {titre} on {on_date}: {change}."
not_met = "Anti-MDA5 ({item}) {titre} on {on_date} has not risen: {change}."
not_evaluable = "Whether anti-MDA5 rises cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-30
why = "first version"
*/
WITH result AS (
    SELECT
        patient_id, on_date, record_id, assay, unit, sample_timing, value, low, low_open, high, high_open, coded, positive, previous_id,
        CASE WHEN assay IS NULL THEN laboratory END AS blank_laboratory,
        CASE WHEN assay IS NULL THEN unit END AS blank_unit,
        row_number() OVER (PARTITION BY patient_id ORDER BY on_date, record_id) AS place
    FROM titre_course
),
compared AS (   -- with the results of earlier days; of equal values the earliest
    SELECT
        *,
        count(*) OVER earlier AS results,
        count(CASE WHEN positive THEN 1 END) OVER earlier AS positives,
        arg_max(record_id, CASE WHEN positive = FALSE THEN place END) OVER earlier AS negative_id,
        arg_max(on_date, CASE WHEN positive = FALSE THEN place END) OVER earlier AS negative_date,
        min(low) OVER earlier_numbers AS least_low,
        min(CASE WHEN NOT low_open THEN low END) OVER earlier_numbers AS least_closed_low,
        min(high) OVER earlier_numbers AS least_high,
        arg_min(record_id, low * 100000 + place) OVER earlier_numbers AS least_low_id,
        arg_min(on_date, low * 100000 + place) OVER earlier_numbers AS least_low_date,
        arg_min(record_id, high * 100000 + place) OVER earlier_numbers AS least_high_id,
        arg_min(on_date, high * 100000 + place) OVER earlier_numbers AS least_high_date
    FROM result
    WINDOW
        earlier AS (
            PARTITION BY patient_id, assay, blank_laboratory, blank_unit, sample_timing
            ORDER BY on_date RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL 1 DAY PRECEDING
        ),
        earlier_numbers AS (
            PARTITION BY patient_id, assay, blank_laboratory, blank_unit, sample_timing, unit
            ORDER BY on_date RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL 1 DAY PRECEDING
        )
),
judged AS (     -- 1 yes, 0 no, NULL cannot be told
    SELECT
        *,
        CASE
            WHEN positive = FALSE THEN 0
            WHEN positive AND negative_id IS NOT NULL THEN 1
            WHEN positives = results THEN 0
        END AS turned,
        CASE
            WHEN low IS NULL AND coded = 'negative' THEN 0
            WHEN low >= $times_lowest * least_high AND (low > 0 OR low_open) THEN 1
            WHEN
                least_low IS NOT NULL
                AND (
                    high = 0 OR high < $times_lowest * least_low
                    OR (high = $times_lowest * least_low AND (high_open OR least_closed_low IS NULL OR least_closed_low > least_low))
                )
            THEN 0
        END AS multiplied
    FROM compared
),
answered AS (
    SELECT
        *,
        CASE
            WHEN results = 0 THEN 'not_evaluable'
            WHEN turned = 1 OR multiplied = 1 THEN 'met'
            WHEN turned = 0 AND multiplied = 0 THEN 'not_met'
            ELSE 'not_evaluable'
        END AS status
    FROM judged
),
worst AS (      -- of a day: met, by the higher value, then not met, then not to be told
    SELECT
        *,
        CASE
            WHEN multiplied = 1 THEN least_high_id
            WHEN turned = 1 THEN negative_id
            WHEN multiplied = 0 THEN coalesce(least_low_id, previous_id)
            ELSE coalesce(least_high_id, least_low_id, previous_id)
        END AS against_id
    FROM answered
    QUALIFY row_number() OVER (
        PARTITION BY patient_id, assay, blank_laboratory, blank_unit, sample_timing, on_date
        ORDER BY
            CASE status WHEN 'met' THEN 1 WHEN 'not_met' THEN 2 ELSE 3 END, coalesce(multiplied, -1) DESC, coalesce(low, -1) DESC, record_id
    ) = 1
)
SELECT
    patient_id, on_date,
    concat(
        coalesce(assay, 'assay not named'),
        CASE WHEN blank_laboratory IS NULL THEN '' ELSE concat(', ', blank_laboratory) END,
        CASE WHEN blank_unit IS NULL THEN '' ELSE concat(', ', regexp_replace(blank_unit, '[{}]', '', 'g')) END,
        CASE WHEN sample_timing IS NULL THEN '' ELSE concat(', ', sample_timing) END
    ) AS item,
    status, NULL AS grade,
    CASE WHEN against_id IS NULL THEN [record_id] WHEN against_id < record_id THEN [against_id, record_id] ELSE [record_id, against_id] END
        AS evidence,
    CASE
        WHEN status <> 'not_evaluable' THEN CAST([] AS VARCHAR[])
        WHEN results = 0 THEN ['earlier anti-MDA5 result of this assay']
        ELSE
            CASE
                WHEN multiplied IS NOT NULL THEN CAST([] AS VARCHAR[])
                WHEN low IS NULL THEN ['titre as a number']
                WHEN least_low IS NULL THEN ['earlier titre in the same unit']
                ELSE ['titre as an exact value']
            END
            || CASE WHEN turned IS NULL THEN ['anti-MDA5 positive or negative'] ELSE CAST([] AS VARCHAR[]) END
    END AS missing,
    [
        CASE
            WHEN low IS NULL THEN coded
            ELSE concat(
                CASE WHEN value IS NOT NULL THEN '' WHEN high IS NULL THEN '>' ELSE '<' END,
                CASE WHEN value IS NULL AND NOT (CASE WHEN high IS NULL THEN low_open ELSE high_open END) THEN '=' ELSE '' END,
                rtrim(rtrim(CAST(coalesce(high, low) AS VARCHAR), '0'), '.'), ' ', regexp_replace(coalesce(unit, ''), '[{}]', '', 'g')
            )
        END,
        CASE
            WHEN status = 'not_evaluable' THEN NULL
            WHEN multiplied = 1 THEN concat(
                'at least ', CAST($times_lowest AS VARCHAR), ' times the lowest earlier value, ',
                CASE WHEN least_low = least_high THEN '' ELSE 'at most ' END,
                rtrim(rtrim(CAST(least_high AS VARCHAR), '0'), '.'), ' on ', CAST(least_high_date AS VARCHAR)
            )
            WHEN turned = 1 THEN concat('positive, and negative on ', CAST(negative_date AS VARCHAR))
            WHEN least_low IS NULL THEN 'negative'
            ELSE concat(
                'lowest earlier value ', CASE WHEN least_low = least_high THEN '' ELSE 'at least ' END,
                rtrim(rtrim(CAST(least_low AS VARCHAR), '0'), '.'), ' on ', CAST(least_low_date AS VARCHAR)
            )
        END
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(
        CASE
            WHEN status = 'met' AND multiplied = 1 THEN low - $times_lowest * least_high
            WHEN status = 'not_met' THEN high - $times_lowest * least_low
        END AS DECIMAL(19, 6)
    ) AS margin
FROM worst
