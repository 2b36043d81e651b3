"""The dictionary as tables, built once per process.

analyte       unit is the canonical UCUM code; NULL: the unit is kept per row and is `unit_factor.ucum` of the printed one.
analyte_name  normalised printed name or LOINC code -> analyte.   unit_factor  normalised printed unit -> y = factor * x + offset.
guard         upper limits as laboratories print them, and what changes tenfold in illness: what a slip is told by.
drug_name     normalised name, ATC code or RxNorm code -> drug; route and systemic only where the name implies them.
event_code    when_blank: what an empty value means.   assay_name  normalised printed name -> assay.
monitoring    one row per test and phase of the schedule; to_day exclusive, NULL: open.   monitoring_result  test -> analyte.
monitoring_condition  test -> drug or procedure that makes it due; a test with none is due in any case.
gli           predicted FVC, FEV1 and DLCO by sex and quarter-years of age (gli.py).
"""

import functools
import hashlib
from decimal import Decimal

import pyarrow as pa

from pipelines import dictionary
from pipelines.dictionary import gli
from pipelines.dictionary.units import conversion, normal_unit

TEXT, TRUE_OR_FALSE, COUNT = pa.string(), pa.bool_(), pa.int32()
NUMBER = pa.decimal128(19, 6)
LMS = pa.float64()
FACTOR = pa.decimal128(19, 12)  # a value DECIMAL(19,6) times a factor stays inside DECIMAL(38,18)

TABLES = {
    "analyte": {"analyte": TEXT, "title": TEXT, "unit": TEXT, "kind": TEXT, "value_kind": TEXT, "plausible_low": NUMBER,
                "plausible_high": NUMBER, "unit_when_blank": TEXT},
    "analyte_name": {"name": TEXT, "analyte": TEXT, "source": TEXT, "verified": TRUE_OR_FALSE},
    "unit_factor": {"analyte": TEXT, "unit": TEXT, "ucum": TEXT, "factor": FACTOR, "offset": FACTOR},
    "guard": {"analyte": TEXT, "upper_low": NUMBER, "upper_high": NUMBER, "swings": TRUE_OR_FALSE},
    "coded_value": {"analyte": TEXT, "text": TEXT, "coded": TEXT},
    "drug": {"drug": TEXT, "title": TEXT, "drug_class": TEXT, "agent": TRUE_OR_FALSE, "second_agent": TRUE_OR_FALSE,
             "acts_for_days": COUNT, "dosing": TEXT, "prednisone_factor": NUMBER, "pjp_cover_days": COUNT, "protective": TRUE_OR_FALSE,
             "dose_unit": TEXT},
    "drug_name": {"name": TEXT, "drug": TEXT, "route": TEXT, "systemic": TRUE_OR_FALSE, "source": TEXT, "verified": TRUE_OR_FALSE},
    "drug_route": {"drug": TEXT, "route": TEXT, "acts_for_days": COUNT},
    "route_name": {"name": TEXT, "route": TEXT, "systemic": TRUE_OR_FALSE},
    "dose_unit": {"drug": TEXT, "unit": TEXT, "factor": FACTOR},
    "oxygen_device": {"device": TEXT, "title": TEXT, "level": COUNT},
    "device_name": {"name": TEXT, "device": TEXT},
    "assay": {"assay": TEXT, "title": TEXT, "analyte": TEXT, "cutoff": NUMBER, "unit": TEXT},
    "assay_name": {"name": TEXT, "assay": TEXT},
    "event_code": {"kind": TEXT, "code": TEXT, "value_kind": TEXT, "choices": pa.list_(TEXT), "low": NUMBER, "high": NUMBER,
                   "when_blank": TEXT},
    "monitoring": {"test": TEXT, "from_day": COUNT, "to_day": COUNT, "every": COUNT, "clock": TEXT, "title": TEXT, "cite": TEXT},
    "monitoring_result": {"test": TEXT, "analyte": TEXT},
    "monitoring_condition": {"test": TEXT, "given": TEXT},
    "gli": {"sex": TEXT, "measure": TEXT, "quarter": COUNT, "reference_set": TEXT, "height_power": LMS, "l": LMS, "log_m": LMS,
            "log_m_next": LMS, "log_s": LMS, "log_s_next": LMS},
}  # fmt: skip

