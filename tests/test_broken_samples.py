"""sample_data/broken: every fault has its own reason, and its README says which."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from pipelines.ingest import reasons
from pipelines.ingest.columns import WORDS
from pipelines.load import LoadReport, load
from pipelines.store.database import Store, open_snapshot
from pipelines.verify import verify

BROKEN = Path(__file__).parents[1] / "sample_data" / "broken"
README = (BROKEN / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\S+\.\w+)` \| `(\w+)` \| (\w+) \| .+ \|$", README, re.MULTILINE)
WHOLE_FILES = dict(re.findall(r"^\| `(\S+\.\w+)` \| ([^`|]+) \| [^|]+ \|$", README, re.MULTILINE))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("broken") / "store")


@pytest.fixture(scope="module", autouse=True)
def report(store: Store) -> LoadReport:
    return load(store, [BROKEN], received_at=datetime(2024, 6, 1, 12, 0))


def test_the_readme_names_every_file_once():
    named = [file for file, _, _ in ROWS] + list(WHOLE_FILES)
    assert sorted(named) == sorted(path.name for path in BROKEN.iterdir() if path.name != "README.md")


def test_every_reason_is_shown_in_its_order_by_a_file_of_its_name():
    shown = {reason: of["class"] for reason, of in reasons().items() if reason != "patient_erased"}  # test_erasure.py
    assert [(reason, kind) for _, reason, kind in ROWS] == list(shown.items())
    assert [Path(file).stem for file, _, _ in ROWS] == list(shown)


def test_every_column_of_fixed_words_has_its_reason():
    columns = {column for columns in WORDS.values() for column in columns}
    assert {column for column in columns if f"{column}_unknown" not in reasons()} == {"per"}


def test_every_file_has_one_row_rejected_for_its_reason(store: Store):
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        found = cursor.execute(
            "SELECT name, reason, class FROM source.rejected JOIN source.file USING (file_id)"
        ).fetchall()
    assert sorted(found) == sorted(ROWS)


def test_every_other_row_is_accepted_and_the_counts_add_up(report: LoadReport):
    for file in (file for file in report.files if not file.refused):
        assert (file.rejected, file.duplicate, file.superseded) == (1, 0, 0), file.name
        assert file.received == file.accepted + file.duplicate + file.superseded + file.rejected, file.name


def test_whole_files_are_refused_each_with_what_is_wrong(report: LoadReport):
    refused = {file.name: file.refused for file in report.files if file.refused}
    assert refused.keys() == WHOLE_FILES.keys()
    assert [name for name, said in WHOLE_FILES.items() if not refused[name].startswith(said)] == []
    assert len(set(WHOLE_FILES.values())) == len(WHOLE_FILES)


def test_the_store_is_proved(store: Store):
    assert [check.promise for check in verify(store) if not check.holds] == []
