"""FHIR R4: what each shape of resource becomes, and that nothing odd crashes or is lost."""

import csv
import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipelines import sources
from pipelines.errors import FileRefused
from pipelines.identity import PatientIds
from pipelines.load import load, rebuild
from pipelines.sources import Declared, fhir
from pipelines.sources.fhir import repeated
from pipelines.store.database import Store, open_snapshot
from tests.ingesting import RECEIVED
from tests.writers import fhir as writer

ROOT = Path(__file__).parents[1]
HOSTILE = sorted((Path(__file__).parent / "hostile" / "fhir").iterdir())
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
PATIENT = {"resourceType": "Patient", "id": "1", "identifier": [{"system": "urn:h", "value": "p1"}], "gender": "female"}


def kept() -> Declared:
    return Declared(ids=PatientIds(pseudonymous=True))


def rows_of(path: Path, declared: Declared | None = None) -> list[dict]:
    source = sources.recognise(path, declared or kept())
    found = [row | {"as": batch.kind} for batch in source.batches() for row in batch.table.to_pylist()]
    return sorted(found, key=lambda row: row["line"])


def read(tmp_path: Path, *resources: dict) -> list[dict]:
    """The rows of resources as NDJSON, without empty cells; a Patient goes before them."""
    path = tmp_path / "export.ndjson"
    path.write_text("".join(json.dumps(one) + "\n" for one in (PATIENT, *resources)), encoding="utf-8")
    return [{name: cell for name, cell in row.items() if cell is not None} for row in rows_of(path)][1:]


def observation(**more: object) -> dict:
    return {
        "resourceType": "Observation", "id": "o1", "status": "final", "code": {"coding": [{"system": LOINC, "code": "2276-4"}]},
        "subject": {"reference": "Patient/1"}, "effectiveDateTime": "2021-07-24",
        "valueQuantity": {"value": 5, "unit": "ng/mL"},
    } | more  # fmt: skip


def loinc(code: str, **more: object) -> dict:
    return {"coding": [{"system": LOINC, "code": code, **more}]}


def quantity(value: float, unit: str) -> dict:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


@pytest.mark.parametrize(("word", "native"), [
    ("registered", "preliminary"), ("preliminary", "preliminary"), ("final", "final"), ("amended", "amended"),
    ("corrected", "corrected"), ("cancelled", "cancelled"), ("entered-in-error", "entered_in_error"), ("unknown", "unknown"),
])  # fmt: skip
def test_every_status_is_its_native_word_and_unknown_is_left_to_ingest(tmp_path: Path, word: str, native: str):
    assert read(tmp_path, observation(status=word))[0]["status"] == native


@pytest.mark.parametrize(("more", "fault"), [
    ({"status": None}, "resource_invalid"), ({"code": None}, "resource_invalid"), ({"valueString": "6"}, "resource_invalid"),
    ({"comments": "x"}, "resource_not_r4"), ({"category": {}}, "resource_not_r4"),
    ({"valueQuantity": None, "valueRange": {}}, "value_type_unread"), ({"valueQuantity": {"value": "5"}}, "resource_invalid"),
    ({"valueQuantity": None, "valueRatio": {}}, "value_type_unread"), ({"valueQuantity": {"value": 5, "units": "g"}}, "resource_not_r4"),
])  # fmt: skip
def test_an_invalid_or_older_resource_is_refused_with_its_reason(tmp_path: Path, more: dict, fault: str):
    assert [row["cell_fault"] for row in read(tmp_path, observation(**more))] == [fault]


def test_numbers_keep_their_printed_digits(tmp_path: Path):
    path = tmp_path / "one.json"
    for digits in ("0.10", "1e3", "5.0", "12345678901234567890.123456", "-0.5"):
        path.write_text(json.dumps(observation()).replace('"value": 5', f'"value": {digits}'), encoding="utf-8")
        assert rows_of(path)[0]["value"] == digits


def test_a_value_that_is_absent_is_a_row_without_value(tmp_path: Path):
    row = read(tmp_path, observation(valueQuantity=None, dataAbsentReason={"text": "unknown"}))[0]
    assert row["as"] == "labs" and "value" not in row and "cell_fault" not in row


