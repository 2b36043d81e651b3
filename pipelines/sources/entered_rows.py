"""Files of what people entered: rows of one header that this programme wrote, read whole or refused.

A file that was cut on its way must not say something else than what was entered: a withdrawal that lost its last cell would affirm what
it withdraws. So a row has every cell of the header, and the last line has its end.
"""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from pipelines.errors import FileRefused
from pipelines.sources import Batch, text

LARGEST = 32 << 20  # bytes: people enter some rows, not a million


def begins_with(path: Path, fields: tuple[str, ...]) -> bool:
    """Whether the first line of a file is the header of these fields."""
    header = ",".join(fields).encode()
    with path.open("rb") as file:
        return file.read(len(header) + 1).rstrip() == header


class EnteredRows:
    """One file of entered rows (a Source, see sources/__init__.py): one batch of its kind. A decimal dot unless its numbers say otherwise.

    `is_whole` says of a row (its texts by field) whether it says all that it must; one that does not has `reason`.
    Raises FileRefused for a file larger than people can have entered, and while it is read for one that was cut.
    """

    decimal = None
    may_hold_commas = True
    separated_by_comma = True

    def __init__(
        self, path: Path, kind: str, fields: tuple[str, ...], is_whole: Callable[[dict[str, str]], bool], reason: str
    ) -> None:
        self._path, self._kind, self._fields, self._is_whole, self._reason = path, kind, fields, is_whole, reason
        self.format, self.size, self.position, self.notes = f"csv/{kind}", path.stat().st_size, 0, []
        if self.size > LARGEST:
            raise FileRefused(f"It is larger than {LARGEST >> 20} MB.", path.name, f"Load {kind} in smaller files.")

    def batches(self) -> Iterator[Batch]:
        """One batch; what its rows bring of other kinds is read again, as rows of that kind, by ingest."""
        found = list(self._rows())
        self.position = self.size
        if found:
            lines, cells = zip(*found, strict=True)
            named = [self._named(row) for row in cells]
            table = {
                "line": pa.array(lines, pa.int32()),
                "raw": pa.array([_raw(row) for row in cells]),
                "cell_fault": pa.array([None if self._says_all(row) else self._reason for row in cells], pa.string()),
            }
            columns = {name: pa.array([row.get(name) or None for row in named], pa.string()) for name in self._fields}
            yield Batch(self._kind, pa.table(table | columns))

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """(the line on which it begins, cells) of every row."""
        csv.field_size_limit(2 * text.LONGEST_LINE)
        reader = csv.reader(io.StringIO(self._content(), newline=""), strict=True)
        line = 0
        try:
            next(reader)
            line = reader.line_num
            for cells in reader:
                begun, line = line + 1, reader.line_num
                if cells:
                    yield begun, cells
        except csv.Error as error:
            raise FileRefused(f"Line {line + 1} cannot be read: {error}.", self._path.name) from None

    def _content(self) -> str:
        again = "Load the file that the dashboard wrote."
        try:
            content = self._path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise FileRefused("It is not UTF-8.", self._path.name, again) from None
        if not content.endswith("\n"):
            raise FileRefused("Its last line has no end: the file was cut.", self._path.name, again)
        return content

    def _named(self, cells: list[str]) -> dict[str, str]:
        return dict(zip(self._fields, (cell.strip() for cell in cells), strict=False))

    def _says_all(self, cells: list[str]) -> bool:
        return len(cells) == len(self._fields) and self._is_whole(self._named(cells))


def _raw(cells: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(cells)
    return written.getvalue()
