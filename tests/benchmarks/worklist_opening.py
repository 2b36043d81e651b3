"""The worklist as its reader waits for it: a snapshot was just published, the page is opened, and the first row stands in Chromium.

The peer is how the list was read before: every standing answer of everyone as Python dicts, grouped and ordered in Python, without a
browser. Where there is no Chromium ours is the question alone, and the size says so.
"""

import os
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date

from pipelines import findings, worklist
from pipelines.store.database import Store, open_snapshot
from tests.benchmarks import cohort
from tests.browser.serving import CHROMIUM, chromium, serving

PEER = "all standing answers of everyone as Python dicts, without a browser"
FIRST_ROW = "[class*='st-key-row-0'] a"
QUERY_RUNS = 5
SNAPSHOTS = 40  # more than the runs of one measurement
TABLES = {
    "answers": """SELECT patient_id, criterion, item, status, grade, from_date FROM result.spell
        WHERE from_date <= $day AND (until_date IS NULL OR until_date > $day)""",
    "oxygen": """SELECT patient_id, on_date, level, device, flow, fio2 FROM concept.oxygen_support
        WHERE level IS NOT NULL AND on_date <= $day
        QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY on_date DESC, oxygen_support.at DESC NULLS LAST, level DESC) = 1""",
    "curves": """SELECT patient_id, analyte, CAST(at_high AS DATE) AS day, value, low, high FROM record.observation
        WHERE analyte IN ('ferritin', 'fvc_percent') AND low IS NOT NULL AND known_until IS NULL AND at_high <= $day
        QUALIFY row_number() OVER (PARTITION BY patient_id, analyte ORDER BY at_high DESC, record_id) <= 24""",
}


@dataclass
class State:
    """`changed` makes a snapshot current that no reader has opened; `page` is a browser page, the dashboard at `address` warm."""

    held: ExitStack
    store: Store
    size: str
    numbers: list[int]
    address: str = ""
    page: object = None
    day: date | None = None


def prepare(patients: int, times: int) -> State:
    store = Store(cohort.multiplied(patients, times))
    whole, held = store.current(), ExitStack()
    first = store.current_number() + 1
    numbers = list(range(first, first + SNAPSHOTS))
    for number in numbers:  # the same bytes under names that nobody has opened: nothing is copied
        os.link(whole, store.folder / f"v{number:06}.duckdb")
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        day = findings.last_recorded_day(cursor)
        spells = cursor.execute("SELECT count(*) FROM result.spell").fetchone()[0]
    copies = f", {patients:,} judged and each there {times} times" if times > 1 else ""
    how = "until the first row stands in Chromium" if CHROMIUM else "the question alone: no Chromium is installed"
    state = State(
        held,
        store,
        f"{patients * times:,} patients, {spells:,} spells{copies}: a new snapshot, {how}",
        numbers,
        day=day,
    )
    if CHROMIUM:
        state.address = held.enter_context(serving(store.folder))
        state.page = held.enter_context(chromium()).new_page(viewport={"width": 1280, "height": 720})
        _open(state)  # the server has imported, and the browser has the programme of the page
    return state


def ours(state: State) -> None:
    changed(state)
    _open(state) if state.page else question(state)


def peer(state: State) -> list[dict]:
    """Groups by urgent met, met and nothing met, as plainly as may be: less than the worklist says."""
    changed(state)
    with open_snapshot(state.store.folder) as snapshot, snapshot.cursor() as cursor:
        patients = {
            row["patient_id"]: row | {name: [] for name in TABLES}
            for row in findings.fetch_rows(
                cursor.execute("SELECT patient_id, sex, birth_year, site FROM record.patient")
            )
        }
        for name, sql in TABLES.items():
            for row in findings.fetch_rows(cursor.execute(sql, {"day": state.day})):
                patients[row["patient_id"]][name].append(row)

    def place(row: dict) -> tuple:
        met = [answer for answer in row["answers"] if answer["status"] == "met"]
        newest = max((answer["from_date"].toordinal() for answer in met), default=0)
        return not any(answer["criterion"] == "urgent_transfer" for answer in met), not met, -newest, row["patient_id"]

    return sorted(patients.values(), key=place)


def changed(state: State) -> None:
    """A snapshot that nobody has opened becomes the current one."""
    (state.store.folder / "CURRENT").write_text(f"v{state.numbers.pop():06}.duckdb\n", encoding="ascii")


def question(state: State) -> None:
    with open_snapshot(state.store.folder) as snapshot, snapshot.cursor() as cursor:
        worklist.worklist(cursor, findings.last_recorded_day(cursor), worklist.Asked())


def detail(state: State) -> dict[str, float]:
    """The question alone, and a page of a filtered list, which no reader has asked for, on a snapshot that is open."""
    said = {"the question alone on a snapshot just opened, s": _median(lambda: (changed(state), question(state)))}
    if state.page:
        pages = iter(range(2, 100))
        said["another page of a group opened, s"] = _median(lambda: _open(state, f"?group=new&page={next(pages)}"))
    state.held.close()
    return said


def _open(state: State, query: str = "") -> None:
    state.page.goto(f"{state.address}/{query}")
    state.page.wait_for_selector(FIRST_ROW, timeout=180_000)


def _median(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(QUERY_RUNS):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return round(statistics.median(taken), 3)
