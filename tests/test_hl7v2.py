"""HL7 v2: results, orders, administrations and patients of messages, as rows of native columns."""

import csv
from datetime import datetime
from pathlib import Path

import duckdb
import hl7
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import ingest, sources
from pipelines.errors import FileRefused
from pipelines.identity import PatientIds
from pipelines.sources import Declared
from pipelines.sources.hl7v2.fields import separators_of
from sample_data.cohort import generate
from tests.ingesting import RECEIVED, empty_store
from tests.writers import hl7v2 as writer

SAMPLES = Path(__file__).parents[1] / "sample_data"
HOSTILE = sorted((Path(__file__).parent / "hostile" / "hl7v2").iterdir())
KEPT = Declared(ids=PatientIds(pseudonymous=True))
MSH = "MSH|^~\\&|LAB|TEST|||20210801||{}|1|P|2.5.1"
PID = "PID|1||p1^^^TEST^MR"
ORU = [MSH.format("ORU^R01"), PID, "OBR|1||F1|PANEL^Panel^L|||202107240830"]
PLAIN = separators_of("MSH|^~\\&|")


def obx(kind="NM", code="2276-4^Ferritin^LN", value="120", unit="ng/mL", more="", status="F", sub="") -> str:
    return f"OBX|1|{kind}|{code}|{sub}|{value}|{unit}|||||{status}|{more}"


def read(folder: Path, *segments: str | bytes, declared=KEPT, name="messages.hl7", end="\r") -> "Read":
    data = b"".join((s if isinstance(s, bytes) else s.encode()) + end.encode() for s in segments)
    (folder / name).write_bytes(data)
    return Read(folder / name, declared)


class Read:
    """A file read: its rows by kind, without empty cells, and its notes."""

    def __init__(self, path: Path, declared: Declared = KEPT) -> None:
        self.source = sources.recognise(path, declared)
        self.rows, self.lines = [], []
        for batch in self.source.batches():
            for row in batch.table.to_pylist():
                self.lines.append(row.pop("line"))
                self.rows.append({"kind_of_row": batch.kind} | {name: cell for name, cell in row.items() if cell})
        self.notes = "; ".join(self.source.notes)

    def of(self, kind: str) -> list[dict[str, str]]:
        return [row for row in self.rows if row["kind_of_row"] == kind]

    def faults(self) -> list[str | None]:
        return [row.get("cell_fault") for row in self.rows]


def one(folder: Path, *segments: str, kind="labs") -> dict[str, str]:
    """The single row of a result under an ordinary message."""
    (row,) = read(folder, *ORU, *segments).of(kind)
    return row


# ---- recognising


@pytest.mark.parametrize(
    "start", ["MSH|^~\\&|", "FHS|^~\\&|\rBHS|^~\\&|", "\x0bMSH|^~\\&|", "\r\n MSH|^~\\&|", "\ufeffMSH|^~\\&|"]
)
def test_messages_are_recognised_by_their_beginning_in_any_text_file(tmp_path: Path, start: str):
    (tmp_path / "export.txt").write_text(start + "A|B|||2021||ORU^R01|1|P|2.5\r", encoding="utf-8", newline="")
    assert sources.recognise(tmp_path / "export.txt", KEPT).format == "hl7v2/messages"


def test_a_file_cut_at_its_beginning_is_recognised_and_what_stands_before_a_message_is_told(tmp_path: Path):
    found = read(tmp_path, PID, obx(), *ORU, obx(), name="landed")
    assert sorted(map(str, found.faults())) == ["None", "segment_unreadable", "segment_unreadable"]


def test_a_table_is_not_taken_for_messages(tmp_path: Path):
    (tmp_path / "export.txt").write_text("patient_id,analyte,value,unit,at\np1,ferritin,1,ng/mL,2021-01-01\n")
    assert sources.recognise(tmp_path / "export.txt", KEPT).format == "csv/labs"


def test_a_file_without_a_message_is_refused(tmp_path: Path):
    with pytest.raises(FileRefused, match="no HL7 message"):
        read(tmp_path, "PID|1||p1", "OBX|1|NM|X||1")


def test_a_binary_file_is_refused(tmp_path: Path):
    with pytest.raises(FileRefused, match="NUL"):
        read(tmp_path, b"MSH|^~\\&|\0\0\0")


# ---- results


def test_a_number_with_its_code_unit_range_status_and_times(tmp_path: Path):
    row = one(
        tmp_path,
        "OBX|4|NM|2276-4^Ferritin^LN^FER^Ferritin local^L|1|1234|ng/mL^ng per mL^UCUM|12-60|HH|||C|||202107241015+0900|L1^Lab one^L"
        "|123^NAME^TEST|M1^Chemiluminescence^L||20210724||ID7",
    )
    assert row | {"raw": ""} == {
        "kind_of_row": "labs", "place": "line 4 (message 1, OBX 4)", "raw": "", "patient_id": "p1",
        "analyte": "Ferritin",
        "code": "2276-4", "value": "1234", "unit": "ng/mL", "ref_low": "12", "ref_high": "60", "status": "corrected",
        "at": "2021-07-24T10:15+09:00", "laboratory": "Lab one", "assay": "Chemiluminescence",
        "reported_at": "2021-07-24",
        "record_id": "ID7",
    }  # fmt: skip
    assert "NAME" not in row["raw"]


