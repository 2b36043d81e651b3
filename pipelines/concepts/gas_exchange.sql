/*
title = "Gas exchange: P/F and A-aDO2 of each blood gas, P/F imputed from SpO2 without one"
why   = """P/F = PaO2 / FiO2. A-aDO2 = FiO2 x (Patm - 47) - PaCO2/0.8 - PaO2 in mmHg. Without a blood gas in the record P/F is imputed as
(S/F - 64)/0.84, only for a saturation up to 97 % and S/F above 64, and noted. pf_numerator is P/F times FiO2 within one method
(measured: PaO2; imputed: SpO2 - 64 x FiO2, which leaves the constant 0.84 out), so that two P/F are compared without dividing."""

[threshold.atmospheric_pressure]
value = 760
unit  = "mmHg"
step  = 1
cite  = "aa_gradient"
tag   = "published"
site  = true

[threshold.water_vapour]
value = 47
unit  = "mmHg"
step  = 1
cite  = "aa_gradient"
tag   = "published"

[threshold.oxygen_per_carbon_dioxide]
value = 1.25
unit  = "1 / respiratory quotient of 0.8"
step  = 0.01
cite  = "aa_gradient"
tag   = "published"

[threshold.sf_intercept]
value = 64
unit  = "S/F"
step  = 1
cite  = "rice2007"
tag   = "published"

[threshold.sf_slope]
value = 0.84
unit  = "S/F per P/F"
step  = 0.01
cite  = "rice2007"
tag   = "published"
*/
WITH blood_gas AS (
    SELECT
        patient_id, set_id,
        max(CASE WHEN analyte = 'pao2' THEN value END) AS pao2,
        max(CASE WHEN analyte = 'paco2' THEN value END) AS paco2,
        count(CASE WHEN analyte = 'pao2' THEN 1 END) > 0 AS has_pao2,
        list_sort(list(record_id)) AS evidence
    FROM observation
    WHERE analyte IN ('pao2', 'paco2')
    GROUP BY patient_id, set_id
),
measured AS (
    SELECT
        support.patient_id, support.set_id, support.on_date, support.at, support.fio2, support.fio2_source, support.activity,
        blood_gas.pao2, blood_gas.paco2,
        CASE
            WHEN blood_gas.pao2 > 0 THEN 'measured'
            WHEN NOT coalesce(blood_gas.has_pao2, FALSE) AND support.sf IS NOT NULL AND support.spo2 > $sf_intercept * support.fio2
            THEN 'imputed'
        END AS pf_method,
        CAST(
            CASE WHEN blood_gas.pao2 > 0 THEN blood_gas.pao2 ELSE support.spo2 - $sf_intercept * support.fio2 END AS DECIMAL(19, 6)
        ) AS pf_numerator,
        list_sort(list_distinct(
            support.evidence || coalesce(blood_gas.evidence, CAST([] AS BIGINT[]))
        )) AS evidence
    FROM oxygen_support AS support
    LEFT JOIN blood_gas ON blood_gas.patient_id = support.patient_id AND blood_gas.set_id = support.set_id
    WHERE support.fio2 > 0
)
SELECT
    patient_id, set_id, on_date, "at",
    CAST(
        CASE pf_method WHEN 'measured' THEN pf_numerator / fio2 ELSE pf_numerator / fio2 / $sf_slope END AS DECIMAL(19, 6)
    ) AS pf,
    pf_method, pf_numerator,
    CAST(
        fio2 * ($atmospheric_pressure - $water_vapour) - paco2 * $oxygen_per_carbon_dioxide - pao2 AS DECIMAL(19, 6)
    ) AS aado2,
    fio2, activity, evidence,
    CASE WHEN fio2_source = 'estimated' THEN ['estimated_fio2'] ELSE CAST([] AS VARCHAR[]) END
    || CASE WHEN pf_method = 'imputed' THEN ['imputed_pf'] ELSE CAST([] AS VARCHAR[]) END AS notes
FROM measured
WHERE pf_method IS NOT NULL
