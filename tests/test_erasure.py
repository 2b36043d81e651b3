"""A patient is erased from every file, table and snapshot, the others keep every record, and no later load brings the patient back."""

import json
import os
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

from pipelines import decisions
from pipelines.engines import on_duckdb
from pipelines.erasure import erase
from pipelines.errors import FileRefused, KeyUnavailable, NotFound, Refusal, StoreBusy
from pipelines.identity import PatientIds, key_file
from pipelines.load import load, rebuild
from pipelines.sources import Declared
from pipelines.store.database import SnapshotReader, Store, open_snapshot
from pipelines.verify import verify
from tests import workbooks
from tests.erasing import PATIENT, ROWS, SECRETS, csv_text, of_others, rejected, traces
from tests.writers import excel, fhir, hl7v2

ASSIGNER = "urn:example:north"
RECEIVED, LATER, ERASED = datetime(2024, 6, 1, 12), datetime(2024, 7, 1, 12), datetime(2024, 6, 20, 9)
MAPPING = """approved_by = "a person"
approved_on = 2024-05-02
[table]
decimal = "dot"
[patient]
column = "id"
{ids}
[wide.ferritin]
analyte = "ferritin"
unit = "ng/mL"
at_column = "day"
[wide.kl6]
analyte = "kl6"
unit = "U/mL"
at_column = "day"
"""


@pytest.fixture(autouse=True)
def _key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDA5_KEY_FILE", str(tmp_path / "keys" / "key"))


@pytest.fixture
def unjudged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a test is about rows, judging them is left out: it takes a second each time."""
    monkeypatch.setattr(on_duckdb, "evaluated", lambda *_, **__: nullcontext(lambda: None))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def failed(store: Store) -> list[str]:
    return [f"{check.promise}: {check.found}" for check in verify(store) if not check.holds]


def patients(store: Store) -> set[str]:
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        return {found for (found,) in cursor.execute("SELECT patient_id FROM record.patient").fetchall()}


def kept_files(store: Store) -> set[str]:
    return {path.name for path in store.landing.folder.iterdir()}


# ---- every format: each writes the same rows


def _csv(folder: Path) -> list[Path]:
    for kind, rows in ROWS.items():
        (folder / f"{kind}.csv").write_text(csv_text(rows), encoding="utf-8")
    return [folder / f"{kind}.csv" for kind in ROWS]


def _odd_csv(folder: Path) -> list[Path]:
    """Semicolons, a quoted cell over two lines, a legacy encoding, and a decimal comma that the patient's rows alone settle."""
    text = f"""patient_id;analyte;Bemerkung;value;unit;at;record_id
{PATIENT};ferritin;"zwei
Zeilen, µg";7391,25;ng/mL;2024-01-01;zqx-ferritin-1
p2;ldh;;400;U/L;2024-01-02;b1
p2;ferritin;für "µg";1.234;ng/mL;2024-01-02;b2

{PATIENT};kl6;;4413;furlong;2024-01-02;a2
p2;kl6;"größer
als";900;furlong;2024-01-03;b3
p2;ldh;;400;U/L;2024-01-02;b1
"""
    (folder / "werte.csv").write_bytes(text.encode("cp1252"))
    return [folder / "werte.csv"]


def _excel(folder: Path) -> list[Path]:
    excel.write(ROWS, folder / "all.xlsx")
    return [folder / "all.xlsx"]


def _bundle(folder: Path) -> list[Path]:
    fhir.write(ROWS, folder / "all.json")
    return [folder / "all.json"]


def _ndjson(folder: Path) -> list[Path]:
    fhir.write(ROWS, folder / "all.ndjson")
    return [folder / "all.ndjson"]


def _hl7(folder: Path) -> list[Path]:
    hl7v2.write(ROWS, folder / "all.hl7")
    return [folder / "all.hl7"]


