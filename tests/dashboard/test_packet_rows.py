"""A packet says what the screen says: every card, met flag and citation, in each form; and tables read together are those read alone."""

import io
import re
from datetime import date, timedelta
from html import unescape

import pypdfium2
import pytest
from pptx import Presentation

from dashboard import data, strip
from dashboard.data import packets
from dashboard.reports import files, offline, pdf, slides
from dashboard.reports.packet import absent
from pipelines import findings
from pipelines.engines.inputs import Known
from tests.dashboard.packet_store import DAY, MEETING, REAL, made, pages


@pytest.fixture(scope="module")
def read(sample_store):
    yield from pages(sample_store)


@pytest.fixture(scope="module")
def real(read):
    return made(REAL, read[REAL], DAY, **MEETING)


def squeezed(text: str) -> str:
    """Without spaces, which a line break puts anywhere, and without hyphens, at which lines break."""
    return re.sub(r"[\s\ufffe\u00ad\x02-]+", "", text)


def pdf_text(made_pdf: bytes) -> str:
    return squeezed("".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(made_pdf)))


def html_text(made_html: bytes) -> str:
    return squeezed(unescape(re.sub(r"<[^>]+>", "", made_html.decode())))


def slides_text(made_pptx: bytes) -> str:
    texts = []
    for slide in Presentation(io.BytesIO(made_pptx)).slides:
        for shape in slide.shapes:
            if shape.has_table:
                texts += [cell.text_frame.text for row in shape.table.rows for cell in row.cells]
            elif shape.has_text_frame:
                texts.append(shape.text_frame.text)
    return squeezed(" ".join(texts))


@pytest.fixture(scope="module")
def forms(real):
    return {
        "pdf": pdf_text(pdf.document([real])),
        "html": html_text(offline.document([real])),
        "pptx": slides_text(slides.document([real])),
        "csv": squeezed(files.sheet([real]).decode("utf-8-sig").replace('""', '"')),
    }


@pytest.mark.parametrize("form", ["pdf", "html", "pptx", "csv"])
class TestSameAsTheScreen:
    def test_every_card(self, form, forms, read):
        for card in strip.cards(read[REAL], DAY):
            for said in (card.name, card.value, card.detail, card.stale):
                assert squeezed(said) in forms[form], (card.name, said)

    def test_every_met_flag(self, form, forms, read):
        met = [row for row in strip.standing(read[REAL], DAY) if row["status"] == "met"]
        assert len(met) > 15
        missing = [row["finding"] for row in met if squeezed(row["finding"]) not in forms[form]]
        if form == "pptx":  # two slides hold the first; the others are counted
            shown = len(met) - len(missing)
            assert shown >= 6
            assert f"And{len(missing)}moremet" in forms[form]
        else:
            assert not missing

    def test_every_citation_of_a_published_number_once_in_full(self, form, forms, real, read):
        met = {row["criterion"] for row in strip.standing(read[REAL], DAY) if row["status"] == "met"}
        cited = {
            line["citation"] for one in met for line in data.cited(one)
            if line["tag"] != "project default" and line["cite"] != "project"
        }  # fmt: skip
        assert len(real.citations) == len(cited) > 3
        found = [forms[form].count(squeezed(words)) for words in cited]
        if form == "pptx":  # a slide holds what it can, and says how many more there are
            assert found.count(1) >= 3 and set(found) <= {0, 1}
            assert all(found) or f"and{found.count(0)}more" in forms[form]
        else:
            assert set(found) == {1}

    def test_what_the_meeting_decided(self, form, forms):
        for said in (
            "Start plasma exchange",
            "off HFNC by 14 Sep 2021",
            "cannot be told yet",
            "Dr A",
            "Family informed",
            "discussed",
        ):
            assert squeezed(said) in forms[form], said
        assert squeezed("Nothing of the infection board is recorded.") in forms[form]

    def test_snapshot_day_and_versions(self, form, forms, real):
        assert "3Sep2021" in forms[form]
        assert re.search(r"[Ss]napshot1\b|[Ss]napshot1[,.]", forms[form])
        assert re.search(r"urgenttransferv\d+\([0-9a-f]{8}\)", forms[form]) or form == "pptx"


def test_a_packet_of_the_past_is_the_same_without_what_came_later(read):
    page = read[REAL]
    early = {
        name: [row for row in rows if name != "observation" or row["at"][:10] <= DAY.isoformat()]
        for name, rows in page.items()
    }
    assert made(REAL, page, DAY) == made(REAL, early, DAY)


def test_nothing_later_is_drawn(real):
    lanes = next(panel for panel in real.chart.panels if panel.name == "infection").axis["ticktext"]
    assert any("Meropenem" in lane for lane in lanes)
    assert not any("Ganciclovir" in lane for lane in lanes)  # first given in December


def test_what_was_not_asked_for_and_what_is_empty_are_told_apart(read, real):
    assert absent(made(REAL, read[REAL], DAY), "decisions") == "Decisions: not part of this packet."
    assert absent(made(REAL, read[REAL], DAY, decisions=[]), "decisions") == "No decision is recorded."
    assert absent(real, "decisions") == ""


def test_since_the_last_meeting(read):
    page, later = read[REAL], DAY + timedelta(days=1)
    assert [flag.name for flag in made(REAL, page, DAY).flags if flag.urgent and flag.new]
    met_before = {strip.identity(row) for row in strip.newly_met(page, later, DAY)}
    found = made(REAL, page, later)
    again = [flag for flag in found.flags if flag.new]
    assert len(again) == len(strip.newly_met(page, later, later - timedelta(days=7))) >= len(met_before)


def test_several_pages_are_read_as_each_is_alone(read):
    for patient_id in (REAL, "kagawa2020"):
        alone = data.patient_page(patient_id)
        for name, rows in alone.items():
            if name != "immunosuppression":  # its lists have no order
                assert read[patient_id][name] == rows, (patient_id, name)


def test_several_pages_of_the_past(read):
    before = Known(at=None, received_at=None)
    assert packets.pages([REAL], before)[REAL]["judgement"] == read[REAL]["judgement"]


def test_the_evidence_of_all_is_that_of_each(read):
    day = date(2021, 9, 3)
    ids = [one for row in strip.standing(read[REAL], day) if row["status"] == "met" for one in row["evidence"]]
    found = packets.evidence([(read[REAL], day), (read["kagawa2020"], day)])
    assert set(ids) <= set(found)
    assert data.evidence(ids) == [found[one] for one in found if one in set(ids)]


def test_progress_is_told(real):
    for form in files.FORMS.values():
        said = []
        form.make([real, real], lambda done, of, said=said: said.append((done, of)))
        assert said[-1] == (2, 2) and said == sorted(said)


def test_rules_are_those_that_judge_the_page(real):
    used = packets.rules_used()
    assert used.keys() == data.rules().keys()
    assert any(rule.endswith(f"({used['urgent_transfer']['content_hash'][:8]})") for rule in real.rules)
    assert findings.thresholds(data.rules()["urgent_transfer"])