@pytest.mark.parametrize(
    ("kind", "printed", "value"),
    [
        ("SN", "<^5", "<5"), ("SN", "^5", "5"), ("SN", "=^5", "5"), ("SN", ">=^1.5", ">=1.5"),
        ("SN", "^1^:^128", "1:128"),
        ("SN", "^2^+", "2+"), ("SN", "^10^-^20", "10-20"), ("ST", "positive", "positive"),
        ("ST", " 4 \\T\\ 5 ", "4 & 5"),
        ("CE", "POS^Positive^L", "Positive"), ("CWE", "260385009^^SCT^NEG^Negative^L", "260385009"),
        ("CWE", "^weak positive", "weak positive"),
        ("TX", "first~second", "first\nsecond"), ("FT", "first\\.br\\second", "first\nsecond"), ("", "7", "7"),
        ("NM", "-0.5", "-0.5"),
    ],
)  # fmt: skip
def test_values_of_every_type(tmp_path: Path, kind: str, printed: str, value: str):
    row = one(tmp_path, obx(kind, value=printed))
    assert (row["value"], row.get("cell_fault")) == (value, None)


@pytest.mark.parametrize("text", ["haemolysed", "<5", "12,5", "1 2", "1e5", "5^6", "٥"])
def test_a_number_that_is_none_is_held_with_its_text(tmp_path: Path, text: str):
    row = one(tmp_path, obx(value=text))
    assert (row["value"], row["cell_fault"]) == (text, "numeric_unreadable")
    assert ingest.reasons()["numeric_unreadable"]["class"] == "held"


@pytest.mark.parametrize(
    ("text", "declared", "value", "fault"),
    [("1,234", None, "1,234", "decimal_ambiguous"), ("<1,5", None, "<1,5", "decimal_ambiguous"), ("<1,5", "comma", "<1.5", None),
     ("1.234,5", "comma", "1234.5", None), ("1,234", "dot", "1,234", None), ("1.234", "comma", "1.234", None)],
)  # fmt: skip
def test_a_comma_in_a_text_is_held_until_it_is_declared(
    tmp_path: Path, text: str, declared: str | None, value: str, fault: str | None
):
    declared = Declared(declared, PatientIds(pseudonymous=True))
    (row,) = read(tmp_path, *ORU, obx("ST", value=text), declared=declared).rows
    assert (row["value"], row.get("cell_fault")) == (value, fault)
    rxa = f"RXA|0|1|20210724||^MPD^L|{text}|mg"
    (row,) = read(tmp_path, MSH.format("RAS^O17"), PID, rxa, declared=declared).rows
    assert (row["dose"], row.get("cell_fault")) == (value, fault)


@pytest.mark.parametrize("kind", ["ED", "RP", "NA", "XPN", "XCN", "CX", "MA", "??"])
def test_other_types_are_refused_and_their_content_is_not_shown(tmp_path: Path, kind: str):
    row = one(tmp_path, obx(kind, value="SECRET^TEST"))
    assert row["cell_fault"] == "value_type_unread"
    assert "SECRET" not in str(row)


def test_a_deleted_value_is_held(tmp_path: Path):
    row = one(tmp_path, obx(value='""'))
    assert (row["value"], row["cell_fault"]) == ('""', "value_deleted")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("F", "final"), ("U", "final"), ("P", "preliminary"), ("R", "preliminary"), ("S", "preliminary"),
        ("I", "preliminary"),
        ("C", "corrected"), ("D", "entered_in_error"), ("W", "entered_in_error"), ("X", "cancelled"),
        ("N", "cancelled"),
        ("O", "cancelled"), ("Q", "Q"), ("", None),
    ],
)  # fmt: skip
def test_the_status_of_a_result(tmp_path: Path, code: str, status: str | None):
    assert one(tmp_path, obx(status=code)).get("status") == status


def test_the_status_of_the_report_is_that_of_a_result_without_one(tmp_path: Path):
    order = "OBR|1||F1|X|||20210724" + "|" * 18 + "P"
    row = read(tmp_path, *ORU[:2], order, obx(status="")).rows[0]
    assert row["status"] == "preliminary"


def test_a_result_without_a_time_has_none_though_the_message_has_one(tmp_path: Path):
    row = read(tmp_path, *ORU[:2], "OBR|1||F1|X", obx()).rows[0]
    assert "at" not in row


@pytest.mark.parametrize(
    ("printed", "low", "high"),
    [
        ("12-60", "12", "60"), ("0.5 - 1.5", "0.5", "1.5"), ("<5", None, "5"), ("<=5", None, "5"), (">=3", "3", None),
        ("-2-2", "-2", "2"), ("negative", "negative", None), ("12-60 ng/mL", "12-60 ng/mL", None), ("60", "(60)", None),
        ("1,200", "(1,200)", None), ("", None, None),
    ],
)  # fmt: skip
def test_reference_ranges(tmp_path: Path, printed: str, low: str | None, high: str | None):
    row = one(tmp_path, f"OBX|1|NM|2276-4^Ferritin^LN||5|ng/mL|{printed}|H|||F")
    assert (row.get("ref_low"), row.get("ref_high")) == (low, high)
    assert row["value"] == "5"


@pytest.mark.parametrize(
    ("printed", "unit"),
    [
        ("ng/mL", "ng/mL"), ("1^ng/mL^L", "ng/mL"), ("L77^x^L^ng/mL^ng/mL^UCUM", "ng/mL"), ("10^9/L", "10^9/L"),
        ("10\\S\\9/L", "10^9/L"), ("furlong", "furlong"), ('""', None),
    ],
)  # fmt: skip
def test_units(tmp_path: Path, printed: str, unit: str | None):
    assert one(tmp_path, obx(unit=printed)).get("unit") == unit


