"""The dictionary: every name has one owner, every factor is exact, the unit traps are refused."""

import itertools
from decimal import Decimal

import duckdb
import pytest

from pipelines import dictionary
from pipelines.dictionary import tables
from pipelines.dictionary.units import NotConvertible, conversion, normal_unit


@pytest.fixture(scope="module")
def con():
    con = duckdb.connect()
    dictionary.create_tables(con)
    return con


def convert(con, analyte: str, value: str, unit: str) -> Decimal | None:
    """The value in the canonical unit, as ingest would compute it; None where the unit is not allowed."""
    found = con.execute(
        'SELECT factor, "offset" FROM unit_factor WHERE analyte = ? AND unit = ?', [analyte, normal_unit(unit)]
    ).fetchone()
    return found and Decimal(value) * found[0] + found[1]


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "canonical"),
    [
        ("ferritin", "820", "ng/mL", "820"),
        ("ferritin", "820", "µg/L", "820"),
        ("ferritin", "820", "mcg/L", "820"),
        ("ferritin", "1000", "pmol/L", "445"),
        ("crp", "18", "mg/L", "1.8"),
        ("crp", "1.8", "MG/DL", "1.8"),
        ("igg", "1150", "mg/dL", "11.5"),
        ("wbc", "7660", "/µL", "7.66"),
        ("wbc", "7.66", "x10^9/L", "7.66"),
        ("wbc", "7.66", "10*3/uL", "7.66"),
        ("wbc", "7.66", "K/uL", "7.66"),
        ("wbc", "7.66", "G/L", "7.66"),
        ("lymphocytes", "450", "cells/µL", "0.45"),
        ("haemoglobin", "123", "G/L", "12.3"),
        ("haemoglobin", "10", "mmol/L", "16.1"),
        ("ldh", "10", "µkat/L", "600"),
        ("ldh", "344", "IU/L", "344"),
        ("kl6", "2.0486", "kU/L", "2.0486"),
        ("dlco", "1", "mmol/min/kPa", "2.987"),
        ("fvc", "950", "mL", "0.95"),
        ("fio2", "60", "%", "0.6"),
        ("nt_probnp", "10", "pmol/L", "84.57"),
        ("d_dimer_feu", "1.2", "mg/L FEU", "1200"),
        ("inr", "1.1", "", None),
        ("temperature", "98.6", "°F", "37"),
    ],
)
def test_printed_units_become_canonical(con, analyte, value, unit, canonical):
    found = convert(con, analyte, value, unit)
    assert found is None if canonical is None else abs(found - Decimal(canonical)) < Decimal("0.0000005")


def test_factors_carry_no_binary_noise(con):
    assert conversion("ug/L", "ng/mL") == (1, 0)
    assert conversion("10*3/uL", "10*9/L") == (1, 0)
    assert conversion("mg/L", "mg/dL") == (Decimal("0.1"), 0)
    assert convert(con, "pao2", "10", "kPa").quantize(Decimal("0.0001")) == Decimal("75.0062")


@pytest.mark.parametrize(
    ("code", "back"), [("mg/L", "mg/dL"), ("/uL", "10*9/L"), ("kPa", "mm[Hg]"), ("g/L", "g/dL"), ("[lb_av]", "kg")]
)
def test_a_factor_round_trips(code, back):
    there, here = conversion(code, back)[0], conversion(back, code)[0]
    assert abs(there * here - 1) < Decimal("1e-10")


@pytest.mark.parametrize(
    ("analyte", "unit"),
    [
        ("egfr", "mL/min/1.73.m2"),  # parses as 73 m2*mL/min
        ("d_dimer_feu", "ng/mL"),  # FEU or DDU?
        ("d_dimer_feu", "ng/mL DDU"),
        ("d_dimer_ddu", "ng/mL FEU"),
        ("ferritin", "ng/dL"),
        ("ferritin", "mg/dL"),
        ("beta_d_glucan", "ng/mL"),
        ("cmv_dna", "copies/mL"),
        ("cmv_dna_copies", "IU/mL"),
        ("anti_mda5", ""),
        ("anti_mda5", "ng/mL"),
        ("platelets", "k"),
        ("troponin_t", ""),
    ],
)
def test_traps_are_refused(con, analyte, unit):
    assert convert(con, analyte, "1", unit) is None


def test_what_the_braces_say_is_not_converted_away():
    with pytest.raises(NotConvertible):
        conversion("ng/mL{DDU}", "ng/mL{FEU}")
    with pytest.raises(NotConvertible):
        conversion("[IU]/mL", "U/mL")


def test_arbitrary_antibody_units_stay_as_printed(con):
    rows = con.execute("SELECT DISTINCT ucum, factor FROM unit_factor WHERE analyte = 'anti_mda5'").fetchall()
    assert len(rows) == 5
    assert {factor for _, factor in rows} == {1}
    assert con.execute("SELECT unit FROM analyte WHERE analyte = 'anti_mda5'").fetchone() == (None,)


def test_every_number_has_a_plausible_range_and_a_unit():
    for analyte, block in dictionary.analytes().items():
        if block["value_kind"] == "coded":
            assert block["codes"], analyte
            continue
        low, high = (Decimal(text) for text in block["plausible"])
        assert low < high, analyte
        assert block["unit"] or block["units"], analyte


