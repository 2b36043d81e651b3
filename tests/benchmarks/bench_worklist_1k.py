"""The worklist of 1,000 patients, from a snapshot just published to its first row on screen (worklist_opening.py)."""

from tests.benchmarks import worklist_opening
from tests.benchmarks.worklist_opening import PEER as PEER
from tests.benchmarks.worklist_opening import detail as detail
from tests.benchmarks.worklist_opening import ours as ours
from tests.benchmarks.worklist_opening import peer as peer

PATIENTS, TIMES = 1_000, 1
SIZE = "1,000 patients: a new snapshot, until the first row stands in Chromium (target: under 2 s)"


def prepare() -> worklist_opening.State:
    return worklist_opening.prepare(PATIENTS, TIMES)
