"""What is said where the store did not take what was entered, or not all of it."""

from datetime import date, datetime
from pathlib import Path

import pytest

from dashboard.data import entering
from pipelines.load import load
from pipelines.store.database import Store
from tests import some_rules

NOTE = {"kind": "note", "patient_id": "a", "day": date(2024, 4, 30), "text": "Asked for\na troponin."}
STRANGER = NOTE | {"patient_id": "stranger"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory):
    """A store of one patient, which the tests of this file write to."""
    made = tmp_path_factory.mktemp("entering")
    (made / "events.csv").write_text("patient_id,kind,code,at\na,diagnosis,ild,2024-01-02\n")
    with some_rules.in_use(some_rules.only("urgent_transfer")):
        load(Store(made / "store"), [made / "events.csv"], received_at=datetime(2024, 4, 1))
        yield made / "store"


@pytest.fixture
def store(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MDA5_STORE", str(folder))
    return folder


def said(*rows: dict) -> str:
    with pytest.raises(entering.EntryRefused) as refused:
        entering.enter(rows, "Dr A")
    return str(refused.value)


def test_of_some_it_is_said_which_are_kept_and_which_are_not(store):
    told = said(NOTE, STRANGER, NOTE | {"kind": "agenda", "code": "planned", "text": ""})
    assert told == (
        "Not kept: note of stranger (The store has no such patient. Load the patient's records first). "
        "Kept: note of a; agenda of a. Do not enter again what is kept."
    )
    assert [row["kind"] for row in entering.standing()] == ["note", "agenda"]


def test_where_none_is_taken_nothing_is_said_to_be_kept(store):
    before = len(entering.standing())
    told = said(STRANGER, STRANGER | {"text": "another"})
    assert told.count("note of stranger") == 2 and "Kept" not in told
    assert len(entering.standing()) == before


def test_of_many_the_first_are_named_and_the_rest_counted(store):
    told = said(*(NOTE | {"text": f"{number}"} for number in range(7)), STRANGER)
    assert told.count("note of a") == 5 and "and 2 more" in told
