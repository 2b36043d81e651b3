"""Publishing a snapshot beside copying a file of the same size."""

import shutil

from pipelines.store.database import Store
from tests.benchmarks import cohort

SIZE = "the store of 2,000 patients"
PEER = "copying the file"


def prepare():
    return Store(cohort.loaded(2_000))


def ours(store) -> None:
    with store.writer() as con:
        store.publish(con)


def peer(store) -> None:
    shutil.copyfile(store.current(), cohort.folder() / "copy.duckdb")
