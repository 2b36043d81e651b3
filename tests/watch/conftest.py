"""A watched folder and a store of its own for each test."""

import json
from pathlib import Path

import pytest

from pipelines.store.database import Store
from pipelines.verify import verify
from pipelines.watch import watch

HEADER = "patient_id,analyte,value,unit,at\n"
LABS = HEADER + "p1,ferritin,1200,ng/mL,2024-01-01\np1,ferritin,900,,2024-01-08\np1,ferritin,900,NAME^TEST,2024-01-09\n"
SOON = 0.02  # seconds between two looks of a test


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def once(store, inbox, lines):
    """One round; returns how many files were refused."""
    return lambda: watch(store, inbox, interval=SOON, once=True, told=lines.append)


def put(inbox: Path, name: str, text: str | bytes = LABS) -> Path:
    path = inbox / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def told(folder: Path, name: str) -> dict:
    return json.loads((folder / f"{name}.report.json").read_text(encoding="utf-8"))


def holds(store: Store) -> bool:
    return all(check.holds for check in verify(store))
