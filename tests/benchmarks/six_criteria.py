"""Six criteria as someone would write them down without this product: as one DuckDB query, and in pandas.

They say per patient and date whether the criterion is met, and nothing else: no evidence, no sentence, no partial date, no later
version of the rule. They know no more of the data than the synthetic cohort has (a stop is printed or there is none, drugs of
the list do not overlap, RP-ILD is recorded as present). That they say what the criteria say is checked by `check_agreement`.
"""

from collections.abc import Iterable

import duckdb
import pandas as pd

from pipelines import dictionary
from pipelines.engines import on_duckdb

CRITERIA = (
    "high_ferritin",
    "lymphopenia",
    "neutropenia",
    "urgent_transfer",
    "inbuild_fvc_decline",
    "not_recommended_agent",
)
FERRITIN_ABOVE, LYMPHOCYTES_BELOW, NEUTROPHILS_BELOW, OXYGEN_FROM = 500, 0.8, 1.5, 4
FVC_FALL, FVC_DAYS = 10, 730
NOT_RECOMMENDED = {
    "azathioprine", "methotrexate", "leflunomide", "tnf_inhibitor", "abatacept", "tocilizumab", "antifibrotic",
}  # fmt: skip
LEVELS = {device: block["level"] for device, block in dictionary.oxygen_devices().items()}
ACTS_FOR = {
    drug: block["acts_for_days"] for drug, block in dictionary.drugs().items() if block["drug_class"] in NOT_RECOMMENDED
}

JUDGED = "known_until IS NULL AND status IN ('final', 'corrected', 'amended')"
STATUS = "CASE max(answer) WHEN 2 THEN 'met' WHEN 1 THEN 'not_met' ELSE 'not_evaluable' END AS status"
# A patient's rows are known by the patient's number: half as dear to sort and join as the text, in every language.
PATIENT = "(SELECT patient_id, CAST(row_number() OVER (ORDER BY patient_id) AS INTEGER) AS patient FROM record.patient)"


def _rows(pairs: dict[str, int]) -> str:
    return ", ".join(f"('{name}', {number})" for name, number in pairs.items())


