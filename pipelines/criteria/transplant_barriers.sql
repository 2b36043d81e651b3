/*
title   = "Barriers to transplant"
group   = "transplant"
why     = """What ISHLT 2021 counts against a transplant, as far as these records can tell: grade 3 absolute, 2 high or
substantially increased risk, 1 a risk factor. Shown beside the conditions for referral and listing, never used to hide one, and
never a reason not to refer. Each barrier stands until its next record. Age is in completed years, of a year of birth one of two.
BMI is computed from the newest weight and height, or taken as reported, whichever is newer; eGFR is as reported. Septic shock,
tuberculosis and malignancy are unknown until a record says present or absent, and the newest record decides (a recorded end counts
as absent from the day after). An infection counts while its episode is open at a site that is not named as the lung; with no site
named, or after the days for which it is known to be open, it cannot be told. ECMO is as recorded by device or as a procedure, which
lasts until its recorded end or until a device of less than invasive ventilation is recorded; mechanical ventilation is invasive
ventilation or ECMO. The connective-tissue disease is there in every patient. Not judged, for want of records: heart, oesophagus,
bone marrow, frailty, adherence and others of the list."""
items   = "barrier"
unknown = ["year of birth"]

[threshold.age_from]
value = 65
unit  = "years"
step  = 1
cite  = "leard2021"
tag   = "published"

[threshold.age_above]
value = 70
unit  = "years"
step  = 1
cite  = "leard2021"
tag   = "published"

[threshold.bmi_high]
value = 35
unit  = "kg/m2"
step  = 0.1
cite  = "leard2021"
tag   = "published"

[threshold.bmi_raised]
value = 30
unit  = "kg/m2"
step  = 0.1
cite  = "leard2021"
tag   = "published"

[threshold.bmi_reduced]
value = 17
unit  = "kg/m2"
step  = 0.1
cite  = "leard2021"
tag   = "published"

[threshold.bmi_low]
value = 16
unit  = "kg/m2"
step  = 0.1
cite  = "leard2021"
tag   = "published"

[threshold.egfr_low]
value = 40
unit  = "mL/min/1.73 m2"
step  = 1
cite  = "leard2021"
tag   = "published"

[threshold.egfr_reduced]
value = 60
unit  = "mL/min/1.73 m2"
step  = 1
cite  = "leard2021"
tag   = "published"

[finding]
facts = ["found", "weight", "barrier"]
met = "{found}: {weight} (ISHLT 2021)."
not_met = "No barrier: {found}."
not_evaluable = "Whether {barrier} is a barrier cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-30
why = "first version"
*/
WITH age AS (       -- completed years at most (years), one fewer before the birthday; judged anew in January
    SELECT
        patient.patient_id, greatest(patient.first_day, make_date(patient.birth_year + turn.years, 1, 1)) AS on_date,
        max(greatest(turn.years, year(patient.first_day) - patient.birth_year)) AS years
    FROM patient
    CROSS JOIN (
        SELECT 0 AS years UNION ALL SELECT $age_from UNION ALL SELECT $age_from + 1 UNION ALL SELECT $age_above + 2
    ) AS turn
    WHERE patient.birth_year IS NOT NULL
    GROUP BY patient.patient_id, greatest(patient.first_day, make_date(patient.birth_year + turn.years, 1, 1))
),
egfr AS (           -- the worst result of a day: the highest grade certainly reached
    SELECT *
    FROM (
        SELECT
            patient_id, on_date, record_id, low, high,
            CASE
                WHEN high < $egfr_low OR (high = $egfr_low AND high_open) THEN 3
                WHEN high <= $egfr_reduced THEN 1
                WHEN low > $egfr_reduced OR (low = $egfr_reduced AND low_open) THEN 0
            END AS grade
        FROM observation
        WHERE analyte = 'egfr' AND low IS NOT NULL
    ) AS graded
    QUALIFY row_number() OVER (PARTITION BY patient_id, on_date ORDER BY coalesce(grade, -1) DESC, high, record_id) = 1
),
size AS (           -- kg or cm
    SELECT patient_id, on_date, record_id, code AS what, number
    FROM event
    WHERE kind = 'measure' AND code IN ('weight_kg', 'height_cm') AND number IS NOT NULL
    UNION ALL
    SELECT patient_id, on_date, record_id, CASE analyte WHEN 'weight' THEN 'weight_kg' ELSE 'height_cm' END, value
    FROM observation
    WHERE analyte IN ('weight', 'height') AND value IS NOT NULL
),
size_placed AS (
    SELECT
        patient_id, on_date, record_id, what, number,
        row_number() OVER (PARTITION BY patient_id, what, on_date ORDER BY number, record_id) AS from_least,
        row_number() OVER (PARTITION BY patient_id, what, on_date ORDER BY number DESC, record_id) AS from_most
    FROM size
),
size_day AS (       -- of one day both ends: the heaviest with the shortest, the lightest with the tallest
    SELECT
        patient_id, on_date,
        max(CASE WHEN what = 'weight_kg' AND from_most = 1 THEN number END) AS heaviest,
        max(CASE WHEN what = 'weight_kg' AND from_most = 1 THEN record_id END) AS heaviest_id,
        max(CASE WHEN what = 'weight_kg' AND from_least = 1 THEN number END) AS lightest,
        max(CASE WHEN what = 'weight_kg' AND from_least = 1 THEN record_id END) AS lightest_id,
        max(CASE WHEN what = 'height_cm' AND from_most = 1 THEN number END) AS tallest,
        max(CASE WHEN what = 'height_cm' AND from_most = 1 THEN record_id END) AS tallest_id,
        max(CASE WHEN what = 'height_cm' AND from_least = 1 THEN number END) AS shortest,
        max(CASE WHEN what = 'height_cm' AND from_least = 1 THEN record_id END) AS shortest_id
    FROM size_placed
    GROUP BY patient_id, on_date
),
size_known AS (
    SELECT
        patient_id, on_date,
        max(CASE WHEN heaviest IS NOT NULL THEN on_date END) OVER so_far AS weighed_on,
        max(CASE WHEN tallest IS NOT NULL THEN on_date END) OVER so_far AS measured_on
    FROM size_day
    WINDOW so_far AS (PARTITION BY patient_id ORDER BY on_date ROWS UNBOUNDED PRECEDING)
),
build AS (          -- weight and height that may stand together on a day
    SELECT
        known.patient_id, known.on_date, weight.heaviest AS kg, weight.heaviest_id AS kg_id,
        CAST(height.shortest AS DECIMAL(9, 6)) AS cm, height.shortest_id AS cm_id
    FROM size_known AS known
    JOIN size_day AS weight ON weight.patient_id = known.patient_id AND weight.on_date = known.weighed_on
    JOIN size_day AS height ON height.patient_id = known.patient_id AND height.on_date = known.measured_on
    UNION ALL
    SELECT known.patient_id, known.on_date, weight.lightest, weight.lightest_id, CAST(height.tallest AS DECIMAL(9, 6)), height.tallest_id
    FROM size_known AS known
    JOIN size_day AS weight ON weight.patient_id = known.patient_id AND weight.on_date = known.weighed_on
    JOIN size_day AS height ON height.patient_id = known.patient_id AND height.on_date = known.measured_on
    WHERE weight.lightest < weight.heaviest OR height.tallest > height.shortest
),
bmi AS (            -- low and high of a computed one: cut to hundredths, for the sentence and the margin only
    SELECT *
    FROM (
        SELECT
            patient_id, on_date, kg_id AS record_id, cm_id AS other_id,
            computed AS low, computed AS high,
            CASE
                WHEN 10000 * kg >= $bmi_high * square OR 10000 * kg < $bmi_low * square THEN 2
                WHEN 10000 * kg >= $bmi_raised * square OR 10000 * kg <= $bmi_reduced * square THEN 1
                ELSE 0
            END AS grade
        FROM (
            SELECT
                *, CAST(cm * cm AS DECIMAL(28, 12)) AS square,
                CAST(
                    CAST(1000 * kg AS BIGINT) * 10000000 // (CAST(100 * cm AS BIGINT) * CAST(100 * cm AS BIGINT)) * 0.01 AS DECIMAL(19, 6)
                ) AS computed
            FROM build
        ) AS squared
        UNION ALL
        SELECT
            patient_id, on_date, record_id, NULL, low, high,
            CASE
                WHEN low >= $bmi_high OR high < $bmi_low OR (high = $bmi_low AND high_open) THEN 2
                WHEN low >= $bmi_raised OR high <= $bmi_reduced THEN 1
                WHEN
                    (low > $bmi_reduced OR (low = $bmi_reduced AND low_open))
                    AND (high < $bmi_raised OR (high = $bmi_raised AND high_open))
                THEN 0
            END
        FROM observation
        WHERE analyte = 'bmi' AND low IS NOT NULL
    ) AS graded
    QUALIFY row_number() OVER (PARTITION BY patient_id, on_date ORDER BY coalesce(grade, -1) DESC, record_id, other_id) = 1
),
diagnosis AS (      -- what each day says: present before absent; a recorded end says absent from the day after
    SELECT
        patient_id, on_date, code, max(present) AS present,
        coalesce(min(CASE WHEN present = 1 THEN record_id END), min(record_id)) AS record_id
    FROM (
        SELECT patient_id, on_date, code, record_id, CASE WHEN coalesce(value, 'present') = 'present' THEN 1 ELSE 0 END AS present
        FROM event
        WHERE kind = 'diagnosis' AND code IN ('septic_shock', 'tuberculosis', 'malignancy_high_risk')
        UNION ALL
        SELECT patient_id, until_date + 1, code, record_id, 0
        FROM event
        WHERE
            kind = 'diagnosis' AND code IN ('septic_shock', 'tuberculosis', 'malignancy_high_risk') AND until_date IS NOT NULL
            AND coalesce(value, 'present') = 'present'
    ) AS said
    GROUP BY patient_id, on_date, code
),
infection AS (      -- outside: 1 a site other than the lung, 0 no site named
    SELECT
        patient_id, from_date, open_until, coalesce(to_date, DATE '9999-12-31') AS reached_to, ended, evidence, site,
        CASE WHEN site IS NULL THEN 0 ELSE 1 END AS outside
    FROM infection_episode
    WHERE
        site IS NULL
        OR lower(trim(site)) NOT IN (
            'lung', 'lungs', 'pulmonary', 'pneumonia', 'respiratory', 'respiratory tract', 'lower respiratory tract', 'airway', 'airways',
            'bronchi', 'bronchus', 'bronchial', 'lunge', 'poumon', 'poumons', 'pulmón', 'pulmones', '肺'
        )
),
infection_day AS (
    SELECT patient_id, from_date AS on_date FROM infection
    UNION
    SELECT patient_id, open_until FROM infection WHERE open_until < reached_to
    UNION
    SELECT patient_id, reached_to FROM infection WHERE ended
),
infected AS (       -- 2 open outside the lung, 1 perhaps, 0 over
    SELECT
        day.patient_id, day.on_date, infection.site, infection.evidence,
        CASE
            WHEN infection.reached_to <= day.on_date THEN 0
            WHEN infection.outside = 1 AND day.on_date < infection.open_until THEN 2
            ELSE 1
        END AS state
    FROM infection_day AS day
    JOIN infection ON infection.patient_id = day.patient_id AND infection.from_date <= day.on_date
    WHERE infection.reached_to > day.on_date OR infection.ended
),
infection_state AS (
    SELECT
        patient_id, on_date, state, list_sort(list_distinct(flatten(list(evidence)))) AS evidence,
        list(DISTINCT site) FILTER (WHERE site IS NOT NULL) AS sites
    FROM (SELECT *, max(state) OVER (PARTITION BY patient_id, on_date) AS worst FROM infected) AS ranked
    WHERE state = worst
    GROUP BY patient_id, on_date, state
),
support AS (        -- by device: 2 ECMO, 1 invasive ventilation, 0 less
    SELECT
        patient_id, on_date, max(CASE device WHEN 'ecmo' THEN 2 WHEN 'invasive_ventilation' THEN 1 ELSE 0 END) AS device,
        coalesce(
            min(CASE WHEN device = 'ecmo' THEN set_id END), min(CASE WHEN device = 'invasive_ventilation' THEN set_id END), min(set_id)
        ) AS set_id
    FROM oxygen_support
    WHERE level IS NOT NULL
    GROUP BY patient_id, on_date
),
run AS (            -- ECMO as a procedure: 1 begins, 0 is over
    SELECT patient_id, on_date, max(runs) AS runs, max(CASE WHEN runs = 1 THEN record_id END) AS record_id
    FROM (
        SELECT patient_id, on_date, 1 AS runs, record_id FROM event WHERE kind = 'procedure' AND code = 'ecmo'
        UNION ALL
        SELECT patient_id, until_date + 1, 0, record_id FROM event WHERE kind = 'procedure' AND code = 'ecmo' AND until_date IS NOT NULL
    ) AS said
    GROUP BY patient_id, on_date
),
support_day AS (    -- the days on which the device changes its kind; every day from the first procedure on, which may end with it
    SELECT support.patient_id, support.on_date, support.device, support.set_id
    FROM support
    LEFT JOIN (SELECT patient_id, min(on_date) AS first_on FROM run GROUP BY patient_id) AS person ON person.patient_id = support.patient_id
    QUALIFY
        coalesce(support.on_date >= person.first_on, FALSE)
        OR coalesce(lag(support.device) OVER (PARTITION BY support.patient_id ORDER BY support.on_date) <> support.device, TRUE)
),
supported AS (
    SELECT
        patient_id, on_date, max(device) AS device, max(set_id) AS set_id, max(runs) AS runs, max(run_id) AS run_id,
        max(recorded) AS recorded
    FROM (
        SELECT patient_id, on_date, device, set_id, NULL AS runs, NULL AS run_id, NULL AS recorded FROM support_day
        UNION ALL
        SELECT patient_id, on_date, NULL, NULL, runs, record_id, NULL FROM run
        UNION ALL
        SELECT patient_id, from_date, NULL, NULL, NULL, NULL, 1 FROM recorded_drugs
    ) AS said
    GROUP BY patient_id, on_date
),
supported_so_far AS (
    SELECT
        patient_id, on_date,
        last_value(device IGNORE NULLS) OVER so_far AS device, last_value(set_id IGNORE NULLS) OVER so_far AS set_id,
        coalesce(last_value(CASE WHEN runs IS NOT NULL THEN runs WHEN device = 0 THEN 0 END IGNORE NULLS) OVER so_far, 0) AS runs,
        last_value(run_id IGNORE NULLS) OVER so_far AS run_id,
        max(recorded) OVER so_far AS recorded
    FROM supported
    WINDOW so_far AS (PARTITION BY patient_id ORDER BY on_date ROWS UNBOUNDED PRECEDING)
),
held AS (
    SELECT state.*, record.evidence, record.on_date AS device_on, run.on_date AS run_on
    FROM supported_so_far AS state
    LEFT JOIN oxygen_support AS record ON record.patient_id = state.patient_id AND record.set_id = state.set_id
    LEFT JOIN run ON run.patient_id = state.patient_id AND run.record_id = state.run_id
),
found AS (          -- grade 0: no barrier, NULL: cannot be told
    SELECT
        patient_id, on_date, 'age' AS item,
        CASE WHEN years - 1 > $age_above THEN 2 WHEN years - 1 >= $age_from THEN 1 WHEN years < $age_from THEN 0 END AS grade,
        CAST(years - 1 AS DECIMAL(19, 6)) AS low, CAST(years AS DECIMAL(19, 6)) AS high, on_date AS since,
        CAST(NULL AS BIGINT) AS record_id, CAST(NULL AS BIGINT) AS other_id, CAST(NULL AS BIGINT[]) AS ids, CAST(NULL AS VARCHAR[]) AS sites
    FROM age
    UNION ALL
    SELECT patient_id, on_date, 'bmi', grade, low, high, on_date, record_id, other_id, NULL, NULL FROM bmi
    UNION ALL
    SELECT patient_id, on_date, 'egfr', grade, low, high, on_date, record_id, NULL, NULL, NULL FROM egfr
    UNION ALL
    SELECT patient_id, on_date, code, 3 * present, NULL, NULL, on_date, record_id, NULL, NULL, NULL FROM diagnosis
    UNION ALL
    SELECT
        patient_id, on_date, 'extrapulmonary_infection', CASE state WHEN 2 THEN 3 WHEN 0 THEN 0 END, NULL, NULL, on_date, NULL, NULL,
        evidence, sites
    FROM infection_state
    UNION ALL
    SELECT
        patient_id, on_date, 'ecmo', CASE WHEN device = 2 OR runs = 1 THEN 2 WHEN device IS NOT NULL OR recorded = 1 THEN 0 END, NULL, NULL,
        CASE WHEN device = 2 OR runs = 0 THEN device_on ELSE run_on END, CASE WHEN runs = 1 OR device IS NULL THEN run_id END, NULL,
        CASE WHEN device = 2 OR runs = 0 THEN evidence END, NULL
    FROM held
    UNION ALL
    SELECT
        patient_id, on_date, 'mechanical_ventilation',
        CASE WHEN device > 0 OR runs = 1 THEN 1 WHEN device IS NOT NULL THEN 0 END, NULL, NULL,
        CASE WHEN device > 0 OR runs = 0 THEN device_on ELSE run_on END, CASE WHEN runs = 1 THEN run_id END, NULL,
        CASE WHEN device > 0 OR runs = 0 THEN evidence END, NULL
    FROM held
    UNION ALL
    SELECT patient_id, first_day, 'connective_tissue_disease', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM patient
),
complete AS (       -- every barrier from the first recorded day: what is not known is a list to work through
    SELECT * FROM found
    UNION ALL
    SELECT patient.patient_id, patient.first_day, barrier.item, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM patient
    CROSS JOIN (
        SELECT 'age' AS item UNION ALL SELECT 'bmi' UNION ALL SELECT 'egfr' UNION ALL SELECT 'septic_shock' UNION ALL SELECT 'tuberculosis'
        UNION ALL SELECT 'malignancy_high_risk' UNION ALL SELECT 'extrapulmonary_infection' UNION ALL SELECT 'ecmo'
        UNION ALL SELECT 'mechanical_ventilation'
    ) AS barrier
    LEFT JOIN found ON found.patient_id = patient.patient_id AND found.item = barrier.item AND found.on_date = patient.first_day
    WHERE found.patient_id IS NULL
)
SELECT
    patient_id, on_date, item,
    CASE WHEN grade > 0 THEN 'met' WHEN grade = 0 THEN 'not_met' ELSE 'not_evaluable' END AS status,
    CASE WHEN grade > 0 THEN grade END AS grade,
    CASE
        WHEN ids IS NOT NULL AND record_id IS NOT NULL THEN list_sort(list_distinct(ids || [record_id]))
        WHEN ids IS NOT NULL THEN ids
        WHEN record_id IS NULL THEN CAST([] AS BIGINT[])
        WHEN other_id IS NULL THEN [record_id]
        WHEN record_id < other_id THEN [record_id, other_id]
        ELSE [other_id, record_id]
    END AS evidence,
    CASE
        WHEN grade IS NOT NULL THEN CAST([] AS VARCHAR[])
        WHEN item = 'age' AND low IS NULL THEN ['year of birth']
        WHEN item = 'age' THEN ['date of birth']
        WHEN item = 'bmi' AND low IS NULL THEN ['height', 'weight']
        WHEN item = 'bmi' THEN ['BMI as an exact value']
        WHEN item = 'egfr' AND low IS NULL THEN ['eGFR']
        WHEN item = 'egfr' THEN ['eGFR as an exact value']
        WHEN item = 'septic_shock' THEN ['septic shock present or absent']
        WHEN item = 'tuberculosis' THEN ['tuberculosis present or absent']
        WHEN item = 'malignancy_high_risk' THEN ['malignancy with high risk present or absent']
        WHEN item = 'extrapulmonary_infection' AND ids IS NOT NULL AND sites IS NULL THEN ['site of the infection or its end']
        WHEN item = 'extrapulmonary_infection' AND ids IS NOT NULL THEN ['is the infection over?']
        WHEN item = 'extrapulmonary_infection' THEN ['infection outside the lungs']
        WHEN item = 'ecmo' THEN ['oxygen support or procedures']
        ELSE ['oxygen support']
    END AS missing,
    [
        CASE
            WHEN item = 'age' AND low IS NOT NULL
            THEN
                'aged ' || CAST(CAST(low AS INTEGER) AS VARCHAR) || ' or ' || CAST(CAST(high AS INTEGER) AS VARCHAR) || ' on '
                || CAST(since AS VARCHAR)
            WHEN item IN ('bmi', 'egfr') AND low IS NOT NULL
            THEN concat(
                CASE item WHEN 'bmi' THEN 'BMI ' ELSE 'eGFR ' END, CASE WHEN high IS NULL THEN '>' WHEN low < high THEN '<' ELSE '' END,
                rtrim(rtrim(CAST(coalesce(high, low) AS VARCHAR), '0'), '.'),
                CASE item WHEN 'bmi' THEN ' kg/m2' ELSE ' mL/min/1.73 m2' END, ' on ', CAST(since AS VARCHAR)
            )
            WHEN item IN ('septic_shock', 'tuberculosis', 'malignancy_high_risk') AND grade IS NOT NULL
            THEN concat(
                CASE item
                    WHEN 'malignancy_high_risk' THEN 'malignancy with high risk' WHEN 'septic_shock' THEN 'septic shock' ELSE item
                END,
                CASE WHEN grade > 0 THEN ' recorded as present on ' ELSE ' recorded as absent or over on ' END, CAST(since AS VARCHAR)
            )
            WHEN item = 'extrapulmonary_infection' AND grade > 0
            THEN concat('infection outside the lungs (', array_to_string(list_sort(sites), ', '), ')')
            WHEN item = 'extrapulmonary_infection' AND grade = 0 THEN 'every recorded infection outside the lungs is over'
            WHEN item = 'ecmo' AND grade > 0 THEN 'ECMO recorded on ' || CAST(since AS VARCHAR)
            WHEN item = 'ecmo' AND grade = 0 THEN 'no ECMO'
            WHEN item = 'mechanical_ventilation' AND grade > 0 THEN 'invasive ventilation or ECMO recorded on ' || CAST(since AS VARCHAR)
            WHEN item = 'mechanical_ventilation' AND grade = 0 THEN 'no invasive ventilation'
            WHEN item = 'connective_tissue_disease' THEN 'connective-tissue disease'
        END,
        CASE grade WHEN 3 THEN 'absolute contraindication' WHEN 2 THEN 'high or substantially increased risk' WHEN 1 THEN 'risk factor' END,
        CASE item
            WHEN 'bmi' THEN 'BMI'
            WHEN 'egfr' THEN 'eGFR'
            WHEN 'ecmo' THEN 'ECMO'
            WHEN 'extrapulmonary_infection' THEN 'an infection outside the lungs'
            WHEN 'septic_shock' THEN 'septic shock'
            WHEN 'malignancy_high_risk' THEN 'malignancy with high risk'
            WHEN 'mechanical_ventilation' THEN 'mechanical ventilation'
            WHEN 'connective_tissue_disease' THEN 'connective-tissue disease'
            ELSE item
        END
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(
        CASE
            WHEN grade IS NULL OR low IS DISTINCT FROM high THEN NULL
            WHEN item = 'egfr' AND grade = 3 THEN $egfr_low - low
            WHEN item = 'egfr' THEN $egfr_reduced - low
            WHEN item <> 'bmi' THEN NULL
            WHEN grade = 2 AND low >= $bmi_high THEN low - $bmi_high
            WHEN grade = 2 THEN $bmi_low - low
            WHEN grade = 1 AND low >= $bmi_raised THEN low - $bmi_raised
            WHEN grade = 1 THEN $bmi_reduced - low
            ELSE greatest(low - $bmi_raised, $bmi_reduced - low)
        END AS DECIMAL(19, 6)
    ) AS margin
FROM complete
