"""All criteria with evidence over the largest cohort that is promised, beside the same three plain forms of six of them."""

from tests.benchmarks import bench_rulebook_2k
from tests.benchmarks.bench_rulebook_2k import SIZE, State, ours, peers  # noqa: F401

PATIENTS, LABS = 20_000, 5_000_000
RUNS = 3
GROWTH_OF = "rulebook_2k"
PEERS = peers(PATIENTS)


def prepare() -> State:
    return bench_rulebook_2k.prepare(PATIENTS, LABS)
