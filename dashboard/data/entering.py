"""What people enter in the dashboard becomes a file of the store, written and loaded here.

The dashboard has no login: it listens on 127.0.0.1 only, the author is what was typed, and every entry says so.
"""

from collections.abc import Iterable
from datetime import date, datetime

from dashboard import deidentify
from dashboard.data.snapshot import as_stored, ask, store_folder
from pipelines import entries, uploads
from pipelines.errors import Refusal
from pipelines.store.database import Store

EntryIncomplete = entries.EntryIncomplete
corrected_version = entries.corrected_version
withdrawn_version = entries.withdrawn_version


MOST_NAMED = 5  # so many entries of one kind of answer are named


class EntryRefused(Refusal):
    """Entries were written and the store did not take them, or not all."""


def enter(rows: Iterable[dict], author: str) -> None:
    """Keeps entries (the fields of `pipelines.entries.entry_file`) as one file of the store; the snapshot is a new one afterwards.

    Raises EntryIncomplete with what is missing, EntryRefused where the store did not take all of them (it says which it keeps),
    StoreBusy, Refusal.
    """
    if deidentify.on():  # what is on screen are labels and days of nobody
        raise EntryRefused("Nothing is entered while the page is de-identified.", "", "Turn the de-identification off.")
    rows = list(rows)
    text = entries.entry_file(rows, author, datetime.now().replace(microsecond=0))
    report = uploads.load_text(Store(store_folder()), "entries.csv", text)
    if report.refused:
        raise EntryRefused(report.refused)
    if report.rejected:
        raise _refused(rows, as_stored(entries.not_taken, report.sha256))


def _refused(rows: list[dict], not_taken: dict[int, str]) -> EntryRefused:
    """What was not taken and why; where the rest was, that it is kept, so that nobody enters it twice."""
    why = [f"{_named(rows[place])} ({hint.rstrip('.')})" for place, hint in not_taken.items()]
    kept = [_named(row) for place, row in enumerate(rows) if place not in not_taken]
    found = f"Not kept: {_listed(why)}."
    if not kept:
        return EntryRefused(found)
    return EntryRefused(f"{found} Kept: {_listed(kept)}.", "", "Do not enter again what is kept.")


def _named(row: dict) -> str:
    return f"{row['kind']} of {row['patient_id']}"


def _listed(names: list[str]) -> str:
    beyond = len(names) - MOST_NAMED
    return "; ".join(names[:MOST_NAMED]) + (f"; and {beyond:,} more" if beyond > 0 else "")


def standing(kinds: tuple[str, ...] | None = None, patients: tuple[str, ...] | None = None) -> list[dict]:
    """The entries that stand (`pipelines.entries.standing`), oldest first. Raises StoreEmpty."""
    return ask(entries.standing, kinds, patients)


def today() -> date:
    """The day on which something is entered: with the time of receipt the one thing that is read off a clock."""
    return date.today()


def new_id() -> str:
    """An id that no other entry has."""
    return entries.new_id()