PLAIN_QUERY = f"""
    WITH result AS (
        SELECT patient_id, analyte, CAST(at_high AS DATE) AS on_date, value, low, low_open, high, high_open, coded, reference_set
        FROM record.observation
        WHERE {JUDGED} AND analyte IN ('ferritin', 'lymphocytes', 'neutrophils', 'oxygen_device', 'fvc_percent')
            AND coalesce(phase, 'pre') = 'pre'
    ),
    answered AS (
        SELECT 'high_ferritin' AS criterion, patient_id, on_date, CASE
            WHEN low > {FERRITIN_ABOVE} OR (low = {FERRITIN_ABOVE} AND low_open) THEN 2
            WHEN high <= {FERRITIN_ABOVE} THEN 1 ELSE 0 END AS answer
        FROM result WHERE analyte = 'ferritin'
        UNION ALL
        SELECT 'lymphopenia', patient_id, on_date, CASE
            WHEN high < {LYMPHOCYTES_BELOW} OR (high = {LYMPHOCYTES_BELOW} AND high_open) THEN 2
            WHEN low >= {LYMPHOCYTES_BELOW} THEN 1 ELSE 0 END
        FROM result WHERE analyte = 'lymphocytes'
        UNION ALL
        SELECT 'neutropenia', patient_id, on_date, CASE
            WHEN high < {NEUTROPHILS_BELOW} OR (high = {NEUTROPHILS_BELOW} AND high_open) THEN 2
            WHEN low >= {NEUTROPHILS_BELOW} THEN 1 ELSE 0 END
        FROM result WHERE analyte = 'neutrophils'
        UNION ALL
        SELECT 'urgent_transfer', patient_id, on_date, CASE WHEN level >= {OXYGEN_FROM} THEN 2 ELSE 1 END
        FROM result JOIN (VALUES {_rows(LEVELS)}) AS device (device, level) ON device = coded WHERE analyte = 'oxygen_device'
    ),
    fvc AS (
        SELECT patient_id, on_date, reference_set, min(value) AS least, max(value) AS most
        FROM result WHERE analyte = 'fvc_percent' AND value IS NOT NULL GROUP BY ALL
    ),
    fvc_compared AS (
        SELECT patient_id, on_date, least, max(most) OVER (
            PARTITION BY patient_id, reference_set ORDER BY on_date
            RANGE BETWEEN INTERVAL {FVC_DAYS} DAY PRECEDING AND INTERVAL 1 DAY PRECEDING) AS best
        FROM fvc
    ),
    rp_ild AS (
        SELECT patient_id, CAST(min(at_high) AS DATE) AS from_date FROM record.event
        WHERE {JUDGED} AND kind = 'diagnosis' AND code = 'rp_ild' AND value IS DISTINCT FROM 'absent' GROUP BY patient_id
    ),
    acting AS (
        SELECT patient_id, drug, start_high AS from_date,
            CASE WHEN stop_high IS NOT NULL THEN stop_high WHEN NOT ongoing THEN start_high END + acts AS until_date, confirmed_high
        FROM record.administration JOIN (VALUES {_rows(ACTS_FOR)}) AS agent (name, acts) ON name = drug
        WHERE {JUDGED} AND action = 'given' AND systemic
    ),
    day AS (
        SELECT patient_id, drug, from_date AS on_date FROM acting
        UNION SELECT patient_id, drug, until_date FROM acting WHERE until_date IS NOT NULL
        UNION SELECT patient_id, drug, confirmed_high FROM acting WHERE until_date IS NULL AND confirmed_high > from_date
        UNION SELECT patient_id, drug, rp_ild.from_date FROM acting JOIN rp_ild USING (patient_id)
            WHERE rp_ild.from_date >= acting.from_date
    )
    SELECT criterion, patient_id, on_date, {STATUS} FROM answered GROUP BY ALL
    UNION ALL
    SELECT 'inbuild_fvc_decline', patient_id, on_date,
        CASE WHEN max(100 * (best - least) >= best * {FVC_FALL}) THEN 'met'
            WHEN max(best) IS NOT NULL THEN 'not_met' ELSE 'not_evaluable' END
    FROM fvc_compared GROUP BY patient_id, on_date
    UNION ALL
    SELECT 'not_recommended_agent', day.patient_id, day.on_date,
        CASE WHEN max(rp_ild.from_date <= day.on_date AND (until_date IS NULL OR until_date > day.on_date)) THEN 'met'
            WHEN max(until_date IS NULL OR until_date > day.on_date) AND max(rp_ild.from_date <= day.on_date) IS NOT TRUE
            THEN 'not_evaluable' ELSE 'not_met' END
    FROM day JOIN acting ON acting.patient_id = day.patient_id AND acting.drug = day.drug AND acting.from_date <= day.on_date
    LEFT JOIN rp_ild ON rp_ild.patient_id = day.patient_id
    GROUP BY day.patient_id, day.on_date"""


