"""Ingest: what a row becomes, why it is not taken, and which version of a fact stands."""

from datetime import datetime
from decimal import Decimal

import pytest

from pipelines.ingest import reasons as known_reasons
from tests.ingesting import LABS, empty_store, lab, load, outcomes, reasons


@pytest.fixture
def con():
    return empty_store()


def interval(con) -> tuple:
    return con.execute("SELECT value, low, low_open, high, high_open, coded FROM record.observation").fetchone()


# ---- values


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("1500", (1500, 1500, False, 1500, False, None)),
        (" 1500 ", (1500, 1500, False, 1500, False, None)),
        ("1.2E3", (1200, 1200, False, 1200, False, None)),
        (">1500", (None, 1500, True, None, True, None)),
        ("≥ 1500", (None, 1500, False, None, True, None)),
        ("< 0.5", (None, 0, False, Decimal("0.5"), True, None)),
        ("<=5", (None, 0, False, 5, False, None)),
        ("670 H", (670, 670, False, 670, False, None)),
        ("670H", (670, 670, False, 670, False, None)),
        ("5.2*", (Decimal("5.2"), Decimal("5.2"), False, Decimal("5.2"), False, None)),
        (">100 HH", (None, 100, True, None, True, None)),
        ("＞100", (None, 100, True, None, True, None)),
    ],
)
def test_a_value_is_an_interval_and_keeps_its_text(con, printed, expected):
    load(con, LABS + lab(printed))
    assert interval(con) == expected
    assert con.execute("SELECT original_value FROM record.observation").fetchone() == (printed.strip(),)


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        ("", "value_missing"),
        ("NA", "value_missing"),
        ("n.d.", "value_missing"),
        ("-", "value_missing"),
        ("pending", "value_missing"),
        ("haemolysed", "value_unreadable"),
        ("12-15", "value_unreadable"),
        ("5..2", "value_unreadable"),
        ("670 U/L", "value_unreadable"),
        ("nan", "value_missing"),
        ("inf", "value_unreadable"),
        ("1_000", "value_unreadable"),
        ("0x10", "value_unreadable"),
        ("5 X", "value_unreadable"),
        ("E5", "value_unreadable"),
        ("<", "value_unreadable"),
        ("12 345", "value_unreadable"),
        ("99999999999999999999", "value_impossible"),
        ("1e99", "value_impossible"),
        ("-3", "value_impossible"),
        ("999999", "value_impossible"),
        (">999999", "value_impossible"),
        ("<0", "value_impossible"),
    ],
)
def test_what_is_no_result_is_rejected_with_its_reason(con, printed, reason):
    load(con, LABS + lab(printed))
    assert [found[1:] for found in reasons(con)] == [(reason, "value")]
    assert con.execute("SELECT count(*) FROM record.observation").fetchone() == (0,)


@pytest.mark.parametrize(
    ("printed", "coded"), [("negative", "negative"), ("Not Detected", "negative"), ("reactive", "positive")]
)
def test_coded_results_need_no_unit(con, printed, coded):
    load(con, LABS + lab(printed, "", "HBsAg"))
    assert interval(con) == (None, None, False, None, False, coded)


def test_a_text_that_is_number_and_code_is_a_number_where_a_unit_is_printed(con):
    load(
        con,
        LABS
        + lab("0", "SI", "anti_mda5")
        + lab("0", "", "anti_mda5", at="2021-07-25")
        + lab("++", "", "anti_mda5", at="2021-07-26"),
    )
    assert con.execute("SELECT value, coded FROM record.observation ORDER BY line").fetchall() == [
        (0, None),
        (None, "negative"),
        (None, "++"),
    ]


# ---- units


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "stored", "canonical"),
    [
        ("crp", "18", "mg/L", Decimal("1.8"), "mg/dL"),
        ("ferritin", "1500", "µg/L", 1500, "ng/mL"),
        ("ferritin", "1500", "mcg / l", 1500, "ng/mL"),
        ("wbc", "7.66", "10^3/uL", Decimal("7.66"), "10*9/L"),
        ("haemoglobin", "123", "g/L", Decimal("12.3"), "g/dL"),
        ("pao2", "10", "kPa", Decimal("75.0062"), "mm[Hg]"),
        ("temperature", "98.6", "degF", 37, "Cel"),
        ("2276-4", "1500", "ng/mL", 1500, "ng/mL"),
    ],
)
def test_values_are_stored_in_the_canonical_unit(con, analyte, value, unit, stored, canonical):
    load(con, LABS + lab(value, unit, analyte))
    found = con.execute("SELECT value, unit, original_value, original_unit FROM record.observation").fetchone()
    assert found[1:] == (canonical, value, unit)
    assert abs(found[0] - stored) <= Decimal("0.001")


