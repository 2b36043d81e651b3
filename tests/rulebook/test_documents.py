"""The rulebook as Markdown and as PDF: whole, safe whatever a site wrote, and the same bytes each time."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
from markdown_it import MarkdownIt

from pipelines import findings
from pipelines.errors import Refusal
from pipelines.rulebook import documents, markdown, pdf
from pipelines.rulebook.content import Entry, Rulebook, rulebook
from pipelines.store.database import Store
from tests.rulebook.conftest import HOSTILE

ROOT = Path(__file__).resolve().parents[2]
READER = MarkdownIt("commonmark", {"linkify": False}).enable("table")


def tokens(text: str) -> list:
    """Everything a reader of Markdown finds in a text, the inner parts too."""
    found = []
    for token in READER.parse(text):
        found += [token, *(token.children or [])]
    return found


def shown(text: str) -> str:
    """A Markdown text as its reader sees it, in one line."""
    return squeezed(" ".join(token.content for token in tokens(text) if token.type in ("text", "code_inline")))


def pdf_text(document: bytes) -> str:
    """The text of a PDF in one line, without what stands at the head and the foot of every page."""
    pages = [squeezed(page.get_textpage().get_text_bounded()) for page in pypdfium2.PdfDocument(document)]
    return "".join(
        re.sub(r"mda5-monitor:rulebookrules[0-9a-f]{12}(,snapshot\d+asof[-\d]{10})?|Notamedicaldevice\d+/\d+", "", page)
        for page in pages
    )


def unset(book: Rulebook) -> tuple[Entry, ...]:
    """The criteria of a rulebook without what a site uses instead."""
    return tuple(
        replace(entry, numbers=tuple(replace(number, site=None) for number in entry.numbers)) for entry in book.criteria
    )


def squeezed(text: str) -> str:
    """Without blanks and what only keeps marks apart: a line may break anywhere. pdfium gives a hyphen at a line's end as U+0002."""
    return re.sub(r"[\s\u200b\u2060]+", "", text.replace("\x02", "-"))


@pytest.fixture(scope="module")
def as_markdown(book) -> str:
    return documents.FORMS["md"](book).decode()


@pytest.fixture(scope="module")
def as_pdf(book) -> bytes:
    return documents.FORMS["pdf"](book)


@pytest.fixture(scope="module", params=["md", "pdf"])
def text(request, as_markdown, as_pdf) -> str:
    return shown(as_markdown) if request.param == "md" else pdf_text(as_pdf)


class TestBoth:
    def test_it_names_every_criterion_with_its_reason_and_its_sentences(self, text, book):
        for entry in book.entries:
            assert squeezed(entry.title) in text and squeezed(entry.why) in text and entry.content_hash in text, (
                entry.id
            )
            for sentence in [*entry.sentences.values(), *entry.notes]:
                assert squeezed(sentence) in text, (entry.id, sentence)

    def test_it_names_every_threshold_with_value_unit_and_tag(self, text, book):
        for entry in book.entries:
            for number in entry.numbers:
                assert squeezed(f"{number.name} {number.value} {number.tag} [{number.source.number}]") in text, (
                    entry.id,
                    number.name,
                )

    def test_it_names_every_citation_with_its_doi(self, text, book):
        assert book.sources
        for source in book.sources:
            assert squeezed(source.text) in text and squeezed(source.doi or "") in text, source.key

    def test_it_names_every_worked_example(self, text, book):
        for entry in book.entries:
            for case in entry.examples.cases:
                assert squeezed(case.title) in text, (entry.id, case.title)

    def test_it_says_what_it_is_and_is_not(self, text, book):
        for said in (
            "Not a medical device.", f"Rules version {book.version}", "snapshot 1", "Answers as of 2024-02-01", "Numbers to approve",
            "On 2024-02-01: met 1, cannot be told 1, not met 1 of 3 patients.",
        ):  # fmt: skip
            assert squeezed(said) in text, said

    def test_no_patient_is_named(self, text):
        assert squeezed(HOSTILE) not in text and "javascript" not in text

    def test_without_a_store_nothing_is_counted(self, no_examples):
        book = rulebook()
        for said in (shown(documents.FORMS["md"](book).decode()), pdf_text(documents.FORMS["pdf"](book))):
            assert squeezed("Rules version") in said
            assert "snapshot" not in said.split("Contents")[0] and "Inthisstore" not in said

    def test_what_a_site_wrote_is_shown_as_it_is_written(self, site_book):
        for said in (shown(documents.FORMS["md"](site_book).decode()), pdf_text(documents.FORMS["pdf"](site_book))):
            assert (
                said.count(
                    squeezed(f"this site uses 300 ng/mL instead, set by {HOSTILE} on 2026-11-30, because 1. {HOSTILE}")
                )
                >= 5  # of six; one may run over a page's foot
            )