def in_sql(con: duckdb.DuckDBPyConnection) -> None:
    """TEMP TABLE plain(criterion, patient_id, on_date, status)."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE plain AS {PLAIN_QUERY}")


def frames(con: duckdb.DuckDBPyConnection, patients: list[str] | None = None) -> dict[str, pd.DataFrame]:
    """What pandas judges, as it would lie in memory: only the rows and columns that the six read, values as whole millionths (a
    decimal number as an object is many times slower, and as a binary fraction it is not the number printed)."""
    only = "" if patients is None else "AND patient_id IN (SELECT unnest($patients))"
    given = {} if patients is None else {"patients": patients}
    value = ", ".join(f"CAST({name} * 1000000 AS DOUBLE) AS {name}" for name in ("value", "low", "high"))
    results = con.execute(
        f"""SELECT patient, analyte, CAST(at_high AS DATE) AS on_date, {value}, low_open, high_open, coded, reference_set
        FROM record.observation JOIN {PATIENT} USING (patient_id)
        WHERE {JUDGED} AND analyte IN ('ferritin', 'lymphocytes', 'neutrophils', 'oxygen_device', 'fvc_percent')
            AND coalesce(phase, 'pre') = 'pre' {only}""",
        given,
    ).df()
    for column in ("analyte", "coded", "reference_set"):
        results[column] = results[column].astype("category")
    drugs = con.execute(
        f"""SELECT patient, drug, start_high AS from_date, stop_high AS stop, ongoing, confirmed_high AS confirmed
        FROM record.administration JOIN {PATIENT} USING (patient_id) WHERE {JUDGED} AND action = 'given' AND systemic {only}""",
        given,
    ).df()
    drugs["drug"] = drugs["drug"].astype("category")
    rp_ild = con.execute(
        f"""SELECT patient, CAST(at_high AS DATE) AS rp_ild FROM record.event JOIN {PATIENT} USING (patient_id)
        WHERE {JUDGED} AND kind = 'diagnosis' AND code = 'rp_ild' AND value IS DISTINCT FROM 'absent' {only}""",
        given,
    ).df()
    return {"results": results, "drugs": drugs, "rp_ild": rp_ild}


def in_pandas(of: dict[str, pd.DataFrame]) -> dict[str, pd.Series]:
    """Per criterion the answer (2 met, 1 not met, 0 cannot be told) by patient and date; one pass over everyone it is given."""
    results = of["results"]
    by_analyte = {analyte: results[results["analyte"] == analyte] for analyte in results["analyte"].cat.categories}
    none = results.iloc[:0]
    return {
        "high_ferritin": _above(by_analyte.get("ferritin", none), FERRITIN_ABOVE),
        "lymphopenia": _below(by_analyte.get("lymphocytes", none), LYMPHOCYTES_BELOW),
        "neutropenia": _below(by_analyte.get("neutrophils", none), NEUTROPHILS_BELOW),
        "urgent_transfer": _oxygen(by_analyte.get("oxygen_device", none)),
        "inbuild_fvc_decline": _fvc(by_analyte.get("fvc_percent", none)),
        "not_recommended_agent": _drugs(of["drugs"], of["rp_ild"]),
    }


def in_pandas_by_patient(of: dict[str, pd.DataFrame]) -> list[dict[str, pd.Series]]:
    """The same, one patient after the other."""
    drugs, rp_ild = dict(list(of["drugs"].groupby("patient"))), dict(list(of["rp_ild"].groupby("patient")))
    no_drugs, no_rp_ild = of["drugs"].iloc[:0], of["rp_ild"].iloc[:0]
    return [
        in_pandas({"results": rows, "drugs": drugs.get(patient, no_drugs), "rp_ild": rp_ild.get(patient, no_rp_ild)})
        for patient, rows in of["results"].groupby("patient")
    ]


def _worst(rows: pd.DataFrame, met: pd.Series, not_met: pd.Series) -> pd.Series:
    answer = (met.astype("int8") * 2).where(met, not_met.astype("int8"))
    return answer.groupby([rows["patient"], rows["on_date"]], sort=False).max()


def _above(rows: pd.DataFrame, limit: float) -> pd.Series:
    limit = round(limit * 1_000_000)
    return _worst(rows, (rows["low"] > limit) | ((rows["low"] == limit) & rows["low_open"]), rows["high"] <= limit)


def _below(rows: pd.DataFrame, limit: float) -> pd.Series:
    limit = round(limit * 1_000_000)
    return _worst(rows, (rows["high"] < limit) | ((rows["high"] == limit) & rows["high_open"]), rows["low"] >= limit)


def _oxygen(rows: pd.DataFrame) -> pd.Series:
    level = rows["coded"].map(LEVELS).astype("float64")
    return _worst(rows, level >= OXYGEN_FROM, level < OXYGEN_FROM)


def _fvc(rows: pd.DataFrame) -> pd.Series:
    keys = ["patient", "reference_set", "on_date"]
    tested = rows.dropna(subset="value").groupby(keys, observed=True, dropna=False)["value"].agg(["min", "max"])
    tested = tested.reset_index().sort_values(keys)
    earlier = tested.groupby(["patient", "reference_set"], observed=True, dropna=False).rolling(
        f"{FVC_DAYS}D", on="on_date", closed="left"
    )
    tested["best"] = earlier["max"].max().to_numpy()
    fallen = 100 * (tested["best"] - tested["min"]) >= tested["best"] * FVC_FALL
    return _worst(tested, fallen, tested["best"].notna())


def _drugs(drugs: pd.DataFrame, rp_ild: pd.DataFrame) -> pd.Series:
    acting = drugs[drugs["drug"].isin(list(ACTS_FOR))]
    acts = pd.to_timedelta(acting["drug"].map(ACTS_FOR).astype("int64"), unit="D")
    last = acting["stop"].fillna(acting["from_date"].where(~acting["ongoing"]))
    acting = acting.assign(until=last + acts).merge(rp_ild.groupby("patient").min(), on="patient", how="left")
    confirmed = acting["confirmed"].where(acting["until"].isna() & (acting["confirmed"] > acting["from_date"]))
    recorded = acting["rp_ild"].where(acting["rp_ild"] >= acting["from_date"])
    days = pd.concat(
        [
            acting[["patient", "drug"]].assign(on_date=days)
            for days in (acting["from_date"], acting["until"], confirmed, recorded)
        ]
    )
    judged = days.dropna().drop_duplicates().merge(acting, on=["patient", "drug"])
    judged = judged[judged["from_date"] <= judged["on_date"]]
    acts_then = judged["until"].isna() | (judged["until"] > judged["on_date"])
    rapid = judged["rp_ild"] <= judged["on_date"]
    return _worst(judged, acts_then & rapid, ~acts_then)


def without_partial_dates(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The patients whose standing records all say their day: of the others the product says more than the six do."""
    return [
        row[0]
        for row in con.execute(
            f"""SELECT patient_id FROM record.patient
            WHERE patient_id NOT IN (SELECT patient_id FROM record.observation WHERE {JUDGED} AND at_low <> at_high)
            AND patient_id NOT IN (SELECT patient_id FROM record.event
                WHERE {JUDGED} AND (at_low <> at_high OR until_low <> until_high))
            AND patient_id NOT IN (SELECT patient_id FROM record.administration
                WHERE {JUDGED} AND (start_low <> start_high OR stop_low <> stop_high OR confirmed_low <> confirmed_high))
            ORDER BY patient_id"""
        ).fetchall()
    ]


