"""What people enter in the dashboard becomes a file of the store, written and loaded here.

The dashboard has no login: it listens on 127.0.0.1 only, the author is what was typed, and every entry says so.
"""

from collections.abc import Iterable
from datetime import date, datetime

from dashboard import deidentify
from dashboard.data.snapshot import ask, store_folder
from pipelines import entries, uploads
from pipelines.errors import Refusal
from pipelines.store.database import Store

EntryIncomplete = entries.EntryIncomplete
corrected_version = entries.corrected_version
withdrawn_version = entries.withdrawn_version


class EntryRefused(Refusal):
    """An entry was written and the store did not take it."""


def enter(rows: Iterable[dict], author: str) -> None:
    """Keeps entries (the fields of `pipelines.entries.entry_file`) as one file of the store; the snapshot is a new one afterwards.

    Raises EntryIncomplete with what is missing, EntryRefused where the store did not take them, StoreBusy, Refusal.
    """
    if deidentify.on():  # what is on screen are labels and days of nobody
        raise EntryRefused("Nothing is entered while the page is de-identified.", "", "Turn the de-identification off.")
    text = entries.entry_file(rows, author, datetime.now().replace(microsecond=0))
    report = uploads.load_text(Store(store_folder()), "entries.csv", text)
    if report.refused or report.rejected:
        raise EntryRefused(report.refused or "The store did not take it.", "", "See the rejected rows of entries.csv.")


def standing(kinds: tuple[str, ...] | None = None, patients: tuple[str, ...] | None = None) -> list[dict]:
    """The entries that stand (`pipelines.entries.standing`), oldest first. Raises StoreEmpty."""
    return ask(entries.standing, kinds, patients)


def today() -> date:
    """The day on which something is entered: with the time of receipt the one thing that is read off a clock."""
    return date.today()


def new_id() -> str:
    """An id that no other entry has."""
    return entries.new_id()