def _mapped(folder: Path, ids: str = 'ids = "pseudonyms"') -> list[Path]:
    lines = [
        "id,day,ferritin,kl6,remark",
        f"{PATIENT},2024-01-01,7391.25,4413,zqx hears nothing",
        "p2,2024-01-02,400,900,well",
    ]
    (folder / "wide.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "wide.csv.mapping.toml").write_text(MAPPING.format(ids=ids), encoding="utf-8")
    return [folder / "wide.csv"]


def _all_with_identifiers(folder: Path) -> list[Path]:
    mapped = _mapped(folder, f'ids = "identifiers"\nassigner = "{ASSIGNER}"')
    return [*_csv(folder), *_excel(folder), *_ndjson(folder), *_hl7(folder), *mapped]


@dataclass(frozen=True)
class Format:
    write: Callable[[Path], list[Path]]
    ids: PatientIds
    taken_out: int

    @property
    def patient(self) -> str:
        """The patient's id in the store."""
        return PATIENT if self.ids.pseudonymous else PatientIds(ASSIGNER).pseudonym(PATIENT)


KEPT, PSEUDONYMS = PatientIds(pseudonymous=True), PatientIds(ASSIGNER)
FORMATS = {
    "csv": Format(_odd_csv, KEPT, 2),
    "excel": Format(_excel, KEPT, 6),
    "fhir": Format(_bundle, KEPT, 6),
    "hl7": Format(_hl7, KEPT, 6),
    "mapped": Format(_mapped, KEPT, 2),
    "all, with identifiers": Format(_all_with_identifiers, PSEUDONYMS, 26),
}


@pytest.mark.usefixtures("unjudged")
@pytest.mark.parametrize("name", FORMATS)
def test_a_patient_is_erased_from_every_format_and_does_not_come_back(store: Store, tmp_path: Path, name: str):
    form = FORMATS[name]
    paths, declared = form.write(tmp_path), Declared(ids=form.ids)
    loaded = load(store, paths, received_at=RECEIVED, declared=declared)
    assert not any(file.refused for file in loaded.files), loaded.files
    there = {trace.rpartition(": ")[2] for trace in traces(store, *SECRETS)}
    assert PATIENT in there and len(there) >= 2
    before, files = of_others(store, form.patient), store.landing.receipts()

    report = erase(store, form.patient, "the data protection officer", "the patient asked", erased_at=ERASED)
    assert report.rows >= form.taken_out
    assert traces(store, form.patient, *SECRETS) == []
    after = of_others(store, form.patient)
    assert set(after.pop("row")) < set(before.pop("row"))
    assert after == before
    receipts = store.landing.receipts()
    assert [(one.sequence, one.received_at) for one in receipts] == [(one.sequence, one.received_at) for one in files]
    assert all(one.rewritten for one in receipts)
    assert not {one.sha256 for one in files} & kept_files(store)

    again = load(store, paths, received_at=LATER, declared=declared)
    assert sum(file.rejected for file in again.files) >= report.rows
    assert all(
        file.received == file.accepted + file.duplicate + file.superseded + file.rejected for file in again.files
    )
    assert traces(store, form.patient, *SECRETS) == []
    assert [one.sha256 for one in store.landing.receipts()[len(receipts) :]] == [one.sha256 for one in receipts]
    assert {row[2:] for row in rejected(store) if row[2] == "patient_erased"} == {
        ("patient_erased", "withheld: the patient was erased")
    }
    assert form.patient not in patients(store)
    assert failed(store) == []
    assert rebuild(store).equal


# ---- what stands in a file beside its rows


def unread_files(folder: Path) -> list[Path]:
    """Files that speak of the patient in what is not read: resources, messages, sheets, lines and rows that are no record."""
    document = {
        "resourceType": "DocumentReference",
        "id": "d1",
        "subject": {"reference": "Patient/x1"},
        "description": "zqx hears nothing",
    }
    patient = {
        "resourceType": "Patient",
        "id": "x1",
        "gender": "female",
        "identifier": [{"system": ASSIGNER, "value": PATIENT}],
    }
    (folder / "Patient.ndjson").write_text(json.dumps(patient) + "\n")
    (folder / "DocumentReference.ndjson").write_text(json.dumps(document) + "\n")
    (folder / "notes.hl7").write_text(
        f"MSH|^~\\&|A|B|||20240101||MDM^T02|1|P|2.5\rPID|1||{PATIENT}^^^^MR\rTXA|1|zqx hears nothing\r"
        "MSH|^~\\&|A|B|||20240101||ADT^A08|2|P|2.5\rPID|1||p2^^^^MR||||1960|M\r"
    )
    book = openpyxl.Workbook()
    for title, lines in (
        ("labs", [("p2", "ldh", 300, "U/L", "2024-02-02")]),
        ("wards", [(PATIENT, "zqx hears nothing")]),
    ):
        sheet = book.create_sheet(title)
        for line in [("patient_id", "analyte", "value", "unit", "at")] * (title == "labs") + lines:
            sheet.append(line)
    book["wards"].sheet_state = "hidden"
    book.remove(book["Sheet"])
    book.save(folder / "ward.xlsx")
    (folder / "cut.csv").write_text(
        f"patient_id,name,analyte,value,unit,at\n{PATIENT},Zqx Tester,ferritin,7391.25\np2,Other,ldh,310,U/L,2024-02-03\n"
    )
    (wide,) = _mapped(folder, f'ids = "identifiers"\nassigner = "{ASSIGNER}"')
    wide.write_text(f"id,day,ferritin,kl6,remark\n{PATIENT},,,,zqx hears nothing\np2,2024-01-02,500,,\n")
    names = ("Patient.ndjson", "DocumentReference.ndjson", "notes.hl7", "ward.xlsx", "cut.csv", "wide.csv")
    return [folder / name for name in names]


@pytest.mark.usefixtures("unjudged")
def test_what_is_not_read_of_a_file_goes_too_when_it_speaks_of_the_patient(store: Store, tmp_path: Path):
    declared, patient = Declared(ids=PSEUDONYMS), PSEUDONYMS.pseudonym(PATIENT)
    (tmp_path / "other.csv").write_text("patient_id,analyte,value,unit,at\np2,ldh,320,U/L,2024-03-03\np3,ldh,330,U/L\n")
    paths = [*unread_files(tmp_path), tmp_path / "other.csv"]
    load(store, paths, received_at=RECEIVED, declared=declared)
    of_p2 = of_others(store, patient)["record.observation"]
    assert len(of_p2) == 4 and len(traces(store, "zqx hears nothing")) == 4
    other = store.landing.receipts()[-1]

    erase(store, patient, "the data protection officer", erased_at=ERASED)
    assert traces(store, patient, PATIENT, "zqx hears nothing", "Zqx Tester", "7391.25") == []
    assert of_others(store, patient)["record.observation"] == of_p2
    assert store.landing.receipts()[-1] == other, "a file that has nothing of the patient is kept as it was received"
    assert failed(store) == []

    again = load(store, paths, received_at=LATER, declared=declared)
    assert traces(store, patient, PATIENT, "zqx hears nothing", "Zqx Tester", "7391.25") == []
    assert [(file.name, file.rejected) for file in again.files if file.rejected] == [
        ("Patient.ndjson", 1), ("cut.csv", 1), ("other.csv", 1),
    ]  # fmt: skip
    assert failed(store) == [] and rebuild(store).equal


@pytest.mark.usefixtures("unjudged")
def test_words_of_our_own_and_sheets_that_cannot_be_read_are_no_trouble(store: Store, tmp_path: Path):
    header = "patient_id,analyte,value,unit,at\n"
    for name in ("patient", "one"):
        (tmp_path / f"{name}.csv").write_text(f"{header}{name},ldh,300,U/L,2024-01-01\n,ldh,300,U/L,2024-01-01\n")
    load(store, [tmp_path / "patient.csv", tmp_path / "one.csv"], received_at=RECEIVED)
    erase(store, "patient", "the data protection officer")
    erase(store, "one", "the data protection officer")
    assert patients(store) == set() and failed(store) == []
    hidden = "<sheetData><row><c><v>1</c></row>"
    book = workbooks.write(tmp_path / "book.xlsx", workbooks.labs(("p2", "ldh", "310", "U/L", "2024-01-02")), hidden)
    with zipfile.ZipFile(book) as parts:
        content = {name: parts.read(name) for name in parts.namelist()}
    content["xl/workbook.xml"] = content["xl/workbook.xml"].replace(b'name="S2"', b'name="S2" state="hidden"')
    with zipfile.ZipFile(book, "w") as parts:
        for name, part in content.items():
            parts.writestr(name, part)
    (report,) = load(store, [book], received_at=LATER).files
    assert (report.refused, report.accepted) == (None, 1)
    assert store.landing.receipts()[-1].rewritten, "nobody can tell whom the hidden sheet is about"
    assert failed(store) == [] and rebuild(store).equal


@pytest.mark.usefixtures("unjudged")
def test_rows_that_name_nobody_lose_their_text_in_a_file_of_the_patient_alone(store: Store, tmp_path: Path):
    header = "patient_id,analyte,value,unit,at\n"
    (tmp_path / "a.csv").write_text(
        f"{header}{PATIENT},ldh,300,U/L,2024-01-01\n,ferritin,7391.25,ng/mL,2024-01-01\np2,who,2,,2024-01-01\n"
    )
    (tmp_path / "b.csv").write_text(f"{header}p2,ldh,310,U/L,2024-01-01\n,ferritin,8,ng/mL,2024-01-01\n")
    (tmp_path / "c.csv").write_text(f'{header}p2,ldh,320,U/L,2024-01-01\n,"sister of {PATIENT}",8,ng/mL,2024-01-01\n')
    load(store, [tmp_path / f"{name}.csv" for name in "abc"], received_at=RECEIVED)
    erase(store, PATIENT, "the data protection officer")
    nobody = "withheld: it names no patient, and one of the file was erased"
    assert rejected(store) == [
        ("a.csv", 2, "patient_erased", "withheld: the patient was erased"),
        ("a.csv", 3, "patient_missing", nobody),
        ("a.csv", 4, "analyte_unknown", "p2,who,2,,2024-01-01"),
        ("b.csv", 3, "patient_missing", ",ferritin,8,ng/mL,2024-01-01"),
        ("c.csv", 3, "patient_missing", nobody),
    ]
    assert traces(store, PATIENT, "7391.25") == []


@pytest.mark.usefixtures("unjudged")
def test_decisions_go_with_the_rows_they_are_about_and_the_others_still_find_theirs(store: Store, tmp_path: Path):
    (tmp_path / "labs.csv").write_text(csv_text(ROWS["labs"]))
    load(store, [tmp_path / "labs.csv"], received_at=RECEIVED)
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        held = decisions.held_rows(cursor)
    assert [row["patient_id"] for row in held] == [PATIENT, "p2"]
    texts = [
        decisions.decision_file(row, "correct_unit", "a data manager", f"{row['value']} was in U/mL" , RECEIVED, "U/mL")
        for row in ({"value": row["cells"]["value"]} | row for row in held)
    ]  # fmt: skip
    both = texts[0] + texts[1].partition("\n")[2]
    (tmp_path / "decided.csv").write_text(both)
    assert load(store, [tmp_path / "decided.csv"], received_at=RECEIVED + timedelta(days=1)).files[0].accepted == 2
    before = of_others(store, PATIENT)
    erase(store, PATIENT, "the data protection officer")
    after = of_others(store, PATIENT)
    assert [row[:4] for row in after["source.decision"]] == [(2, 3, 1, 5)]
    assert after["record.observation"] == before["record.observation"] and len(after["record.observation"]) == 2
    assert traces(store, *SECRETS, "4413 was in U/mL", *(row["sha256"] for row in held)) == []
    assert failed(store) == [] and rebuild(store).equal
    # the same files once more: the decisions made still count for the rows that are the same
    load(store, [tmp_path / "labs.csv"], received_at=LATER)
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        assert decisions.held_rows(cursor) == []


@pytest.mark.usefixtures("unjudged")
def test_one_after_the_other_leaves_the_same_bytes_as_both_at_once(store: Store, tmp_path: Path):
    rows = [*ROWS["labs"], {**ROWS["labs"][0], "patient_id": "p3", "record_id": "c1", "value": "8"}]
    (tmp_path / "labs.csv").write_text(csv_text(rows))
    load(store, [tmp_path / "labs.csv"], received_at=RECEIVED)
    erase(store, "p3", "the data protection officer")
    erase(store, PATIENT, "the data protection officer")
    (first,) = store.landing.receipts()
    assert len(first.rewritten) == 2
    load(store, [tmp_path / "labs.csv"], received_at=LATER)
    assert [one.sha256 for one in store.landing.receipts()] == [first.sha256] * 2
    assert traces(store, PATIENT, "p3") == [] and patients(store) == {"p2"}
    assert failed(store) == [] and rebuild(store).equal


# ---- other names of the patient


SERVER = "https://north.example/fhir"
ON_SERVER = {
    "resourceType": "Patient",
    "id": "x1",
    "gender": "female",
    "identifier": [{"system": ASSIGNER, "value": PATIENT}],
}
FERRITIN = {
    "resourceType": "Observation", "id": "o1", "status": "final", "effectiveDateTime": "2024-01-01",
    "code": {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]}, "valueQuantity": {"value": 7391.25, "unit": "ng/mL"},
}  # fmt: skip