KEY_COLUMNS = {"unit_factor": 2, "coded_value": 2, "drug_route": 2, "dose_unit": 2, "event_code": 2, "monitoring": 2,
               "monitoring_result": 2, "monitoring_condition": 2, "gli": 3}  # fmt: skip


@functools.cache
def content_hash(name: str) -> str:
    """A hash of what the table holds: rules that read another dictionary are other rules."""
    rows = sorted(repr(sorted(row.items())) for row in arrow_table(name).to_pylist())
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


@functools.cache
def arrow_table(name: str) -> pa.Table:
    """The dictionary table of that name. Raises ValueError where it claims one name, code or unit twice."""
    rows = {
        "analyte": _analyte, "analyte_name": _analyte_name, "unit_factor": _unit_factor, "guard": _guard,
        "coded_value": _coded_value, "drug": _drug,
        "drug_name": _drug_name, "drug_route": _drug_route, "route_name": _route_name, "dose_unit": _dose_unit,
        "oxygen_device": _oxygen_device, "device_name": _device_name, "assay": _assay, "assay_name": _assay_name,
        "event_code": _event_code, "monitoring": _monitoring, "monitoring_result": _monitoring_result,
        "monitoring_condition": _monitoring_condition, "gli": gli.rows,
    }[name]()  # fmt: skip
    return _table(_unique(rows, KEY_COLUMNS.get(name, 1)), TABLES[name])


def _table(rows: list[tuple], columns: dict[str, pa.DataType]) -> pa.Table:
    by_column = zip(*rows, strict=True)
    arrays = [pa.array(values, type=kind) for values, kind in zip(by_column, columns.values(), strict=True)]
    return pa.Table.from_arrays(arrays, names=list(columns))


def _unique(rows: list[tuple], key: int) -> list[tuple]:
    """Drops repetitions; two different rows under one key (the first `key` columns) are a fault of the dictionary."""
    kept: dict[tuple, tuple] = {}
    for row in rows:
        if kept.setdefault(row[:key], row)[: key + 1] != row[: key + 1]:
            raise ValueError(f"the dictionary claims {row[:key]} twice: {kept[row[:key]]} and {row}")
    return list(kept.values())


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _analyte() -> list[tuple]:
    return [
        (analyte, block["title"], block["unit"], block["value_kind"], block["value_kind"],
         *map(_number, block.get("plausible", (None, None))), block.get("unit_when_blank"))
        for analyte, block in dictionary.analytes().items()
    ]  # fmt: skip


def _analyte_name() -> list[tuple]:
    rows = []
    for analyte, block in dictionary.analytes().items():
        rows.append((dictionary.normal_name(analyte), analyte, "id", True))
        rows += [(dictionary.normal_name(name), analyte, "synonym", True) for name in block["synonyms"]]
        rows += [(code["code"], analyte, "loinc", code["verified"]) for code in block["loinc"]]
    return rows


def _guard() -> list[tuple]:
    return [
        (analyte, *map(_number, block.get("upper_limit", (None, None))), block.get("swings", False))
        for analyte, block in dictionary.analytes().items()
    ]


def _unit_factor() -> list[tuple]:
    spellings = dictionary.unit_spellings()
    rows = []
    for analyte, block in dictionary.analytes().items():
        canonical = block["unit"]
        allowed = ([canonical] if canonical else []) + block["units"]
        factors = {code: conversion(code, canonical or code) for code in allowed}
        factors |= {given["unit"]: (Decimal(given["factor"]), Decimal(0)) for given in block["factors"]}
        for code, (factor, offset) in factors.items():
            printed = {normal_unit(text) for text in (code, *spellings.get(code, ()))}
            rows += [(analyte, unit, code, factor, offset) for unit in sorted(printed)]
    return rows