def test_blank_is_filled_only_where_one_unit_is_in_use():
    filled = {
        analyte: block["unit_when_blank"]
        for analyte, block in dictionary.analytes().items()
        if "unit_when_blank" in block
    }
    without_dimension = {analyte for analyte, unit in filled.items() if unit == "1"}
    assert without_dimension == {"inr", "ph"}
    assert filled.keys() - without_dimension == {"ldh", "ck", "ast", "alt", "aldolase", "kl6", "esr", "spo2"}


def test_no_name_code_or_unit_is_claimed_twice(con):
    for name, columns in tables.TABLES.items():
        key = ", ".join(f'"{column}"' for column in list(columns)[: tables.KEY_COLUMNS.get(name, 1)])
        assert con.execute(f"SELECT {key} FROM {name} GROUP BY ALL HAVING count(*) > 1").fetchall() == [], name
    with pytest.raises(ValueError, match="twice"):
        tables._unique([("ld", "ldh"), ("ld", "lead")], 1)


def test_the_schedule_of_tests_names_what_is_known_and_leaves_no_day_out(con):
    given = set(dictionary.drugs()) | {code for kind, code in dictionary.events() if kind == "procedure"}
    for test, block in dictionary.monitoring().items():
        assert set(block["analytes"]) <= set(dictionary.analytes()), test
        assert set(block.get("only_after", ())) <= given, test
        assert block["clock"] in ("combination", "index"), test
        phases = block["due"]
        assert phases[0]["from_day"] == 0
        assert all(one["to_day"] == two["from_day"] for one, two in itertools.pairwise(phases)), test
    found = con.execute("SELECT test, list(every ORDER BY from_day) FROM monitoring GROUP BY test").fetchall()
    assert dict(found) == {
        test: [phase["every"] for phase in block["due"]] for test, block in dictionary.monitoring().items()
    }
    assert dict(found)["igg"] == [28, 30, 90]


def test_every_cite_exists():
    cited = {block["cite"] for block in dictionary.assays().values()} | {
        block["cite"] for block in dictionary.monitoring().values()
    }
    cited |= {factor["cite"] for block in dictionary.analytes().values() for factor in block["factors"]}
    assert cited <= dictionary.citations().keys()


def test_every_citation_says_how_certain_it_is():
    for key, citation in dictionary.citations().items():
        assert citation["certainty"], key
        assert citation.get("title") or citation.get("text"), key


def test_the_list_of_citations_names_every_one():
    text = (dictionary.FOLDER / "citations.toml").read_text(encoding="utf-8")
    listed = " ".join(
        line.lstrip("# ") for line in text.split("# Every key:")[1].split("[project]")[0].splitlines()
    ).split()
    assert sorted(listed) == sorted(dictionary.citations())


@pytest.mark.parametrize(
    ("printed", "drug", "route", "systemic"),
    [
        ("MPD", "methylprednisolone", None, None),
        ("Septrin", "tmp_smx", None, None),
        ("L04AF01", "tofacitinib", None, True),
        ("l04aa29", "tofacitinib", None, True),
        ("D11AH01", "tacrolimus", "topical", False),
        ("S01XA18", "ciclosporin", "ocular", False),
        ("42316", "tacrolimus", None, None),
        ("IVCY", "cyclophosphamide", "iv", True),
    ],
)
def test_drug_names_and_codes(con, printed, drug, route, systemic):
    found = con.execute(
        "SELECT drug, route, systemic FROM drug_name WHERE name = ?", [dictionary.normal_name(printed)]
    ).fetchone()
    assert found == (drug, route, systemic)


@pytest.mark.parametrize("printed", ["  KL-6 ", "kl_6", "krebs  von-den LUNGEN-6", "1988-5", "MG/DL µ", "x\u2010y"])
def test_sql_normalises_as_python_does(con, printed):
    name, unit = con.execute(
        f"SELECT {dictionary.name_sql('t')}, {dictionary.unit_sql('t')} FROM (SELECT ? AS t)", [printed]
    ).fetchone()
    assert (name, unit) == (dictionary.normal_name(printed), dictionary.normal_unit(printed))


def test_the_rulebooks_numbers(con):
    drugs = dict(con.execute("SELECT drug, acts_for_days FROM drug").fetchall())
    named = {
        "methotrexate": 7,
        "cyclophosphamide": 28,
        "leflunomide": 28,
        "basiliximab": 35,
        "adalimumab": 14,
        "infliximab": 56,
    }
    named["rituximab"] = 180
    assert {drug: drugs[drug] for drug in named} == named
    agents = {
        drug_class
        for (drug_class,) in con.execute("SELECT DISTINCT drug_class FROM drug WHERE second_agent").fetchall()
    }
    assert agents == {"cni", "cyclophosphamide", "mycophenolate", "rituximab", "jak_inhibitor"}
    assert con.execute("SELECT drug FROM drug WHERE agent AND drug_class IN ('ivig', 'antifibrotic')").fetchall() == []
    levels = con.execute("SELECT level, count(*) FROM oxygen_device GROUP BY level ORDER BY level").fetchall()
    assert [level for level, _ in levels] == list(range(8))
