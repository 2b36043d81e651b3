"""The files as they were received: kept unchanged under their SHA-256, with a manifest of when each arrived.

`landing/` is the truth of a store; everything else in it can be made again from here. The manifest is one JSON object a
line, added to at its end. A line cut short by a crash was never acknowledged: it is ignored, and overwritten by the next.

An erasure alone changes what was received (erasure.py). It writes the manifest anew, in one step: receipts of files that held
the patient name the file that is left instead (`rewritten`: by which erasures), with their sequence, and a line of its own says
who erased and why. The names of the patient stand in it as keyed hashes (tombstones.py). It is finished when nothing of the patient
is left anywhere in the store, and a line says so; until then, any load goes on with it.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pipelines.errors import FileRefused, NotFound, Refusal

CHUNK = 1 << 20
SHA256 = re.compile(r"[0-9a-f]{64}")
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
    rewritten: tuple[int, ...] = ()  # the erasures that left this file of the one received

    @property
    def declared(self) -> dict[str, str | bool]:
        return {name: value for name in DECLARED if (value := getattr(self, name)) is not None}


@dataclass(frozen=True)
class Remains:
    """What an erasure leaves of a received file: the receipt that stands from now on, and names to remember it by.

    `names`, of the erased patients it held: keyed hashes, for good, and `names_here` for files received at the same time.
    """

    receipt: Receipt
    rows: int  # how many were taken out
    names: tuple[str, ...] = ()
    names_here: tuple[str, ...] = ()


@dataclass(frozen=True)
class Erasure:
    """One patient erased: who did it, when, why. `names` are keyed hashes of what the patient was called in the store."""

    sequence: int
    erased_at: datetime
    by: str
    why: str
    names: tuple[str, ...]
    rows: int
    rewritten: tuple[int, ...] = field(default=())  # the receipts whose file it rewrote
    finished: bool = False


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
        return [_receipt(line) for line in _standing(self._lines())]

    def receive(self, name: str, sha256: str, received_at: datetime, **declared: str | bool | None) -> Receipt:
        """Writes the receipt of a file that `keep` took in, durably, before any row of it is read. `declared`: see Receipt."""
        receipt = Receipt(self.next_sequence(), _plain_text(name), sha256, received_at, **declared)
        self._append(_line(receipt))
        return receipt

    def next_sequence(self) -> int:
        """The number of the next receipt or erasure."""
        return 1 + max((line["sequence"] for line in self._lines()), default=0)

    def withdraw(self, receipt: Receipt, reason: str) -> None:
        """Notes that a received file turned out unreadable as a whole. Its copy stays, no load or rebuild reads it again."""
        self._append({"sequence": receipt.sequence, "withdrawn": reason})

    def find(self, sequence: int) -> Receipt:
        for receipt in self.receipts():
            if receipt.sequence == sequence:
                return receipt
        raise NotFound(f"The manifest has no receipt {sequence}.")

    def erasures(self) -> list[Erasure]:
        """Every erasure, in order."""
        lines = self._lines()
        finished = {line["sequence"] for line in lines if "finished" in line}
        return [
            Erasure(
                line["sequence"],
                datetime.fromisoformat(line["erased_at"]),
                line["by"],
                line["why"],
                tuple(line["names"]),
                line["rows"],
                tuple(line["rewrote"]),
                line["sequence"] in finished,
            )
            for line in lines
            if "erased_at" in line
        ]

    def names_in_receipts(self) -> Iterator[tuple[Receipt, list[str], list[str]]]:
        """Each receipt whose file held an erased patient, with what the file called them (see Remains)."""
        for line in _standing(self._lines()):
            if "names" in line or "names_here" in line:
                yield _receipt(line), line.get("names", []), line.get("names_here", [])

    def rewrite(self, remains: Remains) -> None:
        """Puts what is left of one received file in its place."""
        self._write_anew(lambda lines: [_rewritten(line, {remains.receipt.sequence: remains}) for line in lines])

    def erase(self, erasure: Erasure, remains: dict[int, Remains]) -> None:
        """The step that makes an erasure stand: what is left of each file (by sequence), and who erased, all at once.

        Of files that could not be read as a whole (`withdraw`) nobody knows whom they are about: they are no longer kept either.
        """
        line = {
            "sequence": erasure.sequence, "erased_at": erasure.erased_at.isoformat(), "by": erasure.by, "why": erasure.why,
            "names": erasure.names, "rows": erasure.rows, "rewrote": sorted(remains),
        }  # fmt: skip

        def anew(lines: list[dict]) -> list[dict]:
            withdrawn = {one["sequence"] for one in lines if "withdrawn" in one}
            unread = {"withdrawn": f"It could not be read, and is not kept since erasure {erasure.sequence}."}
            return [
                *(_rewritten(one, remains) for one in lines if one["sequence"] not in withdrawn),
                *({"sequence": sequence} | unread for sequence in sorted(withdrawn)),
                line,
            ]

        self._write_anew(anew)

    def finish(self, erasure: Erasure) -> None:
        """Notes that nothing of the patient is left in the store."""
        self._append({"sequence": erasure.sequence, "finished": True})

    def sweep(self) -> None:
        """Removes copies that no receipt names: of files that a load never finished to receive, could not read, or rewrote."""
        named = {sha256 for line in _standing(self._lines()) for sha256 in (line["sha256"], line.get("mapping"))}
        for path in self.folder.iterdir():
            left = path.name in (".arriving", ".manifest")
            if left or (SHA256.fullmatch(path.name) and path.name not in named):
                path.unlink(missing_ok=True)
        fsync_folder(self.folder)

    def _write_anew(self, anew: Callable[[list[dict]], list[dict]]) -> None:
        arriving = self.folder / ".manifest"
        with open(arriving, "wb", opener=_private) as manifest:
            manifest.writelines(json.dumps(line).encode() + b"\n" for line in anew(self._lines()))
            manifest.flush()
            os.fsync(manifest.fileno())
        os.replace(arriving, self.manifest)
        fsync_folder(self.folder)

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


def _standing(lines: list[dict]) -> list[dict]:
    """The lines that are receipts and were not withdrawn."""
    withdrawn = {line["sequence"] for line in lines if "withdrawn" in line}
    return [line for line in lines if "sha256" in line and line["sequence"] not in withdrawn]


def _receipt(line: dict) -> Receipt:
    return Receipt(
        line["sequence"],
        line["name"],
        line["sha256"],
        datetime.fromisoformat(line["received_at"]),
        *(line.get(name) for name in DECLARED),
        tuple(line.get("rewritten", ())),
    )


def _line(receipt: Receipt) -> dict:
    line = {
        "sequence": receipt.sequence,
        "name": receipt.name,
        "sha256": receipt.sha256,
        "received_at": receipt.received_at.isoformat(),
    }
    return line | receipt.declared | ({"rewritten": receipt.rewritten} if receipt.rewritten else {})


def _rewritten(line: dict, remains: dict[int, Remains]) -> dict:
    """A line of the manifest, with what an erasure left of its file, if it is the receipt of one."""
    left = remains.get(line["sequence"])
    if left is None or "sha256" not in line:
        return line
    names = {
        "names": sorted({*line.get("names", ()), *left.names}),
        "names_here": sorted({*line.get("names_here", ()), *left.names_here}),
    }
    return _line(left.receipt) | {name: held for name, held in names.items() if held}


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