@pytest.mark.parametrize(
    ("code", "analyte", "loinc"),
    [
        ("2276-4^Ferritin^LN", "Ferritin", "2276-4"), ("FER^Ferritin^L", "Ferritin", None),
        ("X9^unheard of^L^2276-4^Ferritin^LN", "Ferritin", "2276-4"),
        ("FER^^L", "FER", None), ("99999-9^unheard of^LN", "unheard of", "99999-9"), ("2276-4^^L", "2276-4 (L)", None),
        ("2276-4^KL-6^LN", "KL-6", "2276-4"),
    ],
)  # fmt: skip
def test_what_was_measured(tmp_path: Path, code: str, analyte: str, loinc: str | None):
    row = one(tmp_path, obx(code=code))
    assert (row.get("analyte"), row.get("code")) == (analyte, loinc)


def test_each_repetition_of_a_value_is_a_row(tmp_path: Path):
    rows = read(tmp_path, *ORU, obx(value="5~6")).rows
    assert [(row["value"], row["record_id"]) for row in rows] == [
        ("5", "F1|2276-4||2021-07-24T08:30"), ("6", "F1|2276-4||2021-07-24T08:30|2"),
    ]  # fmt: skip
    assert rows[1]["place"].endswith("repetition 2)")


def test_two_results_that_would_have_one_record_id_have_none(tmp_path: Path):
    rows = read(tmp_path, *ORU, obx(value="5"), obx(value="6"), obx(value="7", sub="2")).rows
    assert [row.get("record_id") for row in rows] == [None, None, "F1|2276-4|2|2021-07-24T08:30"]


def test_results_of_urine_are_held_where_the_analyte_is_judged_in_blood(tmp_path: Path):
    order = "OBR|2||F2|X|||20210724||||||||UR&Urine&HL70070"
    rows = read(
        tmp_path, *ORU[:2], order, obx(), obx("ST", "^PCP PCR^L", "positive", ""), *ORU[2:], obx(), "SPM|1|S1^S2||BLD"
    ).rows
    assert [row.get("cell_fault") for row in rows] == ["specimen_not_blood", None, None]
    assert rows[2]["specimen_id"] == "S2"


def test_orders_each_have_their_own_times(tmp_path: Path):
    later = "OBR|2||F2|X|||20210801|||||||||||||||202108021200"
    rows = read(tmp_path, *ORU, obx(), later, obx()).rows
    assert [(row["at"], row.get("reported_at")) for row in rows] == [
        ("2021-07-24T08:30", None),
        ("2021-08-01", "2021-08-02T12:00"),
    ]


# ---- blood gases, lung function, measures


def gas(code: str, value: str, unit: str, more: str = "") -> str:
    return obx(code=code, value=value, unit=unit, more=more)


def test_the_gases_of_one_order_are_one_row(tmp_path: Path):
    row = one(tmp_path, gas("2703-7^pO2^LN", "61", "mmHg"), gas("2019-8^pCO2^LN", "35", "mm[Hg]"), gas("3150-0^FiO2^LN", "40", "%"),
              gas("59408-5^SpO2^LN", "91", "%"), kind="oxygen")  # fmt: skip
    assert {name: row[name] for name in ("pao2", "paco2", "fio2", "spo2", "record_id", "at")} == {
        "pao2": "61", "paco2": "35", "fio2": "40", "spo2": "91", "record_id": "F1|oxygen|2021-07-24T08:30",
        "at": "2021-07-24T08:30",
    }  # fmt: skip


def test_gases_of_other_times_are_other_rows(tmp_path: Path):
    rows = read(
        tmp_path, *ORU, gas("2703-7^pO2^LN", "61", "mmHg"), gas("59408-5^SpO2^LN", "91", "%", more="||20210725")
    ).of("oxygen")
    assert [set(row) & {"pao2", "spo2"} for row in rows] == [{"pao2"}, {"spo2"}]


def test_a_gas_printed_twice_leaves_every_result_on_its_own(tmp_path: Path):
    found = read(
        tmp_path,
        *ORU,
        *[gas("59408-5^SpO2^LN", value, "%") for value in ("91", "95")],
        gas("2703-7^pO2^LN", "61", "mmHg"),
    )
    assert [(row.get("spo2"), row.get("pao2")) for row in found.of("oxygen")] == [
        ("91", None),
        ("95", None),
        (None, "61"),
    ]
    assert "a measurement twice" in found.notes


def test_kilopascal_is_converted_and_stays_in_its_set(tmp_path: Path):
    found = read(tmp_path, *ORU, gas("2703-7^pO2^LN", "8.0", "kPa"), gas("3150-0^FiO2^LN", "0.4", "1"))
    (row,) = found.of("oxygen")
    assert (row["pao2"], row["fio2"]) == ("60.004926", "0.4")
    assert "kPa" in found.notes


@pytest.mark.parametrize(
    ("code", "value", "unit"),
    [
        ("2703-7^pO2^LN", "61", ""),
        ("59408-5^SpO2^LN", "0.91", "1"),
        ("3150-0^FiO2^LN", "0.4", "%"),
        ("3151-8^flow^LN", "500", "mL/min"),
    ],
)
def test_a_gas_without_the_unit_of_its_column_is_left_to_ingest(tmp_path: Path, code: str, value: str, unit: str):
    row = one(tmp_path, gas(code, value, unit))
    assert (row["value"], row.get("unit", "")) == (value, unit)


def test_lung_function_is_one_row_a_measure_and_a_marked_pair_is_one(tmp_path: Path):
    rows = read(tmp_path, *ORU, obx(code="19868-9^FVC^LN", value="2.1", unit="L"), obx(code="^FVC^L", value="62", unit="%"),
                obx(code="^FEV1^L", value="1.8", unit="L", sub="mda5-pair-1"), obx(code="^FEV1^L", value="60",
                unit="%", sub="mda5-pair-1"),
                ).of("pft")  # fmt: skip
    assert [(row["measure"], row["value"], row["unit"], row.get("percent_predicted")) for row in rows] == [
        ("FVC", "2.1", "L", None), ("FVC", "62", "%", None), ("FEV1", "1.8", "L", "60"),
    ]  # fmt: skip