def bundle(path: Path, *entries: tuple[str, dict]) -> Path:
    listed = [{"fullUrl": url, "resource": one} if url else {"resource": one} for url, one in entries]
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": listed}))
    return path


@pytest.mark.usefixtures("unjudged")
class TestLinks:
    """FHIR: a patient is described in one file and referred to in others."""

    @pytest.fixture
    def described(self, tmp_path: Path) -> Path:
        return bundle(tmp_path / "patients.json", (f"{SERVER}/Patient/x1", ON_SERVER))

    @pytest.fixture
    def referred(self, tmp_path: Path) -> Path:
        path = tmp_path / "observations.ndjson"
        path.write_text(json.dumps(FERRITIN | {"subject": {"reference": f"{SERVER}/Patient/x1"}}) + "\n")
        return path

    def test_a_later_file_that_only_refers_to_the_patient_is_refused_too(
        self, store: Store, described: Path, referred: Path
    ):
        load(store, [described], received_at=RECEIVED)
        erase(store, PatientIds().pseudonym(PATIENT, ASSIGNER), "the data protection officer")
        (report,) = load(store, [referred], received_at=LATER).files
        assert (report.rejected, patients(store)) == (1, set())
        assert traces(store, "7391.25", "Patient/x1") == []
        assert failed(store) == [] and rebuild(store).equal

    def test_the_ids_that_references_had_before_the_patient_was_described_are_erased_with_it(
        self, store: Store, described: Path, referred: Path
    ):
        load(store, [referred], received_at=RECEIVED)
        load(store, [described], received_at=RECEIVED + timedelta(days=1))
        assert len(patients(store)) == 2
        report = erase(store, PatientIds().pseudonym(PATIENT, ASSIGNER), "the data protection officer")
        assert (report.rows, len(report.files), patients(store)) == (2, 2, set())
        assert traces(store, "7391.25", "Patient/x1") == [] and failed(store) == []

    def test_a_patient_erased_under_the_id_of_a_reference_does_not_come_back_under_another(
        self, store: Store, tmp_path: Path, described: Path, referred: Path
    ):
        load(store, [referred], received_at=RECEIVED)
        erase(store, PatientIds().pseudonym("x1", SERVER), "the data protection officer")
        load(store, [described], received_at=LATER)
        message = f"MSH|^~\\&|A|B|||20240101||ADT^A08|2|P|2.5\rPID|1||{PATIENT}^^^{ASSIGNER}^MR||||1931|F\r"
        (tmp_path / "adt.hl7").write_text(message)
        (report,) = load(store, [tmp_path / "adt.hl7"], received_at=LATER + timedelta(days=1)).files
        assert (report.rejected, patients(store)) == (1, set())
        assert traces(store, PATIENT, "Patient/x1") == [] and failed(store) == [] and rebuild(store).equal

    def test_a_name_without_its_server_counts_in_its_own_load_alone(self, store: Store, tmp_path: Path):
        (tmp_path / "Patient.ndjson").write_text(json.dumps(ON_SERVER) + "\n")
        (tmp_path / "Observation.ndjson").write_text(
            json.dumps(FERRITIN | {"subject": {"reference": "Patient/x1"}}) + "\n"
        )
        paths = [tmp_path / "Patient.ndjson", tmp_path / "Observation.ndjson"]
        load(store, paths, received_at=RECEIVED)
        erase(store, PatientIds().pseudonym(PATIENT, ASSIGNER), "the data protection officer")
        assert traces(store, "7391.25", "x1", PATIENT) == []
        again = load(store, paths, received_at=LATER).files
        assert [file.rejected for file in again] == [1, 1] and patients(store) == set()
        other = {
            "id": "x1",
            "resourceType": "Patient",
            "identifier": [{"system": ASSIGNER, "value": "p9"}],
            "gender": "male",
        }
        (tmp_path / "Patient.ndjson").write_text(json.dumps(other) + "\n")
        load(store, paths, received_at=LATER + timedelta(days=1))
        assert patients(store) == {PatientIds().pseudonym("p9", ASSIGNER)}, "the x1 of another server is somebody else"
        assert failed(store) == [] and rebuild(store).equal


