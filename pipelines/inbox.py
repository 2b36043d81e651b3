"""A folder into which files are dropped: which of them are whole, and where each goes.

    INBOX/labs.csv            dropped by a person, a scanner of an export folder, another program
    INBOX/.loading/labs.csv   taken: nobody replaces it under its name any more, and a crash leaves it here for the next start
    INBOX/done/labs.csv       loaded, with labs.csv.report.json beside it
    INBOX/refused/labs.csv    refused as a whole, likewise

Only regular files directly in the folder are taken; folders in it, links, and names that say "not finished" are left alone.
A mapping file stays where it is, for the next export of the same name.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import filelock

from pipelines.errors import Refusal, StoreBusy
from pipelines.file_names import plain_file_name
from pipelines.store.landing import fsync_folder

# What programs call a file while they write it, and what they leave in folders for themselves.
UNFINISHED_ENDINGS = (".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download", ".swp", "~")
UNFINISHED_STARTS = (".", "~$")
NO_DATA = ("thumbs.db", "desktop.ini")
MAPPING_ENDING = ".mapping.toml"
EMPTY_SECONDS = 600  # an empty file may be one whose first bytes are on their way; after so long it is an empty export


class Look(NamedTuple):
    """What a file looks like while nobody writes to it: the same at two looks."""

    size: int
    mtime_ns: int
    inode: int


class Inbox:
    """The folder and what is in it. One process at a time works on it: see `lock`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.loading, self.done, self.refused = folder / ".loading", folder / "done", folder / "refused"
        self._before: dict[str, tuple[Look | None, Look | None]] = {}

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keeps every other watcher of this folder out. Raises StoreBusy when there is one, Refusal when it cannot be used."""
        self._create_folders()
        lock = filelock.FileLock(self.folder / ".watch.lock", timeout=0, mode=0o600)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise StoreBusy("Another watch runs on this folder.", str(self.folder), "One is enough.") from None
        except OSError as error:
            raise Refusal(f"The folder cannot be watched: {error.strerror}.", str(self.folder)) from None
        try:
            yield
        finally:
            lock.release()

    def _create_folders(self) -> None:
        try:
            for folder in (self.loading, self.done, self.refused):
                folder.mkdir(mode=0o700, exist_ok=True)  # they hold files with identifiers
        except OSError as error:
            raise Refusal(f"The folder cannot be watched: {error.strerror}.", str(self.folder)) from None
        for folder in (self.loading, self.done, self.refused):
            if folder.is_symlink():
                raise Refusal("It is a link, and links are not followed.", str(folder), "Make it a folder.")

    def settled(self, mapping_of: Callable[[Path], object]) -> list[Path]:
        """The files that look as they did when this was asked before, oldest first; `mapping_of(path)`, where it is a path, too."""
        now: dict[str, tuple[Look | None, Look | None]] = {}
        for name in self._names():
            mapping = mapping_of(self.folder / name)
            now[name] = (look(self.folder / name), look(mapping) if isinstance(mapping, Path) else None)
        before, self._before = self._before, now
        settled = [name for name, seen in now.items() if seen[0] and before.get(name) == seen and _has_arrived(seen[0])]
        return [self.folder / name for name in sorted(settled, key=lambda name: (now[name][0].mtime_ns, name))]

    def waiting(self) -> bool:
        """Whether the last look saw any file."""
        return bool(self._before)

    def _names(self) -> list[str]:
        try:
            with os.scandir(self.folder) as entries:
                return [entry.name for entry in entries if _is_candidate(entry)]
        except OSError as error:
            raise Refusal(f"The folder cannot be read: {error.strerror}.", str(self.folder)) from None

    def claim(self, path: Path) -> Path | None:
        """Takes a settled file out of the way of others; one that is taken already stays where it is.

        None: it is gone, or an earlier one of its name is not put away yet.
        """
        taken = self.loading / path.name
        if path == taken:
            return taken
        if taken.exists():
            return None
        try:
            os.rename(path, taken)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Refusal(
                f"It cannot be moved: {error.strerror}.", path.name, "Give the watcher the right to move it."
            ) from None
        return taken

    def claimed(self) -> list[Path]:
        """Files taken and not put away: by this process, or by one that ended in between."""
        return sorted(path for path in self.loading.iterdir() if path.is_file() and not path.is_symlink())

    def put_back(self, taken: Path) -> None:
        """Gives a file back to the inbox, under its own name if that is still free."""
        free = self.folder / taken.name
        os.rename(taken, free if not free.exists() else _free(self.folder, plain_file_name(taken.name)))

    def put_away(self, taken: Path, folder: Path, report: dict) -> Path:
        """Moves a file to done/ or refused/ under a name that is free there, its report first; returns where it is now.

        A report without its file is what a crash between the two left; the next report of that name replaces it.
        """
        place = _free(folder, plain_file_name(taken.name))
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            arriving = folder / ".report"
            with open(arriving, "w", encoding="utf-8", opener=_private) as file:
                json.dump(report, file, ensure_ascii=False, indent=2)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(arriving, place.with_name(f"{place.name}.report.json"))
            os.rename(taken, place)
            fsync_folder(folder)
        except OSError as error:
            # Going on would load it again and again.
            raise Refusal(
                f"A file was loaded and cannot be put away: {error.strerror}.",
                str(folder),
                "Mend that and start again: the file is then loaded once more, as duplicates only.",
            ) from None
        return place


def look(path: Path) -> Look | None:
    """What a regular file looks like now; None when it is gone, or is no regular file."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return Look(found.st_size, found.st_mtime_ns, found.st_ino)


def _is_candidate(entry: os.DirEntry) -> bool:
    name = entry.name.lower()
    if name.startswith(UNFINISHED_STARTS) or name.endswith((*UNFINISHED_ENDINGS, MAPPING_ENDING)) or name in NO_DATA:
        return False
    try:
        return entry.is_file(follow_symlinks=False)
    except OSError:
        return False


def _has_arrived(seen: Look) -> bool:
    return seen.size > 0 or abs(time.time() - seen.mtime_ns / 1e9) > EMPTY_SECONDS


def _free(folder: Path, name: str) -> Path:
    """A path of this name in the folder, with a number where the name is taken: 'labs (2).csv'."""
    stem, dot, ending = name.rpartition(".")
    if not dot:
        stem, ending = name, ""
    path, number = folder / name, 1
    while os.path.lexists(path):
        number += 1
        path = folder / f"{stem} ({number}){dot}{ending}"
    return path


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
