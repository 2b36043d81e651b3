"""The Data page: files go in, and every row of them can be accounted for, found again and decided on."""

import csv
import io
import os
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import data, held
from pipelines.load import load
from pipelines.store.database import Store, open_snapshot
from pipelines.verify import verify
from tests.dashboard.test_views import opened, said

MARKUP = "<img src=x onerror=alert(1)> [x](javascript:alert(1))"
LABS = f"""patient_id,analyte,value,unit,at
p1,ferritin,480,ng/mL,2024-01-01
p1,ferritin,510,ng/mL,2024-01-08
p1,ferritin,900,,2024-01-09
p1,{MARKUP},5,ng/mL,2024-01-10
p1,ferritin,5,=1+1,2024-01-11
p1,ferritin,5050,ng/mL,2024-01-15
"""
SECONDS = 60


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with nothing in it, which the dashboard of this test shows."""
    monkeypatch.setitem(os.environ, "MDA5_STORE", str(tmp_path / "store"))
    monkeypatch.setitem(os.environ, "MDA5_KEY_FILE", str(tmp_path / "key"))
    return Store(tmp_path / "store")


@pytest.fixture
def loaded(store: Store, tmp_path: Path) -> Store:
    (tmp_path / "labs.csv").write_text(LABS, encoding="utf-8")
    load(store, [tmp_path / "labs.csv"])
    return store


def finished(app: AppTest, job: str = "load_job") -> AppTest:
    """The page once its load is done."""
    until = time.monotonic() + SECONDS
    while app.session_state[job].running and time.monotonic() < until:
        time.sleep(0.05)
    return app.run()


def uploaded(*files: tuple[str, bytes], **answers) -> AppTest:
    """The page after these files were uploaded and loaded; `answers` are given to widgets by key."""
    app = opened("files")
    for name, content in files:
        app.file_uploader[0].upload(name, content)
    app.run()
    for key, answer in answers.items():
        (app.text_input if key == "assigner" else app.radio)(key=key).set_value(answer).run()
    app.button(key="load").click().run()
    return finished(app)


class TestAddingFiles:
    def test_an_empty_store_has_a_page_that_takes_files(self, store):
        app = opened("files")
        assert not app.exception and not app.error and app.file_uploader and app.button(key="load").disabled
        for section in ("received", "rejected", "unknown", "held"):
            app = opened("files", show=section)
            assert not app.exception and not app.error and "Nothing has been received yet" in said(app)

    def test_an_uploaded_file_is_loaded_and_its_accounting_shown(self, store):
        app = uploaded(("labs.csv", LABS.encode()))
        assert not app.exception and not app.error
        assert "6 received = 2 accepted + 0 duplicate + 0 superseded + 4 rejected" in said(app)
        assert store.landing.receipts()[0].name == "labs.csv" and not list((store.folder / "tmp").glob("upload-*"))
        assert all(check.holds for check in verify(store))

    def test_a_refused_file_says_why_and_the_others_are_loaded(self, store):
        app = uploaded(("notes.png", b"\x89PNG\0\0"), ("labs.csv", LABS.encode()), ("labs.csv", LABS.encode()))
        assert not app.exception and not app.error, app.error[0].value
        assert "refused, nothing of it was loaded" in said(app) and "6 received = 0 accepted + 2 duplicate" in said(app)
        assert [receipt.name for receipt in store.landing.receipts()] == ["labs.csv", "labs.csv"]

    @pytest.mark.parametrize(
        "name", ["../../../escaped.csv", "/tmp/escaped.csv", "-rf.csv", "a\nb.csv", f"{MARKUP}.csv", "x" * 300 + ".csv"]
    )
    def test_a_hostile_name_is_shown_and_never_becomes_a_path(self, store, tmp_path, name):
        app = uploaded((name, LABS.encode()))
        assert not app.exception and not app.error and "2 accepted" in said(app) and "<img" not in said(app)
        assert not list(tmp_path.glob("*.csv")) and not Path("/tmp/escaped.csv").exists()

    def test_identifiers_become_pseudonyms_when_the_authority_is_named(self, store):
        app = opened("files")
        app.file_uploader[0].upload("labs.csv", LABS.encode()).run()
        app.radio(key="ids").set_value("assigner").run()
        assert app.button(key="load").disabled and "Name the authority" in said(app)
        app.text_input(key="assigner").set_value("test hospital").run()
        app.button(key="load").click().run()
        finished(app)
        with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
            (patient,) = cursor.execute("SELECT patient_id FROM record.patient").fetchone()
        assert patient.startswith("P-") and store.landing.receipts()[0].assigner == "test hospital"

    def test_a_declared_decimal_mark_is_kept_in_the_receipt(self, store):
        uploaded(("labs.csv", LABS.encode()), decimal="dot")
        assert store.landing.receipts()[0].decimal == "dot"

    def test_a_busy_store_is_said_in_words(self, loaded):
        with loaded.lock():
            app = uploaded(("labs.csv", LABS.encode()))
        assert not app.exception and "is writing to this store" in app.error[0].value

    def test_a_fault_gets_an_incident_number_and_no_traceback(self, loaded, monkeypatch):
        monkeypatch.setattr(data.uploads, "load", lambda *_, **__: 1 / 0)
        app = uploaded(("labs.csv", LABS.encode()))
        assert "Incident" in app.error[0].value and "ZeroDivision" not in said(app)


class TestWhatWasReceived:
    def test_the_history_has_the_newest_first(self, loaded, tmp_path):
        (tmp_path / "more.csv").write_text(LABS.replace("p1", "p2"), encoding="utf-8")
        load(loaded, [tmp_path / "more.csv"])
        app = opened("files", show="received", receipt="1")
        table = app.dataframe[0].value
        assert list(table["File"]) == ["more.csv", "labs.csv"] and list(table["Accepted"]) == [2, 2]
        assert "Receipt 1" in said(app) and "6 received = 2 accepted" in said(app)
        app.button(key="show_its").click().run()
        assert app.query_params["file"] == "1" and set(app.dataframe[0].value["File"]) == {"labs.csv"}

    def test_rejected_rows_can_be_filtered_and_opened(self, loaded):
        app = opened("files", show="rejected", receipt="1", line="5")
        assert not app.exception and not app.error
        assert list(app.dataframe[0].value["Line"]) == [4, 5, 6, 7]
        assert "labs.csv, line 5" in said(app).replace("&#46;", ".") and app.code[0].value == LABS.splitlines()[4]
        assert "What to do: This analyte is not in" in said(app)
        app.selectbox(key="rejected_reason").set_value("unit_missing").run()
        assert list(app.dataframe[0].value["Line"]) == [4]
        app.text_input(key="rejected_text").set_value("nothing such").run()
        assert "No rejected row matches." in said(app)

    def test_an_accepted_row_is_read_again_from_the_file(self, loaded):
        app = opened("files", receipt="1", line="2")
        assert app.code[0].value == LABS.splitlines()[1] and "Accepted: it is a record" in said(app)

    def test_no_identifier_is_read_again(self, store):
        text = "patient_id,surname,analyte,value,unit,at\nMRN-77,NAME^TEST,ferritin,480,ng/mL,2024-01-01\n"
        uploaded(("labs.csv", text.encode()), ids="assigner", assigner="test hospital")
        app = opened("files", receipt="1", line="2")
        assert "480" in app.code[0].value and "MRN-77" not in app.code[0].value and "TEST" not in app.code[0].value

    @pytest.mark.parametrize(("receipt", "line"), [("9", "2"), ("1", "99"), ("1", "-1"), ("x", "y"), ("9" * 30, "²")])
    def test_a_row_that_does_not_exist_is_said_in_words(self, loaded, receipt, line):
        app = opened("files", show="rejected", receipt=receipt, line=line)
        assert not app.exception and not app.error and not app.code

    def test_text_of_a_file_is_never_markup(self, loaded):
        for section in ("received", "rejected", "unknown", "held"):
            app = opened("files", show=section, receipt="1", line="5")
            assert "<img" not in "".join(str(element.value) for element in app.markdown) and not app.exception

    def test_the_download_runs_no_formula(self, loaded):
        rows = data.rejected(10)[1]
        from dashboard import table

        cells = list(csv.reader(io.StringIO(table.as_csv(rows).decode("utf-8-sig"))))
        assert ["'=1+1" in row for row in cells].count(True) == 1 and not any(
            cell.startswith("=") for row in cells for cell in row
        )

    def test_ten_thousand_rejects_come_in_pages(self, store, tmp_path):
        rows = "".join(f"p{number},nonsense,{number},ng/mL,2024-01-01\n" for number in range(10_000))
        (tmp_path / "many.csv").write_text("patient_id,analyte,value,unit,at\n" + rows, encoding="utf-8")
        load(store, [tmp_path / "many.csv"])
        app = opened("files", show="rejected")
        assert len(app.dataframe[0].value) == 50 and "Rows 1 to 50 of 10,000" in said(app)
        app.session_state["rejected_page"] = 200
        app.run()
        assert "Rows 9,951 to 10,000 of 10,000" in said(app)
        app = opened("files", show="unknown")
        assert list(app.dataframe[0].value["Rows"]) == [10_000]

    def test_unknown_names_are_grouped_with_their_files(self, loaded):
        app = opened("files", show="unknown")
        assert {MARKUP, "=1+1"} == {row for table in app.dataframe for row in table.value["Printed"]}
        assert "Analytes" in said(app) and "Units" in said(app)


class TestHeldRows:
    def decide(self, line: int, decision: str, unit: str | None = None) -> AppTest:
        app = opened("files", show="held", receipt="1", line=str(line))
        assert app.button(key="decide").disabled
        app.radio(key=f"decision-1-{line}").set_value(decision).run()
        if unit:
            assert app.button(key="decide").disabled
            app.selectbox(key=f"unit-1-{line}").set_value(unit).run()
        app.text_input(key="decided_by").set_value("tester").run()
        assert app.button(key="decide").disabled
        app.text_input(key=f"why-1-{line}").set_value("asked the laboratory").run()
        app.button(key="decide").click().run()
        return finished(app, "decision_job")

    def values(self, store: Store) -> list[int]:
        with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
            return [
                int(value)
                for (value,) in cursor.execute("SELECT value FROM record.observation ORDER BY at_low").fetchall()
            ]

    def test_the_rows_that_wait_are_listed_with_why(self, loaded):
        app = opened("files", show="held")
        assert list(app.dataframe[0].value["Reason"]) == ["unit missing", "unit unknown", "value slip"]
        assert list(app.radio[0].options) == ["Correct its unit", "Reject it for good"]

    def test_accepting_a_slip_makes_it_a_record_and_names_who_and_why(self, loaded):
        app = self.decide(7, "accept")
        assert not app.exception and not app.error and "The decision is kept" in app.success[0].value
        assert self.values(loaded) == [480, 510, 5050]
        assert list(app.dataframe[0].value["Reason"]) == ["unit missing", "unit unknown"]
        made = app.dataframe[1].value
        assert list(made["Who"]) == ["tester"] and list(made["Why"]) == ["asked the laboratory"]
        assert all(check.holds for check in verify(loaded))

    def test_correcting_the_unit_converts_the_value(self, loaded):
        self.decide(4, "correct_unit", "ug/L")
        assert self.values(loaded) == [480, 510, 900]

    def test_rejecting_settles_the_row_without_a_record(self, loaded):
        app = self.decide(7, "reject")
        assert self.values(loaded) == [480, 510] and "value slip" not in set(app.dataframe[0].value["Reason"])
        assert "value slip (decided)" in set(opened("files", show="rejected").dataframe[0].value["Reason"])

    def test_the_units_offered_are_those_of_the_analyte(self):
        assert set(held.units_of({"cells": {"analyte": "ferritin", "value": "1"}})) == {"ng/mL", "ug/L", "pmol/L"}
        assert held.units_of({"cells": {"code": "2276-4", "value": "1"}})
        assert held.units_of({"cells": {"drug": "prednisolone", "value": "1"}}) == []
        assert held.units_of({"cells": {"analyte": "nonsense", "value": "1"}}) == []


class TestMapping:
    WIDE = (
        "Hospital number;Date;Ferritin (ng/mL);CRP mg/L;Surname\n"
        "A1;2021-02-13;1200;5,2;NAME^TEST\nA1;2021-02-20;1300;4,8;NAME^TEST\n"
    )

    def completed(self, text: str) -> str:
        """A proposal as a person leaves it."""
        for line, filled in (
            ('approved_by = ""', 'approved_by = "tester"'),
            ('approved_on = ""', "approved_on = 2024-01-01"),
            ('ids = ""', 'ids = "pseudonyms"'),
        ):
            assert line in text
            text = text.replace(line, filled)
        return text

    def button(self, app: AppTest, start: str):
        return next(button for button in app.button if (button.key or "").startswith(start))

    def test_a_table_with_local_names_gets_a_proposal_that_loads_nothing(self, store):
        app = uploaded(("wide.csv", self.WIDE.encode()))
        assert not app.exception and not app.error and "refused, nothing of it was loaded" in said(app)
        columns = app.dataframe[0].value
        assert "results of ferritin" in set(columns["Taken for"]) and "TEST" not in columns.to_string()
        assert "A1" not in columns.to_string()
        self.button(app, "load-mapped").click().run()
        finished(app)
        assert "refused" in said(app) and store.landing.receipts() == [], "nobody has approved it"

    def test_a_mapping_that_is_completed_and_approved_loads_the_file(self, store):
        app = uploaded(("wide.csv", self.WIDE.encode()))
        app.text_area[0].set_value(app.text_area[0].value.replace('ids = ""', 'ids = "pseudonyms"')).run()
        self.button(app, "load-mapped").click().run()
        finished(app)
        assert 'ids = "pseudonyms"' in app.text_area[0].value, "what a person completed is not lost"
        text = app.text_area[0].value.replace('approved_by = ""', 'approved_by = "tester"')
        app.text_area[0].set_value(text.replace('approved_on = ""', "approved_on = 2024-01-01")).run()
        self.button(app, "load-mapped").click().run()
        finished(app)
        assert "4 received = 4 accepted" in said(app) and store.landing.receipts()[0].mapping

    def test_a_mapping_beside_its_file_is_used(self, store):
        draft = data.uploads.proposal(store, data.Upload("wide.csv", self.WIDE.encode())).toml()
        mapping = self.completed(draft).encode()
        app = uploaded(("wide.csv", self.WIDE.encode()), ("wide.csv.mapping.toml", mapping))
        assert "4 received = 4 accepted" in said(app)

    def test_a_mapping_that_is_no_toml_is_said(self, store):
        app = uploaded(("wide.csv", self.WIDE.encode()), ("wide.csv.mapping.toml", b"[["))
        assert not app.error and "is not TOML" in said(app)
