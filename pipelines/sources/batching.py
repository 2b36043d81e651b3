"""Rows of several kinds, gathered into batches of one kind each, within bounds of rows and of characters."""

from collections.abc import Iterator

import pyarrow as pa

from pipelines.sources import Batch
from pipelines.sources.native_csv import COLUMNS

# Below the size at which an insert goes wrong (native_csv.MOST_ROWS): a row of oxygen becomes up to seven records, one of pft two.
MOST_ROWS = {"oxygen": 10_000, "pft": 25_000}
ROWS = 100_000
CHARACTERS = 32 << 20


class Gatherer:
    """Takes rows one by one; gives a batch of a kind when it is full, and the rest at the end."""

    def __init__(self) -> None:
        self._rows: dict[str, list[dict[str, str | int | None]]] = {}
        self._characters: dict[str, int] = {}

    def add(self, kind: str, row: dict[str, str | int | None]) -> Iterator[Batch]:
        """`row`: line, raw, place, cell_fault and native columns. Yields the batch that it fills, if it does."""
        rows = self._rows.setdefault(kind, [])
        rows.append(row)
        held = sum(len(cell) for cell in row.values() if isinstance(cell, str))
        self._characters[kind] = self._characters.get(kind, 0) + held
        if len(rows) >= MOST_ROWS.get(kind, ROWS) or self._characters[kind] > CHARACTERS:
            yield self._take(kind)

    def rest(self) -> Iterator[Batch]:
        """What is left, one batch of each kind."""
        for kind in list(self._rows):
            yield self._take(kind)

    def _take(self, kind: str) -> Batch:
        rows = self._rows.pop(kind)
        self._characters.pop(kind)
        present = set().union(*rows)
        names = [
            name for name in ("raw", "place", "cell_fault", *COLUMNS.get(kind, ("patient_id",))) if name in present
        ]
        lines = pa.array([row["line"] for row in rows], pa.int32())
        return Batch(
            kind,
            pa.table(
                {"line": lines} | {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}
            ),
        )
