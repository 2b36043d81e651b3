"""Each form of a packet: pages that never become three, hostile text that stays text, the same bytes twice, nothing fetched."""

import csv
import io
import re
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import pypdfium2
import pytest
from pptx import Presentation
from pptx.util import Inches

from dashboard.reports import files, offline, pdf, slide_boxes, slides, svg
from dashboard.reports.packet import Decision, Evidence, Line, Missing, Note, Number
from tests.dashboard.packet_store import DAY, MEETING, REAL, made, pages

HOSTILE = [
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "#eval(\"1\") #panic() $x$ *b* \\u{41} @ref <label>",
    "a\x00\x08\x0b\x1f\u202e\ufffeb",
    "\"' onload=x & ]]> -->",
    "</style></svg><img src=https://example.org/x onerror=1>",
]  # fmt: skip


@pytest.fixture(scope="module")
def read(sample_store):
    yield from pages(sample_store)


@pytest.fixture(scope="module")
def real(read):
    return made(REAL, read[REAL], DAY, **MEETING)


@pytest.fixture(scope="module")
def hostile(real):
    """Every text a hospital or a person may have written is hostile."""
    said = " ".join(HOSTILE)
    evidence = (Evidence(said, "3 Sep 2021", said, "5"),)
    flags = tuple(
        replace(flag, item=said, finding=said, evidence=evidence, numbers=(Number(said, "published", 1),))
        for flag in real.flags
    )
    return replace(
        real, patient_id=said, person=said, site=said, flags=flags, treatment=said, unknown=(said,), no_longer=(said,),
        cards=tuple(replace(card, value=said, detail=said) for card in real.cards), missing=(Missing(said, 1, 2),),
        decisions=(Decision(*[said] * 8),), notes=(Note(*[said] * 4),), transplant=(Line(said, said),), citations=(said,),
        drawn_rows=tuple(dict.fromkeys(row, said) for row in real.drawn_rows[:3]),
    )  # fmt: skip


@pytest.fixture(scope="module")
def long(real):
    """Texts and lists far longer than any page."""
    words = "transplantation " * 400
    flags = tuple(
        replace(flag, finding=words, evidence=flag.evidence * 40, numbers=flag.numbers * 20) for flag in real.flags * 8
    )
    rows = tuple(Decision(*[words] * 8) for _ in range(60))
    return replace(
        real, patient_id="x" * 500, person=words, site=words, flags=flags, treatment=words, unknown=(words,) * 90, no_longer=(words,) * 30,
        missing=(Missing(words, 1, 2),) * 50, decisions=rows, notes=tuple(Note(*[words] * 4) for _ in range(60)),
        transplant=(Line(words, words),) * 40, citations=(words,) * 60, rules=(words,) * 60,
        cards=tuple(replace(card, value=words, detail=words) for card in real.cards),
    )  # fmt: skip


def page_count(made_pdf: bytes) -> int:
    return len(pypdfium2.PdfDocument(made_pdf))


class TestPdf:
    def test_every_sample_patient_has_one_or_two_pages(self, read):
        found = {one: page_count(pdf.document([made(one, page)])) for one, page in read.items() if page["recorded_day"]}
        assert len(found) > 10
        assert set(found.values()) == {1, 2}

    def test_texts_of_any_length_fit_two_pages_and_say_what_is_left_out(self, long):
        made_pdf = pdf.document([long])
        assert page_count(made_pdf) == 2
        text = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(made_pdf))
        assert re.search(r"And \d+ more flags met, in the CSV", " ".join(text.split()))
        assert "Papers cited" in text and "Made from" in text

    def test_an_agenda_begins_with_its_contents(self, real):
        made_pdf = pdf.document([real, replace(real, patient_id="another")])
        document = pypdfium2.PdfDocument(made_pdf)
        assert len(document) == 5
        first = document[0].get_textpage().get_text_range()
        assert "another" in first and REAL in first
        assert "patient 2 of 2" in document[3].get_textpage().get_text_range()

    def test_the_same_bytes_twice(self, real):
        assert pdf.document([real, real]) == pdf.document([real, real])

    def test_hostile_text_is_printed_as_it_is(self, hostile):
        made_pdf = pdf.document([hostile])
        assert page_count(made_pdf) <= 2
        text = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(made_pdf))
        assert "#eval(" in text and "<script>" in text and "=cmd" in text

    def test_a_letter_no_font_has_is_no_failure(self, real):
        assert page_count(pdf.document([replace(real, site="서울")])) == 2


