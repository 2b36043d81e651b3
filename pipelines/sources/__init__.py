"""The formats that can be read, one module each, found by discovery.

A module of this folder that has `recognises(path) -> bool` and `read(path, decimal) -> Source` is a format.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Protocol

import pyarrow as pa

from pipelines.errors import FileRefused


class Source(Protocol):
    """One file, recognised. Reading it is left to `batches`, so that a file of any length needs little memory."""

    format: str  # 'csv/labs'
    kind: str  # 'labs': which native columns its rows have
    notes: list[str]  # what a person should know: encoding, delimiter, columns that were not read
    decimal: str | None  # the decimal mark that was declared: 'comma', 'dot' or None
    may_hold_commas: bool  # False when no cell can contain a comma: the decimal mark is then the dot
    separated_by_comma: bool  # a file with another delimiter may come from where the comma is the decimal mark
    size: int  # bytes of the file
    position: int  # bytes read so far, while `batches` runs

    def batches(self) -> Iterator[pa.Table]:
        """The rows, in order, as tables of text: the native columns of the kind (absent ones NULL), and

        line (int32: the physical line on which the row begins, the header being line 1), raw (the row as received),
        cell_fault (NULL, or why the row as a whole cannot be read: a reason of ingest/reasons.toml).
        """


def formats() -> list[ModuleType]:
    """The modules of this folder that are formats, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return [module for module in modules if hasattr(module, "recognises") and hasattr(module, "read")]


def recognise(path: Path | str, decimal: str | None = None) -> Source:
    """The file as a Source of the first format that recognises it.

    `decimal` declares the file's decimal mark, 'comma' or 'dot'; None: it is detected from all its numbers together.
    Raises FileRefused when the file is empty, unreadable or of no known format.
    """
    path = Path(path)
    if decimal not in (None, "comma", "dot"):
        raise ValueError(f"decimal is 'comma', 'dot' or None, not {decimal!r}")
    try:
        if path.stat().st_size == 0:
            raise FileRefused("The file is empty.", path.name, "Export it again.")
        for module in formats():
            if module.recognises(path):
                return module.read(path, decimal)
    except OSError as error:
        raise FileRefused(
            f"The file cannot be opened: {error.strerror}.", path.name, "Check its path and permissions."
        ) from None
    raise FileRefused(
        "This is not a text file in a format known here.",
        path.name,
        "Save it as CSV (UTF-8) with the native columns; see the README.",
    )
