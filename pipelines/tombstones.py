"""Who was erased: every name by which a later file could bring a patient back, as keyed hashes that nobody without the key can try out.

A name is the patient's id in the store, or what files call a patient that is described elsewhere: the address of a FHIR Patient. A
name without its server's address ('Patient/1') is somebody else on every server: it counts for files received at the same time.
The key is made of the key of the pseudonyms (identity.py), and like them a store that has erased somebody is of no use without it: it
refuses to load rather than let the patient in again.
"""

import hmac
import re
from collections.abc import Iterable
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.identity import PatientIds
from pipelines.sources import Batch, Source
from pipelines.sources.after_erasure import WITHHELD, WITHHELD_NAMELESS
from pipelines.store.database import Store

WORD = re.compile(r"""[^\s,;|"'=<>{}()\[\]]+""")
MOST_REMEMBERED = 1_000_000  # names that were asked for and are nobody's
LONGEST_TEXT = 10_000  # characters of a row that names nobody, in which a name is looked for


class HoldsErased(Exception):
    """A file holds rows of an erased patient: nothing of it was loaded, and it must not be kept as it is."""


class Tombstones:
    """The names of all who were erased from a store."""

    def __init__(self, store: Store) -> None:
        """Raises KeyUnavailable where somebody was erased and the key is not there."""
        self._ids = PatientIds(key_check=store.key_check)
        self._key: bytes | None = None
        self._lasting: dict[str, int] = {}  # hash -> the erasure
        self._here: dict[datetime, dict[str, int]] = {}  # of files received at a time
        for erasure in store.landing.erasures():
            self._lasting |= dict.fromkeys(erasure.names, erasure.sequence)
        for receipt, names, names_here in store.landing.names_in_receipts():
            self.remember(receipt.rewritten[-1], names, names_here, receipt.received_at)
        if self:
            self._hash("")

    def __bool__(self) -> bool:
        return bool(self._lasting)

    @property
    def last(self) -> int:
        """The newest erasure."""
        return max(self._lasting.values())

    def remember(self, erasure: int, names: Iterable[str], names_here: Iterable[str], received_at: datetime) -> None:
        """Takes names that a file has for a patient who was erased."""
        for name in names:
            self._lasting.setdefault(name, erasure)
        for name in names_here:
            self._here.setdefault(received_at, {}).setdefault(name, erasure)

    def hashed(self, names: Iterable[str]) -> list[str]:
        """What a tombstone keeps of names."""
        return sorted({self._hash(name) for name in names})

    def erasure_of(self, name: str, received_at: datetime | None = None) -> int | None:
        """The erasure of whom has this name, None when nobody has."""
        if not self:
            return None
        hashed = self._hash(name)
        return self._lasting.get(hashed, self._here.get(received_at, {}).get(hashed))

    def _hash(self, name: str) -> str:
        if self._key is None:
            self._key = hmac.digest(self._ids.key, b"mda5-monitor tombstones", "sha256")
        return hmac.digest(self._key, name.encode(), "sha256").hex()


class Erased:
    """The erased patients as one file may call them: a container of names. Of those that it was asked for, `met` are the
    erasures and `names` the names it holds; `lasting` and `here` are names that the file itself adds to those known."""

    def __init__(self, tombstones: Tombstones, received_at: datetime) -> None:
        self._tombstones, self._received_at = tombstones, received_at
        self._asked: dict[str, int | None] = {}
        self.met: set[int] = set()
        self.lasting: set[str] = set()
        self.here: set[str] = set()

    def __contains__(self, name: str | None) -> bool:
        if not name or not (name := name.strip()):
            return False
        if name in self._asked:
            found = self._asked[name]
        else:
            found = self._tombstones.erasure_of(name, self._received_at)
            if found is not None or len(self._asked) < MOST_REMEMBERED:
                self._asked[name] = found
        if found is not None:
            self.met.add(found)
        return found is not None

    @property
    def names(self) -> set[str]:
        return {name for name, erasure in self._asked.items() if erasure is not None}

    def learn(self, source: Source) -> None:
        """Takes what a file calls its patients (`links`, see ingest/patient_links.py): one name is known, so the others are theirs.

        A name that is only good for files received together makes nobody an erased patient: it may be somebody else's too.
        """
        durable, references = getattr(source, "durable_links", ()), getattr(source, "references", {})
        for alias, patient_id in getattr(source, "links", {}).items():
            sure = {patient_id} | ({alias, references.get(alias, alias)} if alias in durable else set())
            known = [name for name in sure if name in self]
            if known:
                erasure = self._asked[known[0]]
                new = {name for name in sure | {alias} if self._asked.setdefault(name, None) is None}
                self._asked |= dict.fromkeys(new, erasure)
                self.lasting |= new & sure
                self.here |= new - sure

    def in_rows(self, source: Source, batch: Batch, linked: Batch) -> bool:
        """Whether any row of a batch is of an erased patient, or names nobody and has such a name in its text.

        `linked`: the batch with the ids of patients known from other files in their place.
        """
        if batch.kind == "decisions":
            return False
        unlinked = getattr(source, "unlinked", {})
        ids = {one for table in (batch.table, linked.table) for one in _different_ids(table)}
        return any(one in self or unlinked.get(one) in self for one in ids) or any(
            word in self
            for text in batch.table.column("raw").filter(nameless(batch.table)).to_pylist()
            if text not in (WITHHELD, WITHHELD_NAMELESS)
            for word in WORD.findall(text[:LONGEST_TEXT])
        )

    def in_the_rest(self, source: Source) -> bool:
        """Whether a file speaks of one of them outside of its rows. Asked when all rows were read."""
        speaks_of = getattr(source, "speaks_of", None)
        return speaks_of is not None and speaks_of(self)

    def rows(self, source: Source, batch: Batch, linked: Batch) -> list[bool]:
        """Which rows of a batch are of an erased patient."""
        if "patient_id" not in batch.table.column_names:
            return [False] * batch.table.num_rows
        own = batch.table.column("patient_id").to_pylist()
        found = own if linked is batch else linked.table.column("patient_id").to_pylist()
        unlinked = getattr(source, "unlinked", {})
        return [
            one in self or other in self or unlinked.get(one) in self for one, other in zip(own, found, strict=True)
        ]


def nameless(table: pa.Table) -> pa.Array:
    """Which rows name no patient."""
    if "patient_id" not in table.column_names:
        return pa.repeat(pa.scalar(True), table.num_rows)
    return pc.fill_null(pc.equal(pc.utf8_trim_whitespace(table.column("patient_id")), ""), True)


def _different_ids(table: pa.Table) -> list[str | None]:
    return pc.unique(table.column("patient_id")).to_pylist() if "patient_id" in table.column_names else []
