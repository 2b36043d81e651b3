"""`make pictures`: the pictures of the real case in the README, drawn by the dashboard itself from sample_data/yonsei_2021."""

from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.load import load
from pipelines.store.database import Store
from tests.browser.serving import ROOT, chromium, serving

FOLDER = ROOT / "dashboard" / "pictures"
SIZE = {"width": 1280, "height": 1440}
AT_REST = "[data-test-script-state='notRunning']"
CASE = "patient?patient=yonsei-2021"
PICTURES = {
    "2021-09-03": f"{CASE}&as_of=2021-09-03&flag=urgent_transfer",
    "2021-09-07": f"{CASE}&as_of=2021-09-07",
    "2022-04-15": f"{CASE}&as_of=2022-04-15&view=infection",
}


def draw(folder: Path) -> list[Path]:
    """Draws each picture into the folder."""
    folder.mkdir(exist_ok=True)
    drawn = []
    with TemporaryDirectory(prefix="mda5-pictures-") as store:
        load(Store(Path(store) / "store"), [ROOT / "sample_data" / "yonsei_2021"])
        with serving(Path(store) / "store") as address, chromium() as browser:
            for name, query in PICTURES.items():
                page = browser.new_page(viewport=SIZE)
                page.goto(f"{address}/{query}")
                page.wait_for_function(
                    "() => document.querySelector('.st-key-timeline .js-plotly-plot')?.mda5Bound", timeout=60_000
                )
                page.wait_for_selector(AT_REST)
                page.evaluate("() => document.fonts.ready")
                page.wait_for_timeout(500)  # a chart fades in
                drawn.append(folder / f"{name}.png")
                page.screenshot(path=drawn[-1])
                page.close()
    return drawn


if __name__ == "__main__":
    for path in draw(FOLDER):
        print(path.relative_to(ROOT))
