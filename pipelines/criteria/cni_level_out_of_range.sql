/*
title = "The level of a calcineurin inhibitor is out of range"
group = "therapy"
why   = """Romero-Bueno 2020 gives tacrolimus 10 to 15 ng/mL in induction, Takada 2020 used troughs of 5 to 10; one protocol
aimed higher, 15 to 20 in its first three months (PMID 30398034). The 1000 ng/mL of ciclosporin are a level two hours after the
dose (C2, Kotani 2008); the band about it is a project default, and a trough of 1000 would be toxic. A level is judged by the
range of its own day and stands until the next level, also when the drug is stopped. A start is a first dose or one after a gap
of more than 3 days; with no start on record tacrolimus is judged only where both ranges agree. Untimed tacrolimus is judged as
a trough, untimed ciclosporin is not judged."""
items   = "drug"
unknown = ["drug records"]

[threshold.tacrolimus_first_low]
value = 10
unit  = "ng/mL"
step  = 0.1
cite  = "romero_bueno_2020"
tag   = "published"
site  = true

[threshold.tacrolimus_first_high]
value = 15
unit  = "ng/mL"
step  = 0.1
cite  = "romero_bueno_2020"
tag   = "published"
site  = true

[threshold.tacrolimus_later_low]
value = 5
unit  = "ng/mL"
step  = 0.1
cite  = "takada2020"
tag   = "published"
site  = true

[threshold.tacrolimus_later_high]
value = 10
unit  = "ng/mL"
step  = 0.1
cite  = "takada2020"
tag   = "published"
site  = true

[threshold.first_days]
value = 90
unit  = "days from the start"
step  = 1
cite  = "tacrolimus_high_trough"
tag   = "published"

[threshold.c2_low]
value = 800
unit  = "ng/mL"
step  = 1
cite  = "kotani2008"
tag   = "project default"

[threshold.c2_high]
value = 1200
unit  = "ng/mL"
step  = 1
cite  = "kotani2008"
tag   = "project default"

[threshold.c0_low]
value = 100
unit  = "ng/mL"
step  = 1
cite  = "mild_table3"
tag   = "published"

[threshold.c0_high]
value = 150
unit  = "ng/mL"
step  = 1
cite  = "mild_table3"
tag   = "published"

[finding]
facts         = ["level", "compared"]
met           = "{level}: {compared}."
not_met       = "{level}: {compared}."
not_evaluable = "Whether the level is in range cannot be told. Missing: {missing}."

[finding.notes]
judged_as_trough = "The sampling time is not recorded: judged as a trough."
not_given        = "The drug is not recorded as given on this day."

[[history]]
on  = 2026-11-30
why = "first version"
*/
WITH given AS (   -- a row that follows on another, over a gap of a few days too, is no start
    SELECT
        patient_id, drug, from_date, to_date, gap,
        coalesce(lag(to_date) OVER (PARTITION BY patient_id, drug ORDER BY from_date) = from_date, FALSE) AS goes_on
    FROM treatment_course
    WHERE drug_class = 'cni' AND action = 'given' AND systemic
),
turn AS (
    SELECT
        patient_id, drug, from_date AS on_date, CASE WHEN goes_on THEN NULL ELSE from_date END AS started_on, 1 AS given_change,
        CAST(NULL AS BIGINT) AS record_id, CAST(NULL AS DECIMAL(19, 6)) AS low, NULL AS low_open, CAST(NULL AS DECIMAL(19, 6)) AS high,
        NULL AS high_open, CAST(NULL AS VARCHAR) AS timing, NULL AS timed
    FROM given
    WHERE NOT gap
    UNION ALL
    SELECT patient_id, drug, to_date, NULL, -1, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM given
    WHERE NOT gap AND to_date IS NOT NULL
    UNION ALL
    SELECT
        patient_id, CASE analyte WHEN 'tacrolimus_level' THEN 'tacrolimus' ELSE 'ciclosporin' END, on_date, NULL, 0,
        record_id, low, low_open, high, high_open,
        CASE
            WHEN sample_timing IN ('C0', 'trough') OR (sample_timing IS NULL AND analyte = 'tacrolimus_level') THEN 'trough'
            WHEN sample_timing = 'C2' AND analyte = 'ciclosporin_level' THEN 'C2'
        END,
        sample_timing IS NOT NULL
    FROM observation
    WHERE analyte IN ('tacrolimus_level', 'ciclosporin_level')
),
placed AS (   -- rows of one day see each other: a level on the day of the start is of the new start
    SELECT
        *, max(started_on) OVER by_now AS last_start, sum(given_change) OVER by_now > 0 AS is_given,
        max(CASE WHEN record_id IS NOT NULL THEN on_date END) OVER by_now AS level_on
    FROM turn
    WINDOW by_now AS (PARTITION BY patient_id, drug ORDER BY on_date)
),
ranged AS (   -- two ranges where the start is not known, else one and the same
    SELECT
        patient_id, drug, on_date, record_id, low, low_open, high, high_open, timing, timed, last_start,
        CASE
            WHEN timing = 'C2' THEN $c2_low WHEN drug = 'ciclosporin' THEN $c0_low
            WHEN on_date >= last_start + CAST($first_days AS INTEGER) THEN $tacrolimus_later_low ELSE $tacrolimus_first_low
        END AS range_low,
        CASE
            WHEN timing = 'C2' THEN $c2_high WHEN drug = 'ciclosporin' THEN $c0_high
            WHEN on_date >= last_start + CAST($first_days AS INTEGER) THEN $tacrolimus_later_high ELSE $tacrolimus_first_high
        END AS range_high,
        CASE
            WHEN timing = 'C2' THEN $c2_low WHEN drug = 'ciclosporin' THEN $c0_low
            WHEN on_date < last_start + CAST($first_days AS INTEGER) THEN $tacrolimus_first_low ELSE $tacrolimus_later_low
        END AS other_low,
        CASE
            WHEN timing = 'C2' THEN $c2_high WHEN drug = 'ciclosporin' THEN $c0_high
            WHEN on_date < last_start + CAST($first_days AS INTEGER) THEN $tacrolimus_first_high ELSE $tacrolimus_later_high
        END AS other_high
    FROM placed
    WHERE record_id IS NOT NULL
),
compared AS (   -- how far outside of the range, with every value the result can mean; inside: how far at most
    SELECT
        *,
        CASE
            WHEN high < range_low OR (high = range_low AND high_open) THEN range_low - high
            WHEN low > range_high OR (low = range_high AND low_open) THEN low - range_high
        END AS beyond,
        CASE
            WHEN high < other_low OR (high = other_low AND high_open) THEN other_low - high
            WHEN low > other_high OR (low = other_high AND low_open) THEN low - other_high
        END AS other_beyond,
        CASE WHEN low >= range_low AND high <= range_high THEN greatest(range_low - low, high - range_high) END AS inside,
        CASE WHEN low >= other_low AND high <= other_high THEN greatest(other_low - low, high - other_high) END AS other_inside
    FROM ranged
),
told AS (
    SELECT
        *,
        CASE
            WHEN timing IS NULL THEN 0 WHEN beyond IS NOT NULL AND other_beyond IS NOT NULL THEN 2
            WHEN inside IS NOT NULL AND other_inside IS NOT NULL THEN 1 ELSE 0
        END AS outcome,
        CASE
            WHEN timing IS NULL THEN NULL WHEN beyond IS NOT NULL AND other_beyond IS NOT NULL THEN least(beyond, other_beyond)
            WHEN inside IS NOT NULL AND other_inside IS NOT NULL THEN greatest(inside, other_inside)
        END AS margin
    FROM compared
),
ranked AS (   -- of one day: out of range, then within, then not to be told
    SELECT
        *,
        max(outcome) OVER (PARTITION BY patient_id, drug, on_date) AS worst,
        row_number() OVER (PARTITION BY patient_id, drug, on_date ORDER BY outcome DESC, margin DESC NULLS LAST, record_id) AS place
    FROM told
),
level AS (
    SELECT
        patient_id, drug, on_date, max(worst) AS outcome, list(record_id) FILTER (WHERE outcome = worst) AS records,
        max(CASE WHEN place = 1 THEN margin END) AS margin,
        max(CASE WHEN place = 1 THEN low END) AS low, max(CASE WHEN place = 1 AND low_open THEN 1 END) AS low_open,
        max(CASE WHEN place = 1 THEN high END) AS high, max(CASE WHEN place = 1 AND high_open THEN 1 END) AS high_open,
        max(CASE WHEN place = 1 THEN timing END) AS timing, max(CASE WHEN place = 1 AND timed THEN 1 END) AS timed,
        max(CASE WHEN place = 1 AND last_start IS NOT NULL THEN 1 END) AS started,
        max(CASE WHEN place = 1 THEN range_low END) AS range_low, max(CASE WHEN place = 1 THEN range_high END) AS range_high,
        max(CASE WHEN place = 1 THEN other_low END) AS other_low, max(CASE WHEN place = 1 THEN other_high END) AS other_high
    FROM ranked
    GROUP BY patient_id, drug, on_date
),
judged_day AS (
    SELECT patient_id, drug, on_date, max(level_on) AS level_on, max(CASE WHEN is_given THEN 1 END) AS is_given
    FROM placed
    GROUP BY patient_id, drug, on_date
),
judged AS (
    SELECT
        judged_day.patient_id, judged_day.drug, judged_day.on_date, judged_day.level_on, judged_day.is_given,
        level.outcome, level.records, level.margin, level.low, level.low_open, level.high, level.high_open, level.timing, level.timed,
        level.started, level.range_low, level.range_high, level.other_low, level.other_high
    FROM judged_day
    LEFT JOIN level
        ON level.patient_id = judged_day.patient_id AND level.drug = judged_day.drug AND level.on_date = judged_day.level_on
    UNION ALL   -- drugs are recorded, and no calcineurin inhibitor
    SELECT
        patient_id, NULL, from_date, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM recorded_drugs
)
SELECT
    patient_id, on_date, drug AS item,
    CASE WHEN drug IS NULL OR outcome = 1 THEN 'not_met' WHEN outcome = 2 THEN 'met' ELSE 'not_evaluable' END AS status,
    CAST(NULL AS INTEGER) AS grade,
    coalesce(list_sort(records), CAST([] AS BIGINT[])) AS evidence,
    CASE
        WHEN drug IS NULL OR outcome >= 1 THEN CAST([] AS VARCHAR[])
        WHEN level_on IS NULL THEN [concat(drug, ' level')]
        WHEN timing IS NULL AND drug = 'tacrolimus' THEN ['tacrolimus trough']
        WHEN timing IS NULL THEN ['sampling time of the ciclosporin level']
        WHEN low IS NOT NULL AND low = high THEN ['start of tacrolimus']
        ELSE [concat(drug, ' level as an exact value')]
    END AS missing,
    [
        CASE
            WHEN drug IS NULL THEN 'Calcineurin inhibitor'
            WHEN level_on IS NOT NULL THEN concat(
                CASE drug WHEN 'tacrolimus' THEN 'Tacrolimus ' ELSE 'Ciclosporin ' END, coalesce(concat(timing, ' '), ''),
                CASE
                    WHEN high IS NULL THEN CASE WHEN low_open = 1 THEN '>' ELSE '>=' END
                    WHEN low < high THEN CASE WHEN high_open = 1 THEN '<' ELSE '<=' END
                    ELSE ''
                END,
                rtrim(rtrim(CAST(coalesce(high, low) AS VARCHAR), '0'), '.'), ' ng/mL of ', CAST(level_on AS VARCHAR)
            )
        END,
        CASE
            WHEN drug IS NULL THEN 'none is given, and no level is recorded'
            WHEN outcome >= 1 THEN concat(
                CASE outcome WHEN 2 THEN 'outside ' ELSE 'within ' END,
                rtrim(rtrim(CAST(CAST(range_low AS DECIMAL(19, 6)) AS VARCHAR), '0'), '.'), ' to ',
                rtrim(rtrim(CAST(CAST(range_high AS DECIMAL(19, 6)) AS VARCHAR), '0'), '.'),
                CASE
                    WHEN range_low <> other_low OR range_high <> other_high THEN concat(
                        ' and ', rtrim(rtrim(CAST(CAST(other_low AS DECIMAL(19, 6)) AS VARCHAR), '0'), '.'), ' to ',
                        rtrim(rtrim(CAST(CAST(other_high AS DECIMAL(19, 6)) AS VARCHAR), '0'), '.')
                    )
                    ELSE ''
                END,
                ' ng/mL'
            )
        END
    ] AS facts,
    list_concat(
        CASE WHEN timing = 'trough' AND timed IS NULL THEN ['judged_as_trough'] ELSE CAST([] AS VARCHAR[]) END,
        CASE WHEN drug IS NOT NULL AND is_given IS NULL THEN ['not_given'] ELSE CAST([] AS VARCHAR[]) END
    ) AS notes,
    CAST(margin AS DECIMAL(19, 6)) AS margin
FROM judged
