"""A store made once by the production path: the real case, and a patient whose id is hostile text."""

import os
from pathlib import Path

import pytest

from pipelines.load import load
from pipelines.store.database import Store

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "[x](javascript:alert(1)) <img src=x onerror=alert(1)> $E=mc^2$ :smile: =1+1"
APP = str(ROOT / "dashboard" / "app.py")


@pytest.fixture(scope="session")
def sample_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store with the real case, the published cases and the hostile patient."""
    folder, inbox = tmp_path_factory.mktemp("store"), tmp_path_factory.mktemp("inbox")
    (inbox / "labs.csv").write_text(
        "patient_id,analyte,value,unit,at,assay\n"
        f'"{HOSTILE}",ferritin,1700,ng/mL,2024-02-01,<b>assay</b>\n'
        f'"{HOSTILE}",ferritin,>2000,ng/mL,2024-02-08,\n',
        encoding="utf-8",
    )
    load(Store(folder), [ROOT / "sample_data" / "yonsei_2021", ROOT / "sample_data" / "published_cases", inbox])
    return folder


@pytest.fixture
def shown_store(sample_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The dashboard of this test reads the sample store."""
    monkeypatch.setitem(os.environ, "MDA5_STORE", str(sample_store))
    return sample_store


@pytest.fixture
def empty_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(os.environ, "MDA5_STORE", str(tmp_path / "nothing"))
    return tmp_path / "nothing"
