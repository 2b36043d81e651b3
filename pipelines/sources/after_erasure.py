"""What an erasure leaves of a file of any format: the rows of everybody else, exactly as they were read, in a Parquet file of its own.

Cutting a patient out of the bytes would change what is read of the others: the decimal mark, the encoding, the numbers of lines, ids
carried down, references. So what was read is kept instead, with everything about the file that ingest asks: the same rows in the
same order under the same line numbers, with their texts. What no format reads (columns, sheets, resources, segments, names and
identifiers dropped at the door) is not kept: nobody can say whether the patient stands in it.

In place of a row that was taken out stands its line with the reason patient_erased, so that the accounting still adds up. Rows that
name no patient keep their line and reason, and lose their text. The store alone makes such files and knows which they are.

The same file, less the same patients, gives the same bytes: the taken-out lines come last, and nothing says when it was written.
"""

import json
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from pipelines.errors import FileRefused
from pipelines.sources import Batch, Declared, Source, decisions, entries
from pipelines.sources.native_csv import COLUMNS, MOST_ROWS

SUFFIXES = ()
BY_PEOPLE = {"decisions": decisions.FIELDS, "entries": entries.FIELDS}
ALWAYS = ("line", "place", "cell_fault", "raw")
CELLS = tuple(dict.fromkeys(name for columns in (*COLUMNS.values(), *BY_PEOPLE.values()) for name in columns))
SCHEMA = pa.schema(
    [("row_kind", pa.string()), ("line", pa.int32()), *((name, pa.string()) for name in (*ALWAYS[1:], *CELLS))]
)
REASON = "patient_erased"
WITHHELD = "withheld: the patient was erased"
WITHHELD_NAMELESS = "withheld: it names no patient, and one of the file was erased"
FACTS = b"mda5-monitor"
FACT_NAMES = ("format", "decimal", "may_hold_commas", "separated_by_comma")
NOTE = "an erased patient was in it: of the others, what had been read is kept, and nothing else"


def recognises(path: Path, declared: Declared) -> bool:
    """By the word of its receipt alone: a file that comes from outside is never taken for one."""
    return declared.rewritten


def read(path: Path, declared: Declared) -> "Remaining":
    """Raises FileRefused when it is not what the store wrote."""
    return Remaining(path)


class Remaining:
    """The rows that are left (a Source, see sources/__init__.py)."""

    def __init__(self, path: Path) -> None:
        self._path, self.size, self.position = path, path.stat().st_size, 0
        try:
            facts = json.loads(parquet.read_metadata(path).metadata[FACTS])
        except (pa.ArrowInvalid, KeyError, TypeError, ValueError):
            raise FileRefused("It is damaged.", path.name, "Restore landing/ from a backup.") from None
        self.format, self.decimal = facts["format"], facts["decimal"]
        self.may_hold_commas, self.separated_by_comma = facts["may_hold_commas"], facts["separated_by_comma"]
        self.settled: str = facts["settled"]  # the decimal mark of the whole file
        self.links: dict[str, str] = facts["links"]
        self.durable_links: set[str] = set(facts["durable_links"])
        self.references: dict[str, str] = facts["references"]
        self.unlinked: dict[str, str] = facts["unlinked"]
        self.notes: list[str] = facts["notes"]

    def batches(self) -> Iterator[Batch]:
        """The rows, in batches as they were read."""
        with parquet.ParquetFile(self._path) as file:
            for number in range(file.num_row_groups):
                table = file.read_row_group(number)
                kind = table.column("row_kind")[0].as_py()
                wanted = (*ALWAYS, "patient_id", *(BY_PEOPLE.get(kind) or COLUMNS.get(kind, ())))
                yield Batch(kind, table.select(list(dict.fromkeys(wanted))))
                self.position = self.size * (number + 1) // file.num_row_groups
        self.position = self.size


class Writer:
    """Writes such a file, batch by batch. A context manager: what `finish` was not called for is not whole."""

    def __init__(self, path: Path) -> None:
        # No compression: who looks for a name in landing/ finds it, or knows that it is not there.
        self._file = parquet.ParquetWriter(path, SCHEMA, compression="none", write_statistics=False)
        self._taken_out: list[int] = []

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, batch: Batch) -> None:
        """Rows that stay."""
        table = batch.table
        if table.num_rows:
            columns = {name: table.column(name) for name in SCHEMA.names if name in table.column_names}
            columns["row_kind"] = pa.repeat(pa.scalar(batch.kind), table.num_rows)
            whole = [
                columns[field.name].cast(field.type) if field.name in columns else pa.nulls(table.num_rows, field.type)
                for field in SCHEMA
            ]
            self._file.write_table(pa.table(whole, schema=SCHEMA), row_group_size=table.num_rows)

    def take_out(self, lines: Iterable[int]) -> None:
        """Rows of which only the line is left."""
        self._taken_out += lines

    def finish(self, source: Source, settled: str, notes: list[str], without: Container[str]) -> None:
        """Writes the lines taken out, and what is to be known of the file: of its links, those that bear no name in `without`."""
        self._taken_out.sort()
        for begin in range(0, len(self._taken_out), MOST_ROWS):
            lines = self._taken_out[begin : begin + MOST_ROWS]
            self.write(
                Batch(
                    "unreadable",
                    pa.table(
                        {
                            "line": pa.array(lines, pa.int32()),
                            "raw": pa.repeat(pa.scalar(WITHHELD), len(lines)),
                            "cell_fault": pa.repeat(pa.scalar(REASON), len(lines)),
                        }
                    ),
                )
            )
        facts = {name: getattr(source, name) for name in FACT_NAMES} | {"settled": settled, "notes": notes}
        for name in ("links", "references", "unlinked"):
            named = getattr(source, name, {})
            facts[name] = {one: other for one, other in named.items() if one not in without and other not in without}
        facts["durable_links"] = sorted(set(getattr(source, "durable_links", ())) & facts["links"].keys())
        text = json.dumps(facts, sort_keys=True, ensure_ascii=False)
        self._file.add_key_value_metadata({FACTS.decode(): text})


def taken_out(table: pa.Table) -> pa.Array:
    """Which rows of a batch were taken out by an erasure before."""
    if "cell_fault" not in table.column_names:
        return pa.repeat(pa.scalar(False), table.num_rows)
    return pc.fill_null(pc.equal(table.column("cell_fault"), REASON), False)