def test_a_unit_is_assumed_only_where_one_is_in_use(con):
    load(
        con,
        LABS
        + lab("670", "", "LDH")
        + lab("2.91", "", "CRP")
        + lab("5", "furlong", "crp")
        + lab("100", "", "anti_mda5"),
    )
    assert con.execute("SELECT analyte, unit, unit_assumed FROM record.observation").fetchall() == [
        ("ldh", "U/L", True)
    ]
    assert reasons(con) == [
        ("held", "unit_missing", "unit"),
        ("held", "unit_unknown", "unit"),
        ("held", "unit_missing", "unit"),
    ]
    assert "mg/L" in con.execute("SELECT hint FROM source.rejected WHERE line = 3").fetchone()[0]


def test_arbitrary_units_are_kept_per_row(con):
    load(con, LABS + lab(">100", "SI", "anti_mda5") + lab("32", "index", "anti_mda5"))
    assert con.execute("SELECT unit FROM record.observation ORDER BY line").fetchall() == [("{SI}",), ("{index}",)]


def test_reference_ranges_are_converted_and_unreadable_ones_are_counted_in_the_notes(con):
    source = load(
        con, LABS + lab("18", "mg/L", "crp", ref_low="0", ref_high="5") + lab("19", "mg/L", "crp", ref_high="normal")
    )
    found = con.execute("SELECT ref_low, ref_high FROM record.observation ORDER BY line").fetchall()
    assert found == [(0, Decimal("0.5")), (None, None)]
    assert source.notes[-1] == "1 reference ranges could not be read"


# ---- decimal mark: of the file, never of one cell


def test_a_thousand_with_a_dot_is_held_where_the_file_is_not_separated_by_commas(con):
    """1.234 in a semicolon file may be one or a thousand: 1234 ng/mL of ferritin must not become 1.234."""
    header = "patient_id;analyte;value;unit;at\n"
    load(con, header + "p1;ferritin;1.234;ng/mL;2021-06-01\np1;ferritin;700;ng/mL;2021-06-02\n")
    assert con.execute("SELECT reason, class FROM source.rejected").fetchall() == [("decimal_ambiguous", "held")]
    assert con.execute("SELECT count(*) FROM record.observation").fetchone() == (1,)
    load(con, header + "p1;ferritin;1.234;ng/mL;2021-07-01\np1;ferritin;0.5;ng/mL;2021-07-02\n")
    assert [
        float(row[0])
        for row in con.execute("SELECT value FROM record.observation WHERE file_id = 2 ORDER BY line").fetchall()
    ] == [1.234, 0.5]


@pytest.mark.parametrize(
    ("values", "declared", "stored"),
    [
        (["0,5", "12,34"], None, ["0.5", "12.34"]),
        (["0,5", "1.234"], None, ["0.5", "1234"]),
        (["0.5", "1,234"], None, ["0.5", "1234"]),
        (["1.234,5"], None, ["1234.5"]),
        (["1 234,5"], None, ["1234.5"]),
        (["1,234.5"], None, ["1234.5"]),
        (["1.234"], None, ["held"]),
        (["1.234", "0.5"], None, ["1.234", "0.5"]),
        (["1.234"], "dot", ["1.234"]),
        (["1,234"], None, ["held"]),
        (["1,234"], "comma", ["1.234"]),
        (["1,234"], "dot", ["1234"]),
        (["0,5", "0.5", "7", "1.234"], None, ["held", "0.5", "7", "held"]),
        (["0,5", "12,34.5"], None, ["0.5", "unreadable"]),
        (["1,23,4"], "dot", ["unreadable"]),
        (["0.5"], "comma", ["unreadable"]),
        (["<0,5", ">1,5 H"], None, ["0.5", "1.5"]),
    ],
)
def test_the_decimal_mark_is_that_of_the_whole_file(con, values, declared, stored):
    load(
        con, LABS + "".join(lab(value, at=f"2021-07-{day:02d}") for day, value in enumerate(values, start=1)), declared
    )
    numbers = dict(con.execute("SELECT line, coalesce(value, high, low) FROM record.observation").fetchall())
    faults = {
        line: reason.removeprefix("value_").replace("decimal_ambiguous", "held")
        for line, reason in con.execute("SELECT line, reason FROM source.rejected").fetchall()
    }
    assert [faults.get(line) or numbers[line] for line in range(2, len(values) + 2)] == [
        text if text in ("held", "unreadable") else Decimal(text) for text in stored
    ]


