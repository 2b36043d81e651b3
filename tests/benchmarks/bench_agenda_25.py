"""An agenda of 25 synthetic patients as one PDF, the reading of their pages included; beside a page at a time, and plots alone."""

from dashboard.data import packets
from dashboard.data.snapshot import reader
from pipelines.engines.on_duckdb import ALL_KNOWN
from tests.benchmarks import cohort, packet_making

PATIENTS = 25
SIZE = f"{PATIENTS} patients, read from the store and set as one PDF, warm (target: 10 s)"
RUNS = 3
PEER_RUNS = 1


def prepare() -> packet_making.Agenda:
    return packet_making.agenda(cohort.loaded(PATIENTS))


def ours(state: packet_making.Agenda) -> None:
    assert packet_making.made(state, packets.pages(state.patients)).startswith(b"%PDF")


def one_by_one(state: packet_making.Agenda) -> None:
    """The pages as the screen reads them, a replay for each patient; nothing is drawn."""
    for patient_id in state.patients:
        with reader(str(state.store)).cursor() as cursor:
            packets.read_pages(cursor, [patient_id], ALL_KNOWN)


PEERS = (
    ("reading alone, a replay for each page", one_by_one, 1),
    (packet_making.PEER, packet_making.plots, 1),
)
