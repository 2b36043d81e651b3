"""Predicted lung function against pyspiro on drawn people, and against values published elsewhere.

Elsewhere: the GLI web calculator's own answers (gli-calculator.ersnet.org, as recorded in the test data of the R package pft) for
DLCO, and the R package rspiro for FVC and FEV1 by GLI 2022 global (recorded there too). Neither shares code with pyspiro.
"""

import math
import random
from datetime import date, timedelta

import duckdb
import pytest

from pipelines import dictionary
from pipelines.catalog import catalog
from pipelines.dictionary import gli

# sex, age, height, measure, predicted, lower limit of normal
ELSEWHERE = [
    ("male", 57, 150, "dlco", 19.956, 15.052),  # the web calculator, to three decimals
    ("male", 62.2, 170, "dlco", 24.859, 18.564),
    ("male", 20.6, 190, "dlco", 37.603, 29.765),
    ("male", 5, 110, "dlco", 10.138, 6.963),
    ("female", 72.6, 150, "dlco", 16.509, 12.368),
    ("female", 46.6, 190, "dlco", 26.931, 21.131),
    ("female", 57, 190, "dlco", 25.762, 19.867),
    ("female", 15.4, 130, "dlco", 14.767, 11.517),
    ("male", 45, 170, "fvc", 4.23914901124337, 3.24459804626489),  # rspiro
    ("male", 45, 170, "fev1", 3.45738017951714, 2.62819803009631),
    ("male", 10, 155, "fvc", 2.99628351570325, 2.35794970952906),
    ("male", 85, 185, "fev1", 2.94609411356114, 2.10929111722557),
    ("female", 65, 170, "fvc", 3.22019616128586, 2.31020439576018),
    ("female", 65, 155, "fev1", 2.01605917423403, 1.42674432166678),
    ("female", 25, 155, "fvc", 3.12669350426735, 2.42093492656116),
    ("female", 85, 155, "fvc", 2.17899029554656, 1.48536258305934),
]
VALUES = {"fvc": (0.4, 7.0), "fev1": (0.3, 6.0), "dlco": (2.0, 45.0)}
MIDDLE = 182  # days from 1 January to 2 July


@pytest.fixture(scope="module")
def pyspiro():
    return pytest.importorskip("pyspiro")


@pytest.mark.parametrize(("sex", "age", "height", "measure", "predicted", "lower_limit"), ELSEWHERE)
def test_the_table_gives_what_is_published_elsewhere(sex, age, height, measure, predicted, lower_limit):
    rows = {(row[0], row[1], row[2]): row for row in gli.rows()}
    quarter, part = divmod(4 * age, 1)
    _, _, _, _, power, skew, log_m, next_m, log_s, next_s = rows[sex, measure, int(quarter)]
    m = math.exp(log_m + part * (next_m - log_m)) * height**power
    s = math.exp(log_s + part * (next_s - log_s))
    digits = 0.0006 if measure == "dlco" else 1e-6 * m
    assert m == pytest.approx(predicted, abs=digits)
    assert m * (1 - 1.645 * skew * s) ** (1 / skew) == pytest.approx(lower_limit, abs=digits)


def test_the_file_is_what_pyspiro_computes(pyspiro):
    with gli.TABLE.open(encoding="utf-8") as file:
        kept = file.read().splitlines()
    assert kept == [",".join(gli.COLUMNS), *(",".join(row.values()) for row in gli.computed())]


def test_every_quarter_year_of_the_range_is_there():
    found = {(sex, measure): [] for sex in ("female", "male") for measure in gli.AGES}
    for row in gli.rows():
        found[row[0], row[1]].append(row[2])
    for (_, measure), quarters in found.items():
        first, last = gli.AGES[measure]
        assert quarters == list(range(4 * first, 4 * last + 1))


def drawn_people(count: int) -> list[dict]:
    chance = random.Random(7)
    people = []
    for number in range(count):
        measure = chance.choice(list(VALUES))
        first, last = gli.AGES[measure]
        on_date = date(2020, 1, 1) + timedelta(chance.randrange(1461))
        age = chance.randint(first + 1, last - 2)
        people.append(
            {
                "patient_id": f"p{number}",
                "record_id": number,
                "sex": chance.choice(["female", "male"]),
                "birth_year": on_date.year - age,
                "on_date": on_date,
                "height": round(chance.uniform(90, 200), 1),
                "measure": measure,
                "value": round(chance.uniform(*VALUES[measure]), 2),
            }
        )
    return people


