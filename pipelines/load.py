"""The whole flow, from files to published findings, read top to bottom.

    file -> landing/ -> source.*, record.* -> result.*, concept.* -> snapshot
            kept        one transaction       one transaction for    one atomic
            unchanged   a file                all patients changed   pointer

A file is received (kept, with a receipt in the manifest) before a row of it is read. Its rows and the list of patients they
change are one transaction; judging those patients is another; then the work file is published. A load killed anywhere in
between leaves the last snapshot in place, and the next load first does what was left: it finishes an erasure (erasure.py),
reads the files received but not loaded, and judges the patients changed but not judged.

In a store that has erased somebody, a file with rows of such a patient is put aside as soon as the first is met: what is left of it
(rewriting.py) takes its place in landing/ and is read instead.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import duckdb

from pipelines import accounting, faults, ingest, mapping, rule_versions, sources
from pipelines.engines import on_duckdb
from pipelines.errors import FileRefused, KeyUnavailable, Refusal
from pipelines.received import declared_in, reopened
from pipelines.rewriting import rewritten
from pipelines.rule_versions import RuleChange
from pipelines.sources import Declared
from pipelines.store.database import SCHEMAS, Store, start_again, transaction
from pipelines.store.landing import Receipt
from pipelines.tombstones import HoldsErased, Tombstones

# Told as work goes on: what is being done, how much of it is done, and of how much (None: not known).
Progress = Callable[[str, int, int | None], None]
# Of so few patients the rules' tables have few rows: sharing these out among threads costs more than it saves.
FEW_PATIENTS = 20
BULK_SUFFIXES = (".ndjson", ".jsonl", ".json")
# Not the file's fault: the load stops, and the file stays received for the next load.
OUR_TROUBLE = (
    KeyUnavailable,
    OSError,
    MemoryError,
    duckdb.OutOfMemoryException,
    duckdb.IOException,
    duckdb.FatalException,
)


@dataclass
class FileReport:
    """What became of one file. received = accepted + duplicate + superseded + rejected; all 0 when `refused` says why."""

    name: str
    sha256: str | None = None
    format: str | None = None
    received: int = 0
    accepted: int = 0
    duplicate: int = 0
    superseded: int = 0
    rejected: int = 0
    notes: list[str] = field(default_factory=list)
    refused: str | None = None


@dataclass
class LoadReport:
    """What a load did. `recovered` are files received before, by a load that did not finish; `skipped` were not tried."""

    snapshot: int
    patients_changed: int
    files: list[FileReport]
    recovered: list[FileReport]
    skipped: list[str]
    rules_changed: list[RuleChange] = field(default_factory=list)  # since the store was last judged


@dataclass
class TableComparison:
    """One table before and after a rebuild: rows now, and how many rows only one side has (both 0: equal)."""

    table: str
    rows: int
    only_before: int
    only_now: int


@dataclass
class RebuildReport:
    """What a rebuild made. `tables` is empty when there was no snapshot to compare with."""

    snapshot: int
    files: list[FileReport]
    tables: list[TableComparison]
    rules_changed: list[RuleChange] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        return not any(table.only_before or table.only_now for table in self.tables)


def load(
    store: Store,
    paths: Iterable[Path],
    progress: Progress | None = None,
    received_at: datetime | None = None,
    declared: Declared | None = None,
) -> LoadReport:
    """Loads files and folders. One bad file never stops the others. Raises StoreBusy, and Refusal when the store cannot be used.

    `received_at` is the local time to give the files (default: now). `declared` is what the person says of them.
    """
    files, skipped = files_under(paths)
    patients_first = sorted(range(len(files)), key=lambda place: _refers_to_others(files[place]))
    # The one clock the product reads: when files were received, in local time, as the files' own times are.
    moment = received_at or datetime.now().replace(microsecond=0)
    with store.lock():
        finish_erasures(store, progress)
        tombstones = Tombstones(store)
        if tombstones:
            store.landing.sweep()  # of a load that was killed before it gave a file its receipt
        with store.work() as con:
            recovered = catch_up(con, store, tombstones, progress)
            rejudged, rules_changed = _judge_by_these_rules(con, store, moment, progress)
            done = {
                place: _load_file(con, store, files[place], tombstones, progress, moment, declared or Declared())
                for place in patients_first
            }
            reports = [done[place] for place in range(len(files))]  # as they were named
            changed = rejudged | _judge(con, store, moment, progress)[0]
            report = LoadReport(store.publish(con), len(changed), reports, recovered, skipped, rules_changed)
        if tombstones:
            store.landing.sweep()  # files that turned out unreadable: nobody knows whom they are about
        return report


def files_under(paths: Iterable[Path]) -> tuple[list[Path], list[str]]:
    """The files to load, and the names of what was passed over in folders. A file that is named is always tried.

    Folders are read recursively, in order of name, without following links; a file there is loadable by its ending.
    """
    files, skipped, suffixes = [], [], sources.loadable_suffixes()
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        for found in sorted(path.rglob("*")):
            inside = found.relative_to(path)
            if (found.is_dir() and not found.is_symlink()) or any(part.startswith(".") for part in inside.parts[:-1]):
                continue
            loadable = found.suffix.lower() in suffixes and not found.name.startswith(".")
            if loadable and found.is_file() and not found.is_symlink():
                files.append(found)
            else:
                skipped.append(str(Path(path.name, inside)))
    return files, skipped


def _refers_to_others(path: Path) -> bool:
    """Not so FHIR files named after patients: a bulk export has a file for each type, and the others refer to its patients."""
    return not (path.suffix.lower() in BULK_SUFFIXES and "patient" in path.name.lower())


def _load_file(
    con: duckdb.DuckDBPyConnection,
    store: Store,
    path: Path,
    tombstones: Tombstones,
    progress: Progress | None,
    moment: datetime,
    declared: Declared,
) -> FileReport:
    """Receives one file and reads it: recognised first, so that what is no data at all leaves no receipt."""
    kept: list[str] = []
    try:
        declared = declared if declared.mapping else replace(declared, mapping=_mapping_beside(path))
        kept.append(store.landing.keep(path))
        if declared.mapping:
            kept.append(store.landing.keep(declared.mapping))
        said = _said(declared, mapping=kept[1] if declared.mapping else None)
        sources.recognise(
            store.landing.path(kept[0]), declared_in(store, Receipt(0, path.name, kept[0], moment, **said))
        )
    except Exception as error:
        for sha256 in kept:
            store.landing.discard(sha256)
        return FileReport(path.name, kept[0] if kept else None, refused=_refused(store, error))
    receipt = store.landing.receive(path.name, kept[0], moment, **said)
    try:
        report = _read_received(con, store, receipt, tombstones, progress)
        return replace(report, name=receipt.name)
    except KeyUnavailable as error:  # the next load must not stumble over this file
        store.landing.withdraw(receipt, _reason(error))
        raise


def _mapping_beside(path: Path) -> Path | None:
    """The mapping file that lies beside a file and is meant for it. Raises FileRefused where that cannot be told."""
    try:
        return mapping.beside(path)
    except OSError:  # no file is there, or its name is too long for a mapping to be named after it
        return None
    except Refusal as error:
        raise FileRefused(error.found, error.where, error.hint) from None


def _said(declared: Declared, mapping: str | None) -> dict[str, str | bool | None]:
    """What was declared, as a receipt keeps it."""
    ids = declared.ids
    return {"decimal": declared.decimal, "assigner": ids.assigner, "mapping": mapping} | (
        {} if ids.assigner else {"pseudonymous": ids.pseudonymous}
    )


def catch_up(
    con: duckdb.DuckDBPyConnection, store: Store, tombstones: Tombstones, progress: Progress | None = None
) -> list[FileReport]:
    """Brings a work file that is missing, older or newer than the manifest to where the manifest is."""
    receipts = {receipt.sequence: receipt for receipt in store.landing.receipts()}
    held = con.execute("SELECT file_id, sha256 FROM source.file").fetchall()
    if any(file_id not in receipts or receipts[file_id].sha256 != sha256 for file_id, sha256 in held):
        start_again(con)  # landing/ was restored from elsewhere
        held = []
    missing = receipts.keys() - {file_id for file_id, _ in held}
    return [_read_received(con, store, receipts[sequence], tombstones, progress) for sequence in sorted(missing)]


def _read_received(
    con: duckdb.DuckDBPyConnection,
    store: Store,
    receipt: Receipt,
    tombstones: Tombstones,
    progress: Progress | None,
) -> FileReport:
    """Reads a received file into the work file. What cannot be read is withdrawn, so that no later load stumbles over it."""
    try:
        return _ingest(con, store, receipt, tombstones, progress)
    except Exception as error:
        refused = _refused(store, error)
    store.landing.withdraw(receipt, refused)
    return FileReport(receipt.name, receipt.sha256, refused=refused)


def _refused(store: Store, error: Exception) -> str:
    """What to say of a file that cannot be read. Raises the error again where it is not the file's fault."""
    if isinstance(error, OUR_TROUBLE):
        raise error
    if isinstance(error, Refusal):
        return _reason(error)
    if faults.debugging():
        raise error
    return f"This program failed on it (incident {faults.record_fault(store.folder, error)}). Nothing of it was loaded."


