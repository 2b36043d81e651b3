"""Rulebooks of the rules that ship: alone, with the counts of a small store, and with numbers that a site set in hostile words."""

from pathlib import Path

import pytest

from pipelines import findings
from pipelines.load import load
from pipelines.rulebook import examples
from pipelines.rulebook.content import Rulebook, rulebook
from pipelines.rulebook.counts import Counts, count
from pipelines.store.database import Store, open_snapshot

HOSTILE = "[x](javascript:alert(1)) <img src=x onerror=alert(1)> #text(red)[y] | $E=mc^2$ `c` **b** https://evil.example www.evil.example"
SITE = {"value": "300", "unit": "ng/mL", "set_by": HOSTILE, "why": f"1. {HOSTILE}\u202e\n# heading", "on": "2026-11-30"}


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store: ferritin high, unknown and low, one patient each; the id of the first is hostile."""
    folder, inbox = tmp_path_factory.mktemp("store"), tmp_path_factory.mktemp("inbox")
    quoted = HOSTILE.replace('"', '""')
    (inbox / "labs.csv").write_text(
        "patient_id,analyte,value,unit,at\n"
        f'"{quoted}",ferritin,1700,ng/mL,2024-02-01\np2,ldh,300,U/L,2024-01-01\np3,ferritin,100,ng/mL,2024-01-01\n',
        encoding="utf-8",
    )
    load(Store(folder), [inbox])
    return folder


@pytest.fixture(scope="session")
def counted(small_store: Path) -> Counts:
    with open_snapshot(small_store) as snapshot, snapshot.cursor() as cursor:
        return count(cursor, snapshot.number)


@pytest.fixture(scope="session")
def book(counted: Counts) -> Rulebook:
    return rulebook(counted)


@pytest.fixture
def no_examples(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Rulebooks made in this test have no worked examples: they are nine tenths of a document, and of the time to set it."""
    monkeypatch.setattr(examples, "SPEC", tmp_path / "absent")


@pytest.fixture
def site_book(monkeypatch: pytest.MonkeyPatch, counted: Counts, no_examples: None) -> Rulebook:
    """The rulebook of a site that uses another number for every one of `high_ferritin`."""
    shipped = findings.thresholds

    def thresholds(rule, *more, **named):
        site = SITE if rule.id == "high_ferritin" else None
        return [row | {"site": site} for row in shipped(rule, *more, **named)]

    monkeypatch.setattr(findings, "thresholds", thresholds)
    return rulebook(counted)
