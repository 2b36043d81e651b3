"""The snapshot that the screens read, and how it is asked: cached per process under the snapshot's number, a cursor for each question."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import streamlit as st

from dashboard import deidentify
from pipelines import findings
from pipelines.errors import Refusal
from pipelines.store.database import SnapshotReader

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Provenance:
    """Which snapshot is on screen and the last day anything is recorded on (None: nothing is).

    `records` changes with the records and the rules, and not when a review, note or decision was entered: what it costs
    seconds to judge is kept under it.
    """

    snapshot: int
    last_day: date | None
    patients: int
    records: str


def store_folder() -> Path:
    """MDA5_STORE, else `store/` beside the programme; never relative to where the server was started."""
    return Path(os.environ.get("MDA5_STORE") or ROOT / "store")


@st.cache_resource(show_spinner=False)
def reader(folder: str) -> SnapshotReader:
    """The one reader of a store in this process: `reader(folder).cursor()` is a cursor of the current snapshot."""
    return SnapshotReader(folder)


def provenance() -> Provenance:
    """The current snapshot. Raises StoreEmpty before anything was loaded, Refusal where an earlier version made the store."""
    folder = str(store_folder())
    return _provenance(folder, reader(folder).snapshot().number)


@st.cache_data(show_spinner=False, max_entries=8)
def _provenance(folder: str, snapshot: int) -> Provenance:
    with reader(folder).cursor() as cursor:
        try:
            cursor.execute("SELECT 1 FROM record.entry LIMIT 0")
            patients, records = cursor.execute(RECORDS).fetchone()
            return Provenance(snapshot, findings.last_recorded_day(cursor), patients, f"{patients}-{records}")
        except duckdb.CatalogException:
            hint = "Bring it up to date with: python -m pipelines rebuild"
            raise Refusal("This store was made by an earlier version of the programme.", "", hint) from None


# The last file that brought records, how many are decided on, and which rules judged; the same again after an erasure has fewer patients.
RECORDS = """
    SELECT (SELECT count(*) FROM record.patient), concat_ws('-',
        (SELECT max(file_id) FROM source.row WHERE kind <> 'entries'), (SELECT count(*) FROM source.file WHERE format <> 'csv/entries'),
        (SELECT md5(string_agg(content_hash, '' ORDER BY criterion)) FROM result.rule))"""


def ask(question: Callable, *asked: object):
    """The answer of `question(cursor, *asked)` on the current snapshot; what is asked is hashable. Raises StoreEmpty.

    While the de-identification switch is on it is asked of the patients and days that the labels and days on screen mean, and the answer is
    de-identified (deidentified.py).
    """
    if not deidentify.on():
        return as_stored(question, *asked)
    from dashboard.data import deidentified  # which reads through this module

    return deidentified.rows(as_stored(question, *deidentified.meant(asked)))


def as_stored(question: Callable, *asked: object):
    """The answer of `question(cursor, *asked)` on the current snapshot; what is asked is hashable. Raises StoreEmpty."""
    name = f"{question.__module__}.{question.__qualname__}"  # two subjects may ask a question of one name
    return _asked(str(store_folder()), provenance().snapshot, name, question, asked)


@st.cache_data(show_spinner=False, max_entries=64)
def _asked(folder: str, snapshot: int, name: str, _question: Callable, asked: tuple):
    with reader(folder).cursor() as cursor:
        return _question(cursor, *asked)
