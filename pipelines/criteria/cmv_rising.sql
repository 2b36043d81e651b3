/*
title = "CMV PCR is rising"
group = "infection"
why   = """A rise of half a log10 step is beyond what one sample differs from the next. The newest quantitative PCR is compared with every
earlier one of the 21 days before it, of the same laboratory (blank only with blank) and in the same unit: IU/mL and copies/mL are never
mixed, and qualitative tests have no size. Met where it is at least 3.1623 times any of them. Zero and "not detected" are nothing, from
which any quantified value is a rise; "detected" and "<34.5" are unknown amounts, and where these could be a rise or not, it cannot be
told. The answer stands until the next sample. The number is not from a text that was read."""
unknown = ["quantitative CMV PCR"]

[threshold.rise_factor]
value = 3.1623
unit  = "times an earlier value (0.5 log10)"
step  = 0.0001
cite  = "cmv_rise_general"
tag   = "unverified"

[threshold.within_days]
value = 21
unit  = "days before the sample"
step  = 1
cite  = "cmv_rise_general"
tag   = "unverified"

[finding]
facts         = ["test", "earlier", "earlier_on"]
met           = "CMV PCR {test} on {on_date}, up by 0.5 log10 or more from {earlier} on {earlier_on}, same laboratory."
not_met       = "CMV PCR {test} on {on_date}: no rise by 0.5 log10 within 21 days (lowest {earlier} on {earlier_on}, same laboratory)."
not_evaluable = "Whether the CMV PCR is rising cannot be told. Missing: {missing}. Last test: {test}."

[[history]]
on  = 2026-11-30
why = "first version"
*/
WITH sample AS (   -- what is not detected is 0; what is detected but not quantified can be any amount
    SELECT
        patient_id, on_date, record_id, analyte, laboratory, value, coded,
        coalesce(low, 0) AS low, low_open, CASE WHEN coded = 'negative' THEN 0 ELSE high END AS high, high_open,
        row_number() OVER (PARTITION BY patient_id ORDER BY on_date, "at" NULLS FIRST, record_id) AS place
    FROM observation
    WHERE analyte IN ('cmv_dna', 'cmv_dna_copies') AND (low IS NOT NULL OR coded IN ('negative', 'positive'))
),
compared AS (   -- the least that the earlier ones can be, and the least of their upper ends; of equal ones the latest
    SELECT
        *,
        min(low) OVER earlier AS least_low,
        min(CASE WHEN NOT low_open THEN low END) OVER earlier AS least_closed_low,
        arg_min(record_id, low * 100000 - place) OVER earlier AS least_id,
        min(high) OVER earlier AS least_high,
        arg_min(record_id, CASE WHEN high IS NOT NULL THEN high * 100000 - place END) OVER earlier AS least_high_id
    FROM sample
    WINDOW earlier AS (
        PARTITION BY patient_id, analyte, laboratory ORDER BY date_diff('day', DATE '2000-01-01', on_date)
        RANGE BETWEEN CAST($within_days AS INTEGER) PRECEDING AND 1 PRECEDING
    )
),
answered AS (   -- certain: all that the two can be is a rise; possible: some of it is. 0 is no rise from 0
    SELECT
        *,
        coalesce(low >= $rise_factor * least_high AND (low > 0 OR low_open), FALSE) AS certain,
        least_low IS NOT NULL
        AND coalesce(
            high > 0 AND (high > $rise_factor * least_low OR (high >= $rise_factor * least_closed_low AND NOT high_open)), high IS NULL
        ) AS possible
    FROM compared
),
worst AS (   -- of a day: met, not met, then not to be told
    SELECT *, CASE WHEN certain THEN least_high_id ELSE least_id END AS earlier_id
    FROM answered
    QUALIFY row_number() OVER (
        PARTITION BY patient_id, on_date
        ORDER BY
            CASE WHEN certain THEN 4 WHEN least_low IS NULL THEN 1 WHEN possible THEN 2 ELSE 3 END DESC,
            low DESC, record_id
    ) = 1
),
judged AS (
    SELECT
        worst.patient_id, worst.on_date, worst.record_id, worst.analyte, worst.value, worst.coded, worst.low, worst.low_open,
        worst.high, worst.high_open, worst.certain, worst.possible, worst.least_high, worst.least_low,
        worst.earlier_id, earlier.on_date AS earlier_on, earlier.value AS earlier_value, earlier.coded AS earlier_coded,
        earlier.low AS earlier_low, earlier.low_open AS earlier_low_open, earlier.high AS earlier_high,
        earlier.high_open AS earlier_high_open
    FROM worst
    LEFT JOIN sample AS earlier ON earlier.patient_id = worst.patient_id AND earlier.record_id = worst.earlier_id
)
SELECT
    patient_id, on_date, CAST(NULL AS VARCHAR) AS item,
    CASE WHEN certain THEN 'met' WHEN earlier_id IS NULL OR possible THEN 'not_evaluable' ELSE 'not_met' END AS status,
    CAST(NULL AS INTEGER) AS grade,
    CASE
        WHEN earlier_id IS NULL THEN [record_id]
        WHEN earlier_id < record_id THEN [earlier_id, record_id]
        ELSE [record_id, earlier_id]
    END AS evidence,
    CASE
        WHEN earlier_id IS NULL THEN ['an earlier CMV PCR of the same laboratory within ' || CAST($within_days AS VARCHAR) || ' days']
        WHEN possible AND NOT certain THEN ['CMV PCR as an exact value']
        ELSE CAST([] AS VARCHAR[])
    END AS missing,
    [
        CASE
            WHEN coded IS NOT NULL THEN coded
            ELSE concat(
                CASE
                    WHEN value IS NOT NULL THEN ''
                    WHEN high IS NULL THEN CASE WHEN low_open THEN '>' ELSE '>=' END
                    ELSE CASE WHEN high_open THEN '<' ELSE '<=' END
                END,
                rtrim(rtrim(CAST(coalesce(high, low) AS VARCHAR), '0'), '.'),
                CASE analyte WHEN 'cmv_dna' THEN ' IU/mL' ELSE ' copies/mL' END
            )
        END,
        CASE
            WHEN earlier_id IS NULL THEN NULL
            WHEN earlier_coded IS NOT NULL THEN earlier_coded
            ELSE concat(
                CASE
                    WHEN earlier_value IS NOT NULL THEN ''
                    WHEN earlier_high IS NULL THEN CASE WHEN earlier_low_open THEN '>' ELSE '>=' END
                    ELSE CASE WHEN earlier_high_open THEN '<' ELSE '<=' END
                END,
                rtrim(rtrim(CAST(coalesce(earlier_high, earlier_low) AS VARCHAR), '0'), '.'),
                CASE analyte WHEN 'cmv_dna' THEN ' IU/mL' ELSE ' copies/mL' END
            )
        END,
        CAST(earlier_on AS VARCHAR)
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(
        CASE WHEN certain THEN low - $rise_factor * least_high WHEN NOT possible THEN high - $rise_factor * least_low END
        AS DECIMAL(19, 6)
    ) AS margin
FROM judged