# ---- whatever else a store may have kept


@pytest.mark.usefixtures("unjudged")
def test_nothing_is_left_of_names_logs_uploads_snapshots_and_files_that_could_not_be_read(store: Store, tmp_path: Path):
    header = "patient_id,analyte,value,unit,at\n"
    (tmp_path / f"labs of {PATIENT}.csv").write_text(
        f"{header}{PATIENT},ldh,1,U/L,2024-01-01\np2,ldh,2,U/L,2024-01-01\n"
    )
    (tmp_path / "tester_zqx.csv").write_text(f"{header}{PATIENT},ldh,7391.25,U/L,2024-01-02\n")
    (tmp_path / "broken.hl7").write_text(f"MSH|^~\\&\n{PATIENT}\n")
    paths = [tmp_path / f"labs of {PATIENT}.csv", tmp_path / "tester_zqx.csv"]
    load(store, paths, received_at=RECEIVED)
    unread = store.landing.keep(tmp_path / "broken.hl7")
    store.landing.withdraw(
        store.landing.receive(f"{PATIENT}.hl7", unread, RECEIVED), f"no segment in line 2: {PATIENT}"
    )
    store.landing.keep(_plain(tmp_path, "never received"))
    for left in ("logs/0f.txt", "tmp/upload-1/labs.csv", f"tmp/{os.getpid()}-v000001/spilled", "tmp/1-v0x/s", ".publishing",
                 "landing/.arriving", "work.rebuild.duckdb", "v000009.duckdb"):  # fmt: skip
        (store.folder / left).parent.mkdir(exist_ok=True)
        _plain(store.folder, left)
    running = store.folder / "tmp" / f"{os.getppid()}-v000001"
    running.mkdir()

    erase(store, PATIENT, "the data protection officer", erased_at=ERASED)
    assert traces(store, PATIENT, "zqx", "7391.25", unread) == []
    assert [one.name for one in store.landing.receipts()] == ["rewritten 1.csv", "rewritten 2.csv"]
    assert [path.name for path in store.snapshots()] == [store.current().name]
    assert running.exists(), "what another process that runs has spilled is its own"
    assert failed(store) == []
    header = "decision,decided_by,why,decided_at,of_file,of_line,unit\n"
    (tmp_path / "decided.csv").write_bytes(f"{header}reject,me,{PATIENT} M".encode() + b"\xfcller,,,,\n")
    assert (
        load(store, [tmp_path / "decided.csv"], received_at=LATER).files[0].refused
    )  # which shows once it has its receipt
    assert store.landing.manifest.read_text().count('"withdrawn"') == 2
    assert traces(store, PATIENT) == []


