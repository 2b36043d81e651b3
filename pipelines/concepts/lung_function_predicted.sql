/*
title = "FVC, FEV1 and DLCO in percent of the GLI predicted value, computed"
why   = """One row per pre-bronchodilator value in litres (FVC, FEV1: GLI 2022 global) or mL/min/mmHg (DLCO: GLI 2017, derived from people of
European ancestry, not corrected for haemoglobin). percent and z are for the age of somebody born on 2 July of the year of birth,
for only the year is kept: percent_low and percent_high span the ages of those born on its last and its first day. The height is the
latest on or before the test day; of somebody who may not be grown up it must be of the last half year. missing says what stands in the
way of computing; a percentage outside the plausible range of reported ones is refused. reported is the
percentage printed with the value, which is never replaced: shown is true where there is none, or where the two differ by more
than differ_by points. No rule judges a computed percentage, and it is never compared with a reported one."""

[threshold.differ_by]
value = 5
unit  = "percentage points"
step  = 0.1
cite  = "project"
tag   = "project default"

[threshold.grown_up_at]
value = 18
unit  = "years"
step  = 1
cite  = "project"
tag   = "project default"

[threshold.height_days]
value = 183
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"
*/
WITH measured AS (
    SELECT
        patient_id, on_date, record_id, set_id, analyte AS measure, value,
        count(*) OVER (PARTITION BY patient_id, on_date, analyte) AS of_the_day
    FROM observation
    WHERE analyte IN ('fvc', 'fev1', 'dlco') AND low IS NOT NULL AND coalesce(phase, 'pre') = 'pre'
),
reported AS (   -- the percentages printed, one per source row
    SELECT
        patient_id, on_date, set_id, CASE analyte WHEN 'fvc_percent' THEN 'fvc' WHEN 'fev1_percent' THEN 'fev1' ELSE 'dlco' END AS measure,
        CASE WHEN count(*) = count(value) AND min(value) = max(value) THEN min(value) END AS value,
        list_sort(list(record_id)) AS ids, max(reference_set) AS reference_set,
        count(*) OVER (PARTITION BY patient_id, on_date, analyte) AS of_the_day
    FROM observation
    WHERE
        analyte IN ('fvc_percent', 'fev1_percent', 'dlco_percent') AND low IS NOT NULL AND coalesce(phase, 'pre') = 'pre'
    GROUP BY patient_id, on_date, set_id, analyte
),
paired AS (     -- a percentage in a row of its own belongs to the only value of its day
    SELECT measured.patient_id, measured.record_id, reported.value, reported.reference_set, reported.ids
    FROM measured
    JOIN reported
        ON reported.patient_id = measured.patient_id AND reported.on_date = measured.on_date AND reported.measure = measured.measure
    WHERE reported.set_id = measured.set_id OR (reported.of_the_day = 1 AND measured.of_the_day = 1)
),
height AS (
    SELECT patient_id, on_date, record_id, number AS cm FROM event WHERE kind = 'measure' AND code = 'height_cm'
    UNION ALL
    SELECT patient_id, on_date, record_id, value FROM observation WHERE analyte = 'height'
),
height_day AS ( -- NULL where two heights of a day differ
    SELECT
        patient_id, on_date, CASE WHEN count(*) = count(cm) AND min(cm) = max(cm) THEN min(cm) END AS cm,
        list_sort(list(record_id)) AS ids, lead(on_date) OVER (PARTITION BY patient_id ORDER BY on_date) AS until
    FROM height
    GROUP BY patient_id, on_date
),
person AS (     -- oldest: years x 5844 of somebody born on 1 January; a quarter-year of 365.25 days is 1461 sixteenths of a day
    SELECT
        measured.*, patient.sex, patient.birth_year, height_day.cm, height_day.on_date AS height_date, height_day.ids AS height_ids,
        (year(measured.on_date) - patient.birth_year) * 5844 + (dayofyear(measured.on_date) - 1) * 16 AS oldest
    FROM measured
    JOIN patient ON patient.patient_id = measured.patient_id
    LEFT JOIN height_day
        ON height_day.patient_id = measured.patient_id AND height_day.on_date <= measured.on_date
        AND (height_day.until IS NULL OR height_day.until > measured.on_date)
),
aged AS (       -- born on 31 December, on 2 July and on 1 January
    SELECT person.record_id, person.patient_id, born.born, (oldest - born.later) // 1461 AS quarter, (oldest - born.later) % 1461 / 1461.0 AS part
    FROM person
    CROSS JOIN (
        SELECT 'last' AS born, 5824 AS later UNION ALL SELECT 'middle', 2912 UNION ALL SELECT 'first', 0
    ) AS born
),
expected AS (   -- the LMS equation at each of the three ages
    SELECT
        person.patient_id, person.record_id, aged.born, gli.l, CAST(person.value AS DOUBLE) AS value,
        exp(
            gli.log_m + CASE WHEN aged.part = 0 THEN 0 ELSE aged.part * (gli.log_m_next - gli.log_m) END
            + gli.height_power * ln(CAST(person.cm AS DOUBLE))
        ) AS m,
        exp(gli.log_s + CASE WHEN aged.part = 0 THEN 0 ELSE aged.part * (gli.log_s_next - gli.log_s) END) AS s
    FROM person
    JOIN aged ON aged.patient_id = person.patient_id AND aged.record_id = person.record_id
    JOIN gli ON gli.sex = person.sex AND gli.measure = person.measure AND gli.quarter = aged.quarter
),
computed AS (
    SELECT
        patient_id, record_id, count(m) AS ages,
        CAST(round(max(CASE born WHEN 'middle' THEN m END), 2) AS DECIMAL(19, 6)) AS predicted,
        CAST(round(max(CASE born WHEN 'middle' THEN 100 * value / m END), 1) AS DECIMAL(19, 6)) AS percent,
        CAST(round(min(100 * value / m), 1) AS DECIMAL(19, 6)) AS percent_low,
        CAST(round(max(100 * value / m), 1) AS DECIMAL(19, 6)) AS percent_high,
        CAST(round(max(CASE born WHEN 'middle' THEN (power(value / m, l) - 1) / (l * s) END), 2) AS DECIMAL(19, 6)) AS z
    FROM expected
    GROUP BY patient_id, record_id
),
reference AS (
    SELECT measure, max(reference_set) AS reference_set, min(quarter) // 4 AS from_age, max(quarter) // 4 AS to_age
    FROM gli
    GROUP BY measure
),
lacking AS (    -- what stands in the way, each NULL where nothing does
    SELECT
        person.*, reference.reference_set, computed.predicted, computed.percent, computed.percent_low, computed.percent_high, computed.z,
        CASE WHEN person.value IS NULL THEN 'an exact value' END AS no_value,
        CASE WHEN person.sex IS NULL OR person.sex NOT IN ('female', 'male') THEN 'sex (female or male)' END AS no_sex,
        CASE
            WHEN person.birth_year IS NULL THEN 'year of birth'
            WHEN person.oldest - 5824 < reference.from_age * 5844 OR person.oldest > reference.to_age * 5844
            THEN concat('an age within ', CAST(reference.from_age AS VARCHAR), ' to ', CAST(reference.to_age AS VARCHAR), ' years')
        END AS no_age,
        CASE
            WHEN person.height_date IS NULL THEN 'height on or before the day of the test'
            WHEN person.cm IS NULL THEN concat('one height on ', CAST(person.height_date AS VARCHAR), ' (they differ)')
            WHEN person.oldest - 5824 < $grown_up_at * 5844 AND person.on_date > person.height_date + CAST($height_days AS INTEGER)
            THEN concat('height within ', CAST($height_days AS VARCHAR), ' days before the test (perhaps not grown up)')
        END AS no_height,
        CASE
            WHEN computed.percent NOT BETWEEN analyte.plausible_low AND analyte.plausible_high
            THEN concat(
                'a plausible value and height (', rtrim(rtrim(CAST(computed.percent AS VARCHAR), '0'), '.'), ' % computed)'
            )
        END AS not_plausible
    FROM person
    JOIN reference ON reference.measure = person.measure
    JOIN analyte ON analyte.analyte = concat(person.measure, '_percent')
    LEFT JOIN computed ON computed.patient_id = person.patient_id AND computed.record_id = person.record_id
),
told AS (
    SELECT
        *, coalesce(no_value, no_sex, no_age, no_height, not_plausible) IS NULL AS known,
        CASE WHEN no_value IS NULL THEN CAST([] AS VARCHAR[]) ELSE [no_value] END
        || CASE WHEN no_sex IS NULL THEN CAST([] AS VARCHAR[]) ELSE [no_sex] END
        || CASE WHEN no_age IS NULL THEN CAST([] AS VARCHAR[]) ELSE [no_age] END
        || CASE WHEN no_height IS NULL THEN CAST([] AS VARCHAR[]) ELSE [no_height] END
        || CASE
            WHEN not_plausible IS NULL OR coalesce(no_value, no_sex, no_age, no_height) IS NOT NULL THEN CAST([] AS VARCHAR[])
            ELSE [not_plausible]
        END AS missing
    FROM lacking
)
SELECT
    told.patient_id, told.on_date, told.measure, told.record_id, told.value, told.reference_set,
    CAST(round((told.oldest - 2912) / 5844.0, 1) AS DECIMAL(19, 6)) AS age, told.cm AS height, told.height_date,
    CASE WHEN told.known THEN told.predicted END AS predicted,
    CASE WHEN told.known THEN told.percent END AS percent,
    CASE WHEN told.known THEN told.percent_low END AS percent_low,
    CASE WHEN told.known THEN told.percent_high END AS percent_high,
    CASE WHEN told.known THEN told.z END AS z,
    reported.ids IS NOT NULL AS has_reported, reported.value AS reported, reported.reference_set AS reported_set,
    CASE WHEN told.known THEN told.percent - reported.value END AS difference,
    told.known AND (reported.ids IS NULL OR coalesce(abs(told.percent - reported.value) > $differ_by, FALSE)) AS shown,
    list_sort(list_concat(
        [told.record_id],
        list_concat(coalesce(told.height_ids, CAST([] AS BIGINT[])), coalesce(reported.ids, CAST([] AS BIGINT[])))
    )) AS evidence,
    told.missing
FROM told
LEFT JOIN paired AS reported ON reported.patient_id = told.patient_id AND reported.record_id = told.record_id