# ---- dates


@pytest.mark.parametrize(
    ("printed", "low", "high", "timed", "offset"),
    [
        ("2021-07-24", "2021-07-24", "2021-07-24", False, None),
        ("2021-07", "2021-07-01", "2021-07-31", False, None),
        ("2020-02", "2020-02-01", "2020-02-29", False, None),
        ("2021", "2021-01-01", "2021-12-31", False, None),
        ("2021-07-24T08:30", "2021-07-24T08:30", "2021-07-24T08:30", True, None),
        ("2021-07-24 08:30:15", "2021-07-24T08:30:15", "2021-07-24T08:30:15", True, None),
        ("2021-07-24T08:30Z", "2021-07-24T08:30", "2021-07-24T08:30", True, "+00:00"),
        ("2021-07-24T08:30:00+0900", "2021-07-24T08:30", "2021-07-24T08:30", True, "+09:00"),
        ("2026-11-22T01:00+09:00", "2026-11-22T01:00", "2026-11-22T01:00", True, "+09:00"),
    ],
)
def test_dates_are_iso_and_may_be_partial(con, printed, low, high, timed, offset):
    load(con, LABS + lab("5", at=printed))
    found = con.execute("SELECT at_low, at_high, at_timed, utc_offset FROM record.observation").fetchone()
    assert found == (datetime.fromisoformat(low), datetime.fromisoformat(high), timed, offset)


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        ("06/07/2021", "date_unreadable"),
        ("2021-02-30", "date_unreadable"),
        ("2021-13", "date_unreadable"),
        ("1821-01-01", "date_unreadable"),
        ("2021-7-4", "date_unreadable"),
        ("20210704", "date_unreadable"),
        ("2021-07-04T25:00", "date_unreadable"),
        ("", "date_missing"),
        ("2026-11-22", "date_future"),
        ("2027", "date_future"),
        ("2026-11-24T00:00+09:00", "date_future"),
    ],
)
def test_what_is_no_date_is_rejected(con, printed, reason):
    load(con, LABS + lab("5", at=printed))
    assert reasons(con) == [("refused", reason, "at")]


def test_the_reporting_date_is_checked_too(con):
    load(con, LABS + lab("5", reported_at="2030-01-01") + lab("5", reported_at="yesterday"))
    assert reasons(con) == [("refused", "date_future", "reported_at"), ("refused", "date_unreadable", "reported_at")]


# ---- names


def test_analyte_and_code_must_not_contradict_each_other(con):
    header = "patient_id,analyte,code,value,unit,at\n"
    rows = [
        "p1,CRP,2276-4,5,mg/L,2021-07-24",
        "p1,,2276-4,5,ng/mL,2021-07-24",
        "p1,,,5,ng/mL,2021-07-24",
        "p1,unheard of,2276-4,6,ng/mL,2021-07-24",
    ]
    load(con, header + "\n".join(rows))
    assert outcomes(con) == ["rejected", "accepted", "rejected", "accepted"]
    assert [reason for _, reason, _ in reasons(con)] == ["analyte_unknown", "analyte_missing"]


def test_the_first_reason_follows_the_order_of_the_reasons_file(con):
    load(con, LABS + lab("NA", "furlong", "nonsense", "never").replace("p1", ""))
    assert reasons(con) == [("refused", "patient_missing", "patient_id")]


def test_every_rejected_row_keeps_its_text_and_a_hint(con):
    row = lab("NA")
    load(con, LABS + row)
    raw, hint = con.execute("SELECT raw, hint FROM source.rejected").fetchone()
    assert raw == row.strip() and hint.startswith(known_reasons()["value_missing"]["hint"])


# ---- hints


@pytest.mark.parametrize("printed", ["0.15", "0.2", "5", "101"])
def test_the_hint_of_an_impossible_fio2_names_what_is_read(con, printed):
    load(con, f"patient_id,at,device,fio2\np1,2021-07-24,HFNC,{printed}\n")
    assert reasons(con) == [("refused", "value_impossible", "fio2")]
    assert (
        "a fraction above 0.2 up to 1, or 21 to 100 %" in con.execute("SELECT hint FROM source.rejected").fetchone()[0]
    )


@pytest.mark.parametrize("printed", ["2021-02-30", "1899-01-01", "2021-13"])
def test_the_hint_of_a_date_that_cannot_be_says_so(con, printed):
    load(con, LABS + lab("1500", at=printed))
    assert reasons(con) == [("refused", "date_unreadable", "at")]
    assert "must exist, from 1900 on" in con.execute("SELECT hint FROM source.rejected").fetchone()[0]
