"""Who a record is about: pseudonyms, the key they are made with, and what is dropped at the door."""

from datetime import datetime
from pathlib import Path

import pytest

from pipelines.errors import Refusal
from pipelines.identity import PatientIds, key_file
from pipelines.load import load
from pipelines.sources import Declared
from pipelines.sources.direct_identifiers import identifying
from pipelines.store.database import Store, open_snapshot
from pipelines.verify import verify

RECEIVED = datetime(2026, 11, 21, 9, 0)
LABS = """patient_id,patient_name,analyte,value,unit,at
1234,NAME TEST,ferritin,1500,ng/mL,2021-07-24
1234,NAME TEST,ferritin,x,ng/mL,2021-07-25
"""


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "keys" / "pseudonym.key"
    monkeypatch.setenv("MDA5_KEY_FILE", str(path))
    return path


@pytest.fixture
def labs(tmp_path: Path) -> Path:
    path = tmp_path / "labs.csv"
    path.write_text(LABS, encoding="utf-8")
    return path


def everything_stored(store: Store) -> str:
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        tables = cursor.execute("SELECT schema_name || '.' || table_name FROM duckdb_tables()").fetchall()
        return "\n".join(str(cursor.execute(f"FROM {table}").fetchall()) for (table,) in tables)


class TestPseudonym:
    def test_it_is_the_same_for_one_identifier_of_one_assigner_and_no_other(self):
        ids = PatientIds()
        one = ids.pseudonym("1234", "north")
        assert one == PatientIds().pseudonym("1234", "north")
        assert len({one, ids.pseudonym("1234", "south"), ids.pseudonym("1235", "north"), ids.pseudonym("1234")}) == 4
        assert one.startswith("P-") and len(one) == 18 and "1234" not in one

    def test_the_key_is_made_once_for_this_user_alone(self, key: Path):
        PatientIds().pseudonym("1234")
        assert key.stat().st_mode & 0o777 == 0o600
        made = key.read_text()
        PatientIds().pseudonym("1235")
        assert key.read_text() == made

    def test_another_key_makes_other_pseudonyms(self, key: Path):
        before = PatientIds().pseudonym("1234")
        key.unlink()
        assert PatientIds().pseudonym("1234") != before

    def test_what_is_no_key_is_refused(self, key: Path):
        key.parent.mkdir()
        key.write_text("a secret")
        with pytest.raises(Refusal, match="not a key"):
            PatientIds().pseudonym("1234")

    def test_the_key_lies_in_the_users_configuration_unless_it_is_named(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delenv("MDA5_KEY_FILE")
        monkeypatch.setenv("XDG_CONFIG_HOME", "/etc/someone")
        assert key_file() == Path("/etc/someone/mda5-monitor/pseudonym.key")


class TestLoad:
    def test_ids_of_native_files_are_kept_unless_declared_identifiers(self, tmp_path: Path, labs: Path):
        kept, changed = Store(tmp_path / "kept"), Store(tmp_path / "changed")
        load(kept, [labs], received_at=RECEIVED)
        load(changed, [labs], received_at=RECEIVED, declared=Declared(ids=PatientIds("north")))
        assert "'1234'" in everything_stored(kept)
        assert "1234" not in everything_stored(changed)
        assert PatientIds().pseudonym("1234", "north") in everything_stored(changed)
        assert [check.promise for check in verify(changed) if not check.holds] == []

    def test_names_are_dropped_and_the_load_says_so(self, tmp_path: Path, labs: Path):
        store = Store(tmp_path / "store")
        notes = load(store, [labs], received_at=RECEIVED).files[0].notes
        assert "dropped at the door: names (1 column)" in notes
        assert "NAME TEST" not in everything_stored(store) and "[dropped]" in everything_stored(store)

    def test_a_store_refuses_another_key_than_its_own(self, tmp_path: Path, labs: Path, key: Path):
        store, declared = Store(tmp_path / "store"), Declared(ids=PatientIds("north"))
        load(store, [labs], received_at=RECEIVED, declared=declared)
        key.unlink()
        more = tmp_path / "more.csv"
        more.write_text(LABS.replace("1500", "1600"), encoding="utf-8")
        with pytest.raises(Refusal, match="not there"):
            load(store, [more], received_at=RECEIVED, declared=declared)
        PatientIds().pseudonym("1234")
        with pytest.raises(Refusal, match="not the key"):
            load(store, [more], received_at=RECEIVED, declared=declared)
        assert load(store, [labs], received_at=RECEIVED).files[0].refused is None


@pytest.mark.parametrize(
    ("column", "what"),
    [
        ("patient_name", "names"), ("dob", "birth dates"), ("geb._datum", "birth dates"), ("date_of_birth", "birth dates"),
        ("phone", "telephone numbers and mail addresses"),
        ("home_address", "addresses"), ("zip", "addresses"), ("nhs_number", "identity numbers"), ("site", None), ("ward", None),
        ("patient_id", None), ("birth_year", None), ("analyte_name", None),
    ],
)  # fmt: skip
def test_columns_that_identify_directly_are_known_by_their_names(column: str, what: str | None):
    assert identifying(column) == what
