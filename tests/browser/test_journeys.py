"""Journeys through the dashboard in a real browser, as its reader makes them: what AppTest cannot see.

They need Chromium on the machine and are skipped, saying so, where there is none. Elements are found by what a person reads;
`expect` waits, nothing sleeps; the browser's console must stay clean.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.load import load
from pipelines.store.database import Store
from tests.browser.serving import CHROMIUM, ROOT, chromium, serving

playwright = pytest.importorskip("playwright.sync_api", reason="browser journeys need the playwright package")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="browser journeys need Chromium, which was not found on PATH")
MILLION = 1_000_000
DIP = datetime(2024, 4, 10, 3, 0)  # the one saturation of 61 %


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own on a free port, on a store with the real case and a patient with a million saturations."""
    store = tmp_path_factory.mktemp("store")
    bedside = tmp_path_factory.mktemp("bedside") / "labs.csv"
    write_saturations(bedside, MILLION)
    load(Store(store), [ROOT / "sample_data" / "yonsei_2021", bedside])
    with serving(store) as address:
        yield address


def write_saturations(path: Path, count: int) -> None:
    """A bedside monitor's saturations of one patient, one each 15 seconds, with a single dip."""
    at = pd.date_range(datetime(2024, 1, 1), periods=count, freq=timedelta(seconds=15))
    value = np.random.default_rng(5).integers(93, 99, count)
    value[at.get_loc(DIP)] = 61
    pd.DataFrame({"patient_id": "bedside-1", "analyte": "spo2", "value": value, "unit": "%", "at": at}).to_csv(
        path, index=False
    )


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser) -> Iterator:
    """A page of 1280 x 720 whose console must stay clean."""
    complaints: list[str] = []
    shown = browser.new_page(viewport={"width": 1280, "height": 720})
    shown.set_default_timeout(30_000)
    shown.on("pageerror", lambda error: complaints.append(str(error)))
    shown.on(
        "console",
        lambda message: complaints.append(f"{message.text} {message.location}") if _is_complaint(message) else None,
    )
    yield shown
    shown.close()
    assert complaints == []


def _is_complaint(message) -> bool:
    """Errors and warnings, but for Streamlit's own search for its server below a page's address, which ends in 404 by design."""
    if message.type not in ("error", "warning"):
        return False
    return "/_stcore/" not in (message.location or {}).get("url", "")