def test_a_code_of_loinc_that_is_not_known_is_not_replaced_by_its_text(tmp_path: Path):
    row = read(tmp_path, observation(code={"text": "Creatinine", **loinc("2161-8")}))[0]
    assert (row.get("analyte"), row["code"]) == (None, "2161-8")


def test_codings_that_contradict_each_other_are_passed_on_both(tmp_path: Path):
    row = read(tmp_path, observation(code={"text": "CRP", **loinc("2276-4")}))[0]
    assert {row["analyte"], row["code"]} == {"CRP", "2276-4"}


def test_a_blood_gas_is_one_row_and_kilopascal_is_converted(tmp_path: Path):
    parts = [
        {"code": loinc("2703-7"), "valueQuantity": quantity(10, "kPa")},
        {"code": loinc("2019-8"), "valueQuantity": quantity(40, "mm[Hg]")},
        {"code": loinc("3150-0"), "valueQuantity": quantity(40, "%")},
        {"code": {"text": "pH"}, "valueQuantity": {"value": 7.4}},
    ]
    gas, ph = read(tmp_path, observation(code=loinc("24336-0"), valueQuantity=None, component=parts))
    assert (gas["as"], gas["pao2"], gas["paco2"], gas["fio2"], gas["record_id"]) == (
        "oxygen",
        "75.006158",
        "40",
        "40",
        "o1",
    )
    assert (ph["as"], ph["value"], ph["record_id"]) == ("labs", "7.4", "o1#ph")


@pytest.mark.parametrize(("given", "kind"), [
    (quantity(97, "%"), "oxygen"), ({"value": 97}, "labs"), (quantity(97, "kPa"), "labs"),
])  # fmt: skip
def test_saturation_in_the_unit_of_its_column_is_oxygen_and_else_judged_by_ingest(
    tmp_path: Path, given: dict, kind: str
):
    coding = [{"system": LOINC, "code": code} for code in ("2708-6", "59408-5")]
    assert [row["as"] for row in read(tmp_path, observation(code={"coding": coding}, valueQuantity=given))] == [kind]


def test_two_units_that_differ_are_both_given(tmp_path: Path):
    given = {"value": 5, "unit": "mg/L", "system": UCUM, "code": "mg/dL"}
    assert read(tmp_path, observation(code=loinc("1988-5"), valueQuantity=given))[0]["unit"] == "mg/L (mg/dL)"


@pytest.mark.parametrize(("subject", "patient"), [
    ({"reference": "Patient/1"}, "p1"), ({"reference": "https://s/fhir/Patient/1/_history/3"}, "p1"),
    ({"identifier": {"system": "urn:h", "value": "p9"}}, "p9"), ({"reference": "Patient/7"}, "7"), ({"reference": "#in"}, "p5"),
    ({"reference": "Group/1"}, None), ({"reference": "urn:uuid:nowhere"}, None), ({"reference": "#none"}, None), ({}, None),
])  # fmt: skip
def test_references_name_a_patient_or_nobody(tmp_path: Path, subject: dict, patient: str | None):
    inside = {"resourceType": "Patient", "id": "in", "identifier": [{"value": "p5"}]}
    assert read(tmp_path, observation(subject=subject, contained=[inside]))[0].get("patient_id") == patient


