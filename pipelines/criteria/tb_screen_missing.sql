/*
title = "Rituximab, a JAK inhibitor or a TNF inhibitor started without a screen for tuberculosis"
group = "infection"
why   = """EULAR 2022 asks for a screen for latent tuberculosis before biological and targeted drugs, by IGRA rather than by skin test.
Judged at each start, which is a dose given while none before it acts any more; a result of that day and any earlier result of final
status counts, whatever it says. Met until a result is dated or the drug no longer acts. Orders start nothing, and neither do local
forms. When the drug is given again after days of a gap and the result is still missing, it is met again."""
items   = "drug"
unknown = ["drug records"]

[finding]
facts         = ["drug", "course", "screen"]
met           = "{drug} ({course}): on {on_date} no IGRA or skin test is dated."
not_met       = "No screen for tuberculosis is missing on {on_date}: {drug} ({course}). First result: {screen}."
not_evaluable = "Cannot be told ({missing})."

[finding.notes]
no_stop    = "A drug with no recorded stop goes on counting as acting."
not_acting = "It does not act on this day."

[[history]]
on  = 2026-11-30
why = "first version"
*/
WITH result AS (
    SELECT patient_id, on_date, record_id, row_number() OVER (PARTITION BY patient_id ORDER BY on_date, record_id) AS place
    FROM observation
    WHERE analyte = 'igra'
),
course AS (
    SELECT
        stretch.patient_id, stretch.drug, drug.title, stretch.from_date, coalesce(stretch.to_date, DATE '9999-12-31') AS reached_to,
        stretch.acts, stretch.since, stretch.confirmed_on, stretch.evidence,
        coalesce(result.on_date, DATE '9999-12-31') AS screened_on, result.record_id AS screen_record
    FROM agent_stretch AS stretch
    JOIN drug ON drug.drug = stretch.drug
    LEFT JOIN result ON result.patient_id = stretch.patient_id AND result.place = 1
    WHERE stretch.drug_class IN ('rituximab', 'jak_inhibitor', 'tnf_inhibitor')
),
judged AS (   -- what the drug does, and while it acts the day of the first result
    SELECT *, from_date AS on_date FROM course
    UNION ALL
    SELECT *, screened_on FROM course WHERE acts AND screened_on > from_date AND screened_on < reached_to
    UNION ALL   -- drugs are recorded, and none of these yet
    SELECT
        patient_id, NULL, NULL, from_date, NULL, FALSE, NULL, NULL, CAST([] AS BIGINT[]), DATE '9999-12-31', NULL, from_date
    FROM recorded_drugs
)
SELECT
    patient_id, on_date, drug AS item,
    CASE WHEN acts AND screened_on > on_date THEN 'met' ELSE 'not_met' END AS status,
    CAST(NULL AS INTEGER) AS grade,
    CASE
        WHEN NOT acts THEN evidence
        WHEN screened_on <= on_date THEN list_sort(list_concat(evidence, [screen_record]))
        ELSE evidence
    END AS evidence,
    CAST([] AS VARCHAR[]) AS missing,
    [
        coalesce(title, 'rituximab, JAK inhibitors, TNF inhibitors'),
        CASE
            WHEN drug IS NULL THEN 'none recorded'
            ELSE concat(
                CASE WHEN acts THEN 'acting since ' ELSE 'acted from ' END, CAST(since AS VARCHAR),
                CASE
                    WHEN NOT acts THEN concat(' to ', CAST(from_date - 1 AS VARCHAR))
                    WHEN confirmed_on IS NOT NULL THEN concat(', last confirmed ', CAST(confirmed_on AS VARCHAR))
                    ELSE ''
                END
            )
        END,
        CASE WHEN screened_on <= on_date THEN CAST(screened_on AS VARCHAR) WHEN drug IS NULL THEN 'not needed' ELSE 'none' END
    ] AS facts,
    CASE
        WHEN drug IS NULL THEN CAST([] AS VARCHAR[])
        WHEN NOT acts THEN ['not_acting']
        WHEN confirmed_on IS NOT NULL THEN ['no_stop']
        ELSE CAST([] AS VARCHAR[])
    END AS notes,
    CAST(NULL AS DECIMAL(19, 6)) AS margin
FROM judged
