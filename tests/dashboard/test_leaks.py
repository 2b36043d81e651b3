"""Nothing that says who a patient is, or when, leaves while the de-identification switch is on: on no page and in no file.

Every page of the app's navigation is opened, with each of its sections; everything drawn, sent to the browser or offered as a file is
searched for every identifier and every date of a store in which they are planted everywhere (planted.py).
"""

import ast
import base64
import csv
import io
import json
import os
import re
import threading
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from google.protobuf import json_format
from streamlit.elements.widgets import button
from streamlit.testing.v1 import AppTest

from dashboard import data, deidentify, exports, packet_section
from dashboard.charts import panels
from dashboard.data import alerting, deidentified, entering, meeting, transplant, worklist
from dashboard.data.snapshot import ask
from dashboard.presets import PRESETS
from tests.dashboard import planted
from tests.dashboard.conftest import APP

WAIT = 120
OPENED = ("what-changed", "packet", "compare_cohort")  # what is read only when it is opened
NAMELESS = {"rulebook.md", "rulebook.pdf", "alarm_budget.csv"}  # files in which no row is about a patient
DASHBOARD = Path(APP).parent
NOT_SHOWN = {
    "adding",
    "received",
    "mapping_preview",
    "decision_form",
    "files",
    "alarm_budget",
}  # the Data page, which is not shown while the switch is on
HUGE = re.compile(
    r"day [-−]?\d{5,}|\b(?:39\d\d|40\d\d)-\d\d-\d\d"
)  # a calendar date counted from the wrong day, or a day as a date
FORMS = (".md", ".csv", ".html", ".ics", ".json", ".txt", ".svg")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One store for the module, and a key of its own for the labels."""
    folder = planted.make(tmp_path_factory.mktemp("planted"), tmp_path_factory.mktemp("inbox"))
    kept = {name: os.environ.get(name) for name in ("MDA5_STORE", "MDA5_KEY_FILE")}
    os.environ |= {"MDA5_STORE": str(folder), "MDA5_KEY_FILE": str(tmp_path_factory.mktemp("key") / "pseudonym.key")}
    deidentified._ids.cache_clear()
    deidentified._everyone.clear()
    yield folder
    for name, value in kept.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})
    deidentified._ids.cache_clear()
    deidentified._everyone.clear()


@pytest.fixture(scope="module")
def sought(store: Path) -> frozenset[str]:
    """Everything that must not be found, in small letters: identifiers whole and by their words, dates in every form."""
    texts = planted.identifiers(store) | planted.birth_years(store)
    texts |= {form for forms in planted.dates(store).values() for form in forms}
    known = {
        "Oyelaran",
        "Wrzesniewski",
        "Szczecin",
        "2017-08-30",
        "30 Aug 2017",
        planted.PATIENT,
        "wrzesniewski_labs.csv",
    }
    assert not known - texts
    return frozenset(one.casefold() for one in texts)


def hits_in(text: str, sought: frozenset[str]) -> set[str]:
    """What is found of it, as whole words, and days told wrongly. One pattern of a thousand alternatives would take minutes."""
    folded = text.casefold()
    found = {one for one in sought if one in folded and re.search(rf"(?<!\w){re.escape(one)}(?!\w)", folded)}
    return found | set(HUGE.findall(text))


def navigation() -> dict[str, str]:
    """The pages of the app by the name of their file, from the app itself."""
    found: dict[str, str] = {}
    tree = ast.parse(Path(APP).read_text(encoding="utf-8"))
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "Page":
            found[Path(call.args[0].value).stem] = call.args[0].value
    return found


def sections(page: str) -> list[str]:
    """The keys of a view's SECTIONS, each opened by ?show=."""
    tree = ast.parse((DASHBOARD / page).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "SECTIONS":
            return [key.value for key in node.value.keys]
    return []


def addresses(name: str, page: str) -> list[dict[str, str]]:
    """The addresses under which a page is opened; the patient is asked for by the id, as an old link would."""
    patient = {"patient": planted.PATIENT}
    if name == "patient":
        views = [patient | {"view": view} for view in PRESETS]
        more = [
            patient | {"as_of": "2017-08-30", "since": "2017-08-02", "flag": "urgent_transfer", "bands": "all"},
            patient | {"panels": ",".join(panels()), "open": "glucocorticoid", "scales": "ferritin:baseline,kl6:peak"},
            patient | {"known_at": "2017-09-01", "axis": "therapy", "flag": "transplant_barriers~age"},
            {"patient": "nobody-Oyelaran"},
        ]
        return views + more
    if name == "meeting":
        days = [{"day": str(day)} for day in (planted.FIRST, planted.SECOND)]
        return [{}, *days, *(day | patient for day in days), days[1] | {"patient": planted.OTHERS[0]}]
    if name == "worklist":
        more = [
            {"find": "Wrzesniewski"},
            {"site": "Oddzial Neptun Szczecin", "flags": "infection"},
            {"group": "decide"},
        ]
        return [{}, *more]
    return [{}, patient, patient | {"as_of": "2017-08-30"}] + [{"show": show} | patient for show in sections(page)]


class Walk:
    """What a session was sent: everything drawn, the address, the files offered, and where in the code they are offered."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.offered: set[str] = set()

    def open(self, page: str, query: dict[str, str], on: bool = True) -> AppTest:
        app = AppTest.from_file(APP, default_timeout=WAIT)
        app.switch_page(page)
        for name in OPENED:
            app.session_state[name] = True
        for name, value in (query | ({deidentify.SWITCH: "1"} if on else {})).items():
            app.query_params[name] = value
        app.run()
        self.heard(app, f"{page} {sorted(query)}")
        return app

    def heard(self, app: AppTest, where: str) -> None:
        assert not app.exception, (where, app.exception)
        assert not [error.value for error in app.error if "Incident" in error.value], where
        for text in _everything(app):
            self.said.append((where, text))
        self.said.append((f"address of {where}", json.dumps(app.query_params)))

    def found(self, sought: frozenset[str]) -> dict[str, set[str]]:
        """What was found, and where."""
        hits: dict[str, set[str]] = {}
        for text, where in {text: where for where, text in self.said}.items():
            for hit in hits_in(text, sought):
                hits.setdefault(hit, set()).add(where)
        return hits


def _everything(app: AppTest) -> Iterator[str]:
    """Every element as it was sent, with tables as CSV and figures as JSON; and every file."""
    waiting = [app._tree]
    while waiting:
        node = waiting.pop()
        waiting += list(getattr(node, "children", {}).values())
        proto = getattr(node, "proto", None)
        if proto is None:
            continue
        if isinstance(value := getattr(node, "value", None), pd.DataFrame):
            yield value.to_csv()
        yield _plain(json.dumps(json_format.MessageToDict(proto), ensure_ascii=False))


def _plain(text: str) -> str:
    """Without the marks that keep text from being read as markup."""
    text = text.replace("\\u2060", "").replace("\u2060", "").replace("\\n", "\n").replace('\\"', '"')
    return re.sub(r"&#(\d+);", lambda found: chr(int(found[1])), text)


def text_of(name: str, content: bytes | str) -> str:
    """A file as text, with what its container says of it."""
    if isinstance(content, str):
        return content
    if name.endswith(".pdf"):
        import pypdfium2

        document = pypdfium2.PdfDocument(content)
        told = [str(document.get_metadata_dict())] + [page.get_textpage().get_text_range() for page in document]
        return "\n".join(told)
    if name.endswith(".pptx"):
        from pptx import Presentation

        slides = Presentation(io.BytesIO(content))
        core = slides.core_properties
        told = [
            f"{core.author} {core.title} {core.subject} {core.comments} {core.keywords} {core.last_modified_by} {core.created}"
        ]
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            told += [parts.read(one).decode("utf-8") for one in parts.namelist() if one.endswith((".xml", ".rels"))]
        return "\n".join(
            told + [text for slide in slides.slides for shape in slide.shapes for text in _of_shape(shape)]
        )
    assert name.endswith(FORMS), f"say in text_of how {name} is read"
    text = content.decode("utf-8-sig")
    inside = re.findall(r"base64,([A-Za-z0-9+/=]{40,})", text) if name.endswith((".html", ".svg")) else []
    return text + "\n".join(base64.b64decode(one).decode("utf-8", errors="ignore") for one in inside)


def _of_shape(shape) -> Iterator[str]:
    yield shape.name
    if shape.has_text_frame:
        yield shape.text_frame.text
    if getattr(shape, "has_table", False) and shape.has_table:
        yield from (cell.text for row in shape.table.rows for cell in row.cells)


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch, store: Path) -> Walk:
    """A walk that hears of every file and image a page offers. Files are made as a browser asks for them: in a thread without a session."""
    walk, images = Walk(), st.image

    def marshalled(coordinates, data, proto, mimetype, file_name=None, **more):
        made: list = [data]
        if callable(data):
            thread = threading.Thread(target=lambda: made.append(data()))
            thread.start()
            thread.join()
        walk.offered.add(file_name)
        walk.said.append((f"file {file_name}", text_of(file_name, made[-1])))

    def image(picture, *asked, **more):
        walk.said.append(("image", picture if isinstance(picture, str) else repr(picture)))
        return images(picture, *asked, **more)

    monkeypatch.setattr(button, "marshall_file", marshalled)
    monkeypatch.setattr(st, "image", image)
    return walk


def test_every_page_is_read_and_says_nothing(listening, sought):
    pages = navigation()
    assert {"worklist", "patient", "meeting", "infection", "transplant", "files", "rulebook"} == set(pages)
    for name, page in pages.items():
        for query in addresses(name, page):
            app = listening.open(page, query)
            assert any("De-identified" in one.value for one in app.markdown), f"no banner on {page}"
    assert len(listening.said) > 500
    assert not listening.found(sought)
    assert listening.offered == {
        "worklist.csv", "patient_chart.csv", "response.csv", "rulebook.md", "rulebook.pdf", "infection-board.csv", "transplant.csv",
        "changes.csv", "agenda.csv", "digest.md",
    }  # fmt: skip


def test_the_search_can_find(listening, sought):
    """The same pages with the switch off: were the transformation off, hundreds would be found."""
    for name, page in navigation().items():
        for query in addresses(name, page)[:1]:
            listening.open(page, query, on=False)
    hits = listening.found(sought)
    assert sum(map(len, hits.values())) > 200
    assert {planted.PATIENT.casefold(), "2017-08-30", "oyelaran"} <= set(hits)


@pytest.mark.parametrize("name", exports.EXPORTS)
def test_every_export_says_nothing(name, store, sought, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(deidentify, "on", lambda: True)
        label = deidentified.person(planted.PATIENT).label
        text = text_of(name, exports.EXPORTS[name](label))
    assert len(text) > 300 and not hits_in(text, sought)
    assert name in NAMELESS | {"changes.csv"} or label in text
    told = text_of(name, exports.EXPORTS[name](planted.PATIENT))
    assert name in NAMELESS or len(hits_in(told, sought)) > 1, "with the switch off the search finds something"


def test_due_dates_are_refused(store, monkeypatch):
    assert b"VCALENDAR" in transplant.calendar(planted.SECOND, [planted.PATIENT], False)
    monkeypatch.setattr(deidentify, "on", lambda: True)
    with pytest.raises(deidentify.NotDeidentified):
        transplant.calendar(planted.SECOND, [deidentified.person(planted.PATIENT).label], False)


def test_the_name_of_a_file_says_no_day(monkeypatch):
    assert packet_section.file_name(["a"], planted.FIRST, "pdf") == "packet-patient-2017-09-06.pdf"
    monkeypatch.setattr(deidentify, "on", lambda: True)
    assert packet_section.file_name(["a", "b"], planted.FIRST, "pdf") == "packet-agenda.pdf"


def test_every_file_that_is_offered_is_read():
    """A download button whose file is drawn by no page as it opens has to be in exports.EXPORTS."""
    buttons = {
        path.stem
        for path in DASHBOARD.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "download_button"
    }
    assert buttons - NOT_SHOWN == {
        "worklist", "rulebook", "shown_rows", "infection", "transplant", "change_list", "agenda_page", "packet_section",
    }, "say here, and see that the walk opens it, or that EXPORTS has it"  # fmt: skip


def test_every_text_of_a_page_is_decided_on(store):
    """A concept or a question with a text of a new name: left out until it stands in one of the lists of deidentify.py."""
    found: set[str] = set()

    def texts(name: str, value: object) -> None:
        if isinstance(value, str):
            found.add(name)
        for one in value if isinstance(value, list) else ():
            texts(name, one)
        for key, one in value.items() if isinstance(value, dict) else ():
            texts(key, one)

    last_day = data.provenance().last_day
    texts("", data.patient_page(planted.PATIENT))
    texts("", worklist.worklist(worklist.Asked()).rows)
    texts("", transplant.told(transplant.board(last_day), last_day))
    texts("", transplant.patient(planted.PATIENT, last_day))
    texts("", alerting.alerts_of((planted.PATIENT,), last_day))
    changes = meeting.changes_of((planted.PATIENT,), meeting.last_meeting(last_day), last_day)[planted.PATIENT]
    assert changes.new and changes.corrected and changes.undone and (changes.gained or changes.lost)
    texts("", vars(changes))
    assert "finding" in found and "organism" in found
    assert found - {"patient_id"} - NOT_SAID <= set(deidentify.KEPT) | deidentify.LEFT_OUT


NOT_SAID = {"corrected", "flag"}  # texts that no screen says: left out


class TestWhatIsAsked:
    def test_an_answer_names_labels_and_days_and_is_asked_by_them(self, store, monkeypatch):
        who = deidentified.person(planted.PATIENT)
        asked: list[tuple] = []

        def question(cursor, patient_id, patients, day):
            asked.append((patient_id, patients, day))
            row = {"patient_id": patient_id, "on_date": day, "text": planted.NOTE}
            return {"rows": [row], planted.PATIENT: [planted.PATIENT], "day": day}

        monkeypatch.setattr(deidentify, "on", lambda: True)
        answer = ask(question, who.label, (who.label,), who.shown(date(2017, 8, 30)))
        assert asked == [(planted.PATIENT, (planted.PATIENT,), date(2017, 8, 30))]
        row = {"patient_id": who.label, "on_date": who.shown(date(2017, 8, 30)), "text": None}
        assert answer == {"rows": [row], who.label: [who.label], "day": None}
        assert deidentified.rows(answer["rows"]) == [row], "twice is once"

    def test_entries_say_what_and_when_and_not_who_or_why(self, store, monkeypatch):
        assert {row["author"] for row in entering.standing()} == {planted.AUTHOR}
        monkeypatch.setattr(deidentify, "on", lambda: True)
        rows = entering.standing()
        assert len(rows) > len(planted.ENTRIES)
        assert not {name for row in rows for name in ("author", "owner", "why", "text", "entered_at") if row[name]}
        due = next(row["due_on"] for row in rows if row["kind"] == "decision")
        assert due == deidentified.person(planted.PATIENT).shown(date(2017, 9, 27))

    def test_nothing_is_entered_while_the_switch_is_on(self, store, monkeypatch):
        monkeypatch.setattr(deidentify, "on", lambda: True)
        with pytest.raises(entering.EntryRefused):
            entering.enter([{"kind": "note", "patient_id": "case-x", "day": date(2017, 9, 9), "text": "x"}], "Dr A")


class TestTheMeeting:
    def test_a_patient_of_it_is_read_without_a_form(self, store, listening):
        app = listening.open("views/meeting.py", {"day": str(planted.SECOND), "patient": planted.PATIENT})
        label = deidentified.person(planted.PATIENT).label
        assert app.query_params == {"deidentified": "1", "meeting": "2", "patient": label}
        assert app.subheader[0].value == "Meeting 2 of 2"
        said = _plain(" ".join(one.value for one in [*app.text, *app.caption, *app.markdown]))
        assert (
            f"1 of 3: {label}" in said
            and "due day 84: not done on day 81" in said
            and "Did it work?" in said
            and "A note: left out" in said
        )
        assert not app.text_area and not [one for one in app.text_input if one.label != "Find a patient"]
        names = {one.label for one in app.button}
        assert {"Next", "Agenda", "Make the packet"} <= names
        assert not names & {
            "Keep the note",
            "Keep the decision",
            "Withdraw",
            "Seen, next",
            "Done",
            "Reviewed",
            "Acknowledge",
        }
        assert any("Nothing is entered while de-identified" in one.value for one in app.caption)

    def test_the_day_comes_back_when_the_switch_is_turned_off(self, store, listening):
        app = listening.open("views/meeting.py", {"meeting": "2"})
        assert app.subheader[0].value == "Meeting 2 of 2"
        app.toggle(key="deidentify-toggle").set_value(False).run()
        assert app.query_params == {"day": str(planted.SECOND)} and app.subheader[0].value == "Meeting of 20 Oct 2017"

    def test_the_last_meeting_and_what_changed_are_the_same_as_without_the_switch(self, store, monkeypatch):
        who = deidentified.person(planted.PATIENT)
        held = meeting.last_meeting(planted.SECOND)
        real = meeting.changes_of((planted.PATIENT,), held, planted.SECOND)[planted.PATIENT]
        effects = meeting.effects_of((planted.PATIENT,), planted.SECOND)
        monkeypatch.setattr(deidentify, "on", lambda: True)
        day = who.shown(planted.SECOND)
        shown = meeting.last_meeting(day, who.label)
        assert who.real(shown.as_of) == held.as_of == planted.FIRST
        told = meeting.changes_of((who.label,), shown, day, who.label)[who.label]
        assert {name: len(rows) for name, rows in vars(told).items()} == {
            name: len(rows) for name, rows in vars(real).items()
        }
        assert [who.real(row["day"]) for row in told.new] == [row["day"] for row in real.new]
        found = meeting.effects_of((who.label,), day, who.label)
        assert [one.outcome for one in found.values()] == [one.outcome for one in effects.values()] and len(found) == 2

    def test_a_packet_made_on_a_page_has_no_day_in_its_name(self, store, listening, sought):
        app = listening.open("views/patient.py", {"patient": planted.PATIENT})
        app.button(key="packet-make").click().run()
        listening.heard(app, "packet")
        assert "packet-patient.pdf" in listening.offered and not listening.found(sought)


def test_of_the_worklist_only_the_page_is_de_identified(store, monkeypatch):
    monkeypatch.setattr(worklist.of_store, "ON_A_PAGE", 1)
    monkeypatch.setattr(deidentify, "on", lambda: True)
    done: list[dict] = []
    of_row = deidentified.Patient.row
    monkeypatch.setattr(
        deidentified.Patient, "row", lambda who, row, memo=None: done.append(row) or of_row(who, row, memo)
    )
    found = worklist.worklist(worklist.Asked(page=2))  # no other test has asked for it
    assert {row["patient_id"] for row in done if "silent_days" in row} == {
        deidentified.person(found.rows[0]["patient_id"]).patient_id
    }
    assert len(found.ids) == 3 and all(one.startswith("case-") for one in found.ids)


class TestTheSwitch:
    def test_it_keeps_patient_and_day_over_on_and_off(self, store):
        app = AppTest.from_file(APP, default_timeout=WAIT)
        app.switch_page("views/patient.py")
        for name, value in {"patient": planted.PATIENT, "as_of": "2017-08-30", "since": "2017-08-02"}.items():
            app.query_params[name] = value
        app.run()
        app.toggle(key="deidentify-toggle").set_value(True).run()
        label = deidentified.person(planted.PATIENT).label
        assert app.query_params == {"deidentified": "1", "patient": label, "as_of": "day51", "since": "day23"}
        assert app.selectbox(key="patient_choice").value == label and "Met on day 51" in str(
            [one.value for one in app.markdown]
        )
        app.toggle(key="deidentify-toggle").set_value(False).run()
        assert app.query_params == {"patient": planted.PATIENT, "as_of": "2017-08-30", "since": "2017-08-02"}
        assert "Met on 30 Aug 2017" in str([one.value for one in app.markdown])

    def test_it_stays_on_over_pages_and_in_the_address(self, store):
        app = AppTest.from_file(APP, default_timeout=WAIT)
        app.query_params["deidentified"] = "1"
        app.run()
        app.query_params.clear()
        app.switch_page("views/rulebook.py").run()
        assert app.query_params["deidentified"] == "1" and any("De-identified" in one.value for one in app.markdown)

    def test_a_link_with_a_label_opens_de_identified(self, store):
        app = AppTest.from_file(APP, default_timeout=WAIT)
        app.switch_page("views/patient.py")
        app.query_params["patient"] = deidentified.person(planted.PATIENT).label
        app.run()
        assert app.query_params["deidentified"] == "1" and any("De-identified" in one.value for one in app.markdown)

    def test_an_id_finds_nobody_in_the_search(self, store):
        app = AppTest.from_file(APP, default_timeout=WAIT)
        app.query_params["deidentified"] = "1"
        app.run()
        app.text_input(key="worklist_find").set_value("MRN-0048213").run()
        assert any("No patient matches" in one.value for one in app.info) and app.query_params["find"] == "unknown"
        app.text_input(key="worklist_find").set_value(deidentified.person(planted.PATIENT).label[5:]).run()
        assert any("Patients 1 to 1 of 1" in one.value for one in app.caption)

    def test_the_data_page_and_past_moments_are_not_shown(self, store, listening):
        app = listening.open("views/files.py", {})
        assert any("Not shown while de-identified" in one.value for one in app.info) and not app.dataframe
        app = listening.open("views/patient.py", {"patient": planted.PATIENT})
        assert not [one for one in app.radio if one.label == "Read"]

    def test_moving_the_day_moves_it_by_days(self, store):
        app = AppTest.from_file(APP, default_timeout=WAIT)
        app.switch_page("views/patient.py")
        for name, value in {"patient": planted.PATIENT, "deidentified": "1"}.items():
            app.query_params[name] = value
        app.run()
        app.slider(key="as_of_slider-in-days").set_value(51).run()
        assert app.query_params["as_of"] == "day51" and not app.exception
        app.number_input(key="last_meeting-in-days").set_value(20).run()
        assert app.query_params["since"] == "day20" and not app.exception

    def test_a_csv_holds_what_the_table_shows(self, store, listening):
        app = listening.open("views/patient.py", {"patient": planted.PATIENT})
        (text,) = {said for where, said in listening.said if where == "file patient_chart.csv"}
        rows = list(csv.DictReader(io.StringIO(text)))
        assert {row["date"] for row in rows} == set(app.dataframe[0].value["date"])
        assert {"day 23 08:40", "day 51"} <= {row["date"] for row in rows}
