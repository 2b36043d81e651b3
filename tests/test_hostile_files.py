"""Files that nobody meant well: nothing crashes, nothing is lost without a word, and the store is proved after them."""

from pathlib import Path

import pytest

from pipelines.load import load
from pipelines.store.database import Store
from pipelines.verify import verify
from tests.ingesting import RECEIVED

HOSTILE = Path(__file__).parent / "hostile"
LABS = "patient_id,analyte,value,unit,at\np1,ferritin,1500,ng/mL,2021-07-24\n"


@pytest.mark.parametrize("form", ["excel", "fhir", "hl7v2"])
def test_hostile_files_are_read_or_refused_and_accounted_for(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MDA5_KEY_FILE", str(tmp_path / "pseudonym.key"))
    store, labs = Store(tmp_path / "store"), tmp_path / "labs.csv"
    labs.write_text(LABS, encoding="utf-8")
    hostile = sorted(path for path in (HOSTILE / form).iterdir() if path.name != "README.md")
    *reports, good = load(store, [*hostile, labs], received_at=RECEIVED).files
    assert good.accepted == 1
    for report in reports:
        assert report.received == report.accepted + report.duplicate + report.superseded + report.rejected, report
        assert report.received or report.refused or report.notes, report
        assert "incident" not in (report.refused or ""), report
    assert [check.promise for check in verify(store) if not check.holds] == []
