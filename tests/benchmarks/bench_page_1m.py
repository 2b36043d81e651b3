"""A patient with a million bedside saturations: rows to figure JSON, and what the reader waits for (page_drawing.py)."""

from datetime import date, timedelta

from tests.benchmarks import cohort, page_drawing
from tests.browser.test_journeys import write_saturations

COUNT = 1_000_000
SIZE = "1,000,000 saturations of one patient, warm"
PEER = page_drawing.PEER
PEER_RUNS = 1
PANELS = ("oxygen_support", "spo2", "oxygenation", "ferritin", "crp", "treatment")
EVENTS = 25


def prepare() -> page_drawing.Page:
    from pipelines.load import load
    from pipelines.store.database import Store

    folder = cohort.folder()
    write_saturations(folder / "labs.csv", COUNT)
    load(Store(folder / "store"), [folder / "labs.csv"], received_at=cohort.RECEIVED)
    (folder / "labs.csv").unlink()
    rows = page_drawing.read(folder / "store", "bedside-1")
    return page_drawing.Page(folder / "store", "bedside-1", PANELS, date(2024, 5, 1), rows, SIZE)


def ours(page: page_drawing.Page) -> str:
    return page_drawing.ours(page)


def peer(page: page_drawing.Page, every: int = 1) -> str:
    """All of the million, as a reader of the table would draw them; or each hundredth, which is what Chromium can draw in seconds."""
    from pipelines.store.database import SnapshotReader

    with SnapshotReader(page.store).cursor() as cursor:
        found = cursor.execute(
            "SELECT at_high AS x, CAST(value AS DOUBLE) AS y FROM record.observation ORDER BY at_high"
        ).fetchnumpy()
    days = [(date(2024, 1, 1) + timedelta(days=7 * week)).isoformat() for week in range(EVENTS)]
    return page_drawing.naive([(found["x"][::every], found["y"][::every])] + [([], [])] * 5, days)


def detail(page: page_drawing.Page) -> dict:
    def nearer(shown, number: int) -> None:
        """Draws across the chart: each zoom reads the series anew."""
        box = shown.locator(page_drawing.CHART).bounding_box()
        height = box["y"] + 150
        shown.mouse.move(box["x"] + 0.45 * box["width"], height)
        shown.mouse.down()
        shown.mouse.move(box["x"] + 0.75 * box["width"], height, steps=3)
        shown.mouse.up()

    query = f"panels={','.join(PANELS)}&as_of={page.as_of}"
    drawn = ("the peer drawn with a hundredth of the points, ms", peer(page, every=100))
    return page_drawing.detail(page, peer(page), query, nearer, drawn)
