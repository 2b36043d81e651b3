"""`watch INBOX`: loads what appears in a folder, and moves each file to done/ or refused/ with a report beside it (inbox.py).

It may be ended at any instant and started again. A file that was loaded and not yet moved is loaded once more: every row of it
is then a duplicate, and its report says when the same bytes were received before.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from pipelines import accounting, faults, mapping
from pipelines.errors import Refusal, StoreBusy
from pipelines.inbox import Inbox, look
from pipelines.load import OUR_TROUBLE as TROUBLE_OF_A_LOAD
from pipelines.load import FileReport, Progress, load
from pipelines.sources import Declared
from pipelines.store.database import Store
from pipelines.watch_report import told_of

OUR_TROUBLE = (StoreBusy, *TROUBLE_OF_A_LOAD)
INTERVAL = 10.0  # seconds between two looks
# Small files are loaded together: judging and publishing once for a thousand messages instead of a thousand times.
FILES_AT_ONCE, BYTES_AT_ONCE = 50, 64 << 20


def watch(
    store: Store,
    folder: Path,
    declared: Declared | None = None,
    interval: float = INTERVAL,
    once: bool = False,
    stop: threading.Event | None = None,
    told: Callable[[str], None] = print,
    progress: Progress | None = None,
) -> int:
    """Loads what appears in the folder until `stop` is set, or one round of it (`once`); returns how many files were refused or left.

    `told` gets a line for each file, and for each trouble. Raises StoreBusy when another watcher has the folder, and Refusal when
    the folder cannot be used; a busy store, a full disk or the like is said and tried again, but raised when `once`.
    """
    inbox, stop = Inbox(folder), stop or threading.Event()
    if folder.resolve().is_relative_to(store.folder.resolve()):
        raise Refusal("The inbox lies inside the store.", str(folder), "Choose a folder elsewhere.")
    with inbox.lock():
        watcher = _Watcher(store, inbox, declared or Declared(), told, progress, stop)
        while not stop.is_set():
            troubled = watcher.round(patient=not once)
            if once and not troubled and (watcher.looks >= 2 or not inbox.waiting()):
                break
            stop.wait(interval)
        for path in inbox.claimed():  # taken, and not loaded because something was in the way
            inbox.put_back(path)
    return watcher.refused + watcher.waiting


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl+C set: the file in hand is finished first. A second Ctrl+C ends at once, which loses nothing."""
    stop = threading.Event()

    def ask(number: int, _: object) -> None:
        stop.set()
        signal.signal(number, before[number])

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Watcher:
    """The rounds of one run."""

    def __init__(
        self,
        store: Store,
        inbox: Inbox,
        declared: Declared,
        told: Callable[[str], None],
        progress: Progress | None,
        stop: threading.Event,
    ) -> None:
        self.store, self.inbox, self.declared, self.progress, self.stop = store, inbox, declared, progress, stop
        self._told = told
        self._said: set[str] = set()  # what is in the way since the round before, and
        self._saying: set[str] = set()  # what is in this one
        self.refused = self.looks = self.waiting = 0

    def round(self, patient: bool) -> bool:
        """Takes what is settled and loads it; returns whether it must be tried again. A busy store is always waited for."""
        self.waiting, troubled = 0, False
        try:
            settled = self.inbox.settled(self._mapping_of)
            self.looks += 1
            for files in _together(self._readable([*self.inbox.claimed(), *settled]), self._mapping_of):
                if self.stop.is_set():
                    break
                try:
                    self._load([taken for path in files if (taken := self.inbox.claim(path))])
                except (StoreBusy, _CannotGoOn):
                    raise
                except OUR_TROUBLE as error:
                    if not patient:
                        raise
                    self._trouble(error)
                    troubled = True
        except StoreBusy as error:
            self._trouble(error)
            troubled = True
        except Refusal as error:  # the folder cannot be read just now, or a file in it not moved
            if not patient or isinstance(error, _CannotGoOn):
                raise
            self._trouble(error)
            troubled = True
        self._said, self._saying = self._saying, set()
        return troubled

    def _readable(self, paths: list[Path]) -> list[Path]:
        """Those of which it can be told whether a mapping is meant for them; the others wait until that can be told."""
        readable = []
        for path in paths:
            meant = self._mapping_of(path)
            if isinstance(meant, Refusal):
                self.waiting += 1
                self._say(f"{meant} Files that it may be meant for wait until it is mended or removed.")
            else:
                readable.append(path)
        return readable

    def _load(self, taken: list[Path]) -> None:
        """Loads files that are read in the same way, and puts each away. Trouble with one leaves that one to be tried again."""
        if not taken:
            return
        before = {path: look(path) for path in taken}
        try:
            reports = self._reports(taken)
        except StoreBusy:
            raise
        except OUR_TROUBLE:
            if len(taken) == 1:
                raise
            self._load_each(taken)
            return
        for path, report, told in zip(taken, reports, told_of(self.store, reports), strict=True):
            if look(path) != before[path]:
                self.inbox.put_back(path)
                self._told(f"{path.name}: it was written to while it was loaded. It is loaded again when it rests.")
            else:
                self._put_away(path, report, told)

    def _load_each(self, taken: list[Path]) -> None:
        """One at a time, so that those that can be loaded are put away."""
        trouble = None
        for path in taken:
            try:
                self._load([path])
            except (StoreBusy, _CannotGoOn):
                raise
            except OUR_TROUBLE as error:
                trouble = error
        if trouble:
            raise trouble

    def _reports(self, taken: list[Path]) -> list[FileReport]:
        used = self._mapping_of(taken[0])
        try:
            if isinstance(used, Refusal):
                raise used
            if used:
                mapping.read_mapping(used)
        except Refusal as error:
            return [FileReport(path.name, refused=str(error)) for path in taken]
        try:
            done = load(self.store, taken, self.progress, declared=replace(self.declared, mapping=used))
        except OUR_TROUBLE:
            raise
        except Exception as error:
            if faults.debugging():
                raise
            if len(taken) > 1:
                return [report for path in taken for report in self._reports([path])]
            incident = faults.record_fault(self.store.folder, error)
            return [FileReport(taken[0].name, refused=f"This program failed on it (incident {incident}).")]
        for report in done.recovered:
            self._told(f"{report.name}: received by a load that did not finish, now {_counts(report)}")
        return done.files

    def _put_away(self, path: Path, report: FileReport, told: dict) -> None:
        folder = self.inbox.refused if report.refused else self.inbox.done
        self.refused += bool(report.refused)
        try:
            place = self.inbox.put_away(path, folder, told)
        except Refusal as error:
            raise _CannotGoOn(error.found, error.where, error.hint) from None
        self._told(f"{path.name}: {_counts(report)} -> {folder.name}/{place.name}")

    def _mapping_of(self, path: Path) -> Path | Refusal | None:
        """The mapping file beside a file in the inbox, also once the file itself was taken; a Refusal where it cannot be told."""
        try:
            found = mapping.beside(self.inbox.folder / path.name)
        except Refusal as error:
            return error
        except OSError:  # its name is too long for a mapping to be named after it
            return None
        return Refusal("Links are not followed.", found.name) if found and found.is_symlink() else found

    def _trouble(self, error: BaseException) -> None:
        said = str(error) if isinstance(error, Refusal) else f"{type(error).__name__}: not loaded."
        self._say(f"{said} It is tried again.")

    def _say(self, said: str) -> None:
        """Says what is in the way, once for as long as it lasts."""
        if said not in self._said | self._saying:
            self._told(said)
        self._saying.add(said)


def _counts(report: FileReport) -> str:
    if report.refused:
        return "refused"
    return ", ".join(f"{getattr(report, outcome)} {outcome}" for outcome in ("received", *accounting.OUTCOMES))


class _CannotGoOn(Refusal):
    """Trouble that trying again makes worse."""


def _together(paths: list[Path], mapping_of: Callable[[Path], Path | Refusal | None]) -> Iterator[list[Path]]:
    """Files to load in one go: few and small enough together, and read with the same mapping."""
    for _, group in groupby(paths, key=lambda path: str(mapping_of(path))):
        batch, size = [], 0
        for path in group:
            seen = look(path)
            size += seen.size if seen else 0
            if batch and (len(batch) == FILES_AT_ONCE or size > BYTES_AT_ONCE):
                yield batch
                batch, size = [], seen.size if seen else 0
            batch.append(path)
        if batch:
            yield batch