def _ingest(
    con: duckdb.DuckDBPyConnection,
    store: Store,
    receipt: Receipt,
    tombstones: Tombstones,
    progress: Progress | None,
) -> FileReport:
    """One file; of one that holds an erased patient, what is left of it. Raises FileRefused, with nothing of the file in the store."""
    try:
        return _ingest_as_kept(con, store, receipt, tombstones, progress)
    except HoldsErased:
        remains = rewritten(con, store, receipt, tombstones).remains
    store.landing.rewrite(remains)
    store.landing.sweep()
    tombstones.remember(remains.receipt.rewritten[-1], remains.names, remains.names_here, receipt.received_at)
    return _ingest_as_kept(con, store, remains.receipt, tombstones, progress)


def _ingest_as_kept(
    con: duckdb.DuckDBPyConnection,
    store: Store,
    receipt: Receipt,
    tombstones: Tombstones,
    progress: Progress | None,
) -> FileReport:
    """One transaction."""
    source = reopened(store, receipt)
    told = progress and (lambda rows: progress(f"Reading {receipt.name}", rows, None))
    with transaction(con):
        con.execute(
            "INSERT INTO source.file VALUES (?, ?, ?, ?, ?, ?)",
            [receipt.sequence, receipt.name, receipt.sha256, source.format, receipt.received_at, list(source.notes)],
        )
        ingest.ingest(con, receipt.sequence, source, receipt.received_at, told, tombstones)
        con.execute("INSERT INTO main.unjudged SELECT DISTINCT patient_id FROM changed_patient")
    counts = accounting.outcomes(con, [receipt.sequence])[receipt.sequence]
    return FileReport(receipt.name, receipt.sha256, source.format, **counts, notes=list(source.notes))