def test_from_the_worklist_to_the_source_line_of_a_flag(page, address):
    expect = playwright.expect
    page.goto(address)
    page.get_by_role("link", name="yonsei-2021").click()
    expect(page.get_by_text("Oxygen now")).to_be_visible(timeout=30_000)
    expect(page.locator(".st-key-timeline .js-plotly-plot")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Met on 15 Apr 2022", exact=False)).to_be_visible()
    card = page.locator("[class*='st-key-flag-met-transplant']").filter(has_text="FVC 32 %").first
    card.get_by_role("button").click()
    opened = page.locator("[class*='st-key-flag-chosen']")
    expect(opened.get_by_text("pft.csv line", exact=False)).to_be_visible()
    expect(opened.get_by_role("link", name="doi").first).to_have_attribute("href", re.compile("^https://doi[.]org/"))
    expect(page).to_have_url(re.compile("flag=referral_lung_function"))
    expect(page.get_by_text("Traceback")).to_have_count(0)


def test_a_deep_link_opens_the_day_and_moving_the_day_changes_the_flags(page, address):
    expect = playwright.expect
    page.goto(f"{address}/patient?patient=yonsei-2021&as_of=2021-09-03")
    expect(page.get_by_text("Met on 3 Sep 2021", exact=False)).to_be_visible(timeout=30_000)
    expect(page.get_by_text("HFNC 0.80/50 L ↑")).to_be_visible()
    page.get_by_role("button", name="Later change").click()
    expect(page.get_by_text("Met on 3 Sep 2021", exact=False)).to_have_count(0)
    expect(page.get_by_text("Met on ", exact=False).first).to_be_visible()
    expect(page).not_to_have_url(re.compile("as_of=2021-09-03"))
    expect(page.get_by_text("HFNC 0.80/50 L ↑")).to_have_count(0)


LABS = "patient_id,analyte,value,unit,at\np1,ferritin,480,ng/mL,2024-01-01\np1,<b>nonsense</b>,5,ng/mL,2024-01-10\n"


def test_a_file_is_uploaded_accounted_for_and_a_rejected_row_of_it_opened(page, address):
    expect = playwright.expect
    page.goto(f"{address}/files")
    page.locator("input[type=file]").first.set_input_files(
        [{"name": "ward <i>5</i>.csv", "mimeType": "text/csv", "buffer": LABS.encode()}]
    )
    page.get_by_role("button", name="Load 1 file").click()
    accounting = "2 received = 1 accepted + 0 duplicate + 0 superseded + 1 rejected"
    expect(page.get_by_text(accounting, exact=False)).to_be_visible(timeout=60_000)
    expect(page.get_by_text("ward <i>5</i>.csv", exact=False).first).to_be_visible()
    page.get_by_role("button", name="Show the 1 rejected row").click()
    rows = page.locator("[data-testid=stDataFrame]").first
    expect(rows).to_be_visible()
    rows.click(position={"x": 300, "y": 55})  # anywhere on the first row
    expect(page.get_by_text("This analyte is not in", exact=False)).to_be_visible()
    expect(page.locator("[data-testid=stCode]")).to_contain_text("p1,<b>nonsense</b>,5,ng/mL,2024-01-10")
    expect(page).to_have_url(re.compile("line=3"))
    expect(page.get_by_text("Traceback")).to_have_count(0)


def test_from_the_evidence_of_a_flag_to_the_row_as_received(page, address):
    expect = playwright.expect
    page.goto(f"{address}/patient?patient=yonsei-2021&as_of=2021-09-03&flag=urgent_transfer")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="oxygen.csv line", exact=False).first.click(timeout=60_000)
    row = opened.value
    expect(row.get_by_text("Accepted: it is a record")).to_be_visible(timeout=60_000)
    expect(row.locator("[data-testid=stCode]")).to_contain_text("yonsei-2021,2021-09-03,HFNC")


def test_from_a_rule_to_a_patient_who_meets_it_and_the_rulebook_taken_away(page, address, tmp_path):
    expect = playwright.expect
    page.goto(f"{address}/rulebook")
    page.get_by_label("Find a rule").fill("high-flow oxygen")
    page.get_by_label("Find a rule").press("Enter")
    expect(page.get_by_role("heading", name="High-flow oxygen or more", exact=False)).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Dyspnoea worse on therapy").wait_for(state="detached")
    with page.expect_download(timeout=60_000) as taken:
        page.get_by_role("button", name="PDF").click()
    taken.value.save_as(tmp_path / "rulebook.pdf")
    assert (tmp_path / "rulebook.pdf").read_bytes().startswith(b"%PDF-")
    page.get_by_role("button", name="Met: 1", exact=False).first.click()
    page.get_by_role("link", name="yonsei-2021").click()
    expect(page.get_by_text("Oxygen now")).to_be_visible(timeout=60_000)
    expect(page).to_have_url(re.compile("flag=urgent_transfer"))


def test_the_day_before_and_after_high_flow_oxygen(page, address):
    expect = playwright.expect
    page.goto(f"{address}/patient?patient=yonsei-2021&as_of=2021-09-02")
    expect(page.get_by_text("Met on 2 Sep 2021", exact=False)).to_be_visible(timeout=60_000)
    cards = page.locator("[class*='st-key-flag-met-transplant']")
    expect(cards.filter(has_text="High-flow oxygen or more")).to_have_count(0)
    page.get_by_role("button", name="Later change").click()
    expect(page.get_by_text("Met on 3 Sep 2021", exact=False)).to_be_visible()
    expect(cards.filter(has_text="High-flow oxygen or more")).to_have_count(1)


RANGE = "() => document.querySelector('.st-key-timeline .js-plotly-plot')._fullLayout.xaxis.range.map(day => day.slice(0, 10)).join(' ')"
PANELS = "() => document.querySelector('.st-key-timeline .js-plotly-plot').layout.meta.panels.join(' ')"


