"""What a meeting meets again: a review that a correction undoes, an alert acknowledged over a restart, a decision that is judged.

One store, in the order of its story; each journey goes on where the one before ended. They need Chromium.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from pipelines.load import load
from pipelines.store.database import Store
from tests.browser.serving import CHROMIUM, chromium, serving

playwright = pytest.importorskip("playwright.sync_api", reason="browser journeys need the playwright package")
playwright.expect.set_options(timeout=30_000)  # an entry is written, loaded and published
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="browser journeys need Chromium, which was not found on PATH")

FILES = {
    "events.csv": "patient_id,kind,code,at\n"
    "ventilated,diagnosis,rp_ild,2024-03-01\nventilated,diagnosis,ild,2024-02-20\nwaiting,diagnosis,ild,2024-02-20\n",
    "oxygen.csv": "patient_id,at,device,flow_l_min,fio2,record_id\nventilated,2024-03-05,hfnc,50,0.6,oxygen-1\n",
    "labs.csv": "patient_id,analyte,value,unit,at,record_id,status\n"
    "waiting,ferritin,1200,ng/mL,2024-03-04,ferritin-1,final\nventilated,ferritin,900,ng/mL,2024-03-04,ferritin-2,final\n",
}
CORRECTION = (
    "patient_id,analyte,value,unit,at,record_id,status\nwaiting,ferritin,700,ng/mL,2024-03-04,ferritin-1,corrected\n"
)
WORSE = "patient_id,at,device,flow_l_min,fio2,record_id\nventilated,2024-03-06,hfnc,60,0.8,oxygen-2\n"
BETTER = (
    "patient_id,at,device,flow_l_min,fio2,record_id\n"
    "ventilated,2024-03-12,nasal cannula,2,,oxygen-3\nventilated,2024-03-21,nasal cannula,1,,oxygen-4\n"
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    inbox, folder = tmp_path_factory.mktemp("inbox"), tmp_path_factory.mktemp("store")
    for name, text in FILES.items():
        (inbox / name).write_text(text)
    load(Store(folder), [inbox], received_at=datetime(2024, 3, 5, 18))
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser) -> Iterator:
    shown = browser.new_page(viewport={"width": 1280, "height": 720})
    shown.set_default_timeout(30_000)
    complaints: list[str] = []
    shown.on("pageerror", lambda error: complaints.append(str(error)))
    yield shown
    shown.close()
    assert complaints == []


def upload(page, address: str, name: str, text: str) -> None:
    """Loads a file as a reader of the Data page does."""
    page.goto(f"{address}/files")
    page.locator("input[type=file]").first.set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    )
    page.get_by_role("button", name=re.compile("^Load")).click()
    playwright.expect(page.get_by_text("What became of them")).to_be_visible(timeout=60_000)


def say_who(page) -> None:
    who = page.get_by_role("textbox", name=re.compile("Entered by|Reviewer")).first
    who.fill("the rheumatologist")
    who.press("Enter")


def row_of(page, patient: str):
    return page.locator("[class*='st-key-row-']").filter(has=page.get_by_role("link", name=patient, exact=True)).first


def test_a_patient_marked_reviewed_is_new_again_when_a_record_is_corrected(page, store):
    expect = playwright.expect
    with serving(store) as address:
        page.goto(address)
        expect(row_of(page, "waiting")).to_contain_text("never reviewed")
        say_who(page)
        row_of(page, "waiting").get_by_role("button", name="Reviewed").click()
        expect(page.get_by_text("waiting is marked as reviewed")).to_be_visible()
        expect(row_of(page, "waiting")).to_contain_text("the rheumatologist (typed)")
        expect(row_of(page, "waiting")).not_to_contain_text("never reviewed")
        upload(page, address, "labs.csv", CORRECTION)
        page.goto(f"{address}/?group=new")
        expect(row_of(page, "waiting")).to_contain_text("corrected")


def test_an_alert_stays_acknowledged_over_a_restart_until_there_is_new_evidence(page, store):
    expect = playwright.expect
    with serving(store) as address:
        page.goto(f"{address}/patient?patient=ventilated")
        page.get_by_text(re.compile("^Alerts: [1-9]")).click()
        card = page.locator("[class*='st-key-flag-alert-urgent']").filter(has_text="High-flow oxygen")
        card.get_by_role("button", name="Acknowledge").click()
        form = page.get_by_test_id("stPopoverBody")
        form.get_by_role("textbox", name="By").fill("the rheumatologist")
        form.get_by_role("textbox", name="Why").fill("transfer is being arranged")
        form.get_by_role("button", name="Acknowledge").click()
        expect(page.get_by_text(re.compile("^Alerts: .*; 1 acknowledged"))).to_be_visible()
    with serving(store) as address:
        page.goto(f"{address}/patient?patient=ventilated")
        expect(page.get_by_text(re.compile("^Alerts: .*; 1 acknowledged"))).to_be_visible()
        upload(page, address, "oxygen.csv", WORSE)
        page.goto(f"{address}/patient?patient=ventilated")
        heading = page.get_by_text(re.compile("^Alerts: [1-9]"))
        expect(heading).not_to_contain_text("acknowledged")
        heading.click()
        card = page.locator("[class*='st-key-flag-alert-urgent']").filter(has_text="High-flow oxygen")
        expect(card).to_contain_text("re-opened")


def test_a_decision_is_judged_by_what_is_recorded_later(page, store):
    expect = playwright.expect
    with serving(store) as address:
        page.goto(f"{address}/meeting?day=2024-03-06")
        say_who(page)
        put_on_the_agenda(page)
        decide(page)
        expect(page.get_by_text("The decision is kept.")).to_be_visible()
        expect(page.get_by_text("not yet due")).to_be_visible()
        upload(page, address, "oxygen.csv", BETTER)
        page.goto(f"{address}/meeting?day=2024-03-21")
        say_who(page)
        put_on_the_agenda(page)
        expect(page.get_by_text("it worked", exact=False)).to_be_visible()
        expect(page.get_by_text("Wean from high flow")).to_be_visible()


def put_on_the_agenda(page) -> None:
    """The patient with whatever the worklist offers, and then the patient's page of the meeting."""
    expect = playwright.expect
    expect(page.get_by_text("Nobody is on the agenda")).to_be_visible()
    patients = page.get_by_role("combobox", name="Patients, in the order of the worklist")
    patients.fill("ventilated")
    patients.press("Enter")
    page.keyboard.press("Escape")
    page.locator(".st-key-make_agenda button").click()
    expect(page.get_by_text("on the agenda, 0 seen")).to_be_visible()
    page.locator("[class*='st-key-row-agenda']").get_by_role("button", name="ventilated").click()
    expect(page.get_by_text(re.compile("^[12] of [12]: ventilated"))).to_be_visible()


def decide(page) -> None:
    """'Wean from high flow: urgent transfer no longer met by 20 March', as the form of the meeting takes it."""
    page.get_by_role("textbox", name="What is to be done").fill("Wean from high flow")
    page.get_by_role("textbox", name="Owner").fill("the rheumatologist")
    flag = page.get_by_role("combobox", name="It should turn")
    flag.click()
    flag.fill("urgent transfer")
    page.get_by_role("option", name=re.compile("^urgent transfer")).click()
    page.get_by_role("button", name="Keep the decision").click()