def test_a_walk_is_a_measure_in_its_unit_and_weight_an_analyte(tmp_path: Path):
    row = one(tmp_path, obx(code="64098-7^6MWD^LN", value="361", unit="m"), kind="events")
    assert (row["kind"], row["code"], row["value"]) == ("measure", "walk_distance_m", "361")
    assert one(tmp_path, obx(code="64098-7^6MWD^LN", value="1184", unit="ft"))["code"] == "64098-7"
    assert one(tmp_path, obx(code="29463-7^Weight^LN", value="61", unit="kg"))["code"] == "29463-7"


# ---- patients


def test_a_patient_is_kept_as_sex_and_year_and_the_rest_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MDA5_KEY_FILE", str(tmp_path / "key"))
    pid = "PID|1||99^^^X^SS~123^^^HOSP&1.2.3&ISO^MR||SECRET^TEST|SECRET|19550310|F|||SECRET ROAD||SECRET|||||||SECRET"
    declared = Declared()
    found = read(tmp_path, MSH.format("ADT^A08"), pid, "NK1|1|SECRET^TEST", "PV1|1|I", declared=declared)
    (row,) = found.rows
    assert row["patient_id"] == declared.ids.pseudonym("123", "urn:oid:1.2.3")
    assert (row["sex"], row["birth_year"], row["site"]) == ("female", "1955", "TEST")
    assert "SECRET" not in str(found.rows) + found.notes
    assert "0310" not in str(found.rows)
    assert "1 names" in found.notes and "1 birth dates (year kept)" in found.notes and "1 contacts" in found.notes
    assert "segments not read: 1 PV1" in found.notes


@pytest.mark.parametrize(
    ("printed", "kept"),
    [("1^^^A^PI~2^^^A^MR", "2"), ("1^^^A^SS~2^^^A^PI", "2"), ("1^^^A^SS~2", "2"), ("~2^^^A^XX~3^^^A^SS", "2")],
)
def test_which_identifier_is_the_patient(tmp_path: Path, printed: str, kept: str):
    assert read(tmp_path, ORU[0], f"PID|1||{printed}", ORU[2], obx()).rows[0]["patient_id"] == kept


def test_results_without_a_patient_never_belong_to_the_one_before(tmp_path: Path):
    rows = read(tmp_path, *ORU, obx(), ORU[0], ORU[2], obx(), ORU[0], "PID|1||^^^TEST^MR", ORU[2], obx()).rows
    assert [row.get("patient_id") for row in rows] == ["p1", None, None]


def test_a_message_without_patient_and_results_is_a_rejected_row(tmp_path: Path):
    assert read(tmp_path, MSH.format("ADT^A01"), "PV1|1|I").faults() == ["patient_missing"]


def test_every_pid_begins_a_new_patient(tmp_path: Path):
    rows = read(tmp_path, *ORU, obx(), "PID|2||p2", ORU[2], obx(), "PID|3||", ORU[2], obx()).rows
    assert [row.get("patient_id") for row in rows] == ["p1", "p2", None]


def test_a_patient_is_told_once_by_results_and_what_is_left_out_is_not_unsaid(tmp_path: Path):
    full, bare = "PID|1||p1||||1955|F", "PID|1||p1||||1955"
    found = read(tmp_path, ORU[0], full, ORU[0], full, ORU[0], bare, MSH.format("ADT^A08"), bare)
    assert [(row["sex"], row["birth_year"]) for row in found.of("patients")] == [("female", "1955")] * 2


def test_a_death_is_an_outcome(tmp_path: Path):
    pid = "PID|1||p1" + "|" * 26 + "202109011230|Y"
    (row,) = read(tmp_path, MSH.format("ADT^A03"), pid, MSH.format("ADT^A08"), pid).of("events")
    assert (row["kind"], row["code"], row["at"]) == ("outcome", "death", "2021-09-01T12:30")


def test_a_merge_of_patients_is_rejected(tmp_path: Path):
    found = read(tmp_path, MSH.format("ADT^A40"), PID, "MRG|p2", MSH.format("ADT^A08"), PID, "MRG|p2")
    assert [row.get("cell_fault") for row in found.rows if row["kind_of_row"] == "unreadable"] == [
        "patients_merged"
    ] * 2


# ---- drugs


def drug_message(kind: str, *segments: str) -> list[str]:
    return [MSH.format(kind), PID, *segments]


def test_an_administration(tmp_path: Path):
    rxa = (
        "RXA|0|2|202107240800|202107240900|H02AB04^Methylprednisolone^ATC|500|mg|||NAME^TEST||||||||||CP|A|202107241000"
    )
    (row,) = read(tmp_path, *drug_message("RAS^O17", "ORC|RE|P9|F9", rxa, "RXR|IV")).rows
    assert {name: cell for name, cell in row.items() if name not in ("raw", "place", "kind_of_row")} == {
        "patient_id": "p1", "drug": "Methylprednisolone", "code": "H02AB04", "route": "iv", "dose": "500",
        "dose_unit": "mg", "per": "dose",
        "start": "2021-07-24T08:00", "action": "given", "reported_at": "2021-07-24T10:00",
        "record_id": "F9|2|2021-07-24T08:00",
    }  # fmt: skip
    assert "NAME" not in row["raw"]