class TestHtml:
    def test_nothing_is_fetched_and_nothing_runs(self, hostile):
        text = offline.document([hostile, hostile]).decode()
        assert "default-src &#x27;none&#x27;" in text
        tags = re.findall(r"<[^>]*>", text)
        assert not [
            tag for tag in tags if re.match(r"<(script|link|img|iframe|object|embed|base|image|use)\b", tag, re.I)
        ]
        assert not [tag for tag in tags if re.search(r"\son\w+\s*=", re.sub(r'"[^"]*"', "", tag))]
        links = re.findall(r'\b(?:href|src|xlink:href|action)="([^"]*)"', " ".join(tags))
        assert links and all(link.startswith("#") for link in links)
        urls = {url for tag in tags for url in re.findall(r"url\(([^)]*)\)", tag)}
        assert urls and all(url.startswith("#chart-") for url in urls)

    def test_ids_are_of_one_patient_alone(self, real):
        ids = re.findall(r'\bid="([^"]+)"', offline.document([real, real]).decode())
        assert len(ids) == len(set(ids)) > 10

    def test_the_same_bytes_twice(self, real):
        assert offline.document([real]) == offline.document([real])

    def test_no_text_is_cut(self, long):
        assert b"more, in the CSV" not in offline.document([long])


class TestSlides:
    @pytest.mark.parametrize("kind", ["real", "hostile", "long"])
    def test_two_slides_each_and_nothing_beside_the_slide(self, kind, request):
        deck = Presentation(io.BytesIO(slides.document([request.getfixturevalue(kind)])))
        assert len(deck.slides) == 2
        for slide in deck.slides:
            assert (
                sum(shape.has_table for shape in slide.shapes) + sum(shape.shape_type == 13 for shape in slide.shapes)
                > 0
            )
            for shape in slide.shapes:
                high = sum(row.height for row in shape.table.rows) if shape.has_table else shape.height
                assert shape.top + high <= deck.slide_height, shape.name
                assert shape.left + shape.width <= deck.slide_width + Inches(0.01), shape.name

    @pytest.mark.parametrize("kind", ["real", "hostile", "long"])
    def test_texts_fit_their_boxes_by_count(self, kind, request):
        deck = Presentation(io.BytesIO(slides.document([request.getfixturevalue(kind)])))
        for slide in deck.slides:
            for shape in slide.shapes:
                if shape.has_text_frame and shape.text_frame.text:
                    width = shape.width / Inches(1)
                    tall = sum(_height(paragraph, width) for paragraph in shape.text_frame.paragraphs)
                    assert tall <= shape.height / Inches(1) + 0.02, shape.text_frame.text[:80]

    def test_an_agenda_has_a_title_slide(self, real):
        deck = Presentation(io.BytesIO(slides.document([real, replace(real, patient_id="another")])))
        assert len(deck.slides) == 5
        names = [
            cell.text_frame.text
            for shape in deck.slides[0].shapes
            if shape.has_table
            for cell in shape.table.iter_cells()
        ]
        assert "another" in names and REAL in names

    def test_the_same_bytes_twice(self, real):
        first, second = slides.document([real]), slides.document([real])
        assert first == second
        assert {entry.date_time[0] for entry in zipfile.ZipFile(io.BytesIO(first)).infolist()} == {2000}


def _height(paragraph, width: float) -> float:
    size = paragraph.runs[0].font.size.pt
    return slide_boxes.lines_of("".join(run.text for run in paragraph.runs), size, width) * size * slide_boxes.LINE / 72


class TestCsv:
    def test_no_cell_is_a_formula_and_nothing_is_cut(self, hostile, long):
        rows = list(csv.reader(io.StringIO(files.sheet([hostile]).decode("utf-8-sig"))))
        assert rows[0] == list(files.COLUMNS)
        assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@", "\t"))]
        told = list(csv.DictReader(io.StringIO(files.sheet([long]).decode("utf-8-sig"))))
        assert sum(row["part"] == "met" for row in told) == len(long.flags)
        assert sum(row["part"] == "evidence" for row in told) == sum(len(flag.evidence) for flag in long.flags)


def test_svg_is_xml_whatever_a_label_says():
    for text in HOSTILE:
        drawn = svg.text(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"), 0, 0, 11, "#000000")
        assert "".join(ElementTree.fromstring(drawn).itertext())
