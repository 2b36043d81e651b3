"""The rulebook as PDF, set by typst. The text goes in as JSON and is never read as markup; the fonts are those that ship here.

The same rulebook gives the same bytes: no date of making is written. The PDF is tagged, so that a screen reader tells its tables.
"""

import json
from itertools import groupby
from pathlib import Path

import typst

from pipelines.command_output import visible
from pipelines.rulebook import wording
from pipelines.rulebook.content import CHAPTERS, NOT_A_DEVICE, Entry, Number, Rulebook, Source
from pipelines.rulebook.examples import EXPECTED, Table

HERE = Path(__file__).parent


def document(book: Rulebook) -> bytes:
    """The whole document."""
    told = json.dumps(_seen(_told(book)))
    try:
        return _set(told, ignore_system_fonts=True, pdf_standards=["ua-1"])
    except typst.TypstError:
        # The standard refuses a letter that no font has, such as a name in Hangul: the machine's fonts are asked too, and what
        # they do not have either is a box. The rules themselves never need this.
        return _set(told, ignore_system_fonts=False, pdf_standards=[])


def _set(told: str, **how: object) -> bytes:
    template, fonts = str(HERE / "rulebook.typ"), [str(HERE / "fonts")]
    return typst.compile(template, root=str(HERE), font_paths=fonts, sys_inputs={"rulebook": told}, **how)


def _told(book: Rulebook) -> dict:
    """What the template asks for, by name."""
    titles = {entry.id: entry.title for entry in book.entries}
    chapters = [(title, book.chapter(key)) for key, title in CHAPTERS.items()]
    return {
        "told": [list(pair) for pair in wording.title_facts(book).items()],
        "edition": wording.edition(book),
        "notice": NOT_A_DEVICE,
        "short_notice": "Not a medical device",
        "warning": wording.warning(book),
        "tag_meanings": [list(pair) for pair in wording.TAG_MEANINGS.items()],
        "approve_words": wording.TO_APPROVE,
        "nothing_to_approve": wording.NOTHING_TO_APPROVE,
        "to_approve": [
            {"id": name, "title": titles[name], "tag": tag, "numbers": [_number(number) for _, number in numbers]}
            for (tag, name), numbers in groupby(book.to_approve(), key=lambda pair: (pair[1].tag, pair[0].id))
        ],
        "overview_words": wording.overview(book),
        "overview_heads": ["Criterion", *wording.overview_heads(book)],
        "overview": [
            {"title": title, "rows": [_overview_row(book, entry) for entry in entries]}
            for title, entries in chapters
            if entries and entries[0].is_criterion
        ],
        "chapters": [
            {"title": title, "entries": [_entry(book, entry, titles) for entry in entries]}
            for title, entries in chapters
            if entries
        ],
        "examples_words": wording.examples(book),
        "sources": [_source(source) for source in book.sources],
    }


def _entry(book: Rulebook, entry: Entry, titles: dict[str, str]) -> dict:
    def related(names: tuple[str, ...]) -> list[dict]:
        return [{"id": name, "title": titles[name]} for name in names if name in titles]

    return {
        "id": entry.id,
        "title": entry.title,
        "about": wording.about(entry),
        "why": entry.why,
        "no_number": wording.no_number(entry),
        "numbers": [_number(number) for number in entry.numbers],
        "sources": [_source(source) for source in entry.sources],
        "sentences": [list(pair) for pair in entry.sentences.items()],
        "remarks": wording.remarks(entry),
        "answers": wording.answers(book, entry),
        "reads": related(entry.reads),
        "read_by": related(entry.read_by),
        "history": list(entry.history),
        "prose": entry.examples.prose,
        "cases": [
            {"title": case.title, "prose": case.prose, "tables": [_table(table) for table in case.tables]}
            for case in entry.examples.cases
        ],
    }


def _overview_row(book: Rulebook, entry: Entry) -> dict:
    return {"id": entry.id, "title": entry.title, "cells": wording.overview_cells(book, entry)}


def _number(number: Number) -> dict:
    return {
        "name": number.name,
        "value": number.value,
        "tag": number.tag,
        "source": number.source.number,
        "site": number.site,
    }


def _source(source: Source) -> dict:
    return {
        "number": source.number,
        "text": source.text,
        "doi": source.doi,
        "link": source.link,
        "certainty": source.certainty,
        "how_read": wording.how_read(source),
    }


def _table(table: Table) -> dict:
    expected = table.name == EXPECTED
    return {
        "name": "What must come out" if expected else f"Given: {table.name}",
        "expected": expected,
        "columns": table.columns,
        "rows": table.rows,
    }


def _seen(value: object) -> object:
    """The same with every character that nobody can see replaced by a mark."""
    if isinstance(value, dict):
        return {key: _seen(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_seen(part) for part in value]
    return visible(value) if isinstance(value, str) else value