def concept(people: list[dict]) -> dict[int, dict]:
    """lung_function_predicted of people with one value each, by record id."""
    con = duckdb.connect()
    dictionary.create_tables(con)
    con.execute(
        """
        CREATE TABLE observation (patient_id VARCHAR, on_date DATE, record_id BIGINT, set_id BIGINT, analyte VARCHAR,
            value DECIMAL(19,6), low DECIMAL(19,6), phase VARCHAR, reference_set VARCHAR);
        CREATE TABLE event (patient_id VARCHAR, on_date DATE, record_id BIGINT, kind VARCHAR, code VARCHAR, number DECIMAL(19,6));
        CREATE TABLE patient (patient_id VARCHAR, sex VARCHAR, birth_year INTEGER)"""
    )
    for one in people:
        keys = (one["patient_id"], one["on_date"], one["record_id"])
        con.execute(
            "INSERT INTO observation VALUES (?, ?, ?, 0, ?, ?, ?, NULL, NULL)",
            [*keys, one["measure"], one["value"], one["value"]],
        )
        con.execute("INSERT INTO event VALUES (?, ?, ?, 'measure', 'height_cm', ?)", [*keys, one["height"]])
        con.execute("INSERT INTO patient VALUES (?, ?, ?)", [one["patient_id"], one["sex"], one["birth_year"]])
    definition = catalog().concepts["lung_function_predicted"]
    found = con.execute(definition.sql, definition.parameters())
    names = [column[0] for column in found.description]
    return {row[3]: dict(zip(names, row, strict=True)) for row in found.fetchall()}


def test_the_concept_agrees_with_pyspiro_on_drawn_people(pyspiro):
    spirometry, diffusion = pyspiro.BOWERMAN_2022(), pyspiro.GLI_2017()
    equations = {
        "fvc": (spirometry, spirometry.Parameters.FVC),
        "fev1": (spirometry, spirometry.Parameters.FEV1),
        "dlco": (diffusion, diffusion.Parameters.DLCO),
    }
    people = drawn_people(600)
    found = concept(people)
    judged = 0
    for one in people:
        equation, parameter = equations[one["measure"]]
        into_year = (one["on_date"] - date(one["on_date"].year, 1, 1)).days
        ages = [one["on_date"].year - one["birth_year"] + (into_year - born) / 365.25 for born in (364, MIDDLE, 0)]
        lms = [equation.lms(int(one["sex"] == "male"), age, one["height"], parameter, 0) for age in ages]
        percents = [100 * one["value"] / m for _, m, _ in lms]
        row = found[one["record_id"]]
        if row["percent"] is None:
            assert "plausible" in row["missing"][0], row
            continue
        judged += 1
        skew, m, s = lms[1]
        assert float(row["percent"]) == pytest.approx(percents[1], abs=0.05 + 1e-4 * percents[1])  # printed to 0.1
        assert float(row["percent_low"]) == pytest.approx(min(percents), abs=0.05 + 1e-4 * percents[1])
        assert float(row["percent_high"]) == pytest.approx(max(percents), abs=0.05 + 1e-4 * percents[1])
        assert float(row["z"]) == pytest.approx(((one["value"] / m) ** skew - 1) / (skew * s), abs=0.006)
        assert float(row["predicted"]) == pytest.approx(m, abs=0.006)
    assert judged > 400


def test_between_two_quarters_the_error_stays_below_five_hundredths_of_a_percent(pyspiro):
    spirometry, diffusion = pyspiro.BOWERMAN_2022(), pyspiro.GLI_2017()
    rows = gli.rows()
    for sex, measure, quarter, _, power, _, log_m, next_m, _, _ in rows[::3]:
        if next_m is None:
            continue
        equation = diffusion if measure == "dlco" else spirometry
        parameter = equation.Parameters[measure.upper()]
        predicted = equation.lms(int(sex == "male"), quarter / 4 + 0.125, 163, parameter, 0)[1]
        assert math.exp((log_m + next_m) / 2) * 163**power == pytest.approx(predicted, rel=0.0001)  # 0.01 %