class TestMarkdown:
    def test_hostile_text_is_no_markup(self, site_book):
        found, plain = (
            tokens(markdown.document(site_book)),
            tokens(markdown.document(replace(site_book, criteria=unset(site_book)))),
        )
        for kind in (
            "link_open",
            "html_inline",
            "html_block",
            "image",
            "code_inline",
            "heading_open",
            "strong_open",
            "fence",
        ):
            more = sum(token.type == kind for token in found) - sum(token.type == kind for token in plain)
            approved = 3 if kind == "link_open" else 0  # three numbers more to approve, each with a link to its rule
            assert more == approved, kind

    def test_its_links_lead_to_its_own_parts_and_to_dois(self, as_markdown):
        found = tokens(as_markdown)
        links = {token.attrs["href"] for token in found if token.type == "link_open"}
        anchors = set(re.findall(r'<a id="([a-z0-9_-]+)">', as_markdown))
        headings = {"numbers-to-approve", "all-criteria", "worked-examples", "sources"}
        inner = {link[1:] for link in links if link.startswith("#")}
        assert inner <= anchors | headings
        assert all(link.startswith("https://doi.org/10.") for link in links if not link.startswith("#"))
        html = {token.content for token in found if token.type in ("html_inline", "html_block")}
        assert all(re.fullmatch(r'<a id="[a-z0-9_-]+">|</a>', part.strip()) for part in html)

    @pytest.mark.parametrize(
        "text",
        ["1. one", "- one", "+ one", "# one", "> one", "===", "---", "*a* _b_", "a | b", "\\| x", "a\\", "&lt;b&gt;", "```",
            "![i](x)", "~~s~~", "1) x", "- ", "-", "0.10", "-200", "<b>", "[a]: b"],
    )  # fmt: skip
    def test_a_text_is_shown_as_it_is(self, text):
        for inside in (markdown.escaped(text), "| h |\n| --- |\n| " + markdown.escaped(text) + " |"):
            found = tokens(inside)
            kinds = {token.type for token in found} - {
                "inline",
                "text",
                "text_special",
                "paragraph_open",
                "paragraph_close",
            }
            assert all(kind.split("_")[0] in ("table", "thead", "tbody", "tr", "th", "td") for kind in kinds), kinds
            words = "".join(token.content for token in found if token.type in ("text", "text_special"))
            assert words.removeprefix("h").replace("\u2060", "") == text.strip()

    @pytest.mark.parametrize("text", ["https://evil.example", "WWW.evil.example", "a@b.co", ":smile:"])
    def test_what_some_readers_find_afterwards_is_kept_apart(self, text):
        assert "\u2060" in markdown.escaped(text)

    def test_ordinary_text_is_left_readable(self):
        assert markdown.escaped("FVC 3.00 L, -0.5 % (n = 3): a-b, 08:00") == "FVC 3.00 L, -0.5 % (n = 3): a-b, 08:00"

    def test_what_cannot_be_seen_is_marked(self):
        assert markdown.escaped("a\u202eb\u200b") == "a\ufffdb\ufffd"


