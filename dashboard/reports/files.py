"""The forms a packet can be taken home in, and everything of it as one CSV: also what a page had no room for."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from dashboard import table
from dashboard.reports import offline, pdf, slides, wording
from dashboard.reports.packet import Flag, Packet, absent
from dashboard.reports.wording import Told

COLUMNS = ("patient", "part", "date", "what", "value", "unit", "remark", "source")


class Form(NamedTuple):
    """A form by name: what it is called, how its files end, what they are, and what makes one: make(packets, told) -> bytes."""

    title: str
    ending: str
    mime: str
    make: Callable[[Sequence[Packet], Told | None], bytes]


def sheet(packets: Sequence[Packet], told: Told | None = None) -> bytes:
    """All rows of all packets as one CSV (COLUMNS), in the order of the pages."""
    rows: list[dict[str, str]] = []
    for number, packet in enumerate(packets, start=1):
        rows += [dict(zip(COLUMNS, (packet.patient_id, *row), strict=True)) for row in _rows(packet)]
        if told:
            told(number, len(packets))
    return table.as_csv(rows)


def _rows(packet: Packet) -> Iterator[tuple[str, ...]]:
    """part, date, what, value, unit, remark, source of everything."""
    yield "patient", packet.as_of, "as of", packet.person, "", packet.known, packet.site
    for card in packet.cards:
        yield (
            "what stands",
            packet.as_of,
            card.name,
            card.value,
            "",
            "; ".join(filter(None, (card.detail, card.stale))),
            "",
        )
    yield "treatment", packet.as_of, "treatment acting", packet.treatment, "", "", ""
    for flag in packet.flags:
        yield from _flag(flag)
    for words, names in (("no longer met", packet.no_longer), ("met and ceased in between", packet.between)):
        for name in names:
            yield words, packet.as_of, name, "", "", f"since {packet.since}", ""
    for name in packet.unknown:
        yield "cannot be told", packet.as_of, name, "", "", "", ""
    for one in packet.missing:
        yield "would settle", packet.as_of, one.thing, str(one.settles), "criteria", f"asked for by {one.asked_by}", ""
    for part in wording.PARTS:
        yield from _part(packet, part)
    for row in packet.drawn_rows:
        yield f"chart: {row['panel']}", *(row[name] for name in ("date", "what", "value", "unit", "remark", "source"))
    for place, words in enumerate(packet.citations, start=1):
        yield "paper", "", f"[{place}]", words, "", "", ""
    for rule in packet.rules:
        yield "rule", "", rule, "", "", "", f"snapshot {packet.snapshot}"


def _flag(flag: Flag) -> Iterator[tuple[str, ...]]:
    marks = ", ".join(mark for mark, is_so in (("urgent", flag.urgent), ("newly met", flag.new)) if is_so)
    yield "met", flag.since, flag.name, flag.finding, "", ", ".join(filter(None, (flag.group, marks))), ""
    for one in flag.evidence:
        yield "evidence", one.day, flag.name, one.text, "", "", wording.source(one)
    for number in flag.numbers:
        cite = f"[{number.cite}]" if number.cite else ""
        yield "number of the rule", "", flag.name, number.text, "", number.tag, cite


def _part(packet: Packet, part: wording.Part) -> Iterator[tuple[str, ...]]:
    """A part of the meeting; of a row with several columns each is named."""
    name = part.title.lower()
    if words := absent(packet, part.name):
        yield name, "", words, "", "", "", ""
        return
    for row in getattr(packet, part.name):
        told = {words: getattr(row, field) for field, words in part.columns.items()}
        what, value = getattr(row, "text", getattr(row, "name", "")), getattr(row, "value", "")
        rest = "; ".join(f"{words}: {said}" for words, said in told.items() if said and said not in (what, value))
        yield name, getattr(row, "day", ""), what, value, "", rest, ""


PRESENTATION = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
FORMS: dict[str, Form] = {
    "pdf": Form("PDF, one or two pages a patient", ".pdf", "application/pdf", pdf.document),
    "pptx": Form("PowerPoint, two slides a patient", ".pptx", PRESENTATION, slides.document),
    "html": Form("HTML, one file that opens offline", ".html", "text/html", offline.document),
    "csv": Form("CSV, every row", ".csv", "text/csv", sheet),
}
