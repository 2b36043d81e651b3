/*
title   = "Any supplemental oxygen"
group   = "transplant"
why     = """One of the published conditions for transplant referral (ISHLT 2021): any oxygen, at rest or on exertion. The worst record of a
day decides, and the answer stands until the next record: a record on room air clears it. Oxygen recorded in sleep only is not judged.
A record that says nothing of support
(no device, flow or FiO2: a saturation alone) changes nothing; one with an FiO2 but no device or flow cannot be judged."""
unknown = ["oxygen support"]

[threshold.from_level]
value = 1
unit  = "level of support"
step  = 1
cite  = "kapnadak2021"
tag   = "published"

[finding]
facts = ["support", "activity"]
met = "Supplemental oxygen on {on_date}: {support}{activity}."
not_met = "No supplemental oxygen on {on_date}: {support}{activity}."
not_evaluable = "Whether supplemental oxygen is needed cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-21
why = "first version"
*/
WITH worst AS (     -- of a day: the highest level, a known one before an unknown one
    SELECT *
    FROM oxygen_support
    WHERE coalesce(activity, 'rest') <> 'sleep' AND (level IS NOT NULL OR fio2 IS NOT NULL)
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
