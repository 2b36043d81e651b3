/*
title   = "6-minute walk: SpO2 below 88 %, or more than 50 m shorter within 6 months"
group   = "transplant"
why     = """One of the published conditions for listing (ISHLT 2021). The lowest saturation of the walk and its distance are judged
each on the days on which it is recorded, and each answer stands until the next record of the same kind; met if one is met, not met
only if both are known and neither is. A distance is compared with every one recorded in the 183 days before its day. Of several
records of a day the worst counts. Oxygen given during the walk is not considered. The margin is that of the saturation, unless only
the distance is met."""
unknown = ["6-minute walk distance", "lowest SpO2 on a 6-minute walk"]

[threshold.spo2_below]
value = 88
unit  = "%"
step  = 1
cite  = "kapnadak2021"
tag   = "published"

[threshold.shorter_by]
value = 50
unit  = "m"
step  = 1
cite  = "kapnadak2021"
tag   = "published"

[threshold.within_days]
value = 183
unit  = "days"
step  = 1
cite  = "kapnadak2021"
tag   = "published"

[finding]
facts = ["reached", "saturation", "distance"]
met = "{reached}: the condition for listing is met."
not_met = "6-minute walk, no condition for listing: {saturation}; {distance}."
not_evaluable = "Whether the 6-minute walk meets a condition for listing cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-30
why = "first version"
*/
WITH walk AS (      -- both ends of a day: the lowest is judged, the highest is what a later one is compared with
    SELECT
        patient_id, on_date, record_id, code, number,
        row_number() OVER (PARTITION BY patient_id, code, on_date ORDER BY number, record_id) AS from_lowest,
        row_number() OVER (PARTITION BY patient_id, code, on_date ORDER BY number DESC, record_id) AS from_highest
    FROM event
    WHERE kind = 'measure' AND code IN ('walk_distance_m', 'walk_lowest_spo2') AND number IS NOT NULL
),
daily AS (
    SELECT
        patient_id, on_date, date_diff('day', DATE '1970-01-01', on_date) AS day,
        max(CASE WHEN code = 'walk_lowest_spo2' AND from_lowest = 1 THEN number END) AS spo2,
        max(CASE WHEN code = 'walk_lowest_spo2' AND from_lowest = 1 THEN record_id END) AS spo2_id,
        max(CASE WHEN code = 'walk_distance_m' AND from_lowest = 1 THEN number END) AS distance,
        max(CASE WHEN code = 'walk_distance_m' AND from_lowest = 1 THEN record_id END) AS distance_id,
        max(CASE WHEN code = 'walk_distance_m' AND from_highest = 1 THEN number END) AS longest,
        max(CASE WHEN code = 'walk_distance_m' AND from_highest = 1 THEN record_id END) AS longest_id
    FROM walk
    GROUP BY patient_id, on_date
),
compared AS (       -- of equal distances the latest
    SELECT
        *,
        max(longest) OVER earlier AS earlier,
        arg_max(longest_id, longest * 100000 + day) OVER earlier AS earlier_id,
        arg_max(on_date, longest * 100000 + day) OVER earlier AS earlier_on,
        max(CASE WHEN spo2 IS NOT NULL THEN on_date END) OVER so_far AS spo2_on,
        max(CASE WHEN distance IS NOT NULL THEN on_date END) OVER so_far AS distance_on
    FROM daily
    WINDOW
        earlier AS (PARTITION BY patient_id ORDER BY day RANGE BETWEEN $within_days PRECEDING AND 1 PRECEDING),
        so_far AS (PARTITION BY patient_id ORDER BY on_date ROWS UNBOUNDED PRECEDING)
),
told AS (           -- each of the two as it stands
    SELECT
        judged.patient_id, judged.on_date, judged.spo2_on, saturation.spo2, saturation.spo2_id,
        judged.distance_on, walked.distance, walked.distance_id, walked.earlier, walked.earlier_id, walked.earlier_on,
        saturation.spo2 < $spo2_below AS desaturated, walked.earlier - walked.distance > $shorter_by AS shorter
    FROM compared AS judged
    LEFT JOIN compared AS saturation ON saturation.patient_id = judged.patient_id AND saturation.on_date = judged.spo2_on
    LEFT JOIN compared AS walked ON walked.patient_id = judged.patient_id AND walked.on_date = judged.distance_on
)
SELECT
    patient_id, on_date, NULL AS item,
    CASE
        WHEN desaturated OR shorter THEN 'met'
        WHEN NOT desaturated AND NOT shorter THEN 'not_met'
        ELSE 'not_evaluable'
    END AS status,
    NULL AS grade,
    list_sort(
        CASE WHEN spo2_id IS NULL OR (NOT desaturated AND coalesce(shorter, FALSE)) THEN CAST([] AS BIGINT[]) ELSE [spo2_id] END
        || CASE
            WHEN distance_id IS NULL OR (NOT coalesce(shorter, FALSE) AND coalesce(desaturated, FALSE)) THEN CAST([] AS BIGINT[])
            WHEN earlier_id IS NULL THEN [distance_id]
            ELSE [distance_id, earlier_id]
        END
    ) AS evidence,
    CASE
        WHEN desaturated OR shorter THEN CAST([] AS VARCHAR[])
        ELSE
            CASE
                WHEN distance_id IS NULL THEN ['6-minute walk distance']
                WHEN shorter IS NULL THEN ['an earlier 6-minute walk distance within ' || CAST($within_days AS VARCHAR) || ' days']
                ELSE CAST([] AS VARCHAR[])
            END
            || CASE WHEN spo2_id IS NULL THEN ['lowest SpO2 on a 6-minute walk'] ELSE CAST([] AS VARCHAR[]) END
    END AS missing,
    [
        concat_ws(
            '; ',
            CASE
                WHEN desaturated
                THEN concat('SpO2 ', rtrim(rtrim(CAST(spo2 AS VARCHAR), '0'), '.'), ' % on the 6-minute walk of ', CAST(spo2_on AS VARCHAR))
            END,
            CASE
                WHEN shorter
                THEN concat(
                    '6-minute walk ', rtrim(rtrim(CAST(earlier - distance AS VARCHAR), '0'), '.'), ' m shorter on ',
                    CAST(distance_on AS VARCHAR), ' than on ', CAST(earlier_on AS VARCHAR)
                )
            END
        ),
        'SpO2 ' || rtrim(rtrim(CAST(spo2 AS VARCHAR), '0'), '.') || ' % on ' || CAST(spo2_on AS VARCHAR),
        rtrim(rtrim(CAST(distance AS VARCHAR), '0'), '.') || ' m on ' || CAST(distance_on AS VARCHAR) || ' against '
        || rtrim(rtrim(CAST(earlier AS VARCHAR), '0'), '.') || ' m on ' || CAST(earlier_on AS VARCHAR)
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(
        CASE
            WHEN desaturated OR (NOT desaturated AND NOT shorter) THEN $spo2_below - spo2
            WHEN shorter THEN earlier - distance - $shorter_by
        END AS DECIMAL(19, 6)
    ) AS margin
FROM told