def test_a_patient_is_the_same_wherever_it_stands_in_the_file_and_differs_by_assigner(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("MDA5_KEY_FILE", str(tmp_path / "key"))
    other = PATIENT | {"id": "2", "identifier": [{"system": "urn:other", "value": "p1"}]}
    path = tmp_path / "export.ndjson"
    path.write_text("\n".join(json.dumps(one) for one in (observation(), PATIENT, other)), encoding="utf-8")
    first, second, third = (row["patient_id"] for row in rows_of(path, Declared()))
    assert first == second != third and first.startswith("P-")


@pytest.mark.parametrize(("timing", "dose", "per"), [
    ({"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}, "10", "day"),
    ({"repeat": {"frequency": 1, "period": 8, "periodUnit": "h"}}, "15", "day"),
    ({"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}}, "5", "week"),
    ({"repeat": {"frequency": 1, "period": 2, "periodUnit": "d"}}, "5", "as timed"),
    ({"repeat": {"frequency": 1, "period": 3, "periodUnit": "d"}}, "5", "as timed"),
    ({"repeat": {"frequency": 1, "frequencyMax": 2, "period": 1, "periodUnit": "d"}}, "5", "as timed"),
    ({"code": {"coding": [{"code": "BID"}]}}, "10", "day"), ({}, "5", "dose"),
])  # fmt: skip
def test_a_dose_per_day_is_only_what_can_be_computed_exactly(tmp_path: Path, timing: dict, dose: str, per: str):
    order = {
        "resourceType": "MedicationRequest", "status": "active", "intent": "order", "subject": {"reference": "Patient/1"},
        "authoredOn": "2021-07-24", "medicationCodeableConcept": {"text": "tacrolimus"},
        "dosageInstruction": [{"timing": timing, "doseAndRate": [{"doseQuantity": quantity(5, "mg")}]}],
    }  # fmt: skip
    row = read(tmp_path, order)[0]
    assert (row["dose"], row["per"], row["action"], row["start"]) == (dose, per, "ordered", "2021-07-24")


@pytest.mark.parametrize(
    ("code", "found"), [("J84.10", "ild"), ("M33.13", "cadm"), ("M33.9", "M33.9"), ("C34.1", "C34.1")]
)
def test_a_diagnosis_is_what_its_code_says_and_no_more(tmp_path: Path, code: str, found: str):
    coding = [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code}]
    condition = {
        "resourceType": "Condition",
        "code": {"coding": coding},
        "subject": {"reference": "Patient/1"},
        "onsetDateTime": "2021-07",
    }
    assert read(tmp_path, condition)[0]["code"] == found


@pytest.mark.parametrize(("more", "fault"), [
    ({"clinicalStatus": {"coding": [{"code": "active"}]}}, None),
    ({"clinicalStatus": {"coding": [{"code": "resolved"}]}}, "diagnosis_ended"),
    ({"clinicalStatus": {"coding": [{"code": "remission"}]}}, "diagnosis_ended"),
    ({"clinicalStatus": {"coding": [{"code": "inactive"}]}}, "diagnosis_ended"),
    ({"abatementString": "in spring"}, "diagnosis_ended"),
    ({"clinicalStatus": {"coding": [{"code": "resolved"}]}, "abatementDateTime": "2022-01"}, None),
    ({"clinicalStatus": {"coding": [{"code": "resolved"}]}, "onsetDateTime": None,
      "onsetPeriod": {"start": "2021-07", "end": "2022-01"}}, None),
    ({"clinicalStatus": {"coding": [{"code": "inactive"}]}, "verificationStatus": {"coding": [{"code": "refuted"}]}}, None),
    ({"clinicalStatus": {"coding": [{"code": "inactive"}]}, "verificationStatus": {"coding": [{"code": "entered-in-error"}]}}, None),
    ({"clinicalStatus": {"coding": [{"code": "resolved"}]}, "code": {"coding": [{"code": "C34.1"}]}}, None),
])  # fmt: skip
def test_a_diagnosis_that_is_over_does_not_stand_for_ever(tmp_path: Path, more: dict, fault: str | None):
    condition = {
        "resourceType": "Condition", "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "J84.1"}]},
        "subject": {"reference": "Patient/1"}, "onsetDateTime": "2021-07",
    } | more  # fmt: skip
    (row,) = read(tmp_path, {name: element for name, element in condition.items() if element is not None})
    assert (row.get("cell_fault"), row["patient_id"], row["at"]) == (fault, "p1", "2021-07")
    assert (row.get("place") == "line 2, clinicalStatus") == (fault is not None)


def test_a_history_is_read_from_its_oldest_version_on_and_a_deletion_withdraws(tmp_path: Path):
    def version(number: int, value: float) -> dict:
        meta = {"versionId": str(number), "lastUpdated": f"2021-07-2{number}T00:00:00Z"}
        return {"resource": observation(meta=meta, valueQuantity=quantity(value, "ng/mL"))}

    deleted = {
        "request": {"method": "DELETE", "url": "Observation/o1"},
        "response": {"lastModified": "2021-07-29T00:00:00Z"},
    }
    path = tmp_path / "history.json"
    path.write_text(
        json.dumps({"resourceType": "Bundle", "type": "history", "entry": [deleted, version(2, 6), version(1, 5)]})
    )
    told = [(row["value"], row["status"], row["reported_at"]) for row in rows_of(path)]
    assert told == [
        ("5", "final", None), ("6", "final", "2021-07-22T00:00:00Z"), ("6", "entered_in_error", "2021-07-29T00:00:00Z"),
    ]  # fmt: skip


@pytest.mark.parametrize(("url", "shown"), [
    ("Patient?identifier=http://h|MRN4711&name=Smith", "entry 1, Patient"), ("Patient/MRN4711", "entry 1, Patient"),
    ("https://h/fhir/Observation/MRN4711/_history/2", "entry 1, Observation"), ("SMITH/MRN4711", "entry 1, request.url"),
    ("?name=/Patient/Smith", "entry 1, request.url"), (7, "entry 1, request.url"), (None, "entry 1, request.url"),
])  # fmt: skip
@pytest.mark.parametrize("kind", ["history", "transaction"])
def test_a_deletion_of_what_is_not_in_the_file_shows_only_its_type(tmp_path: Path, kind: str, url: object, shown: str):
    path = tmp_path / "bundle.json"
    entry = {"request": {"method": "DELETE", "url": url}}
    path.write_text(json.dumps({"resourceType": "Bundle", "type": kind, "entry": [entry]}))
    (row,) = rows_of(path)
    assert (row["cell_fault"], row["place"]) == ("deletion_unknown", shown)
    assert row["raw"] == "{}"


def test_a_withdrawn_report_withdraws_its_results_and_another_gives_its_issue_time(tmp_path: Path):
    def report(status: str, result: str) -> dict:
        return {
            "resourceType": "DiagnosticReport",
            "status": status,
            "issued": "2021-07-25T00:00:00Z",
            "result": [{"reference": result}],
        }

    reports = report("entered-in-error", "Observation/o1"), report("final", "Observation/o2")
    first, second = read(tmp_path, observation(), observation(id="o2"), *reports)
    assert (first["status"], second["status"], second["reported_at"]) == (
        "entered_in_error",
        "final",
        "2021-07-25T00:00:00Z",
    )


def test_nothing_that_identifies_a_person_is_shown(tmp_path: Path):
    person = PATIENT | {
        "name": [{"family": "NAME^TEST"}],
        "birthDate": "1955-03-02",
        "address": [{"text": "STREET^TEST"}],
    }
    about = observation(subject={"reference": "Patient/1", "display": "NAME^TEST"}, note=[{"text": "NAME^TEST"}])
    path = tmp_path / "export.ndjson"
    path.write_text("\n".join(json.dumps(one) for one in (person, about)), encoding="utf-8")
    source = sources.recognise(path, kept())
    shown = repr([batch.table.to_pylist() for batch in source.batches()])
    assert "TEST" not in shown and "03-02" not in shown
    assert source.notes[0] == "dropped at the door: 1 addresses, 1 birth dates (year kept), 1 names"


def test_the_id_of_a_patient_is_not_shown_for_it_may_be_the_identity(tmp_path: Path):
    path = tmp_path / "export.ndjson"
    person = PATIENT | {"id": "MRN4711", "gender": "x"}
    path.write_text("\n".join(map(json.dumps, (person, observation(subject={"reference": "Patient/MRN4711"})))))
    of_patient, of_result = (json.loads(row["raw"]) for row in rows_of(path))
    assert of_patient == {"resourceType": "Patient", "gender": "x"}
    assert of_result["id"] == "o1" and "MRN4711" not in str(of_result)


@pytest.mark.parametrize("path", HOSTILE, ids=lambda path: path.name)
def test_a_hostile_file_is_refused_or_read_row_by_row(path: Path):
    try:
        rows = rows_of(path)
    except FileRefused:
        return
    assert len({row["line"] for row in rows}) == len(rows)
    assert rows and all(row["cell_fault"] for row in rows if row["as"] == "unreadable")


def test_a_broken_line_is_a_row_of_its_own_with_its_number():
    odd = next(path for path in HOSTILE if path.name == "odd_json.ndjson")
    assert [((row["place"] or f"line {row['line']}").split(",")[0], row.get("cell_fault")) for row in rows_of(odd)] == [
        *[(f"line {number}", "json_unreadable") for number in (1, 2, 3, 4)], ("line 5", None),
    ]  # fmt: skip


@pytest.mark.parametrize("folder", ["yonsei_2021", "published_cases"])
def test_lines_filled_in_from_their_shape_are_as_if_each_were_read_alone(tmp_path: Path, monkeypatch, folder: str):
    cases = {
        path.stem: list(csv.DictReader(path.open(encoding="utf-8")))
        for path in (ROOT / "sample_data" / folder).glob("*.csv")
    }
    path = tmp_path / "all.ndjson"
    writer.write(cases, path)
    more = [
        observation(id=f"x{n}", valueQuantity=quantity(n, "ng/mL"), issued="2021-07-25T00:00:00Z") for n in range(50)
    ]
    more += [one | {"subject": {"reference": f"Patient/{n}", "display": f"NAME^TEST{n}"}} for n, one in enumerate(more)]
    extra = [json.dumps(one, separators=separators) for one in more for separators in ((",", ":"), (", ", ": "))]
    path.write_text(path.read_text(encoding="utf-8") * 2 + "\n".join(extra) + "\n", encoding="utf-8")
    filled = rows_of(path)
    monkeypatch.setattr(repeated.Repeated, "take", lambda *_: False)
    alone = rows_of(path)
    assert [{k: v for k, v in row.items() if v} for row in filled] == [
        {k: v for k, v in row.items() if v} for row in alone
    ]


@pytest.mark.parametrize("folder", ["yonsei_2021", "published_cases"])
def test_what_the_writer_writes_is_valid_r4(folder: str):
    fhir_resources = pytest.importorskip("fhir.resources.R4B")
    import orjson

    cases = {
        path.stem: list(csv.DictReader(path.open(encoding="utf-8")))
        for path in (ROOT / "sample_data" / folder).glob("*.csv")
    }
    for resource in writer.resources_of(cases):
        fhir_resources.get_fhir_model_class(resource["resourceType"]).model_validate_json(orjson.dumps(resource))


def test_a_file_that_is_no_fhir_is_refused(tmp_path: Path):
    for name, text in {
        "a.json": "{}",
        "b.json": "[1]",
        "c.ndjson": '{"a":1}\n{"a":2}\n',
        "d.json": '{"resourceType":',
    }.items():
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(FileRefused):
            list(fhir.read(path, kept()).batches())


BULK_PATIENT = {
    "resourceType": "Patient",
    "id": "77",
    "gender": "female",
    "birthDate": "1955-03-02",
    "identifier": [{"system": "urn:hospital", "value": "MRN-1"}],
}
BULK_FERRITIN = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "code": {"coding": [{"system": LOINC, "code": "2276-4"}]},
    "subject": {"reference": "Patient/77"},
    "effectiveDateTime": "2021-07-24",
    "valueQuantity": {"value": 1500, "unit": "ng/mL"},
}


NOT_IN_THIS_FILE = "1 rows name a patient whose Patient resource is not in this file"


class TestBulkExport:
    """One file for each type: what refers to a patient finds it through the Patient file loaded before."""

    @pytest.fixture
    def export(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("MDA5_KEY_FILE", str(tmp_path / "key"))
        folder = tmp_path / "export"
        folder.mkdir()
        (folder / "Patient.ndjson").write_text(json.dumps(BULK_PATIENT) + "\n")
        (folder / "Observation.ndjson").write_text(json.dumps(BULK_FERRITIN) + "\n")
        return folder

    @staticmethod
    def patients(store: Store) -> list[tuple]:
        with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
            return cursor.execute(
                "SELECT patient_id, sex, count(record_id) FROM record.patient LEFT JOIN record.observation USING (patient_id) GROUP BY ALL"
            ).fetchall()

    @pytest.mark.parametrize("pseudonymous", [None, True])
    def test_a_folder_is_one_patient(self, tmp_path: Path, export: Path, pseudonymous: bool | None):
        store, ids = Store(tmp_path / "store"), PatientIds(pseudonymous=pseudonymous)
        load(store, [export], received_at=RECEIVED, declared=Declared(ids=ids))
        expected = "MRN-1" if pseudonymous else PatientIds().pseudonym("MRN-1", "urn:hospital")
        assert self.patients(store) == [(expected, "female", 1)]
        assert rebuild(store).equal

    @pytest.mark.parametrize(
        ("assigner", "base", "patients"),
        [
            (None, "", 2),  # Patient/77 of whichever server: not joined to what an earlier load called so
            ("the hospital", "", 1),
            (None, "https://north.example/fhir/", 1),
        ],
    )
    def test_a_later_load_finds_the_patient_where_the_server_is_known(
        self, tmp_path: Path, export: Path, assigner: str | None, base: str, patients: int
    ):
        store, declared = Store(tmp_path / "store"), Declared(ids=PatientIds(assigner))
        entry = {"fullUrl": f"{base}Patient/77", "resource": BULK_PATIENT} if base else {"resource": BULK_PATIENT}
        (export / "Patient.json").write_text(
            json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [entry]})
        )
        (export / "Observation.ndjson").write_text(
            json.dumps(BULK_FERRITIN | {"subject": {"reference": f"{base}Patient/77"}}) + "\n"
        )
        load(store, [export / "Patient.json"], received_at=RECEIVED, declared=declared)
        later = RECEIVED + timedelta(days=7)
        (report,) = load(store, [export / "Observation.ndjson"], received_at=later, declared=declared).files
        assert len(self.patients(store)) == patients
        assert ("1 rows of them are of patients known from another file" in report.notes) == (patients == 1)

    def test_reports_come_in_the_order_in_which_files_are_named(self, tmp_path: Path, export: Path):
        paths = [export / "Observation.ndjson", export / "Patient.ndjson"]
        reports = load(Store(tmp_path / "store"), paths, received_at=RECEIVED).files
        assert [report.name for report in reports] == ["Observation.ndjson", "Patient.ndjson"]

    def test_a_withdrawal_is_known_from_its_own_time(self, tmp_path: Path, export: Path):
        store = Store(tmp_path / "store")
        withdrawn = BULK_FERRITIN | {"status": "entered-in-error", "meta": {"lastUpdated": "2021-08-02T09:00:00Z"}}
        (export / "Withdrawn.ndjson").write_text(json.dumps(withdrawn) + "\n")
        load(store, [export], received_at=RECEIVED)
        with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
            known = cursor.execute(
                "SELECT CAST(known_from AS DATE), CAST(known_until AS DATE), status FROM record.observation ORDER BY 1"
            )
            assert known.fetchall() == [
                (date(2021, 7, 24), date(2021, 8, 2), "final"),
                (date(2021, 8, 2), None, "entered_in_error"),
            ]

    def test_the_order_in_which_files_are_named_does_not_matter(self, tmp_path: Path, export: Path):
        store = Store(tmp_path / "store")
        load(store, [export / "Observation.ndjson", export / "Patient.ndjson"], received_at=RECEIVED)
        assert len(self.patients(store)) == 1

    def test_an_id_without_its_patient_stands_alone_and_the_load_says_so(self, tmp_path: Path, export: Path):
        store = Store(tmp_path / "store")
        (report,) = load(store, [export / "Observation.ndjson"], received_at=RECEIVED).files
        assert NOT_IN_THIS_FILE + "; where files of several servers are loaded, declare an assigner" in report.notes
        assert self.patients(store) == [(PatientIds().pseudonym("77"), None, 1)]

    def test_another_server_is_another_patient(self, tmp_path: Path, export: Path):
        store = Store(tmp_path / "store")
        absolute = BULK_FERRITIN | {"subject": {"reference": "https://other.example/fhir/Patient/77"}}
        (export / "Observation.ndjson").write_text(json.dumps(absolute) + "\n")
        reports = {file.name: file for file in load(store, [export], received_at=RECEIVED).files}
        assert NOT_IN_THIS_FILE in reports["Observation.ndjson"].notes
        assert len(self.patients(store)) == 2

    def test_an_id_that_two_patients_have_names_neither(self, tmp_path: Path, export: Path):
        store = Store(tmp_path / "store")
        other = BULK_PATIENT | {"identifier": [{"system": "urn:hospital", "value": "MRN-2"}]}
        (export / "patients_of_another_server.ndjson").write_text(json.dumps(other) + "\n")
        reports = {file.name: file for file in load(store, [export], received_at=RECEIVED).files}
        assert reports["Observation.ndjson"].rejected == 1
        assert any("another patient too" in note for note in reports["patients_of_another_server.ndjson"].notes)
        assert sorted(count for _, _, count in self.patients(store)) == [0, 0]
