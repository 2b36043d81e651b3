"""A site's own thresholds: what may be set, what is refused and how that is said, and that no number is another one silently."""

import shutil
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

import pipelines.catalog
from pipelines import command_output, findings, site_thresholds
from pipelines.catalog import Catalog, catalog
from pipelines.errors import Refusal
from pipelines.load import load
from pipelines.rulebook import content, markdown
from pipelines.store.database import Store, open_snapshot
from tests import some_rules

EXAMPLE = Path(__file__).parents[1] / "sample_data" / "site.example.toml"
ENTRY = '[{place}]\nvalue = {value}\nunit = "{unit}"\nset_by = "board"\non = 2026-11-02\nwhy = "because"\n'
CMV = "cmv_reactivation.pcr"
OF_THE_RULE = catalog().criteria["cmv_reactivation"].thresholds["pcr"].value


def entry(value: str = "150", place: str = CMV, unit: str = "IU/mL") -> str:
    return ENTRY.format(place=place, value=value, unit=unit)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes a text the site's file, and gives the rules with it."""

    def rules_with(text: str | bytes) -> Catalog:
        path = tmp_path / "site.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        monkeypatch.setenv("MDA5_SITE", str(path))
        return catalog().at_site(site_thresholds.read())

    return rules_with


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (entry(place="no_such_rule.pcr"), "names no threshold of a rule"),
            (entry(place="cmv_reactivation.no_such_number"), "names no threshold of a rule"),
            (entry("400", place="high_ferritin.grade_1_above", unit="ng/mL"), "not the site's to set"),
            (entry(unit="copies/mL"), "is in copies/mL, and the rule in IU/mL"),
            (entry('"150"'), "no number"),
            (entry("true"), "no number"),
            (entry("nan"), "no number"),
            (entry("inf"), "no number"),
            (entry("-inf"), "no number"),
            (entry("[150]"), "no number"),
            (entry("0"), "not above 0"),
            (entry("-150"), "not above 0"),
            (entry("1e9"), "too large"),
            (entry("0.0000001"), "six decimals"),
            (entry().replace('why = "because"\n', ""), "needs exactly value, unit, set_by, on, why"),
            (entry() + 'note = "more"\n', "needs exactly value, unit, set_by, on, why"),
            (entry().replace('"because"', '" "'), "needs words in unit, set_by and why"),
            (entry().replace('"board"', "7"), "needs words in unit, set_by and why"),
            (entry().replace("2026-11-02", '"2026-11-02"'), "needs a date"),
            (entry().replace("2026-11-02", "2026-11-02T09:00:00"), "needs a date"),
            ("cmv_reactivation = 150\n", "is no table"),
            ("[cmv_reactivation]\npcr = 150\n", "needs exactly"),
            ("[[cmv_reactivation]]\npcr = 150\n", "is no table"),
            (
                entry("20", place="cni_level_out_of_range.tacrolimus_first_low", unit="ng/mL"),
                "leaves no range: 20 to 15",
            ),
            (entry("9.99", place="cni_level_out_of_range.tacrolimus_first_high", unit="ng/mL"), "leaves no range"),
            (entry() + entry(), "not TOML"),
            ("not toml", "not TOML"),
            (b"\xff\xfe\x00", "cannot be read"),
        ],
    )
    def test_a_file_out_of_form_is_refused_whole_and_the_entry_named(self, site, text: str | bytes, said: str):
        good = entry("2000", place="cmv_reactivation.pcr_copies", unit="copies/mL")
        with pytest.raises(Refusal) as refused:
            site(text if isinstance(text, bytes) else good + text if text.startswith("[c") else text)
        assert said in str(refused.value) and "site.toml" in str(refused.value)

    @pytest.mark.parametrize("name", ["absent.toml", "."])
    def test_a_named_file_that_is_none_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
        (tmp_path / "folder").mkdir()
        monkeypatch.setenv("MDA5_SITE", str(tmp_path / "folder" / name))
        with pytest.raises(Refusal, match="cannot be read"):
            site_thresholds.read()

    def test_no_file_is_needed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delenv("MDA5_SITE")
        monkeypatch.setattr(site_thresholds, "DEFAULT", tmp_path / "site.toml")
        assert site_thresholds.read() == {}
        monkeypatch.setenv("MDA5_SITE", "")
        assert site_thresholds.read() == {}


