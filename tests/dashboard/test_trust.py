"""What the dashboard says of how far an answer can be trusted: what would turn it, which rules judged, a site's file that is broken."""

import html
import json
import shutil
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

import pipelines.catalog
from dashboard import data
from pipelines.catalog import catalog
from pipelines.load import load
from pipelines.rule_versions import Ledger
from pipelines.store.database import Store
from tests import some_rules
from tests.dashboard.conftest import HOSTILE
from tests.dashboard.test_views import REAL, opened, said

FIRST, LATER = datetime(2024, 6, 1, 9), datetime(2024, 7, 1, 9)


def cards(app) -> str:
    return "\n".join(text.value for text in app.text)


class TestTurning:
    def test_an_opened_flag_names_the_record_without_which_it_would_turn(self, shown_store):
        app = opened("patient", patient=REAL, as_of="2021-09-03", flag="urgent_transfer")
        assert not app.exception and not app.error
        assert "Would be not met without this record" in cards(app) and "3 Sep 2021" in cards(app)

    def test_a_weak_record_is_called_one(self, shown_store):
        app = opened("patient", patient=REAL, as_of="2021-08-20", flag="not_recommended_agent~azathioprine")
        assert "without this record, whose date is assumed" in cards(app)

    def test_it_is_what_the_command_line_says(self, shown_store):
        from pipelines import findings
        from pipelines.store.database import open_snapshot

        with open_snapshot(shown_store) as snapshot, snapshot.cursor() as cursor:
            day = findings.last_recorded_day(cursor, REAL)
            (answer,) = findings.explain(cursor, REAL, "referral_lung_function", day)["answers"]
        shown = data.turning(REAL, "referral_lung_function", None, day)
        assert shown == {"flips": answer["flips"], "untried": answer["untried"]} and shown["flips"]

    def test_what_cannot_be_told_is_not_asked(self, shown_store, monkeypatch: pytest.MonkeyPatch):
        def asked(*_):
            raise AssertionError("asked")

        monkeypatch.setattr(data, "turning", asked)
        app = opened("patient", patient=REAL, flag="flair_score")
        assert not app.exception and not app.error and "Would settle it" in cards(app)

    def test_text_of_a_file_is_never_markup(self, shown_store):
        app = opened("patient", patient=HOSTILE, flag="high_ferritin")
        assert not app.exception and not app.error
        assert "Would be" in cards(app) or "No single record" in said(app)
        assert "<b>assay" not in "".join(str(element.value) for element in app.markdown)


class TestRulebook:
    @pytest.fixture
    def judged_twice(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put_rules) -> Store:
        """A store whose ferritin rule changed for one of two patients."""
        shipped = some_rules.only("high_ferritin")
        (tmp_path / "labs.csv").write_text(
            "patient_id,analyte,value,unit,at\np1,ferritin,600,ng/mL,2024-01-01\np2,ferritin,1200,ng/mL,2024-01-01\n",
            encoding="utf-8",
        )
        store = Store(tmp_path / "store")
        put_rules(some_rules.with_threshold(shipped, "high_ferritin", "grade_1_above", 700))
        load(store, [tmp_path / "labs.csv"], received_at=FIRST)
        put_rules(shipped)
        load(store, [], received_at=LATER)
        monkeypatch.setenv("MDA5_STORE", str(store.folder))
        return store

    def test_every_change_is_listed_with_the_patients_it_turned(self, judged_twice: Store):
        app = opened("rulebook", show="changes")
        assert not app.exception and not app.error
        (table,) = app.table
        (row,) = table.value.to_dict("records")
        assert (row["Judged at"], row["Change"], row["Patients"]) == ("2024-07-01 09:00:00", "changed", "1")
        assert "rulebook?criterion=high_ferritin" in row["Rule"]

    def test_a_rule_says_since_when_it_judges_this_store(self, judged_twice: Store):
        app = opened("rulebook", criterion="high_ferritin")
        assert "This store is judged by this version since 2024-07-01 09:00:00." in said(app)

    def test_a_reason_in_the_ledger_is_text(self, judged_twice: Store):
        ledger = Ledger(judged_twice.folder)
        lines = ledger.path.read_text(encoding="utf-8").splitlines()
        entry = json.loads(lines[-1])
        entry["changes"][0] |= {"why": HOSTILE, "criterion": "<i>gone</i>", "parts": [HOSTILE]}
        ledger.path.write_text("\n".join([*lines[:-1], json.dumps(entry)]) + "\n", encoding="utf-8")
        data._rule_versions.clear()
        app = opened("rulebook", show="changes")
        data._rule_versions.clear()
        shown = app.table[0].value.to_string()
        assert not app.exception and "<img" not in shown and "<i>" not in shown and "](javascript" not in shown

    def test_where_nothing_changed_it_says_so(self, shown_store):
        assert "No rule has changed" in said(opened("rulebook", show="changes"))

    def test_without_a_store_it_says_so(self, empty_store):
        app = opened("rulebook", show="changes")
        assert not app.exception and not app.error and "Nothing has been loaded yet" in said(app)


@pytest.mark.parametrize("view", ["worklist", "patient", "meeting", "transplant", "infection", "files", "rulebook"])
def test_on_a_store_of_an_earlier_version_every_page_says_what_to_run(sample_store, tmp_path, monkeypatch, view: str):
    folder = tmp_path / "store"
    shutil.copytree(sample_store, folder)
    with duckdb.connect(str(Store(folder).current())) as con:
        con.execute("DROP TABLE record.entry")
    monkeypatch.setenv("MDA5_STORE", str(folder))
    app = opened(view)
    assert not app.exception
    told = html.unescape(app.error[0].value)
    assert "an earlier version of the programme" in told and told.endswith("with: python -m pipelines rebuild")


@pytest.fixture
def broken_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A site's file that is out of form, in a process that has not read the rules yet."""
    shipped = catalog()
    (tmp_path / "site.toml").write_text("[cmv_reactivation.pcr]\nvalue = '<img src=x>'\n", encoding="utf-8")
    monkeypatch.setenv("MDA5_SITE", str(tmp_path / "site.toml"))
    pipelines.catalog.catalog.cache_clear()
    yield
    some_rules.put(shipped)


@pytest.mark.parametrize(
    ("view", "query"), [("worklist", {}), ("patient", {"patient": REAL}), ("rulebook", {"show": "approve"})]
)
def test_with_a_broken_site_file_every_page_says_what_to_mend(shown_store, broken_site, view: str, query: dict):
    for cached in (data._patient_page, data.snapshot._asked):
        cached.clear()
    app = opened(view, **query)
    assert not app.exception
    (message,) = app.error
    assert "needs exactly value" in message.value and "site" in message.value and "Mend the file" in message.value
    assert "Traceback" not in message.value and "<img" not in message.value
