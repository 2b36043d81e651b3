"""Counts and infection markers: blood counts and IgG by grade, a rising CMV PCR, beta-D-glucan, and counts on a JAK inhibitor."""

from datetime import date
from decimal import Decimal

from tests.properties.reference.records import (
    STATUS,
    Answer,
    Known,
    Observation,
    Patient,
    below,
    newest,
    worst,
)  # fmt: skip

LYMPHOCYTES = [
    Decimal("1.0"),
    Decimal("0.8"),
    Decimal("0.5"),
    Decimal("0.2"),
]  # below which a grade begins, from grade 1
NEUTROPHILS = [Decimal("1.8"), Decimal("1.5"), Decimal("1.0"), Decimal("0.5")]
IGG = [Decimal(7), Decimal(4), Decimal(3)]
MET_FROM_GRADE = 2


def lymphopenia(patient: Patient, day: date) -> dict[str | None, Answer]:
    return graded(patient.results("lymphocytes", day), LYMPHOCYTES)


def neutropenia(patient: Patient, day: date) -> dict[str | None, Answer]:
    return graded(patient.results("neutrophils", day), NEUTROPHILS)


def hypogammaglobulinaemia(patient: Patient, day: date) -> dict[str | None, Answer]:
    return graded(patient.results("igg", day), IGG)


def graded(results: list[Observation], limits: list[Decimal]) -> dict[str | None, Answer]:
    """The newest result, met from grade 2; the grade is the highest certainly reached, of the worst record of the day."""
    told = [(below(one, limits[MET_FROM_GRADE - 1]), certain_grade(one, limits)) for one in newest(results)]
    status = worst(known for known, _ in told)
    grade = max((grade for known, grade in told if known == status), default=0)
    return {None: Answer(STATUS[status], None if status is None and grade == 0 else grade)}


def certain_grade(result: Observation, limits: list[Decimal]) -> int:
    return sum(below(result, limit) is True for limit in limits)
