"""The packet of the real case as PDF, from the rows of the screen, each time as of another day; beside plotting its panels alone."""

from pathlib import Path

from pipelines.load import load
from pipelines.store.database import Store
from tests.benchmarks import cohort, packet_making

SIZE = "one patient, two pages as PDF, from rows as on screen, warm (target: 0.5 s)"
PEER = packet_making.PEER
RUNS = 9
PEER_RUNS = 3
REAL_CASE = Path(__file__).parents[2] / "sample_data" / "yonsei_2021"


def prepare() -> packet_making.Agenda:
    store = cohort.folder() / "store"
    load(Store(store), [REAL_CASE], received_at=cohort.RECEIVED)
    return packet_making.agenda(store)


def ours(state: packet_making.Agenda) -> None:
    assert packet_making.made(state, state.pages).startswith(b"%PDF")


def peer(state: packet_making.Agenda) -> None:
    packet_making.plots(state)
