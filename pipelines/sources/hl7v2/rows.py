"""Rows on their way from segments to batches: what each says, where it stood, and the text it was read from."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.sources import Batch
from pipelines.sources.batching import Gatherer

MOST_RAW = 4000  # characters of a row as received


@dataclass(slots=True)
class Row:
    """One row: native columns of its kind, its place in words, and the text it was read from, without what identifies a person."""

    kind: str
    place: str
    raw: str
    columns: dict[str, str | None]
    fault: str | None = None


class Rows:
    """The rows of one file, until they are enough for a batch. `line` is their running number."""

    def __init__(self) -> None:
        self.count = 0
        self._gatherer = Gatherer()
        self._full: list[Batch] = []

    def add(self, row: Row) -> None:
        self.count += 1
        columns = {"line": self.count, "place": row.place, "raw": row.raw[:MOST_RAW], "cell_fault": row.fault}
        self._full += self._gatherer.add(row.kind, columns | row.columns)

    def full(self) -> Iterator[Batch]:
        """The batches that are complete."""
        full, self._full = self._full, []
        yield from full

    def rest(self) -> Iterator[Batch]:
        """All that is left."""
        yield from self.full()
        yield from self._gatherer.rest()
