"""The rulebook as one Markdown document (CommonMark with tables). Every text is escaped: it shows exactly as it is written.

The only raw HTML is the anchor before each rule, whose name is the id of a file of the product.
"""

import re
from collections.abc import Iterable

from pipelines.command_output import visible
from pipelines.rulebook import wording
from pipelines.rulebook.content import CHAPTERS, NOT_A_DEVICE, Entry, Rulebook, Source
from pipelines.rulebook.examples import EXPECTED, Case

_MARKS = re.compile(r"([\\`*_\[\]<>&|~$#!@])")
_AT_START = re.compile(r"^(\d*)([-+.)](?=\s|$)|[-=](?=[-=]*$))")  # what would begin a list, or underline a heading
_ADDRESS = re.compile(r"(?<=\bwww)(?=\.)|(?<=:)(?=//)|(?<=:)(?=[\w+-]+:)|(?=\\@)", re.IGNORECASE)
_JOINER = (
    "\u2060"  # not seen; keeps apart what some readers turn into links or pictures after they have looked for marks
)


def document(book: Rulebook) -> str:
    """The whole document."""
    lines = [*_title(book), *_contents(book), *_to_approve(book), *_overview(book)]
    for key, title in CHAPTERS.items():
        entries = book.chapter(key)
        if entries:
            lines += [f"## {title}", ""]
        for entry in entries:
            lines += _section(book, entry)
    lines += _worked_examples(book)
    lines += ["## Sources", "", *_source_table(book)]
    return "\n".join(lines).rstrip() + "\n"


def escaped(text: object) -> str:
    """Text of any origin as one line of Markdown that shows it and does nothing else."""
    plain = visible(" ".join(str(text).split()))
    marked = _ADDRESS.sub(_JOINER, _MARKS.sub(r"\\\1", plain))
    return _AT_START.sub(r"\1\\\2", marked)


def _title(book: Rulebook) -> list[str]:
    lines = ["# mda5-monitor: rulebook", "", f"**{NOT_A_DEVICE}**", ""]
    lines += _table(("Edition", ""), ((name, escaped(value)) for name, value in wording.title_facts(book).items()))
    lines += [f"* **{tag}**: {meaning}" for tag, meaning in wording.TAG_MEANINGS.items()] + [""]
    doubt = wording.warning(book)
    return [*lines, doubt, ""] if doubt else lines


def _contents(book: Rulebook) -> list[str]:
    lines = ["## Contents", "", "* [Numbers to approve](#numbers-to-approve)", "* [All criteria](#all-criteria)"]
    for key, title in CHAPTERS.items():
        entries = book.chapter(key)
        if entries:
            lines += [f"* {title}"] + [f"    * {_link(entry)}" for entry in entries]
    return [*lines, "* [Worked examples](#worked-examples)", "* [Sources](#sources)", ""]


def _to_approve(book: Rulebook) -> list[str]:
    lines = ["## Numbers to approve", ""]
    rows = [
        (number.tag, _link(entry), escaped(number.name), escaped(number.value), escaped(number.site or ""))
        for entry, number in book.to_approve()
    ]
    if not rows:
        return [*lines, wording.NOTHING_TO_APPROVE, ""]
    return [*lines, wording.TO_APPROVE, "", *_table(("Tag", "Rule", "Number", "Value", "This site"), rows)]


def _overview(book: Rulebook) -> list[str]:
    rows = [[CHAPTERS[entry.chapter], _link(entry), *wording.overview_cells(book, entry)] for entry in book.criteria]
    heads = ["Group", "Criterion", *wording.overview_heads(book)]
    return ["## All criteria", "", wording.overview(book), "", *_table(heads, rows)]


def _section(book: Rulebook, entry: Entry) -> list[str]:
    lines = [f'<a id="{entry.id}"></a>', "", f"### {escaped(entry.title)}", ""]
    lines += [escaped(wording.about(entry)), "", escaped(entry.why), "", "**Numbers**", "", *_numbers(entry)]
    if entry.sentences:
        said = ((status, escaped(sentence)) for status, sentence in entry.sentences.items())
        lines += ["**How it answers**", "", *_table(("Answer", "Sentence"), said)]
        remarks = [f"* {escaped(remark)}" for remark in wording.remarks(entry)]
        lines += [*remarks, ""] if remarks else []
    counted = wording.answers(book, entry)
    if counted:
        lines += ["**In this store**", "", escaped(counted), ""]
    lines += _related(book, "Reads", entry.reads) + _related(book, "Read by", entry.read_by)
    if entry.history:
        lines += ["**History**", "", *(f"* {change['on']}: {escaped(change['why'])}" for change in entry.history), ""]
    if entry.examples.cases:
        lines += ["**Worked examples**", "", f"[{len(entry.examples.cases)} cases](#examples-{entry.id})", ""]
    return lines


def _numbers(entry: Entry) -> list[str]:
    if not entry.numbers:
        return [wording.no_number(entry), ""]
    heads = ["Number", "Value", "Tag", "Source"]
    rows = [
        [escaped(number.name), escaped(number.value), number.tag, f"\\[{number.source.number}\\]"]
        for number in entry.numbers
    ]
    if any(number.site for number in entry.numbers):
        heads.append("This site")
        rows = [[*row, escaped(number.site or "")] for row, number in zip(rows, entry.numbers, strict=True)]
    return [*_table(heads, rows), *(f"* {_source(source)}" for source in entry.sources), ""]


def _source(source: Source) -> str:
    doi = f" DOI [{escaped(source.doi)}]({source.link})." if source.doi else ""
    return f"\\[{source.number}\\] {escaped(source.text)}.{doi} {escaped(wording.how_read(source) or '')}".rstrip()


def _related(book: Rulebook, words: str, names: Iterable[str]) -> list[str]:
    titles = {entry.id: entry for entry in book.entries}
    related = [_link(titles[name]) for name in names if name in titles]
    return [f"**{words}**", "", *(f"* {link}" for link in related), ""] if related else []


def _worked_examples(book: Rulebook) -> list[str]:
    lines = ["## Worked examples", "", wording.examples(book), ""]
    for entry in book.entries:
        if entry.examples.cases:
            lines += [f'<a id="examples-{entry.id}"></a>', "", f"### Examples: {escaped(entry.title)}", ""]
            lines += [escaped(entry.examples.prose), ""] if entry.examples.prose else []
            for case in entry.examples.cases:
                lines += _case(case)
    return lines


def _case(case: Case) -> list[str]:
    lines = [f"#### {escaped(case.title)}", ""]
    lines += [escaped(case.prose), ""] if case.prose else []
    for table in case.tables:
        lines += ["Expected:" if table.name == EXPECTED else f"Given, {escaped(table.name)}:", ""]
        lines += _table(map(escaped, table.columns), (map(escaped, row) for row in table.rows))
    return lines


def _source_table(book: Rulebook) -> list[str]:
    rows = [
        (
            str(source.number),
            escaped(source.text),
            f"[{escaped(source.doi)}]({source.link})" if source.doi else "",
            escaped(source.certainty),
        )
        for source in book.sources
    ]
    return _table(("No.", "Source", "DOI", "How well it was read"), rows)


def _link(entry: Entry) -> str:
    return f"[{escaped(entry.title)}](#{entry.id})"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """A table of cells that are Markdown already."""
    heads = list(heads)
    lines = [_row(heads), _row(["---"] * len(heads)), *(_row(row) for row in rows)]
    return [*lines, ""]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
