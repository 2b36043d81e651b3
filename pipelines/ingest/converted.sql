-- Every cell of labs, pft and oxygen in its analyte's canonical unit, as an interval. One row per cell of `cell`.
-- Coded results need no unit. A text that is both a number and a code ('0' of a blot) is a number where a unit is printed.

CREATE OR REPLACE TEMP TABLE unit_read AS
SELECT printed.analyte, printed.unit_text, printed.unit_given, analyte.value_kind,
    analyte.plausible_low, analyte.plausible_high, coalesce(analyte.unit, known.ucum) AS unit,
    CASE WHEN unit_given THEN 1 ELSE CAST(known.factor AS DECIMAL(22, 12)) END AS factor,
    CASE WHEN unit_given THEN 0 ELSE CAST(known."offset" AS DECIMAL(22, 12)) END AS shift
FROM (SELECT DISTINCT analyte, unit_text, unit_given FROM cell) AS printed
LEFT JOIN analyte ON analyte.analyte = printed.analyte
LEFT JOIN unit_factor AS known ON known.analyte = printed.analyte
    AND known.unit = plain_unit(coalesce(printed.unit_text, analyte.unit_when_blank));

CREATE OR REPLACE TEMP TABLE converted AS
WITH looked_up AS (
    SELECT cell.line, cell.field, cell.analyte, cell.text, cell.unit_text, cell.unit_given, unit, factor, shift,
        factor = 1 AND shift = 0 AS same_unit,   -- spares the wide decimals, which are the slow part
        plausible_low, plausible_high,
        numeral.number, numeral.rounded, coalesce(numeral.ambiguous, FALSE) AS ambiguous, coalesce(numeral.says_missing, FALSE) AS says_missing,
        numeral.comparator, coalesce(device_name.device, coded_value.coded) AS code_read,
        coalesce(numeral.is_number AND (NOT numeral.percent OR cell.field IN ('spo2', 'fio2', 'percent_predicted'))
            AND value_kind <> 'coded' AND NOT (code_read IS NOT NULL AND cell.unit_text IS NULL), FALSE) AS is_number,
        CASE WHEN low_read.comparator = '' AND low_read.is_number THEN low_read.number END AS range_low,
        CASE WHEN range_low IS NOT NULL THEN low_read.rounded END AS low_rounded,
        CASE WHEN high_read.comparator = '' AND high_read.is_number THEN high_read.number END AS range_high,
        CASE WHEN range_high IS NOT NULL THEN high_read.rounded END AS high_rounded,
        (ref_low_text IS NOT NULL AND range_low IS NULL) OR (ref_high_text IS NOT NULL AND range_high IS NULL) AS range_unread
    FROM cell
    LEFT JOIN numeral ON numeral.text = cell.text
    LEFT JOIN numeral AS low_read ON low_read.text = cell.ref_low_text
    LEFT JOIN numeral AS high_read ON high_read.text = cell.ref_high_text
    LEFT JOIN unit_read ON unit_read.analyte = cell.analyte AND unit_read.unit_text IS NOT DISTINCT FROM cell.unit_text
        AND unit_read.unit_given = cell.unit_given
    LEFT JOIN coded_value ON coded_value.analyte = cell.analyte AND coded_value.text = numeral.plain
    LEFT JOIN device_name ON cell.field = 'device' AND device_name.name = numeral.name
),
read AS MATERIALIZED (      -- otherwise every use of `bound` converts again
    SELECT *, CASE WHEN NOT is_number THEN code_read END AS coded,
        CASE WHEN NOT is_number THEN NULL
            WHEN field = 'fio2' THEN TRY_CAST(CASE WHEN number > 0.2 AND number <= 1 THEN number     -- a fraction, or per cent
                WHEN number >= 21 AND number <= 100 THEN CAST(number * 0.01 AS DECIMAL(24, 9)) END AS DECIMAL(19, 6))
            WHEN same_unit THEN rounded
            ELSE TRY_CAST(TRY(CAST(number * factor + shift AS DECIMAL(24, 9))) AS DECIMAL(19, 6)) END AS bound,
        CASE WHEN same_unit THEN low_rounded
            ELSE TRY_CAST(TRY(CAST(range_low * factor + shift AS DECIMAL(24, 9))) AS DECIMAL(19, 6)) END AS ref_low,
        CASE WHEN same_unit THEN high_rounded
            ELSE TRY_CAST(TRY(CAST(range_high * factor + shift AS DECIMAL(24, 9))) AS DECIMAL(19, 6)) END AS ref_high
    FROM looked_up
)
SELECT line, field, analyte, text, unit_text, ambiguous, says_missing, is_number, coded, factor,
    CASE WHEN comparator = '' THEN bound END AS value,
    CASE WHEN comparator IN ('<', '<=') AND bound IS NOT NULL THEN 0 ELSE bound END AS low,
    coalesce(bound IS NOT NULL AND comparator = '>', FALSE) AS low_open,
    CASE WHEN comparator NOT IN ('>', '>=') THEN bound END AS high,
    coalesce(bound IS NOT NULL AND comparator IN ('<', '>', '>='), FALSE) AS high_open,
    CASE WHEN is_number THEN unit END AS unit,
    is_number AND unit_text IS NULL AND NOT unit_given AS unit_assumed,
    is_number AND (bound IS NULL OR bound < plausible_low OR bound > plausible_high OR (comparator IN ('<', '<=') AND bound <= 0)) AS impossible,
    ref_low, ref_high, range_unread
