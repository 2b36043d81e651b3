/*
title   = "Lung function fell within 2 years"
group   = "transplant"
why     = """One of the published conditions for transplant referral (ISHLT 2021), in relative falls of the percentage predicted against each
earlier test of the same reference set: FVC 10 %, DLCO 15 %, or FVC 5 % with worse symptoms or imaging. Worse symptoms or imaging is read as: after the
earlier test and within 730 days of it, dyspnoea recorded worse, an mMRC above the one before, or a chest CT or X-ray read as worse (one later recorded better does
not undo it); known not to be so only when both symptoms and imaging were recorded in that time. Judged on test days, each
with the other measure of the past 28 days, and when symptoms or imaging are first recorded after a fall. A fall of the percentage may be of the reference values only
where the sets differ, so these are never compared; tests in litres alone are not judged."""
unknown = ["DLCO % predicted", "FVC % predicted"]

[threshold.fvc_fall]
value = 10
unit  = "% of the earlier value"
step  = 0.1
cite  = "kapnadak2021"
tag   = "published"

[threshold.dlco_fall]
value = 15
unit  = "% of the earlier value"
step  = 0.1
cite  = "kapnadak2021"
tag   = "published"

[threshold.fvc_fall_if_worse]
value = 5
unit  = "% of the earlier value"
step  = 0.1
cite  = "kapnadak2021"
tag   = "published"

[threshold.within_days]
value = 730
unit  = "days"
step  = 1
cite  = "kapnadak2021"
tag   = "published"

[finding]
facts = ["reached", "fvc", "dlco"]
met = "{reached}: the condition for transplant referral is met."
not_met = "No fall that counts for transplant referral: {fvc}; {dlco}."
not_evaluable = "Whether lung function fell within 2 years cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-21
why = "first version"
*/
WITH pair AS (       -- each result with each earlier test within the time: what fall is certain, what fall is possible
    SELECT
        result.patient_id, result.measure, result.on_date AS tested_on, result.record_id, result.high AS percent,
        earlier.on_date AS earlier_on, earlier.low AS earlier_percent, earlier.record_id AS earlier_id,
        -- percent of the earlier value, cut to six decimals: for the margin and the sentence only
        CAST(CAST(100000000 * (earlier.low - result.high) AS BIGINT) * 1000000 // CAST(1000000 * earlier.low AS BIGINT) * 0.000001
            AS DECIMAL(19, 6)) AS fall,
        CASE result.measure WHEN 'fvc' THEN $fvc_fall ELSE $dlco_fall END AS from_fall,
        coalesce(100 * (earlier.low - result.high) >= earlier.low * CASE result.measure WHEN 'fvc' THEN $fvc_fall ELSE $dlco_fall END, FALSE)
            AS fallen,
        -- an end that is not reached makes a fall of just that size impossible
        coalesce(
            100 * (earlier.high - result.low) >= earlier.high * CASE result.measure WHEN 'fvc' THEN $fvc_fall ELSE $dlco_fall END
            AND NOT (
                (earlier.high_open OR result.low_open)
                AND 100 * (earlier.high - result.low) = earlier.high * CASE result.measure WHEN 'fvc' THEN $fvc_fall ELSE $dlco_fall END
            ),
            TRUE
        ) AS perhaps_fallen,
        result.measure = 'fvc' AND coalesce(100 * (earlier.low - result.high) >= earlier.low * $fvc_fall_if_worse, FALSE) AS somewhat,
        result.measure = 'fvc' AND coalesce(
            100 * (earlier.high - result.low) >= earlier.high * $fvc_fall_if_worse
            AND NOT (
                (earlier.high_open OR result.low_open) AND 100 * (earlier.high - result.low) = earlier.high * $fvc_fall_if_worse
            ),
            TRUE
        ) AS perhaps_somewhat
    FROM lung_function_change AS result
    JOIN lung_function_change AS earlier
        ON earlier.patient_id = result.patient_id AND earlier.measure = result.measure
        AND earlier.reference_set IS NOT DISTINCT FROM result.reference_set
        AND earlier.on_date < result.on_date AND earlier.on_date >= result.on_date - CAST($within_days AS INTEGER)
),
mmrc AS (
    SELECT patient_id, on_date, record_id, number - lag(number) OVER (PARTITION BY patient_id ORDER BY on_date, event.at NULLS FIRST, number) AS rise
    FROM event
    WHERE kind = 'measure' AND code = 'mmrc'
),
clue AS (       -- what was said of symptoms and imaging, and whether it was worse
    SELECT patient_id, on_date, record_id, 'symptom' AS domain, value = 'worse' AS worse
    FROM event
    WHERE kind = 'symptom' AND code = 'dyspnoea' AND value IS NOT NULL
    UNION ALL
    SELECT patient_id, on_date, record_id, 'symptom', rise > 0 FROM mmrc WHERE rise IS NOT NULL
    UNION ALL
    SELECT patient_id, on_date, record_id, 'imaging', reading = 'worse' FROM imaging_course WHERE reading IN ('improved', 'stable', 'worse')
),
pair_clue AS (  -- of pairs that may need it: when worse symptoms or imaging, and each of the two at all, were first recorded since
    SELECT
        pair.patient_id, pair.record_id, pair.earlier_id, pair.tested_on,
        min(CASE WHEN clue.worse THEN clue.on_date END) AS worse_on,
        min(CASE WHEN clue.domain = 'symptom' THEN clue.on_date END) AS symptoms_on,
        min(CASE WHEN clue.domain = 'imaging' THEN clue.on_date END) AS imaging_on
    FROM pair
    JOIN clue
        ON clue.patient_id = pair.patient_id AND clue.on_date > pair.earlier_on
        AND clue.on_date <= pair.earlier_on + CAST($within_days AS INTEGER)
    WHERE pair.perhaps_somewhat
    GROUP BY pair.patient_id, pair.record_id, pair.earlier_id, pair.tested_on
),
happened AS (  -- what came before the test itself is judged with the test
    SELECT patient_id, on_date, on_date AS test_on FROM lung_function_pair
    UNION ALL
    SELECT patient_id, worse_on, NULL FROM pair_clue WHERE worse_on > tested_on
    UNION ALL
    SELECT patient_id, symptoms_on, NULL FROM pair_clue WHERE symptoms_on > tested_on
    UNION ALL
    SELECT patient_id, imaging_on, NULL FROM pair_clue WHERE imaging_on > tested_on
),
judged AS (     -- test days, and the days on which a symptom or imaging record may change the answer; with the latest tests
    SELECT last_test.patient_id, last_test.on_date, tests.fvc_on, tests.dlco_on
    FROM (
        SELECT patient_id, on_date, max(max(test_on)) OVER (PARTITION BY patient_id ORDER BY on_date) AS test_on
        FROM happened
        GROUP BY patient_id, on_date
    ) AS last_test
    JOIN lung_function_pair AS tests ON tests.patient_id = last_test.patient_id AND tests.on_date = last_test.test_on
),
latest AS (
    SELECT patient_id, on_date, 'fvc' AS measure, fvc_on AS tested_on FROM judged WHERE fvc_on IS NOT NULL
    UNION ALL
    SELECT patient_id, on_date, 'dlco', dlco_on FROM judged WHERE dlco_on IS NOT NULL
),
seen AS (       -- each pair on each judged day, with what had been recorded by then
    SELECT
        pair.*, latest.on_date,
        coalesce(pair_clue.worse_on <= latest.on_date, FALSE) AS worse,
        coalesce(pair_clue.symptoms_on <= latest.on_date, FALSE) AS symptoms_known,
        coalesce(pair_clue.imaging_on <= latest.on_date, FALSE) AS imaging_known,
        pair_clue.worse_on, pair_clue.symptoms_on, pair_clue.imaging_on
    FROM latest
    JOIN pair ON pair.patient_id = latest.patient_id AND pair.measure = latest.measure AND pair.tested_on = latest.tested_on
    LEFT JOIN pair_clue
        ON pair_clue.patient_id = pair.patient_id AND pair_clue.record_id = pair.record_id AND pair_clue.earlier_id = pair.earlier_id
),
answered AS (   -- each pair
    SELECT
        *,
        CASE
            WHEN fallen OR (somewhat AND worse) THEN 'met'
            WHEN perhaps_fallen THEN 'not_evaluable'
            WHEN NOT perhaps_somewhat OR (symptoms_known AND imaging_known AND NOT worse) THEN 'not_met'
            ELSE 'not_evaluable'
        END AS status
    FROM seen
),
result_answer AS (      -- each result: any earlier test will do
    SELECT
        *,
        row_number() OVER (
            PARTITION BY patient_id, on_date, measure, record_id
            ORDER BY CASE status WHEN 'met' THEN 1 WHEN 'not_evaluable' THEN 2 ELSE 3 END, fall DESC, earlier_on DESC, earlier_id
        ) AS place
    FROM answered
),
day_answer AS (         -- each measure: the worst result of the day
    SELECT *
    FROM result_answer
    WHERE place = 1
    QUALIFY row_number() OVER (
        PARTITION BY patient_id, on_date, measure
        ORDER BY CASE status WHEN 'met' THEN 1 WHEN 'not_met' THEN 2 ELSE 3 END, fall DESC, record_id
    ) = 1
),
deciding_day AS (       -- of the records on symptoms and imaging
    SELECT patient_id, on_date, measure, worse_on AS clue_on, 'worse' AS domain
    FROM day_answer
    WHERE status = 'met' AND NOT fallen
    UNION ALL
    SELECT patient_id, on_date, measure, symptoms_on, 'symptom' FROM day_answer WHERE status = 'not_met' AND perhaps_somewhat
    UNION ALL
    SELECT patient_id, on_date, measure, imaging_on, 'imaging' FROM day_answer WHERE status = 'not_met' AND perhaps_somewhat
),
day_clue AS (
    SELECT decides.patient_id, decides.on_date, decides.measure, list(DISTINCT clue.record_id) AS ids
    FROM deciding_day AS decides
    JOIN clue ON clue.patient_id = decides.patient_id AND clue.on_date = decides.clue_on
    WHERE clue.domain = decides.domain OR (decides.domain = 'worse' AND clue.worse)
    GROUP BY decides.patient_id, decides.on_date, decides.measure
),
alone AS (              -- results that have no earlier test: what there is to show
    SELECT latest.patient_id, latest.on_date, latest.measure, min(result.record_id) AS record_id
    FROM latest
    JOIN lung_function_change AS result
        ON result.patient_id = latest.patient_id AND result.measure = latest.measure AND result.on_date = latest.tested_on
    GROUP BY latest.patient_id, latest.on_date, latest.measure
),
told AS (
    SELECT
        judged.patient_id, judged.on_date, title.measure, coalesce(answer.status, 'not_evaluable') AS status,
        CASE
            WHEN answer.status IS NOT NULL
            THEN list_concat([answer.record_id, answer.earlier_id], coalesce(day_clue.ids, CAST([] AS BIGINT[])))
            WHEN alone.record_id IS NOT NULL THEN [alone.record_id]
            ELSE CAST([] AS BIGINT[])
        END AS evidence,
        CASE
            WHEN answer.status IN ('met', 'not_met') THEN CAST([] AS VARCHAR[])
            WHEN alone.record_id IS NULL THEN [title.title || ' % predicted']
            WHEN answer.status IS NULL THEN ['an earlier ' || title.title || ' % predicted within ' || CAST($within_days AS VARCHAR) || ' days']
            WHEN NOT answer.somewhat OR answer.perhaps_fallen THEN [title.title || ' % predicted as an exact value']
            ELSE
                CASE
                    WHEN answer.symptoms_known THEN CAST([] AS VARCHAR[])
                    ELSE ['dyspnoea or mMRC change since ' || CAST(answer.earlier_on AS VARCHAR)]
                END
                || CASE
                    WHEN answer.imaging_known THEN CAST([] AS VARCHAR[])
                    ELSE ['chest imaging reading since ' || CAST(answer.earlier_on AS VARCHAR)]
                END
        END AS missing,
        CASE
            WHEN answer.status IN ('met', 'not_met') AND (answer.status = 'not_met' OR answer.fallen) THEN answer.fall - answer.from_fall
            WHEN answer.status = 'met' THEN answer.fall - $fvc_fall_if_worse
        END AS margin,
        CASE
            WHEN answer.status IS NOT NULL
            THEN concat(
                title.title, ' ', rtrim(rtrim(CAST(answer.percent AS VARCHAR), '0'), '.'), ' % predicted on ', CAST(answer.tested_on AS VARCHAR),
                CASE WHEN answer.fall < 0 THEN ', no fall from ' ELSE ', a fall of ' END,
                CASE WHEN answer.fall < 0 THEN '' ELSE rtrim(rtrim(CAST(answer.fall - answer.fall % 0.1 AS VARCHAR), '0'), '.') || ' % from ' END,
                rtrim(rtrim(CAST(answer.earlier_percent AS VARCHAR), '0'), '.'), ' % on ', CAST(answer.earlier_on AS VARCHAR),
                CASE
                    WHEN answer.status = 'met' AND NOT answer.fallen
                    THEN concat(', with worse symptoms or imaging on ', CAST(answer.worse_on AS VARCHAR))
                    ELSE ''
                END
            )
        END AS printed
    FROM judged
    CROSS JOIN (SELECT 'fvc' AS measure, 'FVC' AS title UNION ALL SELECT 'dlco', 'DLCO') AS title
    LEFT JOIN day_answer AS answer
        ON answer.patient_id = judged.patient_id AND answer.on_date = judged.on_date AND answer.measure = title.measure
    LEFT JOIN day_clue
        ON day_clue.patient_id = judged.patient_id AND day_clue.on_date = judged.on_date AND day_clue.measure = title.measure
    LEFT JOIN alone
        ON alone.patient_id = judged.patient_id AND alone.on_date = judged.on_date AND alone.measure = title.measure
),
together AS (
    SELECT
        patient_id, on_date,
        CASE
            WHEN count(CASE status WHEN 'met' THEN 1 END) > 0 THEN 'met'
            WHEN count(CASE status WHEN 'not_met' THEN 1 END) = 2 THEN 'not_met'
            ELSE 'not_evaluable'
        END AS status,
        list_sort(list_distinct(flatten(list(evidence)))) AS evidence,
        list_sort(list_distinct(flatten(list(evidence) FILTER (WHERE status = 'met')))) AS met_evidence,
        list_sort(flatten(list(missing))) AS missing,
        max(CASE WHEN status = 'met' THEN margin END) AS met_margin, max(margin) AS margin,
        list_sort(list(printed) FILTER (WHERE status = 'met')) AS reached,
        max(CASE measure WHEN 'fvc' THEN printed END) AS fvc, max(CASE measure WHEN 'dlco' THEN printed END) AS dlco
    FROM told
    GROUP BY patient_id, on_date
)
SELECT
    patient_id, on_date, NULL AS item, status, NULL AS grade,
    CASE WHEN status = 'met' THEN met_evidence ELSE evidence END AS evidence,
    CASE WHEN status = 'not_evaluable' THEN missing ELSE CAST([] AS VARCHAR[]) END AS missing,
    [array_to_string(reached, '; '), fvc, dlco] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(CASE status WHEN 'met' THEN met_margin WHEN 'not_met' THEN margin END AS DECIMAL(19, 6)) AS margin
FROM together
