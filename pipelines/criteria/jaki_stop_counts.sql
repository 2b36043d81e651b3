/*
title = "Counts at which the label of a JAK inhibitor interrupts or stops it"
group = "infection"
why   = """The label of tofacitinib, applied to every JAK inhibitor while it acts. Grade 2, stop: lymphocytes or neutrophils below 0.5.
Grade 1, interrupt: neutrophils from 0.5 to 1.0 (1.0 included: the label goes on above it), haemoglobin below 8 g/dL, or more than 2 g/dL
below the last one on or before the start of the drug. Each count stands until the next, also one of before the start; a second count to
confirm is not waited for. A start stays while pauses are of 3 days at most; each drug has its own. A fall is one of a later day than the
haemoglobin compared with."""
unknown = ["drug records"]

[threshold.lymphocytes_stop_below]
value = 0.5
unit  = "10*9/L"
step  = 0.01
cite  = "tofacitinib_label"
tag   = "published"

[threshold.neutrophils_stop_below]
value = 0.5
unit  = "10*9/L"
step  = 0.01
cite  = "tofacitinib_label"
tag   = "published"

[threshold.neutrophils_interrupt_to]
value = 1.0
unit  = "10*9/L"
step  = 0.01
cite  = "tofacitinib_label"
tag   = "published"

[threshold.haemoglobin_below]
value = 8
unit  = "g/dL"
step  = 0.1
cite  = "tofacitinib_label"
tag   = "published"

[threshold.haemoglobin_fall_above]
value = 2
unit  = "g/dL"
step  = 0.1
cite  = "tofacitinib_label"
tag   = "published"

[finding]
facts         = ["drug", "given", "reached", "lymphocytes", "neutrophils", "haemoglobin", "before"]
met           = "{drug}, {given}, on {on_date}: {reached} (grade {grade}; 1: the label interrupts, 2: it stops)."
not_met       = """{drug}, {given}: no limit of the label reached on {on_date}. Lymphocytes {lymphocytes}, neutrophils {neutrophils}, \
    haemoglobin {haemoglobin}; before the start {before}."""
not_evaluable = """Cannot be told ({missing}). {drug}, {given}: lymphocytes {lymphocytes}, neutrophils {neutrophils}, \
    haemoglobin {haemoglobin}; before the start {before}."""

[finding.notes]
no_stop   = "No stop is recorded."
not_given = "No JAK inhibitor is given on this day."

[[history]]
on  = 2026-11-30
why = "first version"
*/
WITH course AS (   -- gap days join what is before and after them
    SELECT *, coalesce(lag(to_date) OVER drug_rows = from_date, FALSE) AS goes_on
    FROM treatment_course
    WHERE drug_class = 'jak_inhibitor' AND action = 'given' AND systemic
    WINDOW drug_rows AS (PARTITION BY patient_id, drug ORDER BY from_date)
),
run AS (
    SELECT
        patient_id, drug, from_date, gap,
        max(CASE WHEN NOT goes_on THEN from_date END) OVER (PARTITION BY patient_id, drug ORDER BY from_date) AS started_on
    FROM course
),
endless AS (   -- with no recorded stop, also where a later row was to replace it
    SELECT patient_id, drug, record_id FROM administration WHERE ongoing AND stop_date IS NULL AND action = 'given'
),
acting AS (
    SELECT
        run.patient_id, run.drug, run.from_date, run.started_on, coalesce(agent.to_date, DATE '9999-12-31') AS reached_to,
        agent.to_date IS NULL AS reaches_on, max(endless.record_id) IS NOT NULL AS open, agent.evidence,
        CASE WHEN max(endless.record_id) IS NOT NULL AND agent.last_confirmed > run.from_date THEN agent.last_confirmed END AS confirmed_on
    FROM run
    JOIN agent_acting AS agent ON agent.patient_id = run.patient_id AND agent.drug = run.drug AND agent.from_date = run.from_date
    LEFT JOIN endless
        ON endless.patient_id = run.patient_id AND endless.drug = run.drug AND list_contains(agent.evidence, endless.record_id)
    WHERE NOT run.gap
    GROUP BY run.patient_id, run.drug, run.from_date, run.started_on, agent.to_date, agent.last_confirmed, agent.evidence
),
counted AS (   -- grade: certainly reached by the count itself; spared: certainly none is
    SELECT
        patient_id, analyte, on_date, record_id, value, low, low_open, high, high_open,
        "at" IS NULL OR "at" = max("at") OVER (PARTITION BY patient_id, analyte, on_date) AS may_be_last,
        CASE analyte
            WHEN 'lymphocytes' THEN
                CASE WHEN high < $lymphocytes_stop_below OR (high = $lymphocytes_stop_below AND high_open) THEN 2 ELSE 0 END
            WHEN 'neutrophils' THEN
                CASE
                    WHEN high < $neutrophils_stop_below OR (high = $neutrophils_stop_below AND high_open) THEN 2
                    WHEN high <= $neutrophils_interrupt_to THEN 1
                    ELSE 0
                END
            ELSE CASE WHEN high < $haemoglobin_below OR (high = $haemoglobin_below AND high_open) THEN 1 ELSE 0 END
        END AS grade,
        CASE analyte
            WHEN 'lymphocytes' THEN low >= $lymphocytes_stop_below
            WHEN 'neutrophils' THEN low > $neutrophils_interrupt_to OR (low = $neutrophils_interrupt_to AND low_open)
            ELSE low >= $haemoglobin_below
        END AS spared
    FROM observation
    WHERE
        analyte IN ('lymphocytes', 'neutrophils', 'haemoglobin') AND low IS NOT NULL
        AND patient_id IN (SELECT patient_id FROM course)
),
day_count AS (   -- the worst count of a day, until the next day with one; and the ends of what its counts can be
    SELECT
        worst.patient_id, worst.analyte, worst.on_date, worst.record_id, worst.grade, worst.spared,
        coalesce(worst.high, worst.low) AS bound,
        CASE
            WHEN worst.value IS NOT NULL THEN 0
            WHEN worst.high IS NULL THEN CASE WHEN worst.low_open THEN 1 ELSE 2 END
            ELSE CASE WHEN worst.high_open THEN 3 ELSE 4 END
        END AS sign,
        worst.lowest_high, worst.lowest_open_high, worst.highest_low,
        lead(worst.on_date, 1, DATE '9999-12-31') OVER (PARTITION BY worst.patient_id, worst.analyte ORDER BY worst.on_date) AS next_on
    FROM (
        SELECT
            *,
            min(high) OVER same_day AS lowest_high, min(CASE WHEN high_open THEN high END) OVER same_day AS lowest_open_high,
            max(low) OVER same_day AS highest_low,
            row_number() OVER (
                PARTITION BY patient_id, analyte, on_date
                ORDER BY CASE WHEN grade > 0 THEN 2 WHEN spared THEN 1 ELSE 0 END DESC, grade DESC, low, record_id
            ) AS place
        FROM counted
        WINDOW same_day AS (PARTITION BY patient_id, analyte, on_date)
    ) AS worst
    WHERE worst.place = 1
),
before_day AS (   -- the last day with a haemoglobin on or before each start
    SELECT start.patient_id, start.drug, start.started_on, max(day_count.on_date) AS on_date
    FROM (SELECT DISTINCT patient_id, drug, started_on FROM acting) AS start
    JOIN day_count
        ON day_count.patient_id = start.patient_id AND day_count.analyte = 'haemoglobin' AND day_count.on_date <= start.started_on
    GROUP BY start.patient_id, start.drug, start.started_on
),
before AS (   -- of that day the last by time; where that cannot be told, the ends of all that may have been
    SELECT
        before_day.patient_id, before_day.drug, before_day.started_on, before_day.on_date,
        min(counted.low) AS low, min(CASE WHEN NOT counted.low_open THEN counted.low END) AS closed_low,
        CASE WHEN count(*) = count(counted.high) THEN max(counted.high) END AS high,
        count(*) > 1 AND min(counted.value) < max(counted.value) AS untimed,
        list(counted.record_id) AS evidence
    FROM before_day
    JOIN counted
        ON counted.patient_id = before_day.patient_id AND counted.analyte = 'haemoglobin' AND counted.on_date = before_day.on_date
        AND counted.may_be_last
    GROUP BY before_day.patient_id, before_day.drug, before_day.started_on, before_day.on_date
),
judged_day AS (
    SELECT patient_id, from_date AS on_date FROM acting
    UNION
    SELECT patient_id, reached_to FROM acting WHERE NOT reaches_on
    UNION
    SELECT patient_id, confirmed_on FROM acting WHERE confirmed_on < reached_to
    UNION
    SELECT day_count.patient_id, day_count.on_date
    FROM day_count
    JOIN acting
        ON acting.patient_id = day_count.patient_id AND acting.from_date <= day_count.on_date AND acting.reached_to > day_count.on_date
    UNION
    SELECT patient_id, from_date FROM recorded_drugs
),
seen AS (   -- the newest counts
    SELECT
        judged_day.patient_id, judged_day.on_date,
        max(CASE WHEN newest.analyte = 'lymphocytes' THEN newest.record_id END) AS lymphocytes_id,
        max(CASE WHEN newest.analyte = 'lymphocytes' THEN newest.on_date END) AS lymphocytes_on,
        max(CASE WHEN newest.analyte = 'lymphocytes' THEN newest.grade END) AS lymphocytes_grade,
        max(CASE WHEN newest.analyte = 'lymphocytes' THEN newest.spared END) AS lymphocytes_spared,
        max(CASE WHEN newest.analyte = 'lymphocytes' THEN newest.bound END) AS lymphocytes,
        max(CASE WHEN newest.analyte = 'lymphocytes' THEN newest.sign END) AS lymphocytes_sign,
        max(CASE WHEN newest.analyte = 'neutrophils' THEN newest.record_id END) AS neutrophils_id,
        max(CASE WHEN newest.analyte = 'neutrophils' THEN newest.on_date END) AS neutrophils_on,
        max(CASE WHEN newest.analyte = 'neutrophils' THEN newest.grade END) AS neutrophils_grade,
        max(CASE WHEN newest.analyte = 'neutrophils' THEN newest.spared END) AS neutrophils_spared,
        max(CASE WHEN newest.analyte = 'neutrophils' THEN newest.bound END) AS neutrophils,
        max(CASE WHEN newest.analyte = 'neutrophils' THEN newest.sign END) AS neutrophils_sign,
        max(CASE WHEN newest.analyte = 'haemoglobin' THEN newest.record_id END) AS haemoglobin_id,
        max(CASE WHEN newest.analyte = 'haemoglobin' THEN newest.on_date END) AS haemoglobin_on,
        max(CASE WHEN newest.analyte = 'haemoglobin' THEN newest.grade END) AS haemoglobin_grade,
        max(CASE WHEN newest.analyte = 'haemoglobin' THEN newest.spared END) AS haemoglobin_spared,
        max(CASE WHEN newest.analyte = 'haemoglobin' THEN newest.bound END) AS haemoglobin,
        max(CASE WHEN newest.analyte = 'haemoglobin' THEN newest.sign END) AS haemoglobin_sign,
        max(CASE WHEN newest.analyte = 'haemoglobin' THEN newest.lowest_high END) AS lowest_high,
        max(CASE WHEN newest.analyte = 'haemoglobin' THEN newest.lowest_open_high END) AS lowest_open_high,
        max(CASE WHEN newest.analyte = 'haemoglobin' THEN newest.highest_low END) AS highest_low
    FROM judged_day
    LEFT JOIN day_count AS newest
        ON newest.patient_id = judged_day.patient_id AND newest.on_date <= judged_day.on_date AND newest.next_on > judged_day.on_date
    GROUP BY judged_day.patient_id, judged_day.on_date
),
compared AS (   -- with the haemoglobin before the start of each drug given by the judged day
    SELECT
        seen.*, acting.drug, acting.from_date, acting.started_on, acting.evidence AS drug_evidence,
        coalesce(acting.reached_to > seen.on_date, FALSE) AS acts, acting.open,
        CASE WHEN acting.confirmed_on <= seen.on_date THEN acting.confirmed_on ELSE acting.from_date END AS confirmed_on,
        before.on_date AS before_on, before.low AS before_low, before.high AS before_high, before.untimed,
        before.evidence AS before_evidence,
        CASE
            WHEN before.on_date IS NULL THEN NULL
            WHEN before.on_date = seen.haemoglobin_on THEN FALSE
            WHEN before.low - seen.lowest_high > $haemoglobin_fall_above THEN TRUE
            WHEN before.low - seen.lowest_open_high >= $haemoglobin_fall_above THEN TRUE
            WHEN before.low - seen.lowest_high >= $haemoglobin_fall_above AND before.closed_low IS DISTINCT FROM before.low THEN TRUE
            WHEN before.high - seen.highest_low <= $haemoglobin_fall_above THEN FALSE
        END AS fallen
    FROM seen
    LEFT JOIN acting ON acting.patient_id = seen.patient_id AND acting.from_date <= seen.on_date
    LEFT JOIN before
        ON before.patient_id = acting.patient_id AND before.drug = acting.drug AND before.started_on = acting.started_on
),
chosen AS (   -- one of the drugs that act: one for which haemoglobin has fallen, else one of which that is not known
    SELECT compared.*, drug.title
    FROM compared
    LEFT JOIN drug ON drug.drug = compared.drug
    QUALIFY row_number() OVER (
        PARTITION BY compared.patient_id, compared.on_date
        ORDER BY
            compared.acts DESC,
            CASE WHEN NOT compared.acts THEN 0 WHEN compared.fallen THEN 3 WHEN compared.fallen IS NULL THEN 2 ELSE 1 END DESC,
            compared.from_date DESC, compared.drug
    ) = 1
),
judged AS (
    SELECT
        *,
        CASE
            WHEN NOT acts THEN 0
            WHEN lymphocytes_grade = 2 OR neutrophils_grade = 2 THEN 2
            WHEN neutrophils_grade = 1 OR haemoglobin_grade = 1 OR fallen THEN 1
            WHEN lymphocytes_spared AND neutrophils_spared AND haemoglobin_spared AND NOT fallen THEN 0
        END AS grade
    FROM chosen
)
SELECT
    patient_id, on_date, CAST(NULL AS VARCHAR) AS item,
    CASE WHEN grade >= 1 THEN 'met' WHEN grade = 0 THEN 'not_met' ELSE 'not_evaluable' END AS status,
    grade,
    list_sort(list_distinct(list_concat(
        coalesce(drug_evidence, CAST([] AS BIGINT[])),
        CASE
            WHEN acts AND lymphocytes_id IS NOT NULL AND (coalesce(grade, 0) = 0 OR (grade = 2 AND lymphocytes_grade = 2))
            THEN [lymphocytes_id]
            ELSE CAST([] AS BIGINT[])
        END,
        CASE
            WHEN acts AND neutrophils_id IS NOT NULL AND (coalesce(grade, 0) = 0 OR grade = neutrophils_grade) THEN [neutrophils_id]
            ELSE CAST([] AS BIGINT[])
        END,
        CASE
            WHEN acts AND haemoglobin_id IS NOT NULL AND (coalesce(grade, 0) = 0 OR (grade = 1 AND (haemoglobin_grade = 1 OR fallen)))
            THEN [haemoglobin_id]
            ELSE CAST([] AS BIGINT[])
        END,
        CASE
            WHEN acts AND before_on IS NOT NULL AND (coalesce(grade, 0) = 0 OR (grade = 1 AND fallen)) THEN before_evidence
            ELSE CAST([] AS BIGINT[])
        END
    ))) AS evidence,
    CASE
        WHEN grade IS NOT NULL THEN CAST([] AS VARCHAR[])
        ELSE list_concat(
            CASE
                WHEN haemoglobin_id IS NULL THEN ['haemoglobin']
                WHEN before_on IS NULL AND haemoglobin_spared THEN ['haemoglobin on or before ' || CAST(started_on AS VARCHAR)]
                WHEN before_on IS NULL
                THEN ['haemoglobin as an exact value', 'haemoglobin on or before ' || CAST(started_on AS VARCHAR)]
                WHEN haemoglobin_spared AND fallen IS NULL AND untimed
                THEN ['time of day of the haemoglobin of ' || CAST(before_on AS VARCHAR)]
                WHEN NOT haemoglobin_spared OR fallen IS NULL THEN ['haemoglobin as an exact value']
                ELSE CAST([] AS VARCHAR[])
            END,
            CASE
                WHEN lymphocytes_id IS NULL THEN ['lymphocyte count']
                WHEN NOT lymphocytes_spared THEN ['lymphocyte count as an exact value']
                ELSE CAST([] AS VARCHAR[])
            END,
            CASE
                WHEN neutrophils_id IS NULL THEN ['neutrophil count']
                WHEN NOT neutrophils_spared THEN ['neutrophil count as an exact value']
                ELSE CAST([] AS VARCHAR[])
            END
        )
    END AS missing,
    [
        coalesce(title, 'JAK inhibitor'),
        CASE
            WHEN drug IS NULL THEN 'none recorded'
            WHEN acts AND open THEN concat('started ', CAST(started_on AS VARCHAR), ', last confirmed ', CAST(confirmed_on AS VARCHAR))
            ELSE 'started ' || CAST(started_on AS VARCHAR)
        END,
        array_to_string(list_concat(
            CASE
                WHEN grade = 2 AND lymphocytes_grade = 2
                THEN [
                    'lymphocytes ' || CASE lymphocytes_sign WHEN 3 THEN '<' WHEN 4 THEN '<=' ELSE '' END
                    || rtrim(rtrim(CAST(lymphocytes AS VARCHAR), '0'), '.') || ' x 10^9/L'
                ]
                ELSE CAST([] AS VARCHAR[])
            END,
            CASE
                WHEN grade >= 1 AND grade = neutrophils_grade
                THEN [
                    'neutrophils ' || CASE neutrophils_sign WHEN 3 THEN '<' WHEN 4 THEN '<=' ELSE '' END
                    || rtrim(rtrim(CAST(neutrophils AS VARCHAR), '0'), '.') || ' x 10^9/L'
                ]
                ELSE CAST([] AS VARCHAR[])
            END,
            CASE
                WHEN grade = 1 AND haemoglobin_grade = 1
                THEN [
                    'haemoglobin ' || CASE haemoglobin_sign WHEN 3 THEN '<' WHEN 4 THEN '<=' ELSE '' END
                    || rtrim(rtrim(CAST(haemoglobin AS VARCHAR), '0'), '.') || ' g/dL'
                ]
                ELSE CAST([] AS VARCHAR[])
            END,
            CASE WHEN grade = 1 AND fallen
                THEN [
                    'haemoglobin down from ' || rtrim(rtrim(CAST(before_low AS VARCHAR), '0'), '.') || ' to '
                    || CASE WHEN lowest_high = lowest_open_high THEN '<' ELSE '' END
                    || rtrim(rtrim(CAST(lowest_high AS VARCHAR), '0'), '.') || ' g/dL'
                ]
                ELSE CAST([] AS VARCHAR[])
            END
        ), ', '),
        CASE WHEN NOT acts THEN 'not judged' WHEN lymphocytes_id IS NULL THEN 'not recorded' ELSE
            CASE lymphocytes_sign WHEN 0 THEN '' WHEN 1 THEN '>' WHEN 2 THEN '>=' WHEN 3 THEN '<' ELSE '<=' END
            || rtrim(rtrim(CAST(lymphocytes AS VARCHAR), '0'), '.') || ' on ' || CAST(lymphocytes_on AS VARCHAR)
        END,
        CASE WHEN NOT acts THEN 'not judged' WHEN neutrophils_id IS NULL THEN 'not recorded' ELSE
            CASE neutrophils_sign WHEN 0 THEN '' WHEN 1 THEN '>' WHEN 2 THEN '>=' WHEN 3 THEN '<' ELSE '<=' END
            || rtrim(rtrim(CAST(neutrophils AS VARCHAR), '0'), '.') || ' on ' || CAST(neutrophils_on AS VARCHAR)
        END,
        CASE WHEN NOT acts THEN 'not judged' WHEN haemoglobin_id IS NULL THEN 'not recorded' ELSE
            CASE haemoglobin_sign WHEN 0 THEN '' WHEN 1 THEN '>' WHEN 2 THEN '>=' WHEN 3 THEN '<' ELSE '<=' END
            || rtrim(rtrim(CAST(haemoglobin AS VARCHAR), '0'), '.') || ' g/dL on ' || CAST(haemoglobin_on AS VARCHAR)
        END,
        CASE WHEN NOT acts THEN 'not judged' WHEN before_on IS NULL THEN 'not recorded' ELSE
            rtrim(rtrim(CAST(before_low AS VARCHAR), '0'), '.')
            || CASE WHEN before_high > before_low THEN ' to ' || rtrim(rtrim(CAST(before_high AS VARCHAR), '0'), '.') ELSE '' END
            || ' g/dL on ' || CAST(before_on AS VARCHAR)
        END
    ] AS facts,
    CASE WHEN NOT acts THEN ['not_given'] WHEN open THEN ['no_stop'] ELSE CAST([] AS VARCHAR[]) END AS notes,
    CAST(
        CASE
            WHEN grade = 2 AND lymphocytes_grade = 2 THEN $lymphocytes_stop_below - lymphocytes
            WHEN grade = 2 THEN $neutrophils_stop_below - neutrophils
            WHEN grade = 1 AND neutrophils_grade = 1 THEN $neutrophils_interrupt_to - neutrophils
            WHEN grade = 1 AND haemoglobin_grade = 1 THEN $haemoglobin_below - haemoglobin
            WHEN grade = 1 THEN before_low - lowest_high - $haemoglobin_fall_above
        END AS DECIMAL(19, 6)
    ) AS margin
FROM judged