@pytest.mark.parametrize(
    ("completion", "change", "action", "status"),
    [("", "", "given", None), ("PA", "A", "given", None), ("RE", "A", "not_given", None),
    ("NA", "A", "not_given", None),
     ("ZZ", "A", "ZZ", None), ("CP", "D", "given", "entered_in_error"), ("CP", "U", "given", "amended")],
)  # fmt: skip
def test_what_became_of_a_dose(tmp_path: Path, completion: str, change: str, action: str, status: str | None):
    rxa = "RXA|0|1|20210724|20210724|^MPD^L|500|mg" + "|" * 13 + f"{completion}|{change}"
    (row,) = read(tmp_path, *drug_message("RAS^O17", rxa)).rows
    assert (row["action"], row.get("status")) == (action, status)


@pytest.mark.parametrize(
    ("amount", "pattern", "dose", "per"),
    [("40", "QD", "40", "day"), ("2.5", "BID", "5", "day"), ("1.5", "Q8H", "4.5", "day"), ("5", "q.d.", "5", "day"),
    ("5", "Q5H", "5", "Q5H"),
     ("5", "PRN", "5", "PRN"), ("5", "QW", "5", "week"), ("500", "ONCE", "500", "dose"), ("1", "", "1", None),
     ("x", "BID", "x", "BID")],
)  # fmt: skip
def test_a_dose_is_per_day_only_where_the_pattern_says_so(
    tmp_path: Path, amount: str, pattern: str, dose: str, per: str | None
):
    rows = [
        read(tmp_path, *drug_message("RDE^O11", "ORC|NW|P1", f"RXE||^TAC^L|{amount}||mg",
        f"TQ1|1||{pattern}||||20210701|20210801", "RXR|PO")),
        read(tmp_path, *drug_message("RDE^O01", "ORC|NW|P1",
        f"RXE|^{pattern}^^20210701^20210801|^TAC^L|{amount}||mg", "RXR|PO")),
    ]  # fmt: skip
    for found in rows:
        (row,) = found.rows
        assert (row["dose"], row.get("per"), row["start"], row["stop"]) == (dose, per, "2021-07-01", "2021-08-01")
        assert (row["action"], row["route"], row["record_id"]) == ("ordered", "oral", "P1")


def test_orders_that_end(tmp_path: Path):
    rxe = "RXE||^TAC^L|1||mg"
    stopped = "ORC|DC||F1||||||20210710||||||20210709"
    found = read(
        tmp_path, *drug_message("RDE^O11", "ORC|CA||F1", rxe, stopped, rxe, "TQ1|1||QD||||20210701", "ORC|DC||F2", rxe)
    )
    assert [(row.get("status"), row.get("stop")) for row in found.rows] == [
        ("cancelled", None),
        (None, "2021-07-09"),
        (None, None),
    ]
    assert "1 orders were discontinued" in found.notes


def test_a_taper_is_a_row_for_each_of_its_timings(tmp_path: Path):
    found = read(
        tmp_path,
        *drug_message(
            "RDE^O11", "ORC|NW||F1", "RXE||^PSL^L|10||mg", "TQ1|1||QD||||20210701|20210707", "TQ1|2||BID||||20210708"
        ),
    )
    assert [(row["dose"], row["start"], row["record_id"]) for row in found.rows] == [
        ("10", "2021-07-01", "F1|1"),
        ("20", "2021-07-08", "F1|2"),
    ]


def test_an_older_taper_is_a_row_for_each_repetition(tmp_path: Path):
    order = "ORC|NW||F1||||1^QD^^20210701^20210707~2^QD&0900^^20210708"
    found = read(tmp_path, *drug_message("RDE^O01", order, "RXE||^PSL^L|10||mg"))
    assert [(row["dose"], row["per"], row["start"], row.get("stop"), row["record_id"]) for row in found.rows] == [
        ("10", "day", "2021-07-01", "2021-07-07", "F1|1"),
        ("10", "2 x QD", "2021-07-08", None, "F1|2"),
    ]


@pytest.mark.parametrize(
    ("printed", "drug", "code"),
    [
        ("H02AB04^Medrol^ATC", "Medrol", "H02AB04"),
        ("6902^^RXNORM", None, "6902"),
        ("6902^^L", "6902 (L)", None),
        ("X1^MPD^L", "MPD", None),
    ],
)
def test_codes_of_drugs(tmp_path: Path, printed: str, drug: str | None, code: str | None):
    (row,) = read(tmp_path, *drug_message("RAS^O17", f"RXA|0|1|20210724||{printed}|1|mg")).rows
    assert (row.get("drug"), row.get("code")) == (drug, code)


# ---- framing


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\n\r\n"])
def test_line_ends(tmp_path: Path, end: str):
    assert len(read(tmp_path, *ORU, obx(), obx(sub="2"), end=end).rows) == 2


def test_blocks(tmp_path: Path):
    message = "\x0b" + "\r".join([*ORU, obx()]) + "\r\x1c"
    found = read(tmp_path, message, message)
    assert (len(found.rows), found.notes) == (2, "")
    assert "no end (0x1C)" in read(tmp_path, message[:-1] + message).notes


def test_counts_of_batches_are_checked(tmp_path: Path):
    start, message = ["FHS|^~\\&|", "BHS|^~\\&|"], [*ORU, obx()]
    assert read(tmp_path, *start, *message, *message, "BTS|2", "FTS|1").notes == ""
    assert (
        "batch 1 holds 2 messages, and its BTS says 3"
        in read(tmp_path, *start, *message, *message, "BTS|3", "FTS|1").notes
    )
    assert "the file holds 1 batches, and its FTS says 2" in read(tmp_path, *start, *message, "BTS|1", "FTS|2").notes
    assert "there is no BTS" in read(tmp_path, *start, *message).notes


