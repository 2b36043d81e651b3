"""The store: a folder with one writer's work file, published snapshots, and a pointer to the snapshot that readers open.

    landing/          the files received (landing.py)
    work.duckdb       the one writer's file, under the lock of `.lock`
    v000012.duckdb    published snapshots; a name is never used twice, because a process that still holds the old file
                      under a name would go on reading it
    CURRENT           the name of the snapshot to read, replaced atomically
    tmp/, logs/       what DuckDB spills while it works; the details of faults

A crash at any instant leaves CURRENT naming a whole snapshot: a snapshot has its name only once it is on disk, and CURRENT
moves after that. Readers never open the work file.
"""

import hashlib
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import filelock

from pipelines.errors import Refusal, StoreBusy, StoreEmpty
from pipelines.store.landing import Landing, fsync_folder

SCHEMA = (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")
# What only the work file needs: which schema made it, and the patients whose records changed since they were judged.
# The second is written in the transaction that changes records and emptied in the one that judges, so that a crash
# between the two is made good by the next load.
BOOKKEEPING = """
    CREATE TABLE IF NOT EXISTS main.made_with (schema_hash VARCHAR NOT NULL);
    CREATE TABLE IF NOT EXISTS main.unjudged (patient_id VARCHAR NOT NULL);"""
SCHEMA_HASH = hashlib.sha256((SCHEMA + BOOKKEEPING).encode()).hexdigest()
SCHEMAS = ("source", "record", "result", "concept")
KEPT_SNAPSHOTS = 3  # readers may still be on the last ones
LOCK_SECONDS = 1  # how long to wait for another writer before saying so


class Store:
    """A store in a folder. Nothing is created until something is written."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.landing = Landing(self.folder / "landing")
        self.key_check = (
            self.landing.folder / "key_check"
        )  # tells which key the pseudonyms were made with (identity.py)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keeps every other process from writing. Raises StoreBusy when one is."""
        self._create_folders()
        lock = filelock.FileLock(self.folder / ".lock", timeout=LOCK_SECONDS, mode=0o600)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise StoreBusy(
                "Another load, rebuild or check is writing to this store.",
                str(self.folder),
                "Try again when it is done.",
            ) from None
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def writer(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The work file, open for writing under the lock."""
        with self.lock(), self.work() as con:
            yield con

    @contextmanager
    def work(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The work file, open for writing. The caller holds the lock. One that another schema made is emptied first;
        an empty or outdated one is brought up to the manifest by the load that opened it (load.py)."""
        con = self._connect(self.folder / "work.duckdb")
        try:
            yield con
        finally:
            con.close()

    @contextmanager
    def fresh_work(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A new, empty work file that takes the place of the old one when the block ends well. The caller holds the lock."""
        remade = self.folder / "work.rebuild.duckdb"
        for leftover in (remade, _log(remade)):
            leftover.unlink(missing_ok=True)
        con = self._connect(remade)
        try:
            yield con
            con.execute("CHECKPOINT")
        finally:
            con.close()
        # The old log first: without it the old file is merely older, and a later load would bring it up to date.
        _log(self.folder / "work.duckdb").unlink(missing_ok=True)
        os.replace(remade, self.folder / "work.duckdb")
        fsync_folder(self.folder)

    def publish(self, con: duckdb.DuckDBPyConnection) -> int:
        """Makes what the work file holds the snapshot to read, and returns its number.

        `con` is the connection of `writer()` outside a transaction. Copying opens the file a second time in this process,
        which lets go of DuckDB's own lock on it: other writers are kept out by `.lock`.
        """
        con.execute("CHECKPOINT")
        number = 1 + max([_number(path) for path in self.snapshots()] + [self.current_number()])
        snapshot, arriving = self.folder / f"v{number:06}.duckdb", self.folder / ".publishing"
        shutil.copyfile(self.folder / "work.duckdb", arriving)
        arriving.chmod(0o600)
        _fsync_file(arriving)
        os.replace(arriving, snapshot)
        fsync_folder(self.folder)
        self._point_at(snapshot.name)
        self._prune(snapshot.name)
        return number

    def forget_the_past(self) -> None:
        """Removes whatever an earlier state of the store may have left: every snapshot but the current one, what DuckDB spilled, uploads,
        and the details of faults, which may quote rows. The caller holds the lock and has published.

        A reader that has an old snapshot open keeps it until it closes it, and so do spill files of processes that still run.
        """
        current = self.current()
        for path in (*self.snapshots(), *self.folder.glob("v*.duckdb.wal"), self.folder / ".publishing"):
            if path != current:
                path.unlink(missing_ok=True)
        for path in [*_inside(self.folder / "tmp"), *_inside(self.folder / "logs")]:
            if not _is_of_a_running_reader(path.name):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        fsync_folder(self.folder)

    def current(self) -> Path | None:
        """The snapshot that CURRENT names; None when nothing was published yet."""
        try:
            name = (self.folder / "CURRENT").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        if not _is_snapshot_name(name):
            raise Refusal("CURRENT does not name a snapshot.", str(self.folder), "Run rebuild to publish a new one.")
        return self.folder / name

    def current_number(self) -> int:
        """The number of the current snapshot, 0 when there is none."""
        try:
            current = self.current()
        except Refusal:
            return 0
        return _number(current) if current else 0

    def snapshots(self) -> list[Path]:
        """Every published snapshot still kept, oldest first."""
        return sorted((path for path in self.folder.glob("v*.duckdb") if _is_snapshot_name(path.name)), key=_number)

    def _create_folders(self) -> None:
        try:
            if not self.folder.exists():
                self.folder.mkdir(mode=0o700, parents=True)
            (self.folder / "tmp").mkdir(mode=0o700, exist_ok=True)
            self.landing.create()
        except OSError as error:
            raise Refusal(f"The store cannot be written: {error.strerror}.", str(self.folder)) from None

    def _connect(self, path: Path) -> duckdb.DuckDBPyConnection:
        try:
            con = duckdb.connect(str(path), config=_settings(self.folder.absolute() / "tmp" / path.stem))
            con.execute(BOOKKEEPING)
            if con.execute("SELECT schema_hash FROM main.made_with").fetchall() != [(SCHEMA_HASH,)]:
                start_again(con)
        except duckdb.Error as error:
            if "lock on file" in str(error):
                raise StoreBusy(
                    "Another program has the work file open.", str(path), "Close it and try again."
                ) from None
            raise Refusal(
                "The work file cannot be opened.", str(path), "Run rebuild: it makes it again from the files received."
            ) from error
        path.chmod(0o600)
        return con

    def _point_at(self, name: str) -> None:
        arriving = self.folder / ".CURRENT"
        arriving.write_text(f"{name}\n", encoding="ascii")
        _fsync_file(arriving)
        os.replace(arriving, self.folder / "CURRENT")
        fsync_folder(self.folder)

    def _prune(self, current: str) -> None:
        """Removes all but the newest snapshots. A reader that has one open keeps it until it closes it."""
        for path in self.snapshots()[:-KEPT_SNAPSHOTS]:
            if path.name != current:
                path.unlink(missing_ok=True)


def start_again(con: duckdb.DuckDBPyConnection) -> None:
    """Empties a work file, in one transaction: the tables of the schema, and nothing in them."""
    with transaction(con):
        for schema in SCHEMAS:
            con.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        con.execute(SCHEMA)
        con.execute("DELETE FROM main.unjudged")
        con.execute("DELETE FROM main.made_with")
        con.execute("INSERT INTO main.made_with VALUES (?)", [SCHEMA_HASH])


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of the block, or nothing of it."""
    con.execute("BEGIN")
    try:
        yield
    except BaseException:
        with suppress(duckdb.Error):  # a transaction that DuckDB gave up itself
            con.execute("ROLLBACK")
        raise
    con.execute("COMMIT")


class Snapshot:
    """One published snapshot, open read-only. `number` goes into cache keys and on screens as provenance."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = _number(path)
        self._con = _connect_sealed(path)

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of its own for one piece of work: two threads on one connection would read each other's rows.

        It may make TEMP tables; they are gone when it closes.
        """
        cursor = self._con.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    def close(self) -> None:
        self._con.close()

    def __enter__(self) -> "Snapshot":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_snapshot(folder: Path | str) -> Snapshot:
    """Opens the snapshot that CURRENT names. Raises StoreEmpty when nothing was loaded yet."""
    store = Store(folder)
    while True:
        path = store.current()
        if path is None:
            raise StoreEmpty("Nothing has been loaded into this store yet.", str(store.folder), "Run load first.")
        try:
            return Snapshot(path)
        except duckdb.Error as error:
            if store.current() == path:  # otherwise it was pruned since its name was read, and CURRENT names another
                raise Refusal(
                    "The published snapshot cannot be opened.", str(path), "Run rebuild to publish it again."
                ) from error


class SnapshotReader:
    """Follows CURRENT for a process that lives long, such as a dashboard. Safe to share between threads.

    Closing a handle ends the cursors that are still reading through it, so the last few snapshots stay open.
    """

    def __init__(self, folder: Path | str) -> None:
        self.store = Store(folder)
        self._lock = threading.Lock()
        self._open: list[Snapshot] = []

    def snapshot(self) -> Snapshot:
        """The current snapshot, opened when the pointer has moved. Raises StoreEmpty."""
        with self._lock:
            if not self._open or self._open[-1].path != self.store.current():
                self._open.append(open_snapshot(self.store.folder))
            while len(self._open) > KEPT_SNAPSHOTS:
                self._open.pop(0).close()
            return self._open[-1]

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor on the current snapshot, for one piece of work."""
        with self.snapshot().cursor() as cursor:
            yield cursor

    def close(self) -> None:
        with self._lock:
            while self._open:
                self._open.pop().close()


def memory_limit() -> str:
    """How much memory DuckDB may take: MDA5_MEMORY, such as 8GB; 1GB when it is not set.

    The process as a whole takes up to 2 GB more (measured at five million rows).
    """
    return os.environ.get("MDA5_MEMORY", "1GB")


def _connect_sealed(path: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection that can reach no other file, and whose settings cannot be changed any more."""
    # The spill folder is of this process and snapshot: two of them sharing one would write over each other's files.
    # It must be set before external access is given up; a second connection of this process finds that already done.
    spill = path.parent.absolute() / "tmp" / f"{os.getpid()}-{path.stem}"
    with _sealing:
        con = duckdb.connect(str(path), read_only=True, config=_settings(spill))
        if not con.execute("SELECT current_setting('lock_configuration')").fetchone()[0]:
            con.execute("SET enable_external_access = false")
            con.execute("SET lock_configuration = true")
    return con


_sealing = threading.Lock()


def _settings(spill: Path) -> dict[str, str]:
    # DuckDB takes as many threads as it has processors. Insertion order costs memory, and nothing may rest on it.
    return {
        "memory_limit": memory_limit(),
        "temp_directory": str(spill),
        "preserve_insertion_order": "false",
        "autoinstall_known_extensions": "false",
        "python_enable_replacements": "false",
    }


def _number(path: Path) -> int:
    return int(path.stem.removeprefix("v"))


def _is_snapshot_name(name: str) -> bool:
    stem, _, suffix = name.partition(".")
    return suffix == "duckdb" and stem[:1] == "v" and stem[1:].isdecimal() and stem.isascii()


def _inside(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _is_of_a_running_reader(name: str) -> bool:
    """Whether a folder in tmp/ is what another process that still runs spills from a snapshot (_connect_sealed)."""
    process, _, snapshot = name.partition("-")
    if not (process.isdecimal() and _is_snapshot_name(f"{snapshot}.duckdb")) or int(process) == os.getpid():
        return False
    try:
        os.kill(int(process), 0)
    except PermissionError:  # it is another user's
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def _fsync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _log(database: Path) -> Path:
    return database.with_name(f"{database.name}.wal")
