/*
title = "Beta-D-glucan is positive"
group = "infection"
why   = """A marker of Pneumocystis and other fungi; a negative one does not exclude Pneumocystis. Assays are not interchangeable, so each
is an item with its own limits: Fungitell positive from 80 pg/mL, indeterminate from 60 (cannot be told), Wako positive from 11 (its label
was not read). Of other assays nothing can be told, nor where none is named; the upper limit that a laboratory prints moves nothing. A
result in words counts as it says. Each result stands until the next of its assay."""
items   = "assay"
unknown = ["beta-D-glucan"]

[threshold.fungitell_from]
value = 80
unit  = "pg/mL"
step  = 1
cite  = "fungitell"
tag   = "published"

[threshold.fungitell_indeterminate_from]
value = 60
unit  = "pg/mL"
step  = 1
cite  = "fungitell"
tag   = "published"

[threshold.wako_from]
value = 11
unit  = "pg/mL"
step  = 1
cite  = "wako_bdg"
tag   = "unverified"

[finding]
facts         = ["result", "assay", "limit"]
met           = "Beta-D-glucan {result} on {on_date} by {assay}: positive ({limit} pg/mL and more)."
not_met       = "Beta-D-glucan {result} on {on_date} by {assay}: not positive ({limit} pg/mL and more would be)."
not_evaluable = "Whether beta-D-glucan is positive cannot be told. Missing: {missing}. Last result: {result}, by {assay}."

[[history]]
on  = 2026-11-30
why = "first version"
*/
WITH result AS (
    SELECT
        patient_id, on_date, record_id, assay, value, coded, low, low_open, high, high_open,
        coalesce(assay, 'assay not named') AS item,
        CASE assay WHEN 'fungitell' THEN $fungitell_from WHEN 'wako' THEN $wako_from END AS positive_from,
        CASE assay WHEN 'fungitell' THEN $fungitell_indeterminate_from WHEN 'wako' THEN $wako_from END AS negative_below
    FROM observation
    WHERE analyte = 'beta_d_glucan'
),
placed AS (   -- place 3: positive, 2: negative, 1: certainly neither, 0: not to be told
    SELECT
        *,
        CASE
            WHEN positive_from IS NULL THEN 0
            WHEN low >= positive_from OR coded = 'positive' THEN 3
            WHEN high < negative_below OR (high = negative_below AND high_open) OR coded = 'negative' THEN 2
            WHEN value IS NOT NULL OR coded IS NOT NULL THEN 1
            ELSE 0
        END AS place
    FROM result
),
worst AS (   -- of a day
    SELECT *
    FROM placed
    QUALIFY row_number() OVER (PARTITION BY patient_id, item, on_date ORDER BY place DESC, low DESC NULLS LAST, record_id) = 1
),
judged AS (
    SELECT
        worst.patient_id, worst.on_date, worst.record_id, worst.item, worst.assay, worst.value, worst.coded, worst.low, worst.low_open,
        worst.high, worst.high_open, worst.positive_from, worst.place, assay.title
    FROM worst
    LEFT JOIN assay ON assay.assay = worst.assay
)
SELECT
    patient_id, on_date, item,
    CASE place WHEN 3 THEN 'met' WHEN 2 THEN 'not_met' ELSE 'not_evaluable' END AS status,
    CAST(NULL AS INTEGER) AS grade,
    [record_id] AS evidence,
    CASE
        WHEN place >= 2 THEN CAST([] AS VARCHAR[])
        WHEN assay IS NULL THEN ['assay of the beta-D-glucan']
        WHEN positive_from IS NULL THEN ['beta-D-glucan by Fungitell or Wako']
        WHEN place = 1 THEN ['a repeat beta-D-glucan']
        ELSE ['beta-D-glucan as an exact value']
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
                rtrim(rtrim(CAST(coalesce(high, low) AS VARCHAR), '0'), '.'), ' pg/mL'
            )
        END,
        coalesce(title, item),
        CAST(positive_from AS VARCHAR)
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(CASE place WHEN 3 THEN low - positive_from WHEN 2 THEN high - positive_from END AS DECIMAL(19, 6)) AS margin
FROM judged
