/*
title = "CMV reactivation, or CMV end-organ disease"
group = "infection"
why   = """Reactivation is frequent under triple therapy and JAK inhibitors. Grade 1: a CMV PCR at or above the site's threshold or at least one
pp65-positive cell. No universal cut-off exists: the default, 0, takes in any quantified value, and a result that could not be quantified
(`<34.5`) is below it; where the site has set a threshold it is below only if it surely is. Virus `detected` by a quantitative PCR, with no
value, may have been quantified or not: that ends nothing and begins nothing. Grade 2: recorded CMV end-organ disease, with or without a PCR. Detected virus alone is not disease. It ends
with the recorded end of the disease or the next PCR below the threshold; with neither, it is unknown after 28 days."""
unknown = ["CMV PCR"]

[threshold.pcr]
value = 0
unit  = "IU/mL"
step  = 1
cite  = "cmv_pcr_label"
tag   = "project default"
site  = true

[threshold.pcr_copies]
value = 0
unit  = "copies/mL"
step  = 1
cite  = "cmv_pcr_label"
tag   = "project default"
site  = true

[threshold.pp65_cells]
value = 1
unit  = "cells"
step  = 1
cite  = "cmv_pp65"
tag   = "published"

[threshold.test_days]
value = 28
unit  = "days for which a test stands alone"
step  = 1
cite  = "project"
tag   = "project default"

[finding]
facts         = ["test", "disease"]
met           = "CMV, grade {grade}. End-organ disease: {disease}; last test: {test}."
not_met       = "No active CMV on {on_date}. End-organ disease: {disease}; last test: {test}."
not_evaluable = "Cannot be told ({missing}). End-organ disease: {disease}; last test: {test}."

[[history]]
on  = 2026-11-21
why = "first version"
*/
WITH result AS (
    SELECT
        patient_id, on_date, record_id, analyte = 'cmv_pp65' AS is_pp65, low, coded, high AS upper, high_open,
        CASE analyte WHEN 'cmv_dna_copies' THEN $pcr_copies WHEN 'cmv_pp65' THEN $pp65_cells ELSE $pcr END AS threshold,
        coalesce(high, low) AS high, high IS NULL AND low IS NOT NULL AS above, value IS NULL AND high IS NOT NULL AS under,
        analyte IN ('cmv_pp65', 'cmv_dna_qualitative') AS coded_decides,
        CASE analyte WHEN 'cmv_pp65' THEN ' cells' WHEN 'cmv_dna' THEN ' IU/mL' ELSE ' copies/mL' END AS unit
    FROM observation
    WHERE analyte IN ('cmv_dna', 'cmv_dna_copies', 'cmv_dna_qualitative', 'cmv_pp65')
),
placed AS (   -- place 3: at or above the threshold, 2: below it, 1: undecided. Threshold 0: quantified or not
    SELECT
        patient_id, on_date, record_id, is_pp65,
        CASE
            WHEN (low >= threshold AND low > 0) OR (coded = 'positive' AND coded_decides) THEN 3
            WHEN
                coded = 'negative' OR upper < threshold OR (upper = threshold AND high_open) OR (threshold = 0 AND low = 0 AND upper IS NOT NULL)
            THEN 2
            ELSE 1
        END AS place,
        CASE WHEN NOT under THEN low - threshold END AS margin,
        CASE WHEN is_pp65 THEN 'pp65 ' ELSE 'PCR ' END || CASE
            WHEN low IS NULL THEN coded
            ELSE CASE WHEN above THEN '>' WHEN under THEN '<' ELSE '' END || rtrim(rtrim(CAST(high AS VARCHAR), '0'), '.') || unit
        END AS told
    FROM result
),
daily AS (   -- the worst result of the day
    SELECT
        patient_id, on_date, is_pp65, place, place > 1 AS decided, max(told) AS told, max(margin) AS margin, list(record_id) AS evidence
    FROM (SELECT *, max(place) OVER (PARTITION BY patient_id, on_date, is_pp65) AS worst FROM placed) AS ranked
    WHERE place = worst
    GROUP BY patient_id, on_date, is_pp65, place
),
infection AS (   -- end-organ disease; where it is not said whether an organ is affected, that is unknown
    SELECT
        patient_id, recorded_on, from_date, open_until, coalesce(to_date, DATE '9999-12-31') AS reached_to, ended, end_organ, evidence,
        CASE WHEN end_organ THEN coalesce(site || ' ', '') || 'since ' || CAST(since AS VARCHAR) END AS told
    FROM infection_episode
    WHERE lower(trim(organism)) IN ('cmv', 'cytomegalovirus')
),
judged_day AS (
    SELECT patient_id, on_date FROM daily
    UNION
    SELECT patient_id, on_date + 1 + CAST($test_days AS INTEGER) FROM daily WHERE place = 3
    UNION
    SELECT patient_id, from_date FROM infection
    UNION
    SELECT patient_id, open_until FROM infection WHERE open_until < reached_to
    UNION
    SELECT patient_id, reached_to FROM infection WHERE ended
),
tested AS (   -- the newest test that can be told, and the newest that cannot
    SELECT
        judged_day.patient_id, judged_day.on_date, daily.on_date AS tested_on, daily.is_pp65, daily.place, daily.decided, daily.told,
        daily.margin, daily.evidence,
        row_number() OVER (
            PARTITION BY judged_day.patient_id, judged_day.on_date, daily.is_pp65, daily.decided ORDER BY daily.on_date DESC
        ) AS newest,
        max(CASE WHEN daily.decided THEN daily.on_date END) OVER (
            PARTITION BY judged_day.patient_id, judged_day.on_date, daily.is_pp65
        ) AS decided_on,
        max(CASE WHEN daily.place = 2 AND NOT daily.is_pp65 THEN daily.on_date END) OVER (
            PARTITION BY judged_day.patient_id, judged_day.on_date
        ) AS pcr_below_on
    FROM judged_day
    JOIN daily ON daily.patient_id = judged_day.patient_id AND daily.on_date <= judged_day.on_date
),
cleared AS (   -- the last PCR below the threshold and the last recorded end of a CMV infection, by the judged day
    SELECT
        judged_day.patient_id, judged_day.on_date, max(tested.pcr_below_on) AS pcr_below_on, max(infection.reached_to) AS ended_on,
        coalesce(max(tested.decided), FALSE) AS was_tested
    FROM judged_day
    LEFT JOIN tested ON tested.patient_id = judged_day.patient_id AND tested.on_date = judged_day.on_date AND tested.newest = 1
    LEFT JOIN infection
        ON infection.patient_id = judged_day.patient_id AND infection.reached_to <= judged_day.on_date AND infection.ended
    GROUP BY judged_day.patient_id, judged_day.on_date
),
statement AS (   -- what stands on the judged day. weight 4: disease, 3: test at the threshold, 2: in doubt, 1: test below, or the end
    SELECT
        tested.patient_id, tested.on_date,
        CASE
            WHEN tested.place = 3 AND date_diff('day', tested.tested_on, tested.on_date) <= $test_days THEN 3
            WHEN tested.place = 2 THEN 1
            ELSE 2
        END AS weight,
        tested.tested_on AS said_on, NOT tested.is_pp65 AS is_pcr,
        tested.margin, tested.evidence, CAST(NULL AS VARCHAR) AS told
    FROM tested
    JOIN cleared ON cleared.patient_id = tested.patient_id AND cleared.on_date = tested.on_date
    WHERE
        tested.newest = 1 AND (tested.decided OR tested.tested_on > coalesce(tested.decided_on, DATE '0001-01-01'))
        AND tested.tested_on >= coalesce(cleared.ended_on, tested.tested_on)
        AND (NOT tested.is_pp65 OR tested.tested_on >= coalesce(cleared.pcr_below_on, tested.tested_on))
    UNION ALL
    SELECT
        cleared.patient_id, cleared.on_date, CASE WHEN infection.end_organ AND infection.open_until > cleared.on_date THEN 4 ELSE 2 END,
        infection.from_date, FALSE, NULL, infection.evidence, infection.told
    FROM cleared
    JOIN infection
        ON infection.patient_id = cleared.patient_id AND infection.from_date <= cleared.on_date AND infection.reached_to > cleared.on_date
    WHERE coalesce(cleared.pcr_below_on, infection.recorded_on) <= infection.recorded_on AND coalesce(infection.end_organ, TRUE)
    UNION ALL
    SELECT cleared.patient_id, cleared.on_date, 1, cleared.ended_on, FALSE, NULL, infection.evidence, NULL
    FROM cleared
    JOIN infection
        ON infection.patient_id = cleared.patient_id AND infection.reached_to = cleared.ended_on AND infection.ended
    WHERE infection.end_organ OR cleared.was_tested
),
weighed AS (
    SELECT
        *,
        max(weight) OVER judged AS heaviest,
        max(said_on) OVER judged AS last_said_on,
        max(told) OVER judged AS disease_told
    FROM statement
    WINDOW judged AS (PARTITION BY patient_id, on_date)
),
decided AS (   -- the heaviest statements decide; of those that clear, the newest
    SELECT
        patient_id, on_date, weight, disease_told, list_sort(list_distinct(flatten(list(evidence)))) AS evidence,
        coalesce(max(CASE WHEN is_pcr THEN margin END), max(margin)) AS margin
    FROM weighed
    WHERE weight = heaviest AND (weight > 1 OR said_on = last_said_on)
    GROUP BY patient_id, on_date, weight, disease_told
),
last_test AS (
    SELECT patient_id, on_date, tested_on, array_to_string(list_sort(list(told)), ', ') AS told
    FROM (SELECT *, max(tested_on) OVER (PARTITION BY patient_id, on_date) AS last_on FROM tested WHERE newest = 1) AS latest
    WHERE tested_on = last_on
    GROUP BY patient_id, on_date, tested_on
)
SELECT
    decided.patient_id, decided.on_date, CAST(NULL AS VARCHAR) AS item,
    CASE WHEN decided.weight >= 3 THEN 'met' WHEN decided.weight = 2 THEN 'not_evaluable' ELSE 'not_met' END AS status,
    CASE decided.weight WHEN 4 THEN 2 WHEN 3 THEN 1 END AS grade,
    decided.evidence,
    CASE
        WHEN decided.weight <> 2 THEN CAST([] AS VARCHAR[])
        WHEN decided.disease_told IS NOT NULL THEN ['CMV PCR or the end of the disease']
        ELSE ['CMV PCR']
    END AS missing,
    [
        coalesce(last_test.told || ' on ' || CAST(last_test.tested_on AS VARCHAR), 'none recorded'),
        coalesce(decided.disease_told, 'none recorded')
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(CASE WHEN decided.weight IN (1, 3) THEN decided.margin END AS DECIMAL(19, 6)) AS margin
FROM decided
LEFT JOIN last_test ON last_test.patient_id = decided.patient_id AND last_test.on_date = decided.on_date
