/*
title = "Oxygen support: level, FiO2, SpO2, S/F and ROX of each oxygen record"
why   = """Level [P]: 0 room air, 1 nasal cannula or low flow with no device named, 2 simple or Venturi mask, 3 reservoir mask,
4 high-flow oxygen, 5 NIV or CPAP, 6 invasive ventilation, 7 ECMO. A set FiO2 is used as it is; else it is estimated from device and
flow and marked so, and unknown where the table of estimates says nothing. S/F flattens above a saturation of 97 % and is not
given there. ROX, (SpO2/FiO2)/respiratory rate, is meant for high-flow oxygen only. A record with neither device nor flow has no level."""
kept  = true

[threshold.room_air_fio2]
value = 0.21
unit  = "FiO2"
step  = 0.01
cite  = "aa_gradient"
tag   = "published"

[threshold.cannula_base]
value = 0.20
unit  = "FiO2"
step  = 0.01
cite  = "fio2_estimates"
tag   = "published"

[threshold.cannula_per_litre]
value = 0.04
unit  = "FiO2 per L/min"
step  = 0.01
cite  = "fio2_estimates"
tag   = "published"

[threshold.cannula_most_litres]
value = 6
unit  = "L/min"
step  = 1
cite  = "fio2_estimates"
tag   = "published"

[threshold.simple_mask_5_litres]
value = 0.40
unit  = "FiO2"
step  = 0.01
cite  = "fio2_estimates"
tag   = "published"

[threshold.simple_mask_6_litres]
value = 0.50
unit  = "FiO2"
step  = 0.01
cite  = "fio2_estimates"
tag   = "published"

[threshold.simple_mask_7_litres]
value = 0.60
unit  = "FiO2"
step  = 0.01
cite  = "fio2_estimates"
tag   = "published"

[threshold.reservoir_6_litres]
value = 0.60
unit  = "FiO2"
step  = 0.01
cite  = "fio2_estimates"
tag   = "published"

[threshold.reservoir_7_litres]
value = 0.70
unit  = "FiO2"
step  = 0.01
cite  = "fio2_estimates"
tag   = "published"

[threshold.reservoir_8_litres]
value = 0.80
unit  = "FiO2"
step  = 0.01
cite  = "fio2_estimates"
tag   = "published"

[threshold.reservoir_9_litres]
value = 0.90
unit  = "FiO2"
step  = 0.01
cite  = "fio2_estimates"
tag   = "published"

[threshold.reservoir_10_litres]
value = 0.95
unit  = "FiO2"
step  = 0.01
cite  = "fio2_estimates"
tag   = "published"

[threshold.spo2_ceiling]
value = 97
unit  = "%"
step  = 1
cite  = "rice2007"
tag   = "published"
*/
WITH recorded AS (
    SELECT
        patient_id, set_id, max(on_date) AS on_date, max("at") AS "at", max(activity) AS activity,
        max(CASE WHEN analyte = 'oxygen_device' THEN coded END) AS named_device,
        count(CASE WHEN analyte = 'oxygen_flow' THEN low END) > 0 AS has_flow,
        max(CASE WHEN analyte = 'oxygen_flow' THEN value END) AS flow,
        max(CASE WHEN analyte = 'fio2' THEN value END) AS set_fio2,
        max(CASE WHEN analyte = 'spo2' THEN value END) AS spo2,
        max(CASE WHEN analyte = 'respiratory_rate' THEN value END) AS respiratory_rate,
        list_sort(list(record_id)) AS evidence
    FROM observation
    WHERE analyte IN ('oxygen_device', 'oxygen_flow', 'fio2', 'spo2', 'respiratory_rate')
    GROUP BY patient_id, set_id
    HAVING count(CASE WHEN analyte <> 'respiratory_rate' THEN 1 END) > 0
),
supported AS (   -- a flow with no device named is low flow; a flow of nothing is room air
    SELECT
        *,
        CASE
            WHEN named_device IS NOT NULL THEN named_device
            WHEN flow = 0 THEN 'room_air'
            WHEN has_flow THEN 'low_flow'
        END AS device
    FROM recorded
),
estimated AS (   -- a flow between two lines of the table takes the lower line: the estimate never says more than is known
    SELECT
        *,
        CASE
            WHEN device IN ('nasal_cannula', 'low_flow') AND flow > 0 AND flow <= $cannula_most_litres
            THEN $cannula_base + $cannula_per_litre * flow
            WHEN device = 'simple_mask' AND flow >= 5 AND flow < 6 THEN $simple_mask_5_litres
            WHEN device = 'simple_mask' AND flow >= 6 AND flow < 7 THEN $simple_mask_6_litres
            WHEN device = 'simple_mask' AND flow >= 7 AND flow <= 8 THEN $simple_mask_7_litres
            WHEN device = 'reservoir_mask' AND flow >= 6 AND flow < 7 THEN $reservoir_6_litres
            WHEN device = 'reservoir_mask' AND flow >= 7 AND flow < 8 THEN $reservoir_7_litres
            WHEN device = 'reservoir_mask' AND flow >= 8 AND flow < 9 THEN $reservoir_8_litres
            WHEN device = 'reservoir_mask' AND flow >= 9 AND flow < 10 THEN $reservoir_9_litres
            WHEN device = 'reservoir_mask' AND flow >= 10 THEN $reservoir_10_litres
        END AS estimated_fio2
    FROM supported
),
known AS (
    SELECT
        *,
        CAST(
            CASE
                WHEN set_fio2 IS NOT NULL THEN set_fio2
                WHEN device = 'room_air' THEN $room_air_fio2
                ELSE estimated_fio2
            END AS DECIMAL(19, 6)
        ) AS fio2,
        CASE
            WHEN set_fio2 IS NOT NULL OR device = 'room_air' THEN 'set'
            WHEN estimated_fio2 IS NOT NULL THEN 'estimated'
        END AS fio2_source
    FROM estimated
)
SELECT
    known.patient_id, known.set_id, known.on_date, known.at, oxygen_device.level, known.device, known.flow,
    known.fio2, known.fio2_source, known.spo2,
    CASE
        WHEN known.spo2 <= $spo2_ceiling AND known.fio2 > 0 THEN CAST(known.spo2 / known.fio2 AS DECIMAL(19, 6))
    END AS sf,
    CASE
        WHEN known.device = 'hfnc' AND known.fio2 > 0 AND known.respiratory_rate > 0
        THEN CAST(known.spo2 / known.fio2 / known.respiratory_rate AS DECIMAL(19, 6))
    END AS rox,
    known.activity, known.evidence,
    concat(
        CASE known.device
            WHEN 'room_air' THEN 'room air'
            WHEN 'low_flow' THEN 'low flow'
            WHEN 'nasal_cannula' THEN 'nasal cannula'
            WHEN 'simple_mask' THEN 'simple mask'
            WHEN 'venturi_mask' THEN 'Venturi mask'
            WHEN 'reservoir_mask' THEN 'reservoir mask'
            WHEN 'hfnc' THEN 'high-flow oxygen'
            WHEN 'niv' THEN 'non-invasive ventilation'
            WHEN 'invasive_ventilation' THEN 'invasive ventilation'
            ELSE coalesce(upper(known.device), 'support not named')
        END,
        CASE
            WHEN known.flow > 0 THEN ' ' || rtrim(rtrim(CAST(known.flow AS VARCHAR), '0'), '.') || ' L/min'
            ELSE ''
        END,
        CASE
            WHEN known.set_fio2 IS NOT NULL THEN ', FiO2 ' || rtrim(rtrim(CAST(known.set_fio2 AS VARCHAR), '0'), '.')
            ELSE ''
        END,
        CASE WHEN known.named_device IS NULL AND known.device = 'low_flow' THEN ' (no device named)' ELSE '' END
    ) AS described
FROM known
LEFT JOIN oxygen_device ON oxygen_device.device = known.device