def check_agreement(con: duckdb.DuckDBPyConnection, sample: list[str], at_once: int = 2_000) -> None:
    """Raises AssertionError unless all four find each of the six met on the same number of patients and dates. The one that goes by
    patient is asked of the `sample` alone."""
    exact = without_partial_dates(con)
    assert len(exact) > 100, f"only {len(exact)} patients without partial dates"
    ours = dict.fromkeys(CRITERIA, 0)
    for start in range(0, len(exact), at_once):
        on_duckdb.replay(con, exact[start : start + at_once], criteria=CRITERIA)
        for name, met in con.execute(
            "SELECT criterion, count(DISTINCT (patient_id, on_date)) FROM judgement WHERE status = 'met' GROUP BY criterion"
        ).fetchall():
            ours[name] += met
    on_duckdb.drop_temporary(con)
    in_sql(con)
    assert all(ours.values()), f"a criterion that nobody meets compares nothing: {ours}"
    _same("the plain query", ours, _met_in_sql(con, exact))
    _same("pandas", ours, _met_in_pandas([in_pandas(frames(con, exact))]))
    few = frames(con, sample)
    _same("pandas by patient", _met_in_sql(con, sample), _met_in_pandas(in_pandas_by_patient(few)))
    con.execute("DROP TABLE temp.plain")


def _met_in_sql(con: duckdb.DuckDBPyConnection, patients: list[str]) -> dict[str, int]:
    found = con.execute(
        "SELECT criterion, count(*) FROM plain WHERE status = 'met' AND patient_id IN (SELECT unnest(?)) GROUP BY criterion",
        [patients],
    )
    return dict.fromkeys(CRITERIA, 0) | dict(found.fetchall())


def _met_in_pandas(answers: Iterable[dict[str, pd.Series]]) -> dict[str, int]:
    met = dict.fromkeys(CRITERIA, 0)
    for answer in answers:
        for name, days in answer.items():
            met[name] += int((days == 2).sum())
    return met


def _same(who: str, expected: dict[str, int], found: dict[str, int]) -> None:
    assert found == expected, f"patients and dates met, {who}: {found} instead of {expected}"
