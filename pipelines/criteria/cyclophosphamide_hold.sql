/*
title = "On the day of a cyclophosphamide pulse: low white cells or neutrophils, or an open infection"
group = "infection"
why   = """A pulse is held for low counts or an active infection: from general knowledge, the source was not read. Judged on the day of
a pulse, given or ordered (of one over several days: its first), and the answer stands until the next pulse. Any of: the latest white
cell count of the past 14 days below 3.0, the latest neutrophil count of the past 14 days below 1.5, or an infection open on that day.
Of counts of one day the lowest decides. An infection with no recorded end is open for 28 days after its last record, then it is
unknown. Infections are recorded only when present: with none ever recorded it is unknown whether there is one; a recorded end says that
it is over. Tablets are no pulses."""
unknown = ["drug records"]

[threshold.white_cells]
value = 3.0
unit  = "10*9/L"
step  = 0.1
cite  = "cyclophosphamide_general"
tag   = "unverified"

[threshold.neutrophils]
value = 1.5
unit  = "10*9/L"
step  = 0.1
cite  = "cyclophosphamide_general"
tag   = "unverified"

[threshold.count_days]
value = 14
unit  = "days for which a count stands"
step  = 1
cite  = "cyclophosphamide_general"
tag   = "unverified"

[finding]
facts         = ["pulse", "white_cells", "neutrophils", "infection"]
met           = "Cyclophosphamide pulse {pulse}: white cells {white_cells}; neutrophils {neutrophils}; infection: {infection}."
not_met       = """No reason to hold is recorded. Cyclophosphamide pulse: {pulse}; white cells {white_cells}; \
neutrophils {neutrophils}; infection: {infection}."""
not_evaluable = """Cannot be told ({missing}). Cyclophosphamide pulse: {pulse}; white cells {white_cells}; \
neutrophils {neutrophils}; infection: {infection}."""

[[history]]
on  = 2026-11-30
why = "first version"
*/
WITH pulse AS (
    SELECT
        patient_id, start_date AS on_date, max(CASE WHEN action = 'given' THEN 1 ELSE 0 END) = 1 AS given,
        list_sort(list(record_id)) AS evidence
    FROM administration
    WHERE drug = 'cyclophosphamide' AND action IN ('given', 'ordered') AND systemic AND route IS DISTINCT FROM 'oral'
    GROUP BY patient_id, start_date
),
counted AS (   -- place 3: below the limit, 2: not below it, 1: undecided; of the counts of the newest day the worst decides
    SELECT
        pulse.patient_id, pulse.on_date, cells.analyte, cells.on_date AS counted_on, cells.record_id, cells.value, cells.low, cells.high,
        CASE
            WHEN cells.high < cells.limit_below OR (cells.high = cells.limit_below AND cells.high_open) THEN 3
            WHEN cells.low >= cells.limit_below THEN 2
            ELSE 1
        END AS place,
        cells.limit_below - cells.value AS margin
    FROM pulse
    JOIN (
        SELECT
            patient_id, analyte, on_date, record_id, value, low, high, high_open,
            CASE analyte WHEN 'wbc' THEN $white_cells ELSE $neutrophils END AS limit_below
        FROM observation
        WHERE analyte IN ('wbc', 'neutrophils')
    ) AS cells
        ON cells.patient_id = pulse.patient_id AND cells.on_date <= pulse.on_date
        AND cells.on_date >= pulse.on_date - CAST($count_days AS INTEGER)
),
ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY patient_id, on_date, analyte ORDER BY counted_on DESC, place DESC, margin DESC NULLS LAST, record_id
        ) AS newest
    FROM counted
),
blood_count AS (
    SELECT
        patient_id, on_date,
        max(CASE WHEN analyte = 'wbc' THEN place END) AS wbc_place,
        max(CASE WHEN analyte = 'wbc' THEN counted_on END) AS wbc_on,
        max(CASE WHEN analyte = 'wbc' THEN record_id END) AS wbc_record,
        max(CASE WHEN analyte = 'wbc' THEN value END) AS wbc_value,
        max(CASE WHEN analyte = 'wbc' THEN low END) AS wbc_low,
        max(CASE WHEN analyte = 'wbc' THEN high END) AS wbc_high,
        max(CASE WHEN analyte = 'wbc' THEN margin END) AS wbc_margin,
        max(CASE WHEN analyte = 'neutrophils' THEN place END) AS neutrophil_place,
        max(CASE WHEN analyte = 'neutrophils' THEN counted_on END) AS neutrophil_on,
        max(CASE WHEN analyte = 'neutrophils' THEN record_id END) AS neutrophil_record,
        max(CASE WHEN analyte = 'neutrophils' THEN value END) AS neutrophil_value,
        max(CASE WHEN analyte = 'neutrophils' THEN low END) AS neutrophil_low,
        max(CASE WHEN analyte = 'neutrophils' THEN high END) AS neutrophil_high,
        max(CASE WHEN analyte = 'neutrophils' THEN margin END) AS neutrophil_margin
    FROM ranked
    WHERE newest = 1
    GROUP BY patient_id, on_date
),
weighed AS (   -- weight 3: the infection is open, 2: it has ended, 1: it may be open
    SELECT *, CASE WHEN max(weight) OVER judged = 3 THEN 3 ELSE min(weight) OVER judged END AS decides
    FROM (
        SELECT
            pulse.patient_id, pulse.on_date, infection.organism, infection.since, infection.evidence,
            CASE
                WHEN infection.open_until > pulse.on_date THEN 3
                WHEN infection.ended AND infection.to_date <= pulse.on_date THEN 2
                WHEN coalesce(infection.to_date, DATE '9999-12-31') > pulse.on_date THEN 1
            END AS weight
        FROM pulse
        JOIN infection_episode AS infection ON infection.patient_id = pulse.patient_id AND infection.from_date <= pulse.on_date
    ) AS known
    WINDOW judged AS (PARTITION BY patient_id, on_date)
),
infected AS (
    SELECT patient_id, on_date, weight, list(organism) AS organisms, min(since) AS since, flatten(list(evidence)) AS evidence
    FROM weighed
    WHERE weight = decides
    GROUP BY patient_id, on_date, weight
),
judged AS (
    SELECT
        *,
        CASE
            WHEN pulse_evidence IS NULL THEN 2 WHEN greatest(wbc_place, neutrophil_place, infection_place) = 3 THEN 3
            ELSE least(wbc_place, neutrophil_place, infection_place)
        END AS place
    FROM (
        SELECT
            pulse.patient_id, pulse.on_date, pulse.given, pulse.evidence AS pulse_evidence,
            coalesce(blood_count.wbc_place, 1) AS wbc_place, blood_count.wbc_on, blood_count.wbc_record,
            blood_count.wbc_value, blood_count.wbc_low, blood_count.wbc_high, blood_count.wbc_margin,
            coalesce(blood_count.neutrophil_place, 1) AS neutrophil_place, blood_count.neutrophil_on, blood_count.neutrophil_record,
            blood_count.neutrophil_value, blood_count.neutrophil_low, blood_count.neutrophil_high, blood_count.neutrophil_margin,
            coalesce(infected.weight, 1) AS infection_place, infected.organisms, infected.since, infected.evidence AS infection_evidence
        FROM pulse
        LEFT JOIN blood_count ON blood_count.patient_id = pulse.patient_id AND blood_count.on_date = pulse.on_date
        LEFT JOIN infected ON infected.patient_id = pulse.patient_id AND infected.on_date = pulse.on_date
        UNION ALL   -- drugs are recorded, and no pulse yet
        SELECT
            recorded_drugs.patient_id, recorded_drugs.from_date, NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL,
            1, NULL, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL
        FROM recorded_drugs
        LEFT JOIN pulse ON pulse.patient_id = recorded_drugs.patient_id AND pulse.on_date = recorded_drugs.from_date
        WHERE pulse.patient_id IS NULL
    ) AS found
)
SELECT
    patient_id, on_date, CAST(NULL AS VARCHAR) AS item,
    CASE place WHEN 3 THEN 'met' WHEN 2 THEN 'not_met' ELSE 'not_evaluable' END AS status,
    CAST(NULL AS INTEGER) AS grade,
    list_sort(list_distinct(list_concat(
        list_concat(
            coalesce(pulse_evidence, CAST([] AS BIGINT[])),
            CASE
                WHEN infection_evidence IS NULL OR (place = 3 AND infection_place < 3) THEN CAST([] AS BIGINT[]) ELSE infection_evidence
            END
        ),
        list_concat(
            CASE WHEN wbc_record IS NULL OR (place = 3 AND wbc_place < 3) THEN CAST([] AS BIGINT[]) ELSE [wbc_record] END,
            CASE
                WHEN neutrophil_record IS NULL OR (place = 3 AND neutrophil_place < 3) THEN CAST([] AS BIGINT[]) ELSE [neutrophil_record]
            END
        )
    ))) AS evidence,
    CASE
        WHEN place > 1 THEN CAST([] AS VARCHAR[])
        ELSE list_concat(
            list_concat(
                CASE
                    WHEN wbc_place = 1 THEN [concat('white cells of the past ', CAST($count_days AS VARCHAR), ' days')]
                    ELSE CAST([] AS VARCHAR[])
                END,
                CASE
                    WHEN neutrophil_place = 1 THEN [concat('neutrophils of the past ', CAST($count_days AS VARCHAR), ' days')]
                    ELSE CAST([] AS VARCHAR[])
                END
            ),
            CASE
                WHEN infection_place > 1 THEN CAST([] AS VARCHAR[])
                WHEN infection_evidence IS NULL THEN ['infection: present or absent']
                ELSE ['the end of the infection']
            END
        )
    END AS missing,
    [
        CASE
            WHEN pulse_evidence IS NULL THEN 'none'
            ELSE concat(CASE WHEN given THEN 'given on ' ELSE 'ordered for ' END, CAST(on_date AS VARCHAR))
        END,
        CASE
            WHEN wbc_on IS NULL THEN 'none of the past days'
            ELSE concat(
                CASE WHEN wbc_value IS NOT NULL THEN '' WHEN wbc_high IS NULL THEN 'above ' ELSE 'below ' END,
                rtrim(rtrim(CAST(coalesce(wbc_value, wbc_high, wbc_low) AS VARCHAR), '0'), '.'), ' on ', CAST(wbc_on AS VARCHAR)
            )
        END,
        CASE
            WHEN neutrophil_on IS NULL THEN 'none of the past days'
            ELSE concat(
                CASE WHEN neutrophil_value IS NOT NULL THEN '' WHEN neutrophil_high IS NULL THEN 'above ' ELSE 'below ' END,
                rtrim(rtrim(CAST(coalesce(neutrophil_value, neutrophil_high, neutrophil_low) AS VARCHAR), '0'), '.'),
                ' on ', CAST(neutrophil_on AS VARCHAR)
            )
        END,
        CASE
            WHEN pulse_evidence IS NULL THEN 'not needed'
            WHEN infection_evidence IS NULL THEN 'none recorded'
            ELSE concat(
                CASE infection_place WHEN 3 THEN 'open: ' WHEN 2 THEN 'ended: ' ELSE 'perhaps still open: ' END,
                coalesce(nullif(array_to_string(list_sort(list_distinct(organisms)), ', '), ''), 'organism not named'),
                ', since ', CAST(since AS VARCHAR)
            )
        END
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(
        CASE
            WHEN place = 3 THEN greatest(
                CASE WHEN wbc_place = 3 THEN wbc_margin END, CASE WHEN neutrophil_place = 3 THEN neutrophil_margin END
            )
            WHEN place = 2 THEN greatest(wbc_margin, neutrophil_margin)
        END AS DECIMAL(19, 6)
    ) AS margin
FROM judged
