"""What is left of one received file when patients were erased: written beside it in landing/, for a receipt to name instead."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.ingest import patient_links
from pipelines.ingest.decimal_mark import decimal_mark
from pipelines.received import declared_in, reopened
from pipelines.sources import Batch, Source, loadable_suffixes
from pipelines.sources.after_erasure import NOTE, WITHHELD_NAMELESS, Writer, taken_out
from pipelines.store.database import Store
from pipelines.store.landing import Receipt, Remains
from pipelines.tombstones import Erased, Tombstones, nameless


@dataclass
class Moved:
    """The files that one erasure has rewritten so far: by SHA-256 what it is now, and the lines that were taken out."""

    erasure: int | None = None
    now: dict[str, str] = field(default_factory=dict)
    lines: dict[str, set[int]] = field(default_factory=dict)

    def note(self, receipt: Receipt, left: "Left | None") -> None:
        """Takes what became of one receipt; a later receipt of the same bytes is what decisions after it are about."""
        if left:
            self.now[receipt.sha256] = left.remains.receipt.sha256
            self.lines[receipt.sha256] = left.lines
        else:
            self.now.pop(receipt.sha256, None)
            self.lines.pop(receipt.sha256, None)


@dataclass(frozen=True)
class Left:
    """What is left of a file, and which of its lines were taken out."""

    remains: Remains
    lines: set[int]


def rewritten(
    con: duckdb.DuckDBPyConnection,
    store: Store,
    receipt: Receipt,
    tombstones: Tombstones,
    moved: Moved | None = None,
    keep_links: bool = False,
) -> Left | None:
    """What is left of a received file, written to landing/ under its SHA-256; None when it has nothing of an erased patient.

    `con` holds what files before it called their patients (source.patient_link); `keep_links` adds what this one does. `moved` is what an
    erasure did to the files before it, for decisions about their rows. Raises FileRefused.
    """
    moved = moved or Moved()
    declared = declared_in(store, receipt)
    source, erased = reopened(store, receipt, declared), Erased(tombstones, receipt.received_at)
    erased.learn(source)
    patient_links.begin(con, receipt.sequence, receipt.received_at)
    try:
        if not _is_touched(con, source, erased, moved):
            return None
        source = reopened(store, receipt, declared)  # its notes and counts are those of one reading
        settled = decimal_mark(source)
        with _scratch(store) as path:
            with Writer(path) as writer:
                others, lines = _write(con, writer, source, erased, moved)
                printed = {name for name in erased.names | declared.ids.printed(erased) if name.strip()}
                notes = [note for note in source.notes if note != NOTE and not _bears(note, printed)]
                writer.finish(source, settled, [*notes, NOTE], erased)
            sha256 = store.landing.keep(path)
    finally:
        if keep_links:
            patient_links.keep(con, source)
    name = receipt.name if others and not _bears(receipt.name, printed) else _neutral(receipt)
    erasures = {*receipt.rewritten, *erased.met, *([moved.erasure] if moved.erasure else [])} or {tombstones.last}
    left = replace(receipt, name=name, sha256=sha256, rewritten=tuple(sorted(erasures)))
    remains = Remains(left, len(lines), tuple(tombstones.hashed(erased.lasting)), tuple(tombstones.hashed(erased.here)))
    return Left(remains, lines)


def _is_touched(con: duckdb.DuckDBPyConnection, source: Source, erased: Erased, moved: Moved) -> bool:
    for batch in source.batches():
        if batch.kind == "decisions":
            about = {one for one in pc.unique(batch.table.column("of_file")).to_pylist() if one}
            if any(one.strip() in moved.now for one in about):
                return True
        elif erased.in_rows(source, batch, patient_links.linked(con, source, batch)):
            return True
    return erased.in_the_rest(source)


def _write(
    con: duckdb.DuckDBPyConnection, writer: Writer, source: Source, erased: Erased, moved: Moved
) -> tuple[int, set[int]]:
    """How many rows of other patients there are, and the lines newly taken out."""
    others, lines = 0, set()
    for batch in source.batches():
        if batch.kind == "decisions":
            batch, gone = _decisions(batch, moved)
        else:
            gone = pa.array(erased.rows(source, batch, patient_links.linked(con, source, batch)), pa.bool_())
        before = taken_out(batch.table)
        writer.take_out(batch.table.filter(pc.or_(before, gone)).column("line").to_pylist())
        lines.update(batch.table.filter(gone).column("line").to_pylist())
        stays = Batch(batch.kind, batch.table.filter(pc.invert(pc.or_(before, gone))))
        if batch.kind != "decisions":
            others += stays.table.num_rows - pc.sum(nameless(stays.table), min_count=0).as_py()
            stays = Batch(batch.kind, _without_texts_of_nobody(stays.table))
        else:
            others += stays.table.num_rows
        writer.write(stays)
    return others, lines


def _without_texts_of_nobody(table: pa.Table) -> pa.Table:
    """The rows, of those that name no patient only line and fault: they may be of the one who was erased."""
    nobody = nameless(table)
    columns = {}
    for name in table.column_names:
        column = table.column(name)
        if name in ("line", "cell_fault"):
            columns[name] = column
        else:
            hidden = pa.scalar(WITHHELD_NAMELESS if name == "raw" else None, pa.string())
            columns[name] = pc.if_else(nobody, hidden, column)
    return pa.table(columns)


def _decisions(batch: Batch, moved: Moved) -> tuple[Batch, pa.Array]:
    """Decisions, about the files as they are called now, and which of them are about rows that were taken out."""
    gone, now = [], []
    for row in batch.table.select(["of_file", "of_line", "raw"]).to_pylist():
        of_file, of_line = (row["of_file"] or "").strip(), (row["of_line"] or "").strip()
        called = moved.now.get(of_file)
        gone.append(bool(called) and of_line.isdecimal() and int(of_line) in moved.lines[of_file])
        now.append((called or row["of_file"], row["raw"].replace(of_file, called) if called else row["raw"]))
    table = batch.table
    for name, column in zip(("of_file", "raw"), zip(*now, strict=True), strict=True):
        table = table.set_column(table.column_names.index(name), name, pa.array(column, pa.string()))
    return Batch("decisions", table), pa.array(gone, pa.bool_())


def _bears(text: str, names: set[str]) -> bool:
    """Whether a text has one of the names in it as a word."""
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) for name in names)


def _neutral(receipt: Receipt) -> str:
    """A name for a file whose own may tell whom it was about."""
    suffix = Path(receipt.name).suffix.lower()
    return f"rewritten {receipt.sequence}{suffix if suffix in loadable_suffixes() else ''}"


@contextmanager
def _scratch(store: Store) -> Iterator[Path]:
    with TemporaryDirectory(prefix="rewriting-", dir=store.folder / "tmp") as folder:
        yield Path(folder, "remaining")
