"""The quick way through CSV: pieces of a file in which every line is a row and no cell is quoted, cut into cells by Arrow.

What is not as plain as that comes back as None and is left to the reader that can do everything. Both give the same rows.
"""

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
from pyarrow import csv

PIECE = 8 << 20  # bytes: some ten thousand rows
NO_DELIMITER = "\x01"


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """The rest of a file, in pieces that end where a line ends."""
    left = b""
    while piece := file.read(PIECE):
        end = piece.rfind(b"\n") + 1
        if end:
            yield left + piece[:end]
            left = piece[end:]
        else:
            left += piece
    if left:
        yield left


def table(piece: bytes, delimiter: str, width: int) -> pa.Table | None:
    """The lines of a piece as a table of text: raw, and one column per cell ('0', '1', ...). None when a line is not plain:
    a quote, an empty line, another number of cells, or text that is not UTF-8. The caller knows of lone carriage returns."""
    if b'"' in piece:
        return None
    names = [str(place) for place in range(width)]
    raw = _read(piece, NO_DELIMITER, ["raw"])
    cells = _read(piece, delimiter, names) if width > 1 else None
    if raw is None or cells is None or raw.num_rows != cells.num_rows:
        return None
    return pa.table([raw.column(0), *cells.columns], names=["raw", *names])


def _read(piece: bytes, delimiter: str, names: list[str]) -> pa.Table | None:
    try:
        return csv.read_csv(
            pa.py_buffer(piece),
            read_options=csv.ReadOptions(block_size=len(piece) + 1, column_names=names),
            parse_options=csv.ParseOptions(delimiter=delimiter, quote_char=False, ignore_empty_lines=False),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