def _judge_by_these_rules(
    con: duckdb.DuckDBPyConnection, store: Store, moment: datetime, progress: Progress | None
) -> tuple[set[str], list[RuleChange]]:
    """Where other rules judged the store, these do before a new file is read: what turns then turns by the rules alone.
    A work file that was made again is compared with the snapshot."""
    judged = bool(rule_versions.judged_by(con))
    former = None if judged else _snapshot(store)
    if on_duckdb.judged_by_these_rules(con) or not (judged or former):
        return set(), []
    return _judge(con, store, moment, progress, former)


def _snapshot(store: Store) -> Path | None:
    """The published snapshot, if there is one."""
    try:
        current = store.current()
    except Refusal:
        return None
    return current if current and current.exists() else None


def _judge(
    con: duckdb.DuckDBPyConnection,
    store: Store,
    moment: datetime,
    progress: Progress | None,
    former: Path | None = None,
) -> tuple[set[str], list[RuleChange]]:
    """Judges the patients whose records changed, all of them when the rules did; returns whose had changed, and the
    rules that did since the store, or a `former` snapshot of it, was judged."""
    changed = [
        row[0] for row in con.execute("SELECT DISTINCT patient_id FROM main.unjudged ORDER BY patient_id").fetchall()
    ]
    same_rules = on_duckdb.judged_by_these_rules(con)
    rule_versions.forget_answers(con)
    if not changed and same_rules:
        return set(), []
    everyone = len(changed) == con.execute("SELECT count(*) FROM record.patient").fetchone()[0]
    told = progress and (lambda done, of: progress("Judging", done, of))
    rules_changed: list[RuleChange] = []
    if not same_rules:
        rule_versions.remember_answers(con, former)
    few = same_rules and len(changed) <= FEW_PATIENTS
    with (
        _one_thread(con) if few else nullcontext(),
        on_duckdb.evaluated(con, None if everyone else changed, told) as replace_rows,
        transaction(con),
    ):
        replace_rows()
        if not same_rules:
            rules_changed = rule_versions.changes(con)
        con.execute("DELETE FROM main.unjudged")
        if not same_rules:  # before the commit: a judgement is never untold, and one told twice is listed once
            rule_versions.Ledger(store.folder).add(moment, rule_versions.judged_by(con), rules_changed)
    return set(changed), rules_changed


