/*
title = "Rituximab, a JAK inhibitor or cyclophosphamide started without HBsAg and anti-HBc"
group = "infection"
why   = """EULAR 2022 asks for hepatitis B markers before such treatment: HBsAg-positive patients are at high risk of reactivation, and
an isolated anti-HBc calls for watching. Judged at each start, which is a dose given while none before it acts any more; results of that
day and any earlier result of final status count, whatever it says. Met until the missing result is dated or the drug no longer acts. A
result "hepatitis markers negative" names neither of the two. Orders start nothing, and neither do local forms. When the drug is given
again after days of a gap and the result is still missing, it is met again."""
items   = "drug"
unknown = ["drug records"]

[finding]
facts         = ["drug", "course", "absent", "hbsag", "anti_hbc"]
met           = "{drug} ({course}): on {on_date} no result is dated for {absent}. HBsAg: {hbsag}; anti-HBc: {anti_hbc}."
not_met       = "No hepatitis B screen is missing on {on_date}: {drug} ({course}). HBsAg: {hbsag}; anti-HBc: {anti_hbc}."
not_evaluable = "Cannot be told ({missing})."

[finding.notes]
no_stop           = "A drug with no recorded stop goes on counting as acting."
not_acting        = "It does not act on this day."
markers_not_named = "A result of hepatitis markers that does not name them is not counted."

[[history]]
on  = 2026-11-30
why = "first version"
*/
WITH result AS (
    SELECT
        patient_id, analyte, on_date, record_id,
        row_number() OVER (PARTITION BY patient_id, analyte ORDER BY on_date, record_id) AS place
    FROM observation
    WHERE analyte IN ('hbsag', 'anti_hbc', 'hepatitis_markers')
),
first_result AS (   -- once there is a first result of a marker it is not missing any more
    SELECT
        patient_id,
        max(CASE WHEN analyte = 'hbsag' THEN on_date END) AS hbsag_on,
        max(CASE WHEN analyte = 'hbsag' THEN record_id END) AS hbsag_record,
        max(CASE WHEN analyte = 'anti_hbc' THEN on_date END) AS anti_hbc_on,
        max(CASE WHEN analyte = 'anti_hbc' THEN record_id END) AS anti_hbc_record,
        max(CASE WHEN analyte = 'hepatitis_markers' THEN on_date END) AS not_named_on
    FROM result
    WHERE place = 1
    GROUP BY patient_id
),
course AS (
    SELECT
        stretch.patient_id, stretch.drug, drug.title, stretch.from_date, coalesce(stretch.to_date, DATE '9999-12-31') AS reached_to,
        stretch.acts, stretch.since, stretch.confirmed_on, stretch.evidence,
        coalesce(first_result.hbsag_on, DATE '9999-12-31') AS hbsag_on, first_result.hbsag_record,
        coalesce(first_result.anti_hbc_on, DATE '9999-12-31') AS anti_hbc_on, first_result.anti_hbc_record,
        coalesce(first_result.not_named_on, DATE '9999-12-31') AS not_named_on
    FROM agent_stretch AS stretch
    JOIN drug ON drug.drug = stretch.drug
    LEFT JOIN first_result ON first_result.patient_id = stretch.patient_id
    WHERE stretch.drug_class IN ('rituximab', 'jak_inhibitor', 'cyclophosphamide')
),
judged AS (   -- what the drug does, and while it acts the days of the first results
    SELECT *, from_date AS on_date FROM course
    UNION ALL
    SELECT *, hbsag_on FROM course WHERE acts AND hbsag_on > from_date AND hbsag_on < reached_to
    UNION ALL
    SELECT *, anti_hbc_on FROM course WHERE acts AND anti_hbc_on > from_date AND anti_hbc_on < reached_to AND anti_hbc_on <> hbsag_on
    UNION ALL   -- drugs are recorded, and none of these yet
    SELECT
        patient_id, NULL, NULL, from_date, NULL, FALSE, NULL, NULL, CAST([] AS BIGINT[]),
        DATE '9999-12-31', NULL, DATE '9999-12-31', NULL, DATE '9999-12-31', from_date
    FROM recorded_drugs
)
SELECT
    patient_id, on_date, drug AS item,
    CASE WHEN acts AND greatest(hbsag_on, anti_hbc_on) > on_date THEN 'met' ELSE 'not_met' END AS status,
    CAST(NULL AS INTEGER) AS grade,
    CASE
        WHEN NOT acts THEN evidence
        ELSE list_sort(list_distinct(list_concat(
            evidence,
            CASE WHEN hbsag_on <= on_date THEN [hbsag_record] ELSE CAST([] AS BIGINT[]) END,
            CASE WHEN anti_hbc_on <= on_date THEN [anti_hbc_record] ELSE CAST([] AS BIGINT[]) END
        )))
    END AS evidence,
    CAST([] AS VARCHAR[]) AS missing,
    [
        coalesce(title, 'rituximab, JAK inhibitors, cyclophosphamide'),
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
        CASE
            WHEN hbsag_on <= on_date AND anti_hbc_on <= on_date THEN 'neither'
            WHEN hbsag_on <= on_date THEN 'anti-HBc'
            WHEN anti_hbc_on <= on_date THEN 'HBsAg'
            ELSE 'HBsAg and anti-HBc'
        END,
        CASE WHEN hbsag_on <= on_date THEN CAST(hbsag_on AS VARCHAR) WHEN drug IS NULL THEN 'not needed' ELSE 'none' END,
        CASE WHEN anti_hbc_on <= on_date THEN CAST(anti_hbc_on AS VARCHAR) WHEN drug IS NULL THEN 'not needed' ELSE 'none' END
    ] AS facts,
    CASE
        WHEN drug IS NULL THEN CAST([] AS VARCHAR[])
        WHEN NOT acts THEN ['not_acting']
        ELSE list_concat(
            CASE WHEN confirmed_on IS NOT NULL THEN ['no_stop'] ELSE CAST([] AS VARCHAR[]) END,
            CASE
                WHEN not_named_on <= on_date AND greatest(hbsag_on, anti_hbc_on) > on_date THEN ['markers_not_named']
                ELSE CAST([] AS VARCHAR[])
            END
        )
    END AS notes,
    CAST(NULL AS DECIMAL(19, 6)) AS margin
FROM judged
