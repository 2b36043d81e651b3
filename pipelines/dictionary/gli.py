"""Predicted lung function of the Global Lung Function Initiative, as a table that rules join.

GLI 2022 global (FVC, FEV1 in L; ages 3 to 95; doi 10.1164/rccm.202205-0963OC) and GLI 2017 (DLCO in mL/min/mmHg; ages 5 to 85;
doi 10.1183/13993003.00010-2017, with the correction of 2020). Both are LMS equations: the predicted value is
M = exp(log_m) * height_cm ** height_power, the z-score ((value / M) ** l - 1) / (l * exp(log_s)), where log_m and log_s change with
sex and age only. So quarter-years of age, as in the published tables, are the whole grid: height is exact, and between two
rows log_m and log_s go straight (the error is below 0.01 % of predicted, tests/test_gli.py).

gli.csv was computed with pyspiro (1.0.0; "research use only", says its README) by `python -m pipelines.dictionary.gli`. It is kept
as a file so that what is shown does not change with a library, and reading it takes 0.01 s of every command against 0.4 s.
"""

import csv
import functools
import math
from pathlib import Path

TABLE = Path(__file__).parent / "gli.csv"
COLUMNS = ("reference_set", "sex", "measure", "age", "height_power", "l", "log_m", "log_s")
SPIROMETRY, DIFFUSION = "GLI 2022 global", "GLI 2017"
AGES = {"fvc": (3, 95), "fev1": (3, 95), "dlco": (5, 85)}  # years, both ends included


def rows() -> list[tuple]:
    """Rows of the table `gli`: sex, measure, quarter (age x 4), reference_set, height_power, l, log_m and log_s with those of the
    next quarter (None in the last)."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    return [_row(row, later) for row, later in zip(found, [*found[1:], None], strict=True)]


def predicted(sex: str, measure: str, age: float, height_cm: float) -> float:
    """The predicted value, in the unit of the measure, at the nearest quarter-year of age. Raises KeyError outside the table."""
    power, log_m = _medians()[sex, measure, round(4 * age)]
    return math.exp(log_m) * height_cm**power


@functools.cache
def _medians() -> dict[tuple[str, str, int], tuple[float, float]]:
    return {(sex, measure, quarter): (power, log_m) for sex, measure, quarter, _, power, _, log_m, *_ in rows()}


def _row(row: dict[str, str], later: dict[str, str] | None) -> tuple:
    follows = later is not None and (later["sex"], later["measure"]) == (row["sex"], row["measure"])
    next_m, next_s = (float(later["log_m"]), float(later["log_s"])) if follows else (None, None)
    return (
        row["sex"], row["measure"], round(4 * float(row["age"])), row["reference_set"], float(row["height_power"]),
        float(row["l"]), float(row["log_m"]), next_m, float(row["log_s"]), next_s,
    )  # fmt: skip


def computed() -> list[dict[str, str]]:
    """The rows of gli.csv as pyspiro computes them. Raises ImportError where it is not installed: it is needed only to check them."""
    from pyspiro import BOWERMAN_2022, GLI_2017

    spirometry, diffusion = BOWERMAN_2022(), GLI_2017()
    equations = {
        "fvc": (SPIROMETRY, spirometry, spirometry.Parameters.FVC),
        "fev1": (SPIROMETRY, spirometry, spirometry.Parameters.FEV1),
        "dlco": (DIFFUSION, diffusion, diffusion.Parameters.DLCO),
    }
    found = []
    for number, sex in enumerate(("female", "male")):  # as pyspiro numbers them
        for measure, (reference_set, equation, parameter) in equations.items():
            first, last = AGES[measure]
            for quarter in range(4 * first, 4 * last + 1):
                at_100 = equation.lms(number, quarter / 4, 100, parameter, 0)
                at_200 = equation.lms(number, quarter / 4, 200, parameter, 0)
                found.append(_printed(reference_set, sex, measure, quarter / 4, at_100, at_200))
    return found


def _printed(reference_set: str, sex: str, measure: str, age: float, at_100: tuple, at_200: tuple) -> dict[str, str]:
    """One row from (L, M, S) at 100 and at 200 cm. Coefficients are published with six decimals at most."""
    power = round(math.log2(at_200[1] / at_100[1]), 6)
    log_m = math.log(at_100[1]) - power * math.log(100)
    numbers = (f"{age:g}", f"{power:.6f}", f"{at_100[0]:.6f}", f"{log_m:.9f}", f"{math.log(at_100[2]):.9f}")
    return dict(zip(COLUMNS, (reference_set, sex, measure, *numbers), strict=True))


if __name__ == "__main__":
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(computed())
