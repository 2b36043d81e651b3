/*
title = "Plasma exchange less than 21 days after immunoglobulin"
group = "therapy"
why   = """Plasma exchange removes IgG, and infused immunoglobulin with it (half-life about three weeks); guidance is to give it
after the exchanges. The number of days is a project default. The flag stands until the next session or the end of the window."""
unknown = ["drug records"]

[threshold.window_days]
value = 21
unit  = "days"
step  = 1
cite  = "acr_chest_2023_treatment"
tag   = "project default"

[finding]
facts         = ["session", "days", "ivig"]
met           = "Plasma exchange on {session}, {days} days after immunoglobulin of {ivig}: part of the infused IgG was removed."
not_met       = "Last plasma exchange: {session}; last immunoglobulin before it: {ivig}."
not_evaluable = "Cannot be told ({missing})."

[finding.notes]
same_day = "Both are of the same day; which came first is not recorded."

[[history]]
on  = 2026-11-21
why = "first version"
*/
WITH session AS (
    SELECT
        patient_id, on_date, list(record_id) AS records,
        lead(on_date) OVER (PARTITION BY patient_id ORDER BY on_date) AS next_on
    FROM event
    WHERE kind = 'procedure' AND code = 'plasma_exchange'
    GROUP BY patient_id, on_date
),
ivig AS (
    SELECT patient_id, record_id, start_date, coalesce(stop_date, start_date) AS last_day
    FROM administration
    WHERE drug = 'ivig' AND action = 'given'
),
preceded AS (
    SELECT
        session.patient_id, session.on_date, session.records, session.next_on, ivig.record_id,
        CASE WHEN ivig.last_day > session.on_date THEN session.on_date ELSE ivig.last_day END AS ivig_on
    FROM session
    LEFT JOIN ivig ON ivig.patient_id = session.patient_id AND ivig.start_date <= session.on_date
),
latest AS (
    SELECT *, max(ivig_on) OVER (PARTITION BY patient_id, on_date) AS last_ivig_on FROM preceded
),
judged_session AS (
    SELECT
        patient_id, on_date, next_on, last_ivig_on, date_diff('day', last_ivig_on, on_date) AS days,
        last_ivig_on + CAST($window_days AS INTEGER) AS window_end,
        list_concat(any_value(records), coalesce(list(record_id) FILTER (WHERE ivig_on = last_ivig_on), CAST([] AS BIGINT[]))) AS evidence
    FROM latest
    GROUP BY patient_id, on_date, next_on, last_ivig_on
),
judged AS (
    SELECT
        patient_id, on_date,
        CASE WHEN days < $window_days THEN 'met' ELSE 'not_met' END AS status,
        evidence, on_date AS session, days, last_ivig_on,
        CASE WHEN days = 0 THEN ['same_day'] ELSE CAST([] AS VARCHAR[]) END AS notes,
        $window_days - days AS margin
    FROM judged_session
    UNION ALL
    SELECT patient_id, window_end, 'not_met', evidence, on_date, days, last_ivig_on, CAST([] AS VARCHAR[]), NULL
    FROM judged_session
    WHERE window_end > on_date AND window_end < coalesce(next_on, DATE '9999-12-31')
    UNION ALL   -- drugs or procedures are recorded, and no session yet
    SELECT
        recorded_drugs.patient_id, recorded_drugs.from_date, 'not_met', CAST([] AS BIGINT[]), NULL, NULL, NULL, CAST([] AS VARCHAR[]), NULL
    FROM recorded_drugs
    LEFT JOIN session ON session.patient_id = recorded_drugs.patient_id AND session.on_date = recorded_drugs.from_date
    WHERE session.patient_id IS NULL
)
SELECT
    patient_id, on_date, CAST(NULL AS VARCHAR) AS item, status, CAST(NULL AS INTEGER) AS grade,
    list_sort(list_distinct(evidence)) AS evidence, CAST([] AS VARCHAR[]) AS missing,
    [
        coalesce(CAST(session AS VARCHAR), 'none recorded'), CAST(days AS VARCHAR),
        coalesce(CAST(last_ivig_on AS VARCHAR), 'none recorded')
    ] AS facts,
    notes, CAST(margin AS DECIMAL(19, 6)) AS margin
FROM judged
