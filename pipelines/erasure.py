"""Erasing a patient: from every file received, every table and every snapshot, and for good.

    rewrite     landing/ gets, beside each file that holds the patient, what is left of it (rewriting.py)
    stand       the manifest is replaced in one step: it names what is left instead, who erased, when and why, and a keyed hash of the
                patient's id (tombstones.py). Killed before this, the patient is whole; after it, any load goes on from here
    finish      files that nothing names are removed, the store is made anew from landing/, and the old snapshots, uploads, spilled
                rows and details of faults go (load.finish_erasures)

Not reached from here: a program that has an old snapshot open keeps it until it closes it; backups, exports, done/ and refused/ of
inboxes and the hospital's own files lie elsewhere; and a disk keeps what was removed in free blocks until it uses them again.
"""

import re
from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipelines.errors import FileRefused, NotFound, Refusal
from pipelines.load import Progress, catch_up, finish_erasures
from pipelines.rewriting import Left, Moved, rewritten
from pipelines.store.database import SCHEMA, Store, open_snapshot
from pipelines.store.landing import Erasure, Receipt
from pipelines.tombstones import Tombstones

# Whether the work file has anything of a patient, and what it has been called by the address of its FHIR resource.
HELD = """
    SELECT count(*) FROM (
        SELECT patient_id FROM record.patient UNION ALL SELECT patient_id FROM source.rejected
        UNION ALL SELECT patient_id FROM source.patient_link) AS held
    WHERE patient_id = ?"""
ROWS = """
    SELECT count(*), count(DISTINCT file_id) FROM (
        SELECT patient_id, file_id FROM record.observation UNION ALL SELECT patient_id, file_id FROM record.administration
        UNION ALL SELECT patient_id, file_id FROM record.event UNION ALL SELECT patient_id, file_id FROM source.rejected) AS held
    WHERE patient_id = $patient_id"""
CALLED = "SELECT alias FROM source.patient_link WHERE patient_id = ? AND durable"


@dataclass
class ErasureReport:
    """What an erasure did: rows taken out, the files (as named when received) out of how many, and the snapshot without them."""

    erased_at: datetime
    by: str
    rows: int
    files: list[str]
    files_received: int
    snapshot: int


def held(store: Store, patient_id: str) -> tuple[int, int]:
    """How many records and rejected rows of a patient the published snapshot has, and in how many files. Raises StoreEmpty."""
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        return cursor.execute(ROWS, {"patient_id": patient_id.strip()}).fetchone()


def erase(
    store: Store,
    patient_id: str,
    by: str,
    why: str = "",
    progress: Progress | None = None,
    erased_at: datetime | None = None,
) -> ErasureReport:
    """Erases a patient by the id that the store shows. `erased_at` is the local time to give it (default: now).

    Raises NotFound for a patient the store does not have, Refusal for one erased before, without a name of who erases, or where it
    cannot be finished (what raised is then done by running it again); StoreBusy; KeyUnavailable; FileRefused where a received file
    cannot be read any more: nothing is erased then.
    """
    patient_id, by, why = patient_id.strip(), " ".join(by.split()), " ".join(why.split())
    _check_said(patient_id, by, why)
    moment = erased_at or datetime.now().replace(microsecond=0)
    with store.lock():
        interrupted = _erasure_of(store, patient_id)
        snapshot = _finish(store, progress)
        if interrupted and snapshot and not interrupted.finished:
            return _report(store, interrupted, snapshot)
        if interrupted:
            raise Refusal(
                f"This patient was erased on {interrupted.erased_at:%Y-%m-%d %H:%M} by {interrupted.by}.",
                patient_id,
                "Nothing is left of it here, and no load brings it back.",
            )
        tombstones = Tombstones(store)
        with store.work() as con:
            catch_up(con, store, tombstones, progress)
            if not con.execute(HELD, [patient_id]).fetchone()[0]:
                raise NotFound(
                    f"The store has no patient '{patient_id}'.",
                    str(store.folder),
                    "Give the id that the store shows: where files bring identifiers it is a pseudonym, which --assigner finds.",
                )
            names = [patient_id, *(alias for (alias,) in con.execute(CALLED, [patient_id]).fetchall())]
        erasure, left = _rewrite(store, tombstones, names, Erasure(0, moment, by, why, (), 0), progress)
        store.landing.erase(erasure, {sequence: one.remains for sequence, one in left.items()})
        return _report(store, erasure, _finish(store, progress) or store.current_number())


def _check_said(patient_id: str, by: str, why: str) -> None:
    if not patient_id or not by:
        raise Refusal("An erasure names the patient, and who erases.", "", "Give both.")
    if any(re.search(rf"(?<!\w){re.escape(patient_id)}(?!\w)", said, re.IGNORECASE) for said in (by, why)):
        raise Refusal("What is kept of an erasure must not name the patient.", "--by, --why", "Say it without the id.")


def _erasure_of(store: Store, patient_id: str) -> Erasure | None:
    sequence = Tombstones(store).erasure_of(patient_id)
    found = (erasure for erasure in store.landing.erasures() if erasure.sequence == sequence)
    return next(found, None)


def _rewrite(
    store: Store, tombstones: Tombstones, names: list[str], erasure: Erasure, progress: Progress | None
) -> tuple[Erasure, dict[int, Left]]:
    """Writes what is left of every file that holds the patient. A file may know a further name for the patient, which files before it
    hold too: they are gone through again until no name is new."""
    sequence, receipts = store.landing.next_sequence(), store.landing.receipts()
    known = set(tombstones.hashed(names))
    while True:
        left, found = {}, set()
        tombstones.remember(sequence, known, (), erasure.erased_at)
        moved = Moved(sequence)
        with duckdb.connect() as con:
            con.execute(SCHEMA)
            for done, receipt in enumerate(receipts, start=1):
                if progress:
                    progress("Rewriting", done, len(receipts))
                try:
                    one = rewritten(con, store, receipt, tombstones, moved, keep_links=True)
                except FileRefused as error:
                    raise FileRefused(
                        error.found,
                        f"{receipt.name} (receipt {receipt.sequence})",
                        "Nothing is erased. Mend landing/ first.",
                    ) from None
                moved.note(receipt, one)
                if one:
                    left[receipt.sequence] = one
                    found.update(one.remains.names)
                    tombstones.remember(sequence, (), one.remains.names_here, receipt.received_at)
        if found <= known:
            break
        known |= found
    rows = sum(one.remains.rows for one in left.values())
    return Erasure(sequence, erasure.erased_at, erasure.by, erasure.why, tuple(sorted(known)), rows, tuple(left)), left


def _finish(store: Store, progress: Progress | None) -> int | None:
    try:
        return finish_erasures(store, progress)
    except (OSError, duckdb.Error, Refusal) as error:
        said = error.strerror if isinstance(error, OSError) else str(error).split("\n", 1)[0]
        raise Refusal(
            f"The erasure stands, and is not finished: {said}",
            str(store.folder),
            "Run it again, or any load: it goes on from here. Until then old snapshots may show the patient.",
        ) from error


def _report(store: Store, erasure: Erasure, snapshot: int) -> ErasureReport:
    receipts: dict[int, Receipt] = {receipt.sequence: receipt for receipt in store.landing.receipts()}
    return ErasureReport(
        erasure.erased_at,
        erasure.by,
        erasure.rows,
        [receipts[sequence].name for sequence in erasure.rewritten],
        len(receipts),
        snapshot,
    )
