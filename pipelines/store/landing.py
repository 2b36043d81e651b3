"""The files as they were received: kept unchanged under their SHA-256, with a manifest of when each arrived.

`landing/` is the truth of a store; everything else in it can be made again from here. The manifest is one JSON object a
line, only ever added to. A line cut short by a crash was never acknowledged: it is ignored, and overwritten by the next.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipelines.errors import FileRefused, NotFound, Refusal

CHUNK = 1 << 20


DECLARED = ("decimal", "assigner", "pseudonymous", "mapping")


@dataclass(frozen=True)
class Receipt:
    """One arrival of one file. The same bytes may arrive many times: each has its receipt, landing keeps one copy."""

    sequence: int  # becomes source.file.file_id
    name: str  # base name as received, shown to people, never used as a path
    sha256: str
    received_at: datetime  # local time of this machine, without an offset, as the files' own times are
    # What the person who loaded it said of it (sources/declared.py); None: nothing.
    decimal: str | None = None  # 'comma' or 'dot'
    assigner: str | None = None  # the patients' ids are identifiers of this assigner
    pseudonymous: bool | None = None  # the patients' ids are pseudonyms already
    mapping: str | None = None  # the SHA-256 of the mapping file, which landing keeps too

    @property
    def declared(self) -> dict[str, str | bool]:
        return {name: value for name in DECLARED if (value := getattr(self, name)) is not None}


class Landing:
    """The folder `landing/` of a store. Whoever writes holds the store's lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = folder / "manifest"

    def create(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)

    def path(self, sha256: str) -> Path:
        return self.folder / sha256

    def keep(self, path: Path) -> str:
        """Copies a file in, unless it is held already, and returns its SHA-256. Raises FileRefused when it cannot be read."""
        if not path.is_file():
            raise FileRefused("It is not a regular file.", path.name)
        try:
            source = path.open("rb")
        except OSError as error:
            raise FileRefused(f"It cannot be opened: {error.strerror}.", path.name) from None
        arriving, digest = self.folder / ".arriving", hashlib.sha256()
        with source, open(arriving, "wb", opener=_private) as copy:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
        sha256 = digest.hexdigest()
        if self.path(sha256).exists():
            arriving.unlink()
        else:
            os.replace(arriving, self.path(sha256))
            fsync_folder(self.folder)
        return sha256

    def discard(self, sha256: str) -> None:
        """Forgets a copy that was refused before it had a receipt; a copy that any receipt names stays."""
        if all(sha256 not in (line["sha256"], line.get("mapping")) for line in self._lines() if "sha256" in line):
            self.path(sha256).unlink(missing_ok=True)

    def receipts(self) -> list[Receipt]:
        """Every receipt that stands, in order of arrival."""
        lines = self._lines()
        withdrawn = {line["sequence"] for line in lines if "withdrawn" in line}
        return [
            Receipt(
                line["sequence"],
                line["name"],
                line["sha256"],
                datetime.fromisoformat(line["received_at"]),
                *(line.get(name) for name in DECLARED),
            )
            for line in lines
            if "withdrawn" not in line and line["sequence"] not in withdrawn
        ]

    def receive(self, name: str, sha256: str, received_at: datetime, **declared: str | bool | None) -> Receipt:
        """Writes the receipt of a file that `keep` took in, durably, before any row of it is read. `declared`: see Receipt."""
        sequence = 1 + max((line["sequence"] for line in self._lines()), default=0)
        receipt = Receipt(sequence, _plain_text(name), sha256, received_at, **declared)
        line = {"sequence": sequence, "name": receipt.name, "sha256": sha256, "received_at": received_at.isoformat()}
        self._append(line | receipt.declared)
        return receipt

    def withdraw(self, receipt: Receipt, reason: str) -> None:
        """Notes that a received file turned out unreadable as a whole. Its copy stays, no load or rebuild reads it again."""
        self._append({"sequence": receipt.sequence, "withdrawn": reason})

    def find(self, sequence: int) -> Receipt:
        for receipt in self.receipts():
            if receipt.sequence == sequence:
                return receipt
        raise NotFound(f"The manifest has no receipt {sequence}.")

    def _lines(self) -> list[dict]:
        whole, _, _torn = self._text().rpartition(b"\n")
        lines = []
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                lines.append(json.loads(line))
            except ValueError:
                raise Refusal(
                    "It is not a receipt.", f"landing/manifest, line {number}", "Restore the manifest from a backup."
                ) from None
        return lines

    def _text(self) -> bytes:
        return self.manifest.read_bytes() if self.manifest.exists() else b""

    def _append(self, line: dict) -> None:
        acknowledged = self._text().rfind(b"\n") + 1
        with open(self.manifest, "r+b" if self.manifest.exists() else "w+b", opener=_private) as manifest:
            manifest.truncate(acknowledged)
            manifest.seek(acknowledged)
            manifest.write(json.dumps(line).encode() + b"\n")
            manifest.flush()
            os.fsync(manifest.fileno())
        fsync_folder(self.folder)


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fsync_folder(folder: Path) -> None:
    """Makes names created or replaced in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _private(path: str, flags: int) -> int:
    """Opens for this user alone: the files are about patients."""
    return os.open(path, flags, 0o600)


def _plain_text(name: str) -> str:
    """A file name that is not valid text, or holds control characters, made printable."""
    text = name.encode("utf-8", "replace").decode("utf-8")
    return "".join(character if character.isprintable() else "?" for character in text)
