"""The formats that can be read, one module each, found by discovery, tried in order of name.

A module of this folder that has `SUFFIXES`, `recognises(path, declared) -> bool` and `read(path, declared) -> Source` is a format.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, Protocol

import pyarrow as pa

from pipelines.errors import FileRefused
from pipelines.sources.declared import Declared

__all__ = ["Batch", "Declared", "Source", "formats", "loadable_suffixes", "recognise"]


class Batch(NamedTuple):
    """Rows of one kind, in order, all text.

    `kind` names the native columns that the rows have ('labs'), or is 'unreadable' for rows that cannot be given a kind: they need a
    cell_fault. `table` has line (int32: unique in the file and rising; the physical line of a text file on which the row begins, the
    first being 1), raw (the row as received, without names, addresses and identifiers), and any of: place (where the row
    stands, in words, where `line` does not say it: "sheet 'Labs', row 12"), cell_fault (NULL, or why the row as a whole cannot be
    read: a reason of ingest/reasons.toml), and the native columns of the kind.
    """

    kind: str
    table: pa.Table


class Source(Protocol):
    """One file, recognised. Reading it is left to `batches`, so that a file of any length needs little memory.

    A format whose files hold more than its rows has `speaks_of(names: Container[str]) -> bool` too: whether one of the patients with
    these ids of the store stands in what is no row. FHIR has links between files (ingest/patient_links.py).
    """

    format: str  # 'csv/labs', 'fhir/bundle'
    notes: list[str]  # what a person should know: encoding, delimiter, what was not read, what was dropped
    decimal: str | None  # the decimal mark that was declared: 'comma', 'dot' or None
    may_hold_commas: bool  # False when no number can contain a comma: the decimal mark is then the dot
    separated_by_comma: bool  # a file with another delimiter may come from where the comma is the decimal mark
    size: int  # bytes of the file
    position: int  # bytes read so far, while `batches` runs

    def batches(self) -> Iterator[Batch]:
        """The rows, in order. May be asked for more than once, and gives the same each time."""


def formats() -> list[ModuleType]:
    """The modules of this folder that are formats, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return [module for module in modules if hasattr(module, "recognises") and hasattr(module, "read")]


def loadable_suffixes() -> frozenset[str]:
    """The endings, in lower case, of the files that are read when a folder is loaded."""
    return frozenset(suffix for module in formats() for suffix in module.SUFFIXES)


def recognise(path: Path | str, declared: Declared | None = None) -> Source:
    """The file as a Source of the first format that recognises it.

    Raises FileRefused when it is empty, unreadable or of no known format.
    """
    path, declared = Path(path), declared or Declared()
    try:
        if path.stat().st_size == 0:
            raise FileRefused("The file is empty.", path.name, "Export it again.")
        for module in formats():
            if module.recognises(path, declared):
                return module.read(path, declared)
    except OSError as error:
        raise FileRefused(
            f"The file cannot be opened: {error.strerror}.", path.name, "Check its path and permissions."
        ) from None
    raise FileRefused(
        "This is not a file of a format known here.",
        path.name,
        "CSV, Excel (.xlsx), FHIR R4 (JSON, NDJSON) and HL7 v2 are read; see the README.",
    )
