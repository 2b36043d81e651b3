/*
title   = "Off oxygen: on room air for at least 7 days"
group   = "progression"
why     = """All survivors of the combined regimen came off oxygen (Tsuji 2020, summary); the sizes are project defaults. Two records
on room air with SpO2 of at least 92 %, at least 7 days apart, with no record on oxygen between; oxygen in sleep is oxygen. Good news is told
late: of the records of one day one on oxygen decides, then one below 92 %, then one at or above it. One below 92 % on room air
is not met on its day, but no oxygen between. A saturation alone changes nothing; a record that does not say
whether on oxygen may have been between. With no second record far enough back it is not met."""
unknown = ["oxygen records"]

[threshold.spo2_from]
value = 92
unit  = "%"
step  = 1
cite  = "project"
tag   = "project default"

[threshold.apart_days]
value = 7
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"

[finding]
facts = ["support", "spo2", "since", "days"]
met = "Off oxygen on {on_date}: {support}, SpO2 {spo2} %; on room air since {since} ({days} days), no record on oxygen between."
not_met = "Not shown to be off oxygen on {on_date}: {support}, SpO2 {spo2} %; on room air since {since}."
not_evaluable = "Whether off oxygen cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-30
why = "first version"
*/
WITH beyond AS (    -- of a saturation beyond the meter's range oxygen_support knows no value
    SELECT patient_id, set_id, low, high, high_open
    FROM observation
    WHERE analyte = 'spo2' AND value IS NULL AND low IS NOT NULL
),
record AS (     -- 5 on oxygen, 4 room air below the limit, 3 at or above it, 2 support not told, 1 saturation not told
    SELECT
        support.patient_id, support.on_date, support.set_id,
        CASE
            WHEN support.device IS NULL THEN 2
            WHEN support.device <> 'room_air' THEN 5
            WHEN coalesce(support.spo2, beyond.low) >= $spo2_from THEN 3
            WHEN support.spo2 < $spo2_from OR beyond.high < $spo2_from OR (beyond.high = $spo2_from AND beyond.high_open) THEN 4
            ELSE 1
        END AS form
    FROM oxygen_support AS support
    LEFT JOIN beyond ON beyond.patient_id = support.patient_id AND beyond.set_id = support.set_id
    WHERE support.device IS NOT NULL OR support.fio2 IS NOT NULL
),
formed AS (SELECT patient_id, on_date, form, min(set_id) AS set_id FROM record GROUP BY patient_id, on_date, form),
day AS (SELECT patient_id, on_date, max(form) AS form, arg_max(set_id, form) AS set_id FROM formed GROUP BY patient_id, on_date),
stretched AS (  -- days on oxygen begin a stretch; so do, of the stricter kind, those that may be
    SELECT
        *,
        count(CASE WHEN form = 5 THEN 1 END) OVER so_far AS stretch,
        count(CASE WHEN form IN (5, 2) THEN 1 END) OVER so_far AS strict_stretch
    FROM day
    WINDOW so_far AS (PARTITION BY patient_id ORDER BY on_date ROWS UNBOUNDED PRECEDING)
),
certain AS (    -- the first day that counts, and the first that may
    SELECT patient_id, strict_stretch, min(on_date) AS on_date, arg_min(set_id, on_date) AS set_id
    FROM stretched
    WHERE form = 3
    GROUP BY patient_id, strict_stretch
),
possible AS (
    SELECT patient_id, stretch, min(on_date) AS on_date, arg_min(set_id, on_date) AS set_id
    FROM stretched
    WHERE form IN (1, 2, 3)
    GROUP BY patient_id, stretch
),
paired AS (
    SELECT
        stretched.patient_id, stretched.on_date, stretched.form, stretched.set_id,
        certain.on_date AS certain_on, certain.set_id AS certain_id, possible.on_date AS possible_on, possible.set_id AS possible_id,
        coalesce(date_diff('day', certain.on_date, stretched.on_date) >= $apart_days, FALSE) AS is_apart,
        coalesce(date_diff('day', possible.on_date, stretched.on_date) >= $apart_days, FALSE) AS may_be_apart
    FROM stretched
    LEFT JOIN certain
        ON certain.patient_id = stretched.patient_id AND certain.strict_stretch = stretched.strict_stretch
        AND certain.on_date <= stretched.on_date
    LEFT JOIN possible
        ON possible.patient_id = stretched.patient_id AND possible.stretch = stretched.stretch AND possible.on_date <= stretched.on_date
),
answered AS (
    SELECT
        *,
        CASE
            WHEN form IN (5, 4) THEN 'not_met'
            WHEN form = 3 AND is_apart THEN 'met'
            WHEN may_be_apart THEN 'not_evaluable'
            ELSE 'not_met'
        END AS status
    FROM paired
),
compared AS (   -- the earlier record that decides
    SELECT
        *,
        CASE WHEN form IN (5, 4) THEN NULL WHEN status = 'not_evaluable' THEN possible_on ELSE certain_on END AS since,
        CASE
            WHEN form IN (5, 4) THEN NULL
            WHEN status = 'not_evaluable' THEN CASE WHEN possible_on < on_date THEN possible_id END
            WHEN certain_on < on_date THEN certain_id
        END AS since_id
    FROM answered
),
told AS (
    SELECT
        compared.patient_id, compared.on_date, compared.form, compared.status, compared.since,
        support.described, support.spo2, support.evidence, earlier.evidence AS earlier_evidence
    FROM compared
    JOIN oxygen_support AS support ON support.patient_id = compared.patient_id AND support.set_id = compared.set_id
    LEFT JOIN oxygen_support AS earlier ON earlier.patient_id = compared.patient_id AND earlier.set_id = compared.since_id
)
SELECT
    patient_id, on_date, NULL AS item, status, NULL AS grade,
    CASE WHEN earlier_evidence IS NULL THEN evidence ELSE list_sort(list_concat(evidence, earlier_evidence)) END AS evidence,
    CASE
        WHEN status <> 'not_evaluable' THEN CAST([] AS VARCHAR[])
        WHEN form = 2 THEN ['oxygen support']
        WHEN form = 1 THEN ['SpO2 on room air']
        ELSE [concat('support and SpO2 of the records since ', CAST(since AS VARCHAR))]
    END AS missing,
    [
        described, rtrim(rtrim(CAST(spo2 AS VARCHAR), '0'), '.'), CAST(since AS VARCHAR),
        CAST(date_diff('day', since, on_date) AS VARCHAR)
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(
        CASE
            WHEN status = 'not_evaluable' THEN NULL
            WHEN form = 4 THEN spo2 - $spo2_from
            WHEN form = 3 THEN date_diff('day', since, on_date) - $apart_days
        END AS DECIMAL(19, 6)
    ) AS margin
FROM told