def test_a_glued_message_is_a_message_and_the_cut_result_before_it_is_refused(tmp_path: Path):
    found = read(tmp_path, *ORU, obx(), "OBX|2|NM|2276-4^Ferritin^LN||12" + ORU[0], *ORU[1:], obx(value="7"))
    assert [(row["value"], row.get("cell_fault")) for row in found.rows] == [
        ("120", None),
        ("12", "message_cut"),
        ("7", None),
    ]
    assert "glued" in found.notes


def test_a_result_at_the_end_of_a_cut_file_is_refused_and_a_complete_one_is_not(tmp_path: Path):
    assert read(tmp_path, *ORU[:2], ORU[2] + "\r" + obx(), end="\r").faults() == [None]
    (tmp_path / "cut.hl7").write_text("\r".join([*ORU, obx(), "OBX|2|NM|2276-4^Ferritin^LN||12"]), newline="")
    assert Read(tmp_path / "cut.hl7").faults() == [None, "message_cut"]
    (tmp_path / "cut.hl7").write_text("\r".join([*ORU, obx()]), newline="")
    assert Read(tmp_path / "cut.hl7").faults() == [None]


def test_a_bare_line_end_inside_a_result_is_part_of_it(tmp_path: Path):
    found = read(tmp_path, *ORU, "OBX|1|TX|^Remark^L||first\nsecond line||||||F", "not a segment")
    assert [row["value"] for row in found.of("labs")] == ["first\nsecond line"]
    assert [row["cell_fault"] for row in found.of("unreadable")] == ["segment_unreadable"]
    assert "not a segment" not in str(found.rows)
    assert "line ends inside a field" in found.notes


def test_segments_outside_of_a_message_are_told(tmp_path: Path):
    found = read(tmp_path, "OBX|1|NM|X||1", *ORU, obx())
    assert sorted(map(str, found.faults())) == ["None", "segment_unreadable"]


def test_a_message_that_does_not_say_its_separators_is_one_rejected_row(tmp_path: Path):
    for header in ("MSH", "MSH|", "MSH|^^^^|A", "MSH|^~", "MSHA^~\\&A", "MSH|^~\\&&&&|"):
        found = read(tmp_path, *ORU, obx(), header, PID, obx())
        assert [row.get("cell_fault") for row in found.rows].count("message_unreadable") == 1, header
        assert len(found.rows) == 2


def test_separators_are_those_of_the_message(tmp_path: Path):
    found = read(
        tmp_path,
        "MSH#*@!%#A#B###2021##ORU*R01#1#P#2.5",
        "PID#1##p1***H*MR",
        "OBX#1#SN#2276-4*Ferritin*LN##<*5@*6#ng!F!mL#####F###20210724",
    )
    assert [(row["value"], row["unit"]) for row in found.rows] == [("<5", "ng#mL"), ("6", "ng#mL")]


def test_character_sets(tmp_path: Path):
    head = MSH.format("ORU^R01")
    for name, encoding, text in (
        ("8859/1", "latin-1", "Müller µ"),
        ("UNICODE UTF-8", "utf-8", "Müller µ"),
        ("~ISO IR87", "iso2022_jp", "間質性肺炎"),
        ("", "cp1252", "Müller µg"),
    ):
        message = [f"{head}||||||{name}", PID, ORU[2], obx("ST", value=text)]
        found = read(tmp_path, *(segment.encode(encoding) for segment in message))
        assert found.of("labs")[0]["value"] == text, name
    wide = "\r".join([*ORU, obx("ST", value="間質性肺炎")]).encode("utf-16")
    (tmp_path / "wide.hl7").write_bytes(wide)
    assert Read(tmp_path / "wide.hl7").rows[0]["value"] == "間質性肺炎"


def test_message_types_that_are_not_read_are_counted(tmp_path: Path):
    found = read(
        tmp_path,
        MSH.format("MDM^T02"),
        PID,
        obx(),
        MSH.format("SIU^S12"),
        MSH.format("SIU^S12"),
        *ORU,
        "NTE|1||x",
        obx(),
    )
    assert len(found.rows) == 1
    assert "message types not read: 2 SIU^S12, 1 MDM^T02" in found.notes and "segments not read: 1 NTE" in found.notes


def test_what_is_not_read_is_named_only_where_the_standard_has_the_name(tmp_path: Path):
    others = [
        MSH.format(kind) for kind in ("SMITH JOHN^R01", "SMITH^JOHN", "DFT^SMITH", "", "QBP^Q22^SMITH", "ZOE^Z01")
    ]
    found = read(tmp_path, "DOE|1", *others, *ORU, "DOE|1", "ZOE|1", "PV1|1", "NTE|1||x", obx())
    assert "message types not read: 3 other, 1 DFT^other, 1 no type, 1 QBP^Q22" in found.notes
    assert "segments not read: 2 other, 1 PV1, 1 NTE" in found.notes
    assert not any(name in str(found.rows) + found.notes for name in ("SMITH", "JOHN", "DOE", "ZOE"))


def test_the_place_of_a_message_without_a_patient_tells_no_text_of_it(tmp_path: Path):
    (row,) = read(tmp_path, MSH.format("ADT^SMITH"), "EVN|A08").rows
    assert (row["cell_fault"], row["place"]) == ("patient_missing", "line 1 (message 1, ADT^other)")


# ---- fields


