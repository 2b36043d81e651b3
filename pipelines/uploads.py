"""Files that arrive as bytes under a name, such as an upload to the dashboard: written to a folder of their own, loaded, removed.

The folder is readable by this user alone and lies in the store's `tmp/`: it holds, for a moment, what landing/ keeps. Its name is
made here, and the files in it are called what `plain_file_name` makes of their names.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines import mapping
from pipelines.errors import Refusal
from pipelines.file_names import plain_file_name
from pipelines.inbox import MAPPING_ENDING
from pipelines.load import FileReport, Progress, load
from pipelines.sources import Declared
from pipelines.store.database import Store

PREFIX = "upload-"
LEFT_SECONDS = 86_400  # no load of an upload takes a day


@dataclass(frozen=True)
class Upload:
    """One file as it came in: the name it was given elsewhere, and its bytes."""

    name: str
    content: bytes | memoryview


def load_uploads(
    store: Store,
    uploads: list[Upload],
    declared: Declared | None = None,
    mapped_by: Upload | None = None,
    progress: Progress | None = None,
) -> list[FileReport]:
    """Loads files that came as bytes; `mapped_by` says what the columns of all of them are. X.mapping.toml among them is used for X.

    One bad file never stops the others. Raises StoreBusy, and Refusal when the store cannot be used.
    """
    declared = declared or Declared()
    with _written(store, [*uploads, *([mapped_by] if mapped_by else [])]) as paths:
        if mapped_by:
            declared = replace(declared, mapping=paths.pop())
        data = [path for path in paths if not path.name.lower().endswith(MAPPING_ENDING)]
        reports: dict[Path, FileReport] = {}
        meant: dict[Path | None, list[Path]] = {}
        for path in data:
            try:
                used = declared.mapping or mapping.beside(path)
                if used:
                    mapping.read_mapping(used)
                meant.setdefault(used, []).append(path)
            except Refusal as error:
                reports[path] = FileReport(path.name, refused=str(error))
        for used, group in meant.items():
            done = load(store, group, progress, declared=replace(declared, mapping=used))
            reports |= zip(group, done.files, strict=True)
        return [reports[path] for path in data]


def load_text(store: Store, name: str, text: str, progress: Progress | None = None) -> FileReport:
    """Loads one file that this programme wrote itself, such as a decision."""
    return load_uploads(store, [Upload(name, text.encode())], progress=progress)[0]


def proposal(store: Store, upload: Upload):
    """The mapping proposed for a table with local column names (`mapping.propose`). Raises FileRefused where it is no table."""
    with _written(store, [upload]) as (path,):
        return mapping.propose(path)


def _folder(store: Store) -> Path:
    """The store's tmp/, without what a server that was killed left in it."""
    folder = store.folder / "tmp"
    try:
        store.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        for left in folder.glob(f"{PREFIX}*"):
            if time.time() - left.stat().st_mtime > LEFT_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
    except OSError as error:
        raise Refusal(f"The store cannot be written: {error.strerror}.", str(store.folder)) from None
    return folder


@contextmanager
def _written(store: Store, uploads: list[Upload]) -> Iterator[list[Path]]:
    """The uploads as files, in order, until the block ends."""
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=_folder(store)) as made:
        paths: list[Path] = []
        for number, upload in enumerate(uploads, start=1):
            path = Path(made, plain_file_name(upload.name))
            if path in paths:  # two of one name
                path = Path(made, str(number), path.name)
                path.parent.mkdir(mode=0o700)
            path.write_bytes(upload.content)
            paths.append(path)
        yield paths