def chart_box(page) -> dict:
    """Where the chart stands when the page has come to rest: before, the chart it replaces may still be there."""
    page.wait_for_selector("[data-test-script-state='notRunning']")
    playwright.expect(page.locator(".st-key-timeline .js-plotly-plot")).to_have_count(1)
    return page.locator(".st-key-timeline .js-plotly-plot").bounding_box()


def zoom(page, left: float, right: float) -> None:
    """Draws across the chart with the mouse, from one share of its width to another."""
    box = chart_box(page)
    height = box["y"] + 120
    page.mouse.move(box["x"] + left * box["width"], height)
    page.mouse.down()
    page.mouse.move(box["x"] + right * box["width"], height, steps=5)
    page.mouse.up()


def test_the_zoom_outlives_another_day_a_flag_and_other_panels_until_it_is_taken_back(page, address):
    page.goto(f"{address}/patient?patient=yonsei-2021&as_of=2021-09-03")
    page.wait_for_function(
        "() => document.querySelector('.st-key-timeline .js-plotly-plot')?.mda5Bound", timeout=60_000
    )
    whole = page.evaluate(RANGE)
    zoom(page, 0.35, 0.6)
    page.wait_for_function(f"() => ({RANGE})() !== '{whole}'")
    zoomed = page.evaluate(RANGE)
    page.get_by_role("button", name="Later change").click()
    playwright.expect(page.get_by_text("Met on 3 Sep 2021", exact=False)).to_have_count(0)
    page.wait_for_function(f"() => ({RANGE})() === '{zoomed}'")
    page.get_by_role("button", name="Earlier change").click()
    page.locator("[class*='st-key-flag-met']").first.get_by_role("button").click()
    playwright.expect(page.locator("[class*='st-key-flag-chosen']")).to_be_visible()
    page.wait_for_function(f"() => ({RANGE})() === '{zoomed}'")
    page.get_by_role("radio", name="Lungs").click()
    page.wait_for_function(f"() => ({PANELS})().includes('spo2')")
    assert page.evaluate(RANGE) == zoomed
    box = chart_box(page)
    page.mouse.dblclick(box["x"] + 0.5 * box["width"], box["y"] + 120)
    page.wait_for_function(f"() => ({RANGE})() === '{whole}'")


def test_the_zoom_of_the_next_patient_is_told_of_that_patient(page, address):
    page.goto(f"{address}/patient?patient=yonsei-2021")
    page.wait_for_function(
        "() => document.querySelector('.st-key-timeline .js-plotly-plot')?.mda5Bound", timeout=60_000
    )
    whole = page.evaluate(RANGE)
    choice = page.get_by_label("Patient:", exact=False).first
    choice.click()
    choice.fill("bedside-1")
    page.get_by_role("option", name="bedside-1").click()
    page.wait_for_function(f"() => ({RANGE})() !== '{whole}'")
    zoom(page, 0.4, 0.6)
    playwright.expect(page.get_by_text("of the days zoomed to", exact=False)).to_be_visible()


SATURATIONS = """() => document.querySelector('.st-key-timeline .js-plotly-plot').data
    .filter(trace => trace.name === 'SpO₂' && trace.mode.includes('lines'))[0]"""


def test_a_million_saturations_are_drawn_as_many_as_the_screen_shows_and_finer_when_zoomed(page, address):
    page.goto(f"{address}/patient?patient=bedside-1&view=lungs")
    page.wait_for_function(
        "() => document.querySelector('.st-key-timeline .js-plotly-plot')?.mda5Bound", timeout=120_000
    )
    drawn = page.evaluate(f"() => {{ const held = ({SATURATIONS})(); return [held.x.length, Math.min(...held.y)]; }}")
    assert drawn[0] < 1_500 and drawn[1] == 61  # the extremes are kept: the one dip among a million is there
    span = f"() => {{ const x = ({SATURATIONS})().x; return Date.parse(x.at(-1)) - Date.parse(x[0]); }}"
    before = page.evaluate(span)
    zoom(page, 0.5, 0.56)
    page.wait_for_function(f"() => ({span})() < {before} / 4", timeout=30_000)
    playwright.expect(page.get_by_text("Traceback")).to_have_count(0)