@pytest.mark.parametrize(
    ("printed", "iso"),
    [
        ("2021", "2021"), ("202107", "2021-07"), ("20210724", "2021-07-24"), ("2021072408", "2021-07-24"),
        ("202107240830", "2021-07-24T08:30"),
        ("20210724083059.1234+0900", "2021-07-24T08:30:59.1234+09:00"), ("202107240830-0500", "2021-07-24T08:30-05:00"),
        ("20210724+0900", "2021-07-24"), ("20210724083000^D", "2021-07-24"), ("24.07.2021", "24.07.2021"),
        ("2021-07-24", "2021-07-24"),
        ("20211", "20211"), ('""', ""), ("", ""),
    ],
)  # fmt: skip
def test_times_at_the_precision_printed(printed: str, iso: str):
    assert PLAIN.time(printed) == iso


@pytest.mark.parametrize(
    ("printed", "text"),
    [
        ("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f"), ("\\H\\bold\\N\\ plain", "bold plain"),
        ("\\XC3A9\\", "é"), ("a\\X0D0A\\b", "a\r\nb"),
        ("4\\ 5", "4\\ 5"), ("5 \\Q\\ 6", "5 \\Q\\ 6"), ("\\.sp99999999\\", "\\.sp99999999\\"), ("\\.sp3\\x", "x"),
        ("\\X4\\", "\\X4\\"), ("\\\\", "\\\\"), ("\\X5C\\F\\X5C\\", "\\F\\"), ("a\\.in+4\\b", "ab"), ("\\C2842\\", "\\C2842\\"),
        ("a\\.sp5000000\\b", "a\\.sp5000000\\b"), ("a\\.sp2\\b\\.sk\\c", "a\n\nb c"), ("\\F\\F\\", "|F\\"),
    ],
)  # fmt: skip
def test_escapes(printed: str, text: str):
    assert PLAIN.plain(printed) == text


PARTS = st.text(st.sampled_from("ab ^~&^~&é."), max_size=9)


@given(st.lists(PARTS, min_size=1, max_size=6))
def test_a_field_has_the_parts_that_the_library_finds_in_its_segment(fields: list[str]):
    def parts(parsed) -> list:
        return [parsed] if isinstance(parsed, str) else parsed

    segment = hl7.parse(f"MSH|^~\\&|x\rZZZ|{'|'.join(fields)}|end")[1]
    for at, printed in enumerate(fields, start=1):
        theirs = [[[leaf.strip() for leaf in parts(part)] for part in parts(one)] for one in segment[at]]
        assert PLAIN.tree(printed) == theirs
        assert PLAIN.repetitions(printed) == printed.split("~")
        assert PLAIN.components(printed) == [part.strip() for part in printed.split("^")]


@given(st.text(st.sampled_from("\\\\ QC4."), max_size=12))
def test_an_escape_that_is_none_loses_nothing(text: str):
    assert PLAIN.plain(text) == text.strip()


def test_fields_that_the_library_is_not_given_stay_as_printed(tmp_path: Path):
    row = one(tmp_path, obx(value="1~" * 3000 + "1"))
    assert (row["value"], row["cell_fault"]) == ("1~" * 3000 + "1", "numeric_unreadable")
    long = "a\\F\\" * 100_000
    assert one(tmp_path, obx("ST", value=long))["value"] == long


def test_a_tab_separates_fields(tmp_path: Path):
    found = read(tmp_path, ORU[0].replace("|", "\t"), "PID\t1\t\tp1", obx(value="5~6").replace("|", "\t"))
    assert [row["value"] for row in found.rows] == ["5", "6"]


@given(st.text(st.sampled_from("ab|^~\\&\n\réF.XE"), max_size=30))
def test_what_the_writer_escapes_is_read_again(text: str):
    escaped = writer.escaped(text)
    assert not set(escaped) & set("|^~&\n\r")
    assert PLAIN.plain(escaped) == text.strip()


# ---- laws


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from([b"MSH|^~\\&|A|B|||2021||ORU^R01|1|P|2.5\r", b"PID|1||p1\r", b"PID\r",
b"OBX|1|NM|2276-4^F^LN||5\r", b"\x0b", b"\x1c\r",
    b"OBR|1||F|X|||2021\r", b"RXA|0|1|2021||^x|1\r", b"BTS|9\r", b"FHS|^~\\&\r", b"SPM|1\r", b"ZMD|per^x|99MDA5\r",
    b"|||\r", b"\xff\xfe\r", b"TQ1|\r", b"MSH",
    b"MSH|^~\\&|A|B|||2021||RDE^O11|1|P|2.5\r", b"RXE|\r", b"RXR|PO\r", b"ORC|CA\r"]), min_size=1,
    max_size=40))  # fmt: skip
def test_segments_in_any_order_lose_no_result(tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]):
    path = tmp_path_factory.mktemp("any") / "any.hl7"
    path.write_bytes(b"".join(pieces))
    try:
        found = Read(path)
    except FileRefused:
        return
    assert sorted(found.lines) == list(range(1, len(found.lines) + 1))
    assert {row.get("cell_fault") for row in found.rows} <= {None, *ingest.reasons()}


@pytest.mark.parametrize("path", HOSTILE, ids=lambda path: path.name)
def test_hostile_files_are_read_or_refused(path: Path):
    try:
        found = Read(path)
    except FileRefused:
        return
    assert sorted(found.lines) == list(range(1, len(found.lines) + 1))
    assert {row.get("cell_fault") for row in found.rows} <= {None, *ingest.reasons()}


def loaded(*paths: Path, declared: Declared = KEPT) -> duckdb.DuckDBPyConnection:
    con = empty_store()
    for file_id, path in enumerate(paths, start=1):
        source = sources.recognise(path, declared)
        con.execute(
            "INSERT INTO source.file VALUES (?, ?, '', ?, ?, ?)",
            [file_id, path.name, source.format, RECEIVED, source.notes],
        )
        ingest.ingest(con, file_id, source, RECEIVED)
    return con


