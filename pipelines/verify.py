"""The proof that nothing was lost or invented: every file, row, record and answer of a store checked against another.

The rows of every landed file are counted again from its bytes, apart from what the store says of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines import accounting
from pipelines.errors import KeyUnavailable, Refusal
from pipelines.received import reopened
from pipelines.store.database import Snapshot, Store, open_snapshot
from pipelines.store.landing import Receipt, file_sha256
from pipelines.tombstones import Tombstones

NAMES = """
    SELECT patient_id FROM record.patient UNION SELECT patient_id FROM source.rejected WHERE patient_id IS NOT NULL
    UNION SELECT patient_id FROM source.patient_link UNION SELECT alias FROM source.patient_link WHERE durable
    UNION SELECT patient_id FROM result.spell"""


@dataclass
class Check:
    """One thing checked: the promise, whether it holds, and what was counted or found wanting."""

    promise: str
    holds: bool
    found: str


def verify(store: Store, progress: Callable[[str, int, int | None], None] | None = None) -> list[Check]:
    """Checks the published snapshot against landing/, with no load going on. Raises StoreBusy, StoreEmpty."""
    open_snapshot(store.folder).close()  # an empty folder explains itself before a lock is made in it
    with store.lock(), open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        receipts = store.landing.receipts()
        checks = [*_files(store, cursor, receipts)]
        for done, receipt in enumerate(receipts, start=1):
            if progress:
                progress("Counting rows again", done, len(receipts))
            checks.append(_accounting(store, cursor, receipt))
        checks += [_records(store, cursor, receipts), _evidence(cursor), _judged(cursor), *_snapshots(store)]
        checks += _erasures(store, cursor)
        return checks


def _files(store: Store, cursor: duckdb.DuckDBPyConnection, receipts: list[Receipt]) -> Iterator[Check]:
    named = {receipt.sha256: receipt.name for receipt in receipts}
    named |= {receipt.mapping: f"mapping of {receipt.name}" for receipt in receipts if receipt.mapping}
    changed = sorted(name for sha256, name in named.items() if not _unchanged(store.landing.path(sha256)))
    kept = len(named)
    rewritten = sum(bool(receipt.rewritten) for receipt in receipts)
    found = f"{kept} files" + (f"; of {rewritten} receipts, what erasures left" if rewritten else "")
    yield Check("Every file received is kept unchanged", not changed, _listed(changed) or found)
    held = dict(cursor.execute("SELECT file_id, sha256 FROM source.file").fetchall())
    received = {receipt.sequence: receipt.sha256 for receipt in receipts}
    odd = sorted(file_id for file_id in held.keys() | received.keys() if held.get(file_id) != received.get(file_id))
    found = f"receipts {_listed(map(str, odd))} differ: load again, or rebuild" if odd else f"{len(received)} receipts"
    yield Check("Every receipt is loaded, and nothing else", not odd, found)


def _unchanged(path: Path) -> bool:
    return path.exists() and file_sha256(path) == path.name


def _accounting(store: Store, cursor: duckdb.DuckDBPyConnection, receipt: Receipt) -> Check:
    promise = f"{receipt.name} ({receipt.sequence}): received = accepted + duplicate + superseded + rejected"
    counts = accounting.outcomes(cursor, [receipt.sequence]).get(receipt.sequence)
    if counts is None:
        return Check(promise, False, "it is not in the snapshot")
    try:
        in_file = sum(table.num_rows for _, table in reopened(store, receipt).batches())
    except (Refusal, OSError) as error:
        return Check(promise, False, str(error))
    lines, reasons = cursor.execute(
        """SELECT count(DISTINCT line), (SELECT count(DISTINCT line) FROM source.rejected WHERE file_id = $file_id)
           FROM source.row WHERE file_id = $file_id""",
        {"file_id": receipt.sequence},
    ).fetchone()
    outcomes = {name: count for name, count in counts.items() if name != "received"}
    told = f"{in_file} in the file = " + " + ".join(f"{count} {name}" for name, count in outcomes.items())
    adds_up = in_file == counts["received"] == sum(outcomes.values()) == lines and reasons == counts["rejected"]
    return Check(promise, adds_up, told if adds_up else f"{told}; {lines} lines, {reasons} of them with a reason")


def _records(store: Store, cursor: duckdb.DuckDBPyConnection, receipts: list[Receipt]) -> Check:
    """An accepted row has its record; an accepted row of kind patients has its patient."""
    promise = "Every accepted row has a record"
    with_patients = cursor.execute("SELECT DISTINCT file_id FROM source.row WHERE kind = 'patients'").fetchall()
    patients = [receipt for receipt in receipts if (receipt.sequence,) in with_patients]
    orphans = cursor.execute(
        """
        SELECT file.name || ' line ' || line FROM source.row JOIN source.file USING (file_id)
        ANTI JOIN (
            SELECT file_id, line FROM record.observation UNION ALL SELECT file_id, line FROM record.administration
            UNION ALL SELECT file_id, line FROM record.event UNION ALL SELECT file_id, line FROM record.entry
        ) AS kept USING (file_id, line)
        WHERE outcome = 'accepted' AND kind NOT IN ('patients', 'decisions') ORDER BY file_id, line""",
    ).fetchall()
    missing = [place for (place,) in orphans]
    for receipt in patients:
        missing += _patients_missing(store, cursor, receipt)
    rows = cursor.execute("SELECT count(*) FROM source.row WHERE outcome = 'accepted'").fetchone()[0]
    return Check(promise, not missing, _listed(missing) or f"{rows} rows")


def _patients_missing(store: Store, cursor: duckdb.DuckDBPyConnection, receipt: Receipt) -> list[str]:
    accepted = cursor.execute(
        "SELECT line FROM source.row WHERE file_id = ? AND kind = 'patients' AND outcome = 'accepted'",
        [receipt.sequence],
    )
    lines = {line for (line,) in accepted.fetchall()}
    held = {patient_id for (patient_id,) in cursor.execute("SELECT patient_id FROM record.patient").fetchall()}
    rows = (
        row
        for kind, table in reopened(store, receipt).batches()
        if kind == "patients"
        for row in table.select(["line", "patient_id"]).to_pylist()
    )
    return [
        f"{receipt.name} line {row['line']}"
        for row in rows
        if row["line"] in lines and (row["patient_id"] or "").strip() not in held
    ]


def _evidence(cursor: duckdb.DuckDBPyConnection) -> Check:
    named, missing = cursor.execute(
        """
        WITH named AS (SELECT DISTINCT unnest(evidence) AS record_id FROM result.spell),
        missing AS (
            SELECT record_id FROM named ANTI JOIN (
                SELECT record_id FROM record.observation UNION ALL SELECT record_id FROM record.administration
                UNION ALL SELECT record_id FROM record.event
            ) AS kept USING (record_id)
        )
        SELECT (SELECT count(*) FROM named), (SELECT count(*) FROM missing)"""
    ).fetchone()
    found = f"{missing} of {named} do not" if missing else f"{named} records named"
    return Check("Every record that an answer names exists", not missing, found)


def _judged(cursor: duckdb.DuckDBPyConnection) -> Check:
    unjudged = cursor.execute("SELECT count(DISTINCT patient_id) FROM main.unjudged").fetchone()[0]
    return Check(
        "Every patient changed was judged", not unjudged, f"{unjudged} patients wait" if unjudged else "none waits"
    )


def _snapshots(store: Store) -> Iterator[Check]:
    broken = []
    for path in store.snapshots():
        try:
            with Snapshot(path) as snapshot, snapshot.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM result.spell").fetchall()
        except duckdb.Error as error:
            broken.append(f"{path.name}: {error}")
    yield Check("Every snapshot opens", not broken, _listed(broken) or f"{len(store.snapshots())} snapshots")
    current = store.current()
    yield Check("CURRENT names a snapshot", current in store.snapshots(), current.name if current else "it names none")


def _erasures(store: Store, cursor: duckdb.DuckDBPyConnection) -> Iterator[Check]:
    """In a store that has erased somebody."""
    erasures = store.landing.erasures()
    if not erasures:
        return
    left = sum(not erasure.finished for erasure in erasures)
    yield Check(
        "Every erasure is finished", not left, f"{left} wait: load again" if left else f"{len(erasures)} erased"
    )
    promise = "No erased patient is in the store"
    try:
        tombstones = Tombstones(store)
    except KeyUnavailable as error:
        yield Check(promise, False, str(error))
        return
    found = sum(tombstones.erasure_of(name) is not None for (name,) in cursor.execute(NAMES).fetchall())
    yield Check(promise, not found, f"{found} names of one" if found else "by none of their names")


def _listed(names: object, most: int = 5) -> str:
    """The first few of a list, and how many more there are."""
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