class TestSet:
    def test_the_example_of_the_sample_data_is_in_form(self, site):
        rules = site(EXAMPLE.read_text(encoding="utf-8"))
        assert rules.criteria["cmv_reactivation"].thresholds["pcr"].used == 150
        assert rules.concepts["gas_exchange"].thresholds["atmospheric_pressure"].used == 700

    def test_the_readme_names_every_threshold_that_is_the_sites_to_set(self):
        told = (
            (EXAMPLE.parents[1] / "README.md")
            .read_text(encoding="utf-8")
            .split("**A site's own numbers.**")[1]
            .split("**")[0]
        )
        for rule in [*catalog().concepts.values(), *catalog().criteria.values()]:
            for name in (name for name, threshold in rule.thresholds.items() if threshold.site):
                assert f"`{name}`" in told and f"`{rule.id}`" in told, (rule.id, name)

    @pytest.mark.parametrize(
        ("printed", "used"), [("150", "150"), ("1.5e3", "1500"), ("150.50", "150.5"), ("0.000001", "0.000001")]
    )
    def test_a_number_goes_into_the_sql_as_a_plain_decimal(self, site, printed: str, used: str):
        rule = site(entry(printed)).criteria["cmv_reactivation"]
        assert rule.bound("$pcr") == f"({used})" and rule.thresholds["pcr"].used == Decimal(used)

    def test_a_mark_of_byte_order_does_no_harm(self, site):
        assert site(b"\xef\xbb\xbf" + entry().encode()).criteria["cmv_reactivation"].thresholds["pcr"].used == 150

    def test_nothing_else_of_the_rules_changes(self, site):
        rules, shipped = site(entry()), catalog()
        assert rules.criteria["cmv_reactivation"].thresholds["pcr"].value == OF_THE_RULE
        changed = {
            name for name, content in rules.content_hashes().items() if content != shipped.content_hashes()[name]
        }
        assert changed == {"cmv_reactivation"} | {
            name
            for name in shipped.criteria
            if "cmv_reactivation" in shipped.needed(lambda one, name=name: one.id == name)
        }

    def test_the_same_value_written_otherwise_is_the_same_version(self, site):
        assert site(entry("150")).content_hashes() == site(entry("150.0")).content_hashes()


PRESSURE = entry("700", place="gas_exchange.atmospheric_pressure", unit="mmHg")


class TestShown:
    def test_every_rule_that_reads_the_number_however_far_says_so(self, site, put_rules):
        rules = site(PRESSURE)
        put_rules(rules)
        say = {
            rule.id
            for rule in rules.criteria.values()
            if any("700 mmHg instead of 760" in sentence for sentence in findings._at_site(rule))
        }
        assert {"refractory_gas_exchange", "refractory_possible", "transplant_referral"} <= say
        assert "high_ferritin" not in say

    def test_on_the_pages_and_documents_of_the_rulebook(self, site):
        rules = some_rules.only("cmv_reactivation", rules=site(entry()))
        book = content.rulebook(rules=rules)
        (number,) = [number for one in book.criteria for number in one.numbers if number.site]
        assert number.site == "this site uses 150 IU/mL instead, set by board on 2026-11-02, because because"
        assert number in [one for _, one in book.to_approve()]
        assert "this site uses 150 IU/mL instead" in markdown.document(book).replace("\\", "")

    def test_on_the_chart_the_line_and_its_label(self, site, put_rules):
        from dashboard import data
        from dashboard.charts import threshold_lines

        put_rules(site(entry()))
        (line,) = [one for one in data.thresholds() if one["instead_of"] is not None]
        assert (line["criterion"], line["name"], line["value"]) == ("cmv_reactivation", "pcr", 150)
        assert line["instead_of"] == OF_THE_RULE
        hover = threshold_lines._label(line, ["x"], 0.5)["hovertext"]
        assert "150" in hover and f"this site's, instead of {OF_THE_RULE}" in hover


