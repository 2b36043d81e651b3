/*
title   = "Ferritin is halved"
group   = "progression"
why     = """Ferritin falls as anti-MDA5 lung disease comes under control; half of the peak in 90 days is a project default. Patients have died
with a falling ferritin: it clears no flag of refractory disease. The peak is the highest result of the 90 days before the result's own
day. Good news is told late: of one day a result that is not halved decides. Plasma exchange removes ferritin, so a result from the day of a
session to 7 days after it is not judged, whatever it is; with no drug or procedure recorded yet a session may have been given."""
unknown = ["ferritin"]

[threshold.share_of_peak]
value = 0.5
unit  = "of the peak"
step  = 0.01
cite  = "project"
tag   = "project default"

[threshold.peak_days]
value = 90
unit  = "days"
step  = 1
cite  = "project"
tag   = "project default"

[threshold.exchange_days]
value = 7
unit  = "days after plasma exchange"
step  = 1
cite  = "project"
tag   = "project default"

[finding]
facts = ["ferritin", "measured_on", "peak", "peak_on"]
met = "Ferritin {ferritin} ng/mL on {measured_on}: at most half of {peak} ng/mL on {peak_on}, the peak of the 90 days before."
not_met = "Ferritin {ferritin} ng/mL on {measured_on}: more than half of {peak} ng/mL on {peak_on}, the peak of the 90 days before."
not_evaluable = "Whether ferritin is halved cannot be told. Missing: {missing}."

[[history]]
on = 2026-11-30
why = "first version"
*/
WITH result AS (    -- reached: beyond every plausible value where there is no upper end
    SELECT
        patient_id, on_date AS measured_on, record_id, value, low, low_open, high, high_open,
        date_diff('day', DATE '1970-01-01', on_date) AS day_number,
        coalesce(high, 9999999999) AS reached, row_number() OVER (PARTITION BY patient_id ORDER BY on_date, record_id) AS place
    FROM observation
    WHERE analyte = 'ferritin' AND low IS NOT NULL
),
compared AS (   -- with the results of the days before; of equal peaks the latest
    SELECT
        *,
        max(low) OVER recent AS peak_low,
        max(reached) OVER recent AS peak_reached,
        max(CASE WHEN high_open THEN NULL ELSE high END) OVER recent AS peak_closed_high,
        arg_max(record_id, low * 100000 + place) OVER recent AS peak_id,
        arg_max(measured_on, low * 100000 + place) OVER recent AS peak_on
    FROM result
    WINDOW recent AS (PARTITION BY patient_id ORDER BY day_number RANGE BETWEEN $peak_days PRECEDING AND 1 PRECEDING)
),
session AS (
    SELECT patient_id, on_date, min(record_id) AS record_id
    FROM event
    WHERE kind = 'procedure' AND code = 'plasma_exchange'
    GROUP BY patient_id, on_date
),
exchanged AS (  -- the results of the days after a session, with the last one
    SELECT
        result.patient_id, result.record_id, max(session.on_date) AS session_on, arg_max(session.record_id, session.on_date) AS session_id
    FROM session
    JOIN result
        ON result.patient_id = session.patient_id AND result.measured_on >= session.on_date
        AND result.measured_on <= session.on_date + CAST($exchange_days AS INTEGER)
    GROUP BY result.patient_id, result.record_id
),
halved AS (     -- 1 yes, 0 no, NULL cannot be told
    SELECT
        *,
        CASE
            WHEN
                low > $share_of_peak * peak_reached OR peak_reached = 0
                OR (low = $share_of_peak * peak_reached AND (low_open OR coalesce(peak_closed_high < peak_reached, TRUE)))
            THEN 0
            WHEN peak_low > 0 AND high <= $share_of_peak * peak_low THEN 1
        END AS answer
    FROM compared
),
worst AS (      -- of a day: not met, then met, then not to be told
    SELECT *
    FROM halved
    QUALIFY row_number() OVER (PARTITION BY patient_id, measured_on ORDER BY coalesce(answer, 2), low DESC, record_id) = 1
),
stood AS (      -- once the first drug or procedure is recorded, the result that stands is judged again
    SELECT result.patient_id, max(result.measured_on) AS measured_on, recorded_drugs.from_date AS on_date
    FROM result
    JOIN recorded_drugs ON recorded_drugs.patient_id = result.patient_id AND recorded_drugs.from_date >= result.measured_on
    GROUP BY result.patient_id, recorded_drugs.from_date
    HAVING max(result.measured_on) < recorded_drugs.from_date
),
day AS (
    SELECT patient_id, measured_on, measured_on AS on_date FROM worst
    UNION ALL
    SELECT patient_id, measured_on, on_date FROM stood
),
judged AS (
    SELECT
        worst.patient_id, day.on_date, worst.measured_on, worst.record_id, worst.value, worst.low, worst.low_open, worst.high,
        worst.high_open, worst.answer, worst.peak_id, worst.peak_on, worst.peak_low, worst.peak_reached, exchanged.session_id,
        coalesce(recorded_drugs.from_date <= day.on_date, FALSE) AS is_known
    FROM day
    JOIN worst ON worst.patient_id = day.patient_id AND worst.measured_on = day.measured_on
    LEFT JOIN exchanged ON exchanged.patient_id = worst.patient_id AND exchanged.record_id = worst.record_id
    LEFT JOIN recorded_drugs ON recorded_drugs.patient_id = worst.patient_id
),
answered AS (
    SELECT
        *,
        CASE
            WHEN session_id IS NOT NULL OR NOT is_known OR answer IS NULL THEN 'not_evaluable'
            WHEN answer = 1 THEN 'met'
            ELSE 'not_met'
        END AS status
    FROM judged
)
SELECT
    patient_id, on_date, NULL AS item, status, NULL AS grade,
    CASE
        WHEN session_id < record_id THEN [session_id, record_id]
        WHEN session_id IS NOT NULL THEN [record_id, session_id]
        WHEN peak_id < record_id THEN [peak_id, record_id]
        WHEN peak_id IS NOT NULL THEN [record_id, peak_id]
        ELSE [record_id]
    END AS evidence,
    CASE
        WHEN status <> 'not_evaluable' THEN CAST([] AS VARCHAR[])
        WHEN session_id IS NOT NULL THEN [concat('ferritin more than ', CAST($exchange_days AS VARCHAR), ' days after plasma exchange')]
        ELSE
            CASE
                WHEN peak_id IS NULL THEN [concat('ferritin of the ', CAST($peak_days AS VARCHAR), ' days before')]
                WHEN answer IS NULL THEN ['ferritin as an exact value']
                ELSE CAST([] AS VARCHAR[])
            END
            || CASE WHEN is_known THEN CAST([] AS VARCHAR[]) ELSE ['drug or procedure records'] END
    END AS missing,
    [
        concat(
            CASE WHEN value IS NOT NULL THEN '' WHEN high IS NULL THEN '>' ELSE '<' END,
            CASE WHEN value IS NULL AND NOT (CASE WHEN high IS NULL THEN low_open ELSE high_open END) THEN '=' ELSE '' END,
            rtrim(rtrim(CAST(coalesce(high, low) AS VARCHAR), '0'), '.')
        ),
        CAST(measured_on AS VARCHAR),
        CASE
            WHEN peak_low IS NOT NULL THEN concat(
                CASE WHEN peak_low = peak_reached THEN '' ELSE 'at least ' END, rtrim(rtrim(CAST(peak_low AS VARCHAR), '0'), '.')
            )
        END,
        CAST(peak_on AS VARCHAR)
    ] AS facts,
    CAST([] AS VARCHAR[]) AS notes,
    CAST(
        CASE status WHEN 'met' THEN $share_of_peak * peak_low - high WHEN 'not_met' THEN $share_of_peak * peak_reached - low END
        AS DECIMAL(19, 6)
    ) AS margin
FROM answered