def records(con: duckdb.DuckDBPyConnection, table: str) -> list[tuple]:
    left_out = {"file_id", "line", "received_at", "received_until", "original_value", "original_unit", "original_dose"}
    names = [name for (name, *_) in con.execute(f"DESCRIBE record.{table}").fetchall() if name not in left_out]
    return con.execute(f"SELECT {', '.join(names)} FROM record.{table} ORDER BY ALL").fetchall()


@pytest.mark.parametrize("folder", ["yonsei_2021", "published_cases", "cohort"])
def test_the_same_facts_as_tables_and_as_messages_give_the_same_records(tmp_path: Path, folder: str):
    where = SAMPLES / folder
    if folder == "cohort":
        where = tmp_path / "cohort"
        generate.generate(where, 3, 7)
    tables = sorted(where.glob("*.csv"))
    rows = {path.stem: list(csv.DictReader(path.open(encoding="utf-8"))) for path in tables}
    writer.write(rows, tmp_path / "all.hl7")
    native, messages = loaded(*tables), loaded(tmp_path / "all.hl7")
    for table in ("patient", "observation", "administration", "event"):
        assert records(messages, table) == records(native, table), table
    tally = "SELECT kind, outcome, count(*) FROM source.row GROUP BY ALL ORDER BY ALL"
    assert messages.execute(tally).fetchall() == native.execute(tally).fetchall()


def test_every_native_column_survives_the_way_through_messages(tmp_path: Path):
    rows = {
        "patients": [{"patient_id": "p1", "sex": "diverse", "birth_year": "1960", "site": "A & B"}],
        "labs": [
            {"patient_id": "p1", "analyte": "Ferritin", "code": "2276-4", "value": "<5", "unit": "µg/L",
            "at": "2021-07-24T08:30:15+09:00",
             "reported_at": "2021-07-25", "ref_low": "12", "ref_high": "60", "assay": "a^b|c", "laboratory": "L & M",
             "sample_timing": "C0",
             "status": "corrected", "specimen_id": "S~1", "record_id": "r^1"},
            {"patient_id": "p1", "analyte": "pao2", "value": "61", "unit": "kPa", "at": "2021-07",
            "ref_high": "normal"},
        ],
        "pft": [{"patient_id": "p1", "measure": "FEV1/FVC", "percent_predicted": "80", "phase": "post",
        "reference_set": "GLI 2012",
                 "at": "2021", "reported_at": "2021-08-01", "status": "preliminary", "record_id": "f1"}],
        "oxygen": [{"patient_id": "p1", "at": "2021-07-24", "device": "HFNC", "flow_l_min": "40", "fio2": "0.5",
        "spo2": "<90", "respiratory_rate": "24",
                    "pao2": "61", "paco2": "35", "activity": "rest", "record_id": "o1", "status": "amended",
                    "reported_at": "2021-07-25"}],
        "administrations": [
            {"patient_id": "p1", "drug": "TAC", "code": "L04AD02", "route": "oral", "dose": "unknown",
            "dose_unit": "mg", "per": "day", "start": "2021-07",
             "stop": "2021-08-01", "ongoing": "no", "last_confirmed_on": "2021-07-30", "action": action,
             "purpose": "treatment", "record_id": "a1",
             "status": "corrected", "reported_at": "2021-08-02"} for action in ("given", "ordered", "not_given")
        ] + [{"patient_id": "p1", "drug": "MPD", "dose": "500", "dose_unit": "mg", "start": "2021-07-24",
        "stop": "2021-07-24"}],
        "events": [{"patient_id": "p1", "at": "2021-07-24", "until": "2021-07-30", "kind": "infection",
        "code": "organism", "value": "CMV | x",
                    "text": "first\nsecond", "reported_at": "2021-07-31", "date_assumed": "yes", "status": "final",
                    "record_id": "e1"}],
    }  # fmt: skip
    writer.write(rows, tmp_path / "all.hl7")
    found = Read(tmp_path / "all.hl7")
    for kind, given_rows in rows.items():
        there = [
            {name: cell for name, cell in row.items() if name not in ("kind_of_row", "place", "raw")}
            for row in found.of(kind)
        ]
        assert there == given_rows


def test_a_correction_closes_the_result_before(tmp_path: Path):
    first = [*ORU[:2], "OBR|1||F1|X|||20210724|||||||||||||||20210725", obx(value="120")]
    second = [*ORU[:2], "OBR|1||F1|X|||20210724|||||||||||||||20210726", obx(value="130", status="C")]
    third = [*ORU[:2], "OBR|1||F1|X|||20210724|||||||||||||||20210727", obx(value="130", status="W")]
    read(tmp_path, *first, *second, *third)
    con = loaded(tmp_path / "messages.hl7")
    found = con.execute("SELECT value, status, known_until FROM record.observation ORDER BY known_from").fetchall()
    assert [(float(value), status, until) for value, status, until in found] == [
        (120, "final", datetime(2021, 7, 26)), (130, "corrected", datetime(2021, 7, 27)),
        (130, "entered_in_error", None),
    ]  # fmt: skip


def test_a_million_repetitions_and_absurd_fields_stay_within_bounds(tmp_path: Path):
    long = "9" * 3_000_000
    found = read(
        tmp_path,
        *ORU,
        obx(value="1~" * 1_000_000),
        obx(value=long),
        obx(code="x" * 2_000_000),
        f"PID|1||{long}",
        obx(),
        "OBX|1|NM|a||5" + "|" * 2_000_000,
    )
    assert len(found.rows) < 1100
    assert all(len(row["raw"]) <= 4000 for row in found.rows)