@pytest.fixture(scope="module")
def judged_without(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a CMV PCR of 100, judged by the rules as they ship."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "labs.csv").write_text(
        "patient_id,analyte,value,unit,at\np1,cmv_dna,100,[IU]/mL,2024-01-01\n", encoding="utf-8"
    )
    with some_rules.in_use(some_rules.only("cmv_reactivation")):
        load(Store(folder / "store"), [folder / "labs.csv"], received_at=datetime(2024, 6, 1))
    return folder / "store"


class TestJudged:
    @pytest.fixture
    def store(self, judged_without: Path, tmp_path: Path, site, put_rules) -> Store:
        """A copy, while the site's limit is 150."""
        put_rules(some_rules.only("cmv_reactivation", rules=site(entry())))
        return Store(shutil.copytree(judged_without, tmp_path / "store"))

    def explained(self, store: Store) -> dict:
        with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
            return findings.explain(cursor, "p1", "cmv_reactivation")

    def test_a_store_judged_without_it_answers_by_it_and_is_judged_again(self, store: Store):
        assert self.explained(store)["answers"][0]["status"] == "not_met"
        report = load(store, [], received_at=datetime(2024, 7, 1))
        assert [(one.criterion, one.patients) for one in report.rules_changed] == [("cmv_reactivation", 1)]
        with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
            found = cursor.execute("SELECT status FROM result.spell WHERE until_date IS NULL").fetchall()
        assert found == [("not_met",)]

    def test_the_finding_and_its_explanation_name_it(self, store: Store, capsys: pytest.CaptureFixture):
        explained = self.explained(store)
        assert f"Site value: pcr 150 IU/mL instead of {OF_THE_RULE}." in explained["answers"][0]["finding"]
        (number,) = [line["site"] for line in explained["thresholds"] if line["site"]]
        assert (number["value"], number["set_by"]) == ("150", "board")
        command_output.print_explanation(explained)
        assert "This site uses 150 IU/mL for pcr: because (board, 2026-11-02)." in capsys.readouterr().out

    def test_a_number_of_what_it_reads_is_explained_too(self, site, put_rules, capsys: pytest.CaptureFixture):
        rules = site(PRESSURE)
        put_rules(rules)
        (line,) = findings.site_values(rules.criteria["refractory_possible"])
        assert (line["name"], line["site"]["value"], line["title"]) == (
            "atmospheric_pressure", "700", rules.concepts["gas_exchange"].title,
        )  # fmt: skip
        explained = dict.fromkeys(("title", "criterion", "patient_id", "as_of", "why"), "x")
        command_output.print_explanation(explained | {"answers": [], "thresholds": [], "site_values": [line]})
        assert "instead of 760: This site" not in (said := " ".join(capsys.readouterr().out.split()))
        assert "This site uses 700 mmHg for atmospheric_pressure of" in said and "instead of 760" in said


def test_with_a_broken_file_a_command_ends_in_one_line(tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture):
    import sys

    from pipelines import __main__ as command_line

    (tmp_path / "site.toml").write_text("not toml", encoding="utf-8")
    monkeypatch.setenv("MDA5_SITE", str(tmp_path / "site.toml"))
    monkeypatch.setattr(sys, "argv", ["pipelines", "load", str(tmp_path), "--store", str(tmp_path / "store")])
    pipelines.catalog.catalog.cache_clear()
    try:
        with pytest.raises(SystemExit) as ended:
            command_line.main()
    finally:
        pipelines.catalog.catalog.cache_clear()
    said = capsys.readouterr().err
    assert ended.value.code == 1 and said.count("\n") == 1 and "not TOML" in said and "Traceback" not in said