def _coded_value() -> list[tuple]:
    rows = []
    for analyte, block in dictionary.analytes().items():
        for coded, texts in block["codes"].items():
            rows += [(analyte, dictionary.normal_code(text), coded) for text in (coded, *texts)]
    return rows


def _drug() -> list[tuple]:
    return [
        (drug, block["title"], block["drug_class"], block["agent"], block["second_agent"], block["acts_for_days"], block["dosing"],
         _number(block["prednisone_factor"]), block["pjp_cover_days"], block["protective"], block["dose_unit"])
        for drug, block in dictionary.drugs().items()
    ]  # fmt: skip


def _drug_name() -> list[tuple]:
    routes = dictionary.routes()
    rows = []
    for drug, block in dictionary.drugs().items():
        rows.append((dictionary.normal_name(drug), drug, None, None, "id", True))
        for name in block["synonyms"]:
            route = block["synonym_routes"].get(name)
            rows.append(
                (
                    dictionary.normal_name(name),
                    drug,
                    route,
                    routes[route]["systemic"] if route else None,
                    "synonym",
                    True,
                )
            )
        for code in block["codes"]:
            route, source = code.get("route"), "atc" if "atc" in code else "rxnorm"
            # an ATC code without a route is that of the systemic forms; a topical form has its own
            systemic = routes[route]["systemic"] if route else (True if source == "atc" else None)
            rows.append((dictionary.normal_name(code[source]), drug, route, systemic, source, code["verified"]))
    return rows


def _drug_route() -> list[tuple]:
    return [
        (drug, route, days) for drug, block in dictionary.drugs().items() for route, days in block["routes"].items()
    ]


def _route_name() -> list[tuple]:
    return [
        (dictionary.normal_name(name), route, block["systemic"])
        for route, block in dictionary.routes().items()
        for name in (route, *block["synonyms"])
    ]


def _dose_unit() -> list[tuple]:
    units = dictionary.dose_units()
    return [
        (drug, normal_unit(printed), Decimal(factor))
        for drug, block in dictionary.drugs().items()
        for printed, factor in units[block["dose_unit"]].items()
    ]


def _oxygen_device() -> list[tuple]:
    return [(device, block["title"], block["level"]) for device, block in dictionary.oxygen_devices().items()]


def _device_name() -> list[tuple]:
    return [
        (dictionary.normal_name(name), device)
        for device, block in dictionary.oxygen_devices().items()
        for name in (device, *block["synonyms"])
    ]


def _assay() -> list[tuple]:
    return [
        (assay, block["title"], block["analyte"], _number(block.get("cutoff")), block.get("unit"))
        for assay, block in dictionary.assays().items()
    ]


def _assay_name() -> list[tuple]:
    return [
        (dictionary.normal_name(name), assay)
        for assay, block in dictionary.assays().items()
        for name in (assay, *block["synonyms"])
    ]


def _event_code() -> list[tuple]:
    return [
        (
            kind,
            code,
            rule["value"],
            rule.get("choices"),
            _number(rule.get("low")),
            _number(rule.get("high")),
            rule.get("when_blank"),
        )
        for (kind, code), rule in dictionary.events().items()
    ]


def _monitoring() -> list[tuple]:
    return [
        (test, phase["from_day"], phase.get("to_day"), phase["every"], block["clock"], block["title"], block["cite"])
        for test, block in dictionary.monitoring().items()
        for phase in block["due"]
    ]


def _monitoring_result() -> list[tuple]:
    return [(test, analyte) for test, block in dictionary.monitoring().items() for analyte in block["analytes"]]


def _monitoring_condition() -> list[tuple]:
    return [(test, given) for test, block in dictionary.monitoring().items() for given in block.get("only_after", ())]
