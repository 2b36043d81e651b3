/*
title   = "High-flow oxygen or more: transfer to a transplant centre"
group   = "transplant"
why     = """From high-flow nasal oxygen on (level 4; 5 NIV or CPAP, 6 invasive ventilation, 7 ECMO) the ACR/CHEST 2023 guideline speaks of transfer
to a centre that can transplant. The worst record of a day decides, and the answer stands until the next record. CPAP or NIV counts whatever it is given
for, also in sleep. A record that says nothing of support
(no device, flow or FiO2: a saturation alone) changes nothing; one with an FiO2 but no device or flow cannot be judged."""
unknown = ["oxygen support"]

[threshold.from_level]
value = 4
unit  = "level of support"
step  = 1
cite  = "acr_chest_2023_treatment"
tag   = "published"

[finding]
facts = ["support", "activity"]
met = "On {on_date} {support}{activity}: high-flow oxygen or more, the condition for transfer to a transplant centre, is met."
not_met = "On {on_date} {support}{activity}: less than high-flow oxygen."
not_evaluable = "Whether high-flow oxygen or more is needed cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-21
why = "first version"
*/
WITH worst AS (     -- of a day: the highest level, a known one before an unknown one
    SELECT *
    FROM oxygen_support
    WHERE level IS NOT NULL OR fio2 IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY patient_id, on_date ORDER BY coalesce(level, -1) DESC, coalesce(fio2, 0) DESC, coalesce(flow, 0) DESC, set_id
    ) = 1
)
SELECT
    patient_id, on_date, NULL AS item,
    CASE WHEN level >= $from_level THEN 'met' WHEN level < $from_level THEN 'not_met' ELSE 'not_evaluable' END AS status,
    NULL AS grade, evidence,
    CASE WHEN level IS NULL THEN ['oxygen support'] ELSE CAST([] AS VARCHAR[]) END AS missing,
    [described, CASE activity WHEN 'rest' THEN ' at rest' WHEN 'exertion' THEN ' on exertion' WHEN 'sleep' THEN ' in sleep' ELSE '' END] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(level - $from_level AS DECIMAL(19, 6)) AS margin
FROM worst