class TestPdf:
    def test_it_has_an_outline_page_numbers_and_only_the_fonts_that_ship(self, as_pdf):
        read = pypdfium2.PdfDocument(as_pdf)
        titles = [mark.get_title() for mark in read.get_toc()]
        assert {"Numbers to approve", "All criteria", "Refractory disease", "Worked examples", "Sources"} <= set(titles)
        last = squeezed(read[len(read) - 1].get_textpage().get_text_bounded())
        assert f"{len(read)}/{len(read)}" in last and squeezed("Not a medical device") in last
        fonts = set(re.findall(rb"/BaseFont */[A-Z]{6}\+([A-Za-z-]+)", as_pdf))
        assert fonts and all(font.startswith(b"LiberationSans") for font in fonts)

    def test_its_links_outside_are_dois(self, as_pdf, site_book):
        for document in (as_pdf, pdf.document(site_book)):
            links = set(re.findall(rb"/URI *\(([^)]*)", document))
            assert links and all(link.startswith(b"https://doi.org/10.") for link in links)

    def test_a_name_in_a_script_that_the_fonts_lack_is_no_reason_to_fail(self, site_book):
        named = replace(site_book.criteria[0], title="김민수")
        document = pdf.document(replace(site_book, criteria=(named, *site_book.criteria[1:])))
        assert squeezed("Numbers to approve") in pdf_text(document)
        assert b"pdfuaid" not in document, "the standard allows no letter without a font"

    def test_the_rules_alone_meet_the_standard_for_screen_readers(self, as_pdf):
        assert b"pdfuaid" in as_pdf

    def test_a_reason_longer_than_a_page_is_not_cut(self, no_examples, monkeypatch):
        shipped = findings.thresholds
        site = {"value": 1, "unit": "x", "why": f"{'very long ' * 3000}end of the reason"}
        monkeypatch.setattr(
            findings,
            "thresholds",
            lambda rule: [row | {"site": site if row["name"] == "grade_3_from" else None} for row in shipped(rule)],
        )
        assert pdf_text(pdf.document(rulebook())).count(squeezed("end of the reason")) == 2

    def test_a_doubt_about_the_counts_is_on_the_first_page(self, no_examples, counted):
        doubtful = rulebook(replace(counted, by_these_rules=False))
        first = pypdfium2.PdfDocument(pdf.document(doubtful))[0].get_textpage().get_text_bounded()
        assert squeezed("The rules have changed since this store was judged") in squeezed(first)


@pytest.mark.parametrize("form", ["md", "pdf"])
def test_the_same_rules_and_store_give_the_same_bytes_in_every_process(
    form, small_store, tmp_path, as_markdown, as_pdf
):
    out = tmp_path / f"book.{form}"
    command = [
        sys.executable,
        "-m",
        "pipelines",
        "rulebook",
        "--format",
        form,
        "--out",
        str(out),
        "--store",
        str(small_store),
    ]
    subprocess.run(
        command, cwd=ROOT, env={"PYTHONHASHSEED": "77", "TZ": "Asia/Seoul", "PATH": ""}, check=True, capture_output=True
    )
    assert out.read_bytes() == (as_markdown.encode() if form == "md" else as_pdf)


class TestWriting:
    def test_the_file_is_replaced_and_nothing_else_is_left(self, book, tmp_path):
        out = tmp_path / "book.md"
        out.write_text("before")
        documents.write(book, "md", out, Store(tmp_path / "store"))
        assert out.read_text(encoding="utf-8").startswith("# mda5-monitor: rulebook") and list(tmp_path.iterdir()) == [
            out
        ]

    def test_nothing_is_written_into_a_store(self, book, tmp_path):
        with pytest.raises(Refusal, match="not written into the store"):
            documents.write(book, "md", tmp_path / "store" / "book.md", Store(tmp_path / "store"))

    def test_where_it_cannot_be_written_that_is_said(self, book, tmp_path):
        with pytest.raises(Refusal, match="cannot be written"):
            documents.write(book, "md", tmp_path / "absent" / "book.md", Store(tmp_path / "store"))
