"""The real case, loaded once through the front door into a store of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import duckdb

from pipelines.load import load
from pipelines.store.database import Store, open_snapshot

SAMPLE = Path(__file__).parents[2] / "sample_data" / "yonsei_2021"
PATIENT = "yonsei-2021"
RECEIVED = datetime(2026, 11, 21, 9, 0)


@cache
def store() -> Store:
    """A store holding the real case alone."""
    made = Store(Path(mkdtemp(prefix="mda5-golden-")) / "store")
    load(made, [SAMPLE], received_at=RECEIVED)
    return made


@contextmanager
def reading() -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor on its published snapshot."""
    with open_snapshot(store().folder) as snapshot, snapshot.cursor() as cursor:
        yield cursor
