/*
title   = "Lung function fell within 6 months despite combination therapy"
group   = "transplant"
why     = """One of the published conditions for transplant listing (ISHLT 2021), in absolute falls, points of % predicted, within 6
months despite treatment, here against each earlier test of the 183 days before, of the same reference set: FVC more than 10, DLCO more
than 10, or FVC more than 5 with worse imaging. Despite treatment is read as: combination therapy (a systemic glucocorticoid with a
partner) acting on the day of the later test. Worse imaging is read as: a chest CT or X-ray read as worse after the earlier test and
within 183 days of it (one later read as better does not undo it); known not to be so only when one was read in that time. Judged on test
days, each with the other measure of the past 28 days, and when imaging or drugs are first recorded after the test. A test in litres alone
has no percentage to judge. Of several tests of a day the worst decides."""
unknown = ["DLCO % predicted", "FVC % predicted"]

[threshold.fvc_fall]
value = 10
unit  = "points of % predicted"
step  = 0.1
cite  = "kapnadak2021"
tag   = "published"

[threshold.dlco_fall]
value = 10
unit  = "points of % predicted"
step  = 0.1
cite  = "kapnadak2021"
tag   = "published"

[threshold.fvc_fall_if_worse]
value = 5
unit  = "points of % predicted"
step  = 0.1
cite  = "kapnadak2021"
tag   = "published"

[threshold.within_days]
value = 183
unit  = "days"
step  = 1
cite  = "kapnadak2021"
tag   = "published"

[finding]
facts = ["fvc", "dlco", "therapy"]
met = "{fvc}; {dlco}; {therapy}: a condition for transplant listing is met."
not_met = "{fvc}; {dlco}; {therapy}: no fall that counts for transplant listing."
not_evaluable = "Whether lung function fell within 6 months despite combination therapy cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-30
why = "first version"
*/
WITH compared AS (      -- each result with each earlier test within the time
    SELECT
        result.patient_id, result.measure, result.record_id, result.on_date AS tested_on,
        earlier.record_id AS earlier_id, earlier.on_date AS earlier_on, earlier.low AS earlier_low, earlier.high AS earlier_high,
        earlier.low - result.high AS certain, earlier.high - result.low AS possible,
        earlier.low_open OR result.high_open AS exceeded,       -- the fall is more than the certain one
        CASE result.measure WHEN 'fvc' THEN $fvc_fall ELSE $dlco_fall END AS from_fall
    FROM lung_function_change AS result
    JOIN lung_function_change AS earlier
        ON earlier.patient_id = result.patient_id AND earlier.measure = result.measure
        AND earlier.reference_set IS NOT DISTINCT FROM result.reference_set
        AND earlier.on_date < result.on_date AND earlier.on_date >= result.on_date - CAST($within_days AS INTEGER)
),
pair AS (
    SELECT
        *,
        coalesce(certain > from_fall OR (certain = from_fall AND exceeded), FALSE) AS fallen,
        coalesce(possible > from_fall, TRUE) AS perhaps_fallen,
        coalesce(certain > $fvc_fall_if_worse OR (certain = $fvc_fall_if_worse AND exceeded), FALSE) AS somewhat,
        measure = 'fvc' AND coalesce(possible > $fvc_fall_if_worse, TRUE) AS perhaps_somewhat
    FROM compared
),
fall AS (               -- each result: against any earlier test, the best of them named
    SELECT
        patient_id, record_id, earlier_id, earlier_on, earlier_low, earlier_high, certain, fallen,
        max(CASE WHEN perhaps_fallen THEN 1 ELSE 0 END) OVER result AS perhaps_fallen,
        max(CASE WHEN perhaps_somewhat THEN 1 ELSE 0 END) OVER result AS perhaps_somewhat,
        max(possible) OVER result AS possible
    FROM pair
    WINDOW result AS (PARTITION BY patient_id, record_id)
    QUALIFY row_number() OVER (
        PARTITION BY patient_id, record_id
        ORDER BY CASE WHEN fallen THEN 1 ELSE 2 END, earlier_low DESC, earlier_on DESC, earlier_id
    ) = 1
),
reading AS (
    SELECT patient_id, on_date, min(record_id) AS record_id, min(CASE WHEN reading = 'worse' THEN record_id END) AS worse_id
    FROM imaging_course
    WHERE reading IN ('improved', 'stable', 'worse')
    GROUP BY patient_id, on_date
),
pair_imaged AS (        -- of pairs that need it: the first reading that belongs to the fall, and the first that is worse
    SELECT
        pair.patient_id, pair.record_id, pair.tested_on, pair.earlier_id, pair.earlier_on, pair.earlier_low, pair.earlier_high,
        pair.certain, pair.somewhat,
        min(reading.on_date) AS read_on, arg_min(reading.record_id, reading.on_date) AS read_id,
        min(CASE WHEN reading.worse_id IS NOT NULL THEN reading.on_date END) AS worse_on,
        arg_min(reading.worse_id, CASE WHEN reading.worse_id IS NOT NULL THEN reading.on_date END) AS worse_id
    FROM pair
    LEFT JOIN reading
        ON reading.patient_id = pair.patient_id AND reading.on_date > pair.earlier_on
        AND reading.on_date <= pair.earlier_on + CAST($within_days AS INTEGER)
    WHERE pair.perhaps_somewhat AND NOT pair.fallen
    GROUP BY
        pair.patient_id, pair.record_id, pair.tested_on, pair.earlier_id, pair.earlier_on, pair.earlier_low, pair.earlier_high,
        pair.certain, pair.somewhat
),
pair_known AS (         -- and from which day, the test's or a later one, each is known
    SELECT
        *,
        CASE WHEN read_on > tested_on THEN read_on WHEN read_on IS NOT NULL THEN tested_on END AS read_from,
        CASE WHEN worse_on > tested_on THEN worse_on WHEN worse_on IS NOT NULL THEN tested_on END AS worse_from
    FROM pair_imaged
),
placed AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY patient_id, record_id
            ORDER BY CASE WHEN somewhat THEN worse_from END NULLS LAST, earlier_low DESC, earlier_on DESC, earlier_id
        ) AS place
    FROM pair_known
),
imaged AS (             -- each result: worse from a day on, or known from a day on not to be worse against any earlier test
    SELECT
        patient_id, record_id, tested_on, max(earlier_on) AS since,
        min(CASE WHEN somewhat THEN worse_from END) AS worse_from,
        min(CASE WHEN NOT somewhat THEN worse_from END) AS doubted_from,
        CASE WHEN count(*) = count(read_from) THEN max(read_from) END AS settled_from,
        max(CASE WHEN place = 1 THEN earlier_id END) AS earlier_id, max(CASE WHEN place = 1 THEN earlier_on END) AS earlier_on,
        max(CASE WHEN place = 1 THEN earlier_low END) AS earlier_low, max(CASE WHEN place = 1 THEN earlier_high END) AS earlier_high,
        max(CASE WHEN place = 1 THEN certain END) AS certain, max(CASE WHEN place = 1 THEN read_id END) AS read_id,
        max(CASE WHEN place = 1 THEN worse_id END) AS worse_id, max(CASE WHEN place = 1 THEN worse_on END) AS worse_on
    FROM placed
    GROUP BY patient_id, record_id, tested_on
),
test AS (
    SELECT
        patient_id, on_date AS tested_on, fvc_on, dlco_on,
        coalesce(lead(on_date) OVER (PARTITION BY patient_id ORDER BY on_date), DATE '9999-12-31') AS next_on
    FROM lung_function_pair
),
turn AS (               -- what becomes known after an FVC
    SELECT patient_id, tested_on, worse_from AS on_date FROM imaged
    UNION ALL
    SELECT patient_id, tested_on, doubted_from FROM imaged
    UNION ALL
    SELECT patient_id, tested_on, settled_from FROM imaged
),
judged_day AS (
    SELECT patient_id, tested_on AS on_date, tested_on, fvc_on, dlco_on FROM test
    UNION
    SELECT test.patient_id, turn.on_date, test.tested_on, test.fvc_on, test.dlco_on
    FROM turn
    JOIN test
        ON test.patient_id = turn.patient_id AND test.fvc_on = turn.tested_on
        AND test.tested_on < turn.on_date AND test.next_on > turn.on_date
    UNION
    SELECT test.patient_id, recorded_drugs.from_date, test.tested_on, test.fvc_on, test.dlco_on
    FROM test
    JOIN recorded_drugs
        ON recorded_drugs.patient_id = test.patient_id
        AND recorded_drugs.from_date > test.tested_on AND recorded_drugs.from_date < test.next_on
),
latest AS (             -- a measure with no test belongs to the day of the other's
    SELECT patient_id, on_date, 'fvc' AS measure, fvc_on AS measured_on, coalesce(fvc_on, tested_on) AS later_on FROM judged_day
    UNION ALL
    SELECT patient_id, on_date, 'dlco', dlco_on, coalesce(dlco_on, tested_on) FROM judged_day
),
regimen AS (            -- plain comparisons in the join below: an OR there would compare every pair
    SELECT patient_id, from_date, coalesce(to_date, DATE '9999-12-31') AS reached_to FROM combined_regimen WHERE clock = 'combination'
),
treated AS (
    SELECT test.patient_id, test.tested_on
    FROM test
    JOIN regimen ON regimen.patient_id = test.patient_id AND regimen.from_date <= test.tested_on AND regimen.reached_to > test.tested_on
),
seen AS (               -- each result on each judged day, with what had been recorded by then
    SELECT
        latest.patient_id, latest.on_date, latest.measure, latest.later_on, result.record_id, result.low, result.high,
        CASE WHEN treated.tested_on IS NOT NULL THEN 'yes' WHEN recorded_drugs.from_date <= latest.on_date THEN 'no' ELSE 'unknown' END
            AS therapy,
        fall.earlier_id AS best_id, fall.earlier_on AS best_on, fall.earlier_low AS best_low, fall.earlier_high AS best_high,
        fall.certain AS best_certain, fall.possible, fall.fallen, fall.perhaps_fallen, fall.perhaps_somewhat,
        coalesce(imaged.worse_from <= latest.on_date, FALSE) AS worse,
        coalesce(imaged.settled_from <= latest.on_date, FALSE) AND NOT coalesce(imaged.doubted_from <= latest.on_date, FALSE) AS settled,
        coalesce(imaged.settled_from <= latest.on_date, FALSE) AS imaging_known,
        imaged.since, imaged.earlier_id, imaged.earlier_on, imaged.earlier_low, imaged.earlier_high, imaged.certain, imaged.read_id,
        imaged.worse_id, imaged.worse_on
    FROM latest
    LEFT JOIN lung_function_change AS result
        ON result.patient_id = latest.patient_id AND result.measure = latest.measure AND result.on_date = latest.measured_on
    LEFT JOIN fall ON fall.patient_id = result.patient_id AND fall.record_id = result.record_id
    LEFT JOIN imaged ON imaged.patient_id = result.patient_id AND imaged.record_id = result.record_id
    LEFT JOIN treated ON treated.patient_id = latest.patient_id AND treated.tested_on = latest.later_on
    LEFT JOIN recorded_drugs ON recorded_drugs.patient_id = latest.patient_id
),
answered AS (
    SELECT
        *,
        CASE
            WHEN fallen OR worse THEN 'met'
            WHEN perhaps_fallen = 1 THEN 'not_evaluable'
            WHEN perhaps_somewhat = 0 OR settled THEN 'not_met'
            ELSE 'not_evaluable'
        END AS fall_status,
        worse AND NOT fallen AS by_imaging
    FROM seen
),
worst AS (              -- of a day and measure
    SELECT
        patient_id, on_date, measure, later_on, record_id, low, high, therapy, fall_status, by_imaging, since, imaging_known,
        CASE WHEN therapy = 'no' OR fall_status = 'not_met' THEN 'not_met' WHEN therapy = 'yes' THEN fall_status ELSE 'not_evaluable' END
            AS status,
        CASE WHEN by_imaging THEN earlier_id ELSE best_id END AS earlier_id,
        CASE WHEN by_imaging THEN earlier_on ELSE best_on END AS earlier_on,
        CASE WHEN by_imaging THEN earlier_low ELSE best_low END AS earlier_low,
        CASE WHEN by_imaging THEN earlier_high ELSE best_high END AS earlier_high,
        CASE fall_status WHEN 'met' THEN CASE WHEN by_imaging THEN certain ELSE best_certain END WHEN 'not_met' THEN possible END AS fall,
        CASE
            WHEN by_imaging THEN worse_id
            WHEN fall_status = 'not_met' AND perhaps_somewhat = 1 THEN read_id
        END AS image_id,
        CASE WHEN by_imaging THEN worse_on END AS worse_on,
        perhaps_fallen = 0 AND perhaps_somewhat = 1 AND NOT imaging_known AS imaging_missing
    FROM answered
    QUALIFY row_number() OVER (
        PARTITION BY patient_id, on_date, measure
        ORDER BY
            CASE
                WHEN therapy = 'no' OR fall_status = 'not_met' THEN 2
                WHEN therapy = 'yes' AND fall_status = 'met' THEN 1
                ELSE 3
            END,
            best_certain DESC NULLS LAST, low, record_id
    ) = 1
),
treatment AS (          -- the drugs that act on the days of the tests that count
    SELECT worst.patient_id, worst.on_date, list_sort(list_distinct(flatten(list(acting.evidence)))) AS ids
    FROM worst
    JOIN agent_acting AS acting
        ON acting.patient_id = worst.patient_id AND acting.from_date <= worst.later_on
        AND coalesce(acting.to_date, DATE '9999-12-31') > worst.later_on
    JOIN drug ON drug.drug = acting.drug
    WHERE worst.status = 'met' AND (acting.drug_class = 'glucocorticoid' OR drug.second_agent)
    GROUP BY worst.patient_id, worst.on_date
),
judged AS (
    SELECT
        fvc.patient_id, fvc.on_date,
        CASE
            WHEN fvc.status = 'met' OR dlco.status = 'met' THEN 'met'
            WHEN fvc.status = 'not_met' AND dlco.status = 'not_met' THEN 'not_met'
            ELSE 'not_evaluable'
        END AS status,
        treatment.ids AS treatment_ids,
        fvc.status AS fvc_status, fvc.fall_status AS fvc_fall_status, fvc.therapy AS fvc_therapy, fvc.later_on AS fvc_on,
        fvc.record_id AS fvc_id, fvc.low AS fvc_low, fvc.high AS fvc_high, fvc.earlier_id AS fvc_earlier_id,
        fvc.earlier_on AS fvc_earlier_on, fvc.earlier_low AS fvc_earlier_low, fvc.earlier_high AS fvc_earlier_high, fvc.fall AS fvc_fall,
        fvc.by_imaging, fvc.image_id, fvc.worse_on, fvc.imaging_missing, fvc.since,
        dlco.status AS dlco_status, dlco.fall_status AS dlco_fall_status, dlco.therapy AS dlco_therapy, dlco.later_on AS dlco_on,
        dlco.record_id AS dlco_id, dlco.low AS dlco_low, dlco.high AS dlco_high, dlco.earlier_id AS dlco_earlier_id,
        dlco.earlier_on AS dlco_earlier_on, dlco.earlier_low AS dlco_earlier_low, dlco.earlier_high AS dlco_earlier_high,
        dlco.fall AS dlco_fall
    FROM worst AS fvc
    JOIN worst AS dlco ON dlco.patient_id = fvc.patient_id AND dlco.on_date = fvc.on_date AND dlco.measure = 'dlco'
    LEFT JOIN treatment ON treatment.patient_id = fvc.patient_id AND treatment.on_date = fvc.on_date
    WHERE fvc.measure = 'fvc'
)
SELECT
    patient_id, on_date, NULL AS item, status, NULL AS grade,
    list_sort(
        CASE
            WHEN fvc_id IS NULL OR (status = 'met' AND fvc_status <> 'met') THEN CAST([] AS BIGINT[])
            WHEN fvc_earlier_id IS NULL THEN [fvc_id]
            WHEN image_id IS NULL THEN [fvc_id, fvc_earlier_id]
            ELSE [fvc_id, fvc_earlier_id, image_id]
        END
        || CASE
            WHEN dlco_id IS NULL OR (status = 'met' AND dlco_status <> 'met') THEN CAST([] AS BIGINT[])
            WHEN dlco_earlier_id IS NULL THEN [dlco_id]
            ELSE [dlco_id, dlco_earlier_id]
        END
        || coalesce(treatment_ids, CAST([] AS BIGINT[]))
    ) AS evidence,
    CASE
        WHEN status <> 'not_evaluable' OR dlco_status = 'not_met' OR dlco_fall_status = 'met' THEN CAST([] AS VARCHAR[])
        WHEN dlco_id IS NULL THEN ['DLCO % predicted']
        WHEN dlco_earlier_id IS NULL THEN ['an earlier DLCO % predicted within 6 months']
        ELSE ['DLCO % predicted as an exact value']
    END
    || CASE
        WHEN status <> 'not_evaluable' OR fvc_status = 'not_met' OR fvc_fall_status = 'met' THEN CAST([] AS VARCHAR[])
        WHEN fvc_id IS NULL THEN ['FVC % predicted']
        WHEN fvc_earlier_id IS NULL THEN ['an earlier FVC % predicted within 6 months']
        WHEN imaging_missing THEN ['chest imaging reading since ' || CAST(since AS VARCHAR)]
        ELSE ['FVC % predicted as an exact value']
    END
    || CASE
        WHEN status = 'not_evaluable' AND (fvc_therapy = 'unknown' OR dlco_therapy = 'unknown') THEN ['combination therapy']
        ELSE CAST([] AS VARCHAR[])
    END AS missing,
    [
        CASE
            WHEN fvc_id IS NULL THEN 'no FVC % predicted'
            ELSE concat(
                'FVC ', CASE WHEN fvc_high IS NULL THEN '>' WHEN fvc_high > fvc_low THEN '<' ELSE '' END,
                rtrim(rtrim(CAST(coalesce(fvc_high, fvc_low) AS VARCHAR), '0'), '.'), ' % predicted on ', CAST(fvc_on AS VARCHAR),
                CASE
                    WHEN fvc_earlier_id IS NULL THEN ', with none in the 6 months before'
                    ELSE concat(
                        CASE
                            WHEN fvc_fall > 0
                            THEN concat(
                                CASE
                                    WHEN fvc_low = fvc_high AND fvc_earlier_low = fvc_earlier_high THEN ', '
                                    WHEN fvc_fall_status = 'met' THEN ', at least '
                                    ELSE ', at most '
                                END,
                                rtrim(rtrim(CAST(fvc_fall AS VARCHAR), '0'), '.'), ' points below '
                            )
                            WHEN fvc_fall <= 0 THEN ', not below '
                            ELSE ', against '
                        END,
                        CASE
                            WHEN fvc_earlier_high IS NULL THEN '>' || rtrim(rtrim(CAST(fvc_earlier_low AS VARCHAR), '0'), '.')
                            WHEN fvc_earlier_low = fvc_earlier_high OR fvc_fall_status = 'met'
                            THEN rtrim(rtrim(CAST(fvc_earlier_low AS VARCHAR), '0'), '.')
                            ELSE '<' || rtrim(rtrim(CAST(fvc_earlier_high AS VARCHAR), '0'), '.')
                        END,
                        ' % of ', CAST(fvc_earlier_on AS VARCHAR),
                        ', with chest imaging worse on ' || CAST(worse_on AS VARCHAR)
                    )
                END
            )
        END,
        CASE
            WHEN dlco_id IS NULL THEN 'no DLCO % predicted'
            ELSE concat(
                'DLCO ', CASE WHEN dlco_high IS NULL THEN '>' WHEN dlco_high > dlco_low THEN '<' ELSE '' END,
                rtrim(rtrim(CAST(coalesce(dlco_high, dlco_low) AS VARCHAR), '0'), '.'), ' % predicted on ', CAST(dlco_on AS VARCHAR),
                CASE
                    WHEN dlco_earlier_id IS NULL THEN ', with none in the 6 months before'
                    ELSE concat(
                        CASE
                            WHEN dlco_fall > 0
                            THEN concat(
                                CASE
                                    WHEN dlco_low = dlco_high AND dlco_earlier_low = dlco_earlier_high THEN ', '
                                    WHEN dlco_fall_status = 'met' THEN ', at least '
                                    ELSE ', at most '
                                END,
                                rtrim(rtrim(CAST(dlco_fall AS VARCHAR), '0'), '.'), ' points below '
                            )
                            WHEN dlco_fall <= 0 THEN ', not below '
                            ELSE ', against '
                        END,
                        CASE
                            WHEN dlco_earlier_high IS NULL THEN '>' || rtrim(rtrim(CAST(dlco_earlier_low AS VARCHAR), '0'), '.')
                            WHEN dlco_earlier_low = dlco_earlier_high OR dlco_fall_status = 'met'
                            THEN rtrim(rtrim(CAST(dlco_earlier_low AS VARCHAR), '0'), '.')
                            ELSE '<' || rtrim(rtrim(CAST(dlco_earlier_high AS VARCHAR), '0'), '.')
                        END,
                        ' % of ', CAST(dlco_earlier_on AS VARCHAR)
                    )
                END
            )
        END,
        CASE
            WHEN status = 'met' THEN 'on combination therapy'
            WHEN fvc_therapy = 'no' AND dlco_therapy = 'no' THEN 'no combination therapy on the day of the test'
            WHEN fvc_therapy = 'unknown' OR dlco_therapy = 'unknown' THEN 'combination therapy not known'
            WHEN fvc_therapy = 'yes' AND dlco_therapy = 'yes' THEN 'on combination therapy'
            ELSE 'combination therapy on the day of one test only'
        END
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(
        CASE
            WHEN status = 'met'
            THEN greatest(
                CASE WHEN fvc_status = 'met' THEN fvc_fall - CASE WHEN by_imaging THEN $fvc_fall_if_worse ELSE $fvc_fall END END,
                CASE WHEN dlco_status = 'met' THEN dlco_fall - $dlco_fall END
            )
            WHEN fvc_fall_status = 'not_met' AND dlco_fall_status = 'not_met' THEN greatest(fvc_fall - $fvc_fall, dlco_fall - $dlco_fall)
        END AS DECIMAL(19, 6)
    ) AS margin
FROM judged