@contextmanager
def _one_thread(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    con.execute("SET threads = 1")
    try:
        yield
    finally:
        con.execute("RESET threads")


def rebuild(store: Store, progress: Progress | None = None) -> RebuildReport:
    """Makes the store again from landing/ alone, compares every table with the published snapshot, and publishes it."""
    with store.lock():
        finish_erasures(store, progress)
        return _rebuild(store, progress)


def _rebuild(store: Store, progress: Progress | None, comparing: bool = True) -> RebuildReport:
    tombstones = Tombstones(store)
    former = _snapshot(store) if comparing else None
    with store.fresh_work() as con:
        files = [_read_again(con, store, receipt, tombstones, progress) for receipt in store.landing.receipts()]
        rules_changed = _judge(con, store, datetime.now().replace(microsecond=0), progress, former)[1]
        tables = compare(con, former, progress) if former else []
    with store.work() as con:
        return RebuildReport(store.publish(con), files, tables, rules_changed)


def finish_erasures(store: Store, progress: Progress | None = None) -> int | None:
    """Goes on where an erasure was interrupted, so that nothing of the patient is left; returns the snapshot made, if one was.

    The caller holds the lock and has no connection open. The work file is made anew: the free pages of the old one hold old rows. An
    erasure is finished only when all is removed; whatever raises in between leaves it to the next load, rebuild or erasure.
    """
    unfinished = [erasure for erasure in store.landing.erasures() if not erasure.finished]
    if not unfinished:
        return None
    store.landing.sweep()
    report = _rebuild(store, progress, comparing=False)
    store.forget_the_past()
    for erasure in unfinished:
        store.landing.finish(erasure)
    return report.snapshot


def _read_again(
    con: duckdb.DuckDBPyConnection,
    store: Store,
    receipt: Receipt,
    tombstones: Tombstones,
    progress: Progress | None,
) -> FileReport:
    try:
        return _ingest(con, store, receipt, tombstones, progress)
    except KeyUnavailable:
        raise
    except Refusal as error:
        return FileReport(receipt.name, receipt.sha256, refused=_reason(error))


def compare(con: duckdb.DuckDBPyConnection, former: Path, progress: Progress | None = None) -> list[TableComparison]:
    """Every table of the store against a snapshot, as multisets of rows; none where the snapshot does not open."""
    quoted = str(former).replace("'", "''")
    try:
        con.execute(f"ATTACH '{quoted}' AS former (READ_ONLY)")
    except (duckdb.IOException, duckdb.SerializationException):  # it is damaged: what it held cannot be told
        return []
    try:
        now, before = _tables(con, con.execute("SELECT current_database()").fetchone()[0]), _tables(con, "former")
        compared = []
        for done, table in enumerate(names := sorted(now | before), start=1):
            if progress:
                progress("Comparing", done, len(names))
            compared.append(_compare_table(con, table, table in now, table in before))
        return compared
    finally:
        con.execute("DETACH former")


def _compare_table(con: duckdb.DuckDBPyConnection, table: str, now: bool, before: bool) -> TableComparison:
    def count(query: str) -> int:
        return con.execute(f"SELECT count(*) FROM ({query})").fetchone()[0]

    def columns(name: str) -> list[tuple]:
        return [row[:2] for row in con.execute(f"DESCRIBE FROM {name}").fetchall()]

    rows = count(f"FROM {table}") if now else 0
    if (
        not now or not before or columns(table) != columns(f"former.{table}")
    ):  # another schema made it: no row is the same
        return TableComparison(table, rows, count(f"FROM former.{table}") if before else 0, rows)
    only_before = count(f"FROM former.{table} EXCEPT ALL FROM {table}")
    return TableComparison(table, rows, only_before, count(f"FROM {table} EXCEPT ALL FROM former.{table}"))


def _tables(con: duckdb.DuckDBPyConnection, database: str) -> set[str]:
    found = con.execute(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = ? AND list_contains(?, schema_name)",
        [database, list(SCHEMAS)],
    )
    return {row[0] for row in found.fetchall()}


def _reason(error: Refusal) -> str:
    """What is wrong and what to do; the file is named beside it, its place in landing/ is nobody's concern."""
    return f"{error.found} {error.hint}".strip()
