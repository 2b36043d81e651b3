/*
title = "Plasma exchange less than 14 days after rituximab"
group = "therapy"
why   = """Plasma exchange removes rituximab: a session 24 to 72 hours after the infusion took out about half of it (Puisset 2013), so
that 48 to 72 hours are a convention and no safe limit. Guidance is to coordinate both; the 14 days are a project default. No hour of an
infusion is recorded: within 72 hours is by dates, up to 3 days. The flag stands until the next session or the end of the window."""
unknown = ["drug records"]

[threshold.window_days]
value = 14
unit  = "days"
step  = 1
cite  = "acr_chest_2023_treatment"
tag   = "project default"

[threshold.half_removed_days]
value = 3
unit  = "days (72 hours)"
step  = 1
cite  = "puisset2013"
tag   = "published"

[finding]
facts         = ["session", "days", "rituximab"]
met           = """Plasma exchange on {session}, {days} days after rituximab of {rituximab}. \
A session within 72 hours removed about half of the drug."""
not_met       = "Last plasma exchange: {session}; last rituximab before it: {rituximab}."
not_evaluable = "Whether an exchange removed rituximab cannot be told. Missing: {missing}."

[finding.notes]
same_day = "Both are of the same day; which came first is not recorded."

[[history]]
on  = 2026-11-30
why = "first version"
*/
WITH session AS (
    SELECT
        patient_id, on_date, list(record_id) AS records,
        coalesce(lead(on_date) OVER (PARTITION BY patient_id ORDER BY on_date), DATE '9999-12-31') AS next_on
    FROM event
    WHERE kind = 'procedure' AND code = 'plasma_exchange'
    GROUP BY patient_id, on_date
),
dose AS (
    SELECT patient_id, record_id, start_date, coalesce(stop_date, start_date) AS last_day
    FROM administration
    WHERE drug = 'rituximab' AND action = 'given'
),
preceded AS (   -- of several days of infusion the last one before the session
    SELECT
        session.patient_id, session.on_date, session.records, session.next_on, dose.record_id,
        least(dose.last_day, CASE WHEN dose.record_id IS NOT NULL THEN session.on_date END) AS dose_on
    FROM session
    LEFT JOIN dose ON dose.patient_id = session.patient_id AND dose.start_date <= session.on_date
),
latest AS (
    SELECT *, max(dose_on) OVER (PARTITION BY patient_id, on_date) AS last_dose_on FROM preceded
),
judged_session AS (
    SELECT
        patient_id, on_date, next_on, last_dose_on, any_value(records) AS session_records,
        list(record_id) FILTER (WHERE dose_on = last_dose_on) AS dose_records,
        date_diff('day', last_dose_on, on_date) AS days, last_dose_on + CAST($window_days AS INTEGER) AS window_end
    FROM latest
    GROUP BY patient_id, on_date, next_on, last_dose_on
),
judged AS (
    SELECT patient_id, on_date, on_date AS session, days, last_dose_on, session_records, dose_records, FALSE AS ended
    FROM judged_session
    UNION ALL
    SELECT patient_id, window_end, on_date, days, last_dose_on, session_records, dose_records, TRUE
    FROM judged_session
    WHERE window_end > on_date AND window_end < next_on
    UNION ALL   -- drugs or procedures are recorded, and no session yet
    SELECT recorded_drugs.patient_id, recorded_drugs.from_date, NULL, NULL, NULL, NULL, NULL, FALSE
    FROM recorded_drugs
    LEFT JOIN session ON session.patient_id = recorded_drugs.patient_id AND session.on_date = recorded_drugs.from_date
    WHERE session.patient_id IS NULL
)
SELECT
    patient_id, on_date, CAST(NULL AS VARCHAR) AS item,
    CASE WHEN days < $window_days AND NOT ended THEN 'met' ELSE 'not_met' END AS status,
    CASE WHEN days >= $window_days OR ended THEN NULL WHEN days <= $half_removed_days THEN 2 WHEN days IS NOT NULL THEN 1 END AS grade,
    list_sort(list_distinct(list_concat(
        coalesce(session_records, CAST([] AS BIGINT[])), coalesce(dose_records, CAST([] AS BIGINT[]))
    ))) AS evidence,
    CAST([] AS VARCHAR[]) AS missing,
    [
        coalesce(CAST(session AS VARCHAR), 'none recorded'), CAST(days AS VARCHAR),
        coalesce(CAST(last_dose_on AS VARCHAR), 'none recorded')
    ] AS facts,
    CASE WHEN days = 0 AND NOT ended THEN ['same_day'] ELSE CAST([] AS VARCHAR[]) END AS notes,
    CAST(CASE WHEN NOT ended THEN $window_days - days END AS DECIMAL(19, 6)) AS margin
FROM judged