def _plain(folder: Path, name: str) -> Path:
    (folder / name).write_text(f"{PATIENT} 7391.25")
    return folder / name


@pytest.mark.usefixtures("unjudged")
def test_a_reader_keeps_the_snapshot_it_has_open_and_no_new_one_has_the_patient(store: Store, tmp_path: Path):
    load(store, _csv(tmp_path), received_at=RECEIVED)
    reader = SnapshotReader(store.folder)
    with reader.cursor() as cursor:
        erase(store, PATIENT, "the data protection officer")
        assert cursor.execute("SELECT count(*) FROM record.patient").fetchone() == (2,)
    with reader.cursor() as cursor:
        assert cursor.execute("SELECT patient_id FROM record.patient").fetchall() == [("p2",)]
    reader.close()


# ---- who may, and what is said


@pytest.mark.usefixtures("unjudged")
class TestRefusals:
    @pytest.fixture
    def loaded(self, store: Store, tmp_path: Path) -> Store:
        (tmp_path / "labs.csv").write_text(csv_text(ROWS["labs"]))
        load(store, [tmp_path / "labs.csv"], received_at=RECEIVED)
        return store

    def test_a_patient_that_the_store_does_not_have(self, loaded: Store):
        before = loaded.landing.manifest.read_bytes()
        with pytest.raises(NotFound, match="no patient 'p9'"):
            erase(loaded, "p9", "the data protection officer")
        assert loaded.landing.manifest.read_bytes() == before

    def test_a_patient_erased_before_is_said_with_when_and_by_whom(self, loaded: Store):
        erase(loaded, PATIENT, "the data protection officer", erased_at=ERASED)
        with pytest.raises(Refusal, match="erased on 2024-06-20 09:00 by the data protection officer"):
            erase(loaded, PATIENT, "somebody else")

    @pytest.mark.parametrize(("by", "why"), [(" ", ""), (PATIENT, ""), ("the officer", f"as {PATIENT}'s letter says")])
    def test_nobody_erases_and_the_reason_does_not_name_the_patient(self, loaded: Store, by: str, why: str):
        with pytest.raises(Refusal):
            erase(loaded, PATIENT, by, why)
        assert PATIENT in patients(loaded)

    def test_a_store_that_somebody_writes_to(self, loaded: Store):
        with loaded.writer(), pytest.raises(StoreBusy):
            erase(loaded, PATIENT, "the data protection officer")

    def test_a_file_that_cannot_be_read_any_more_is_named_and_nothing_is_erased(self, loaded: Store):
        (receipt,) = loaded.landing.receipts()
        loaded.landing.path(receipt.sha256).write_text("no header\n")
        with pytest.raises(FileRefused):
            erase(loaded, PATIENT, "the data protection officer")
        assert PATIENT in patients(loaded) and loaded.landing.erasures() == []

    def test_without_the_key_nothing_is_loaded_rather_than_let_the_patient_in(self, loaded: Store, tmp_path: Path):
        erase(loaded, PATIENT, "the data protection officer")
        key_file().unlink()
        with pytest.raises(KeyUnavailable):
            load(loaded, [tmp_path / "labs.csv"], received_at=LATER)
        assert traces(loaded, PATIENT) == []
        assert [check.split(":")[0] for check in failed(loaded)] == ["No erased patient is in the store"]

    def test_a_patient_with_rejected_rows_alone_and_one_in_a_file_not_loaded_yet(self, loaded: Store, tmp_path: Path):
        (tmp_path / "more.csv").write_text(f"patient_id,analyte,value,unit,at\n{PATIENT}2,who,7391.25,,2024-01-01\n")
        sha256 = loaded.landing.keep(tmp_path / "more.csv")
        loaded.landing.receive("more.csv", sha256, RECEIVED)  # and then the load was killed
        assert erase(loaded, f"{PATIENT}2", "the data protection officer").rows == 1
        assert traces(loaded, f"{PATIENT}2") == []
        assert PATIENT in patients(loaded)