FROM read;

CREATE OR REPLACE TEMP TABLE withdrawn AS
SELECT line, record_id IS NOT NULL AS named FROM taken JOIN word ON word.field = 'status' AND word.text = status_text
WHERE word.value IN ('entered_in_error', 'cancelled');

INSERT INTO fault
SELECT line, 'withdrawal_unnamed', field, text, NULL FROM converted
WHERE (text IS NULL OR says_missing) AND coded IS NULL AND line IN (SELECT line FROM withdrawn WHERE NOT named)
UNION ALL
SELECT line, 'value_missing', field, text, NULL FROM converted
WHERE (text IS NULL OR says_missing) AND coded IS NULL AND line NOT IN (SELECT line FROM withdrawn)
UNION ALL
SELECT line, 'value_unreadable', field, text, allowed_code.hint FROM converted LEFT JOIN allowed_code USING (analyte)
WHERE text IS NOT NULL AND analyte IS NOT NULL AND NOT is_number AND coded IS NULL AND NOT ambiguous AND NOT says_missing
    AND field <> 'device'
UNION ALL
SELECT line, CASE WHEN unit_text IS NULL THEN 'unit_missing' ELSE 'unit_unknown' END, 'unit', unit_text, allowed_unit.hint
FROM converted LEFT JOIN allowed_unit USING (analyte)
WHERE is_number AND factor IS NULL AND analyte IS NOT NULL
UNION ALL
SELECT line, CASE field WHEN 'percent_predicted' THEN 'percent_impossible' ELSE 'value_impossible' END, field, text,
    CASE field WHEN 'fio2' THEN 'Possible for fio2: a fraction above 0.2 up to 1, or 21 to 100 %.' ELSE allowed_range.hint END
FROM converted LEFT JOIN allowed_range USING (analyte)
WHERE impossible AND factor IS NOT NULL
UNION ALL
SELECT line, 'unit_contradicts_range', 'unit', unit_text,
    concat('In this unit its upper limit would be ', CAST(ref_high AS DOUBLE), ' ', unit, '; laboratories print ', CAST(upper_low AS DOUBLE),
        ' to ', CAST(upper_high AS DOUBLE), ' ', unit, '.')
FROM converted JOIN guard USING (analyte)
WHERE is_number AND factor IS NOT NULL AND (ref_high < upper_low OR ref_high > upper_high) AND line NOT IN (SELECT line FROM settled);
