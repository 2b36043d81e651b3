"""Packets as one PDF, set by typst: one or two A4 pages a patient, a list of contents before several.

The text goes in as JSON and is never read as markup; charts go in as pictures of lines and letters. The same packets give the same
bytes: no date of making is written.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import typst

from dashboard.reports import chart, wording
from dashboard.reports.packet import NOT_A_DEVICE, Flag, Packet, absent
from dashboard.reports.svg import seen
from dashboard.reports.wording import Told, cut
from pipelines import rulebook

TEMPLATE = Path(__file__).parent / "packet.typ"
FONTS = Path(rulebook.__file__).parent / "fonts"
MOST_CHART = 1090  # pixels of panels under each other: their smallest letters are then 5.5 points high on paper
MANY, KEPT_FOR = 3, 10  # patients of a file; documents
SHAPE = 186 / 208  # of the room for the chart on a second page, width over height
# Letters of a text, so that no row is higher than the page can hold; the CSV has the whole.
MOST = {
    "name": 110,
    "finding": 420,
    "evidence": 150,
    "source": 60,
    "number": 110,
    "words": 90,
    "cell": 320,
    "line": 420,
    "citation": 420,
    "rule": 70,
}


def document(packets: Sequence[Packet], told: Told | None = None) -> bytes:
    """The whole file. `told(done, of)` is called as patients are drawn, and when the file is set."""
    rows = [_told(packet, place, told, len(packets)) for place, packet in enumerate(packets, start=1)]
    first = packets[0]
    text = json.dumps(
        _seen(
            {
                "title": cut(wording.title(packets), 120),
                "of": len(packets),
                "notice": NOT_A_DEVICE,
                "footer": f"Snapshot {first.snapshot}.",
                "packets": rows,
            }
        )
    )
    try:
        made = _set(text, ignore_system_fonts=True, pdf_standards=["ua-1"])
    except typst.TypstError:  # a letter that no font has, such as a name in Hangul: the machine's fonts are asked too
        made = _set(text, ignore_system_fonts=False, pdf_standards=[])
    if len(packets) > MANY:
        _forget()
    if told:
        told(len(packets), len(packets))
    return made


def _forget() -> None:
    """typst keeps what it set until so many further documents did not need it, 15 MB a patient: an agenda is not to be kept by a server."""
    for _ in range(KEPT_FOR + 1):
        typst.compile(b"", ignore_system_fonts=True)


def _set(text: str, **how: object) -> bytes:
    return typst.compile(
        str(TEMPLATE), root=str(TEMPLATE.parent), font_paths=[str(FONTS)], sys_inputs={"packets": text}, **how
    )


def _told(packet: Packet, number: int, told: Told | None, of: int) -> dict:
    """What the template asks for, by name."""
    if told:
        told(number - 1, of)
    return {
        "number": str(number),
        "patient": cut(packet.patient_id, MOST["name"]),
        "person": cut(packet.person, MOST["name"]),
        "site": cut(packet.site, MOST["name"]),
        "as_of": packet.as_of,
        "since": packet.since,
        "known": packet.known,
        "cards": [
            {
                "name": card.name,
                "value": cut(card.value, 40),
                "detail": cut(card.detail, 120),
                "stale": card.stale,
                "known": card.known,
            }
            for card in packet.cards
        ],
        "treatment": cut(packet.treatment, MOST["finding"]),
        "summary": packet.summary,
        "flags": [_flag(flag) for flag in packet.flags],
        "new": sum(flag.new for flag in packet.flags),
        "no_longer": [cut(name, MOST["words"]) for name in packet.no_longer],
        "between": [cut(name, MOST["words"]) for name in packet.between],
        "unknown": [cut(name, MOST["words"]) for name in packet.unknown],
        "missing": [cut(wording.settles(one), MOST["words"]) for one in packet.missing],
        "parts": [_part(packet, part) for part in wording.PARTS],
        "chart": _chart(packet, number),
        "citations": [cut(text, MOST["citation"]) for text in packet.citations],
        "rules": [cut(rule, MOST["rule"]) for rule in packet.rules],
        "snapshot": packet.snapshot,
        "footer": f"Snapshot {packet.snapshot}, as of {packet.as_of}.",
    }


def _flag(flag: Flag) -> dict:
    finding, name = cut(flag.finding, MOST["finding"]), cut(flag.name, MOST["name"])
    return {
        "name": name,
        "group": flag.group,
        "since": flag.since,
        "new": flag.new,
        "urgent": flag.urgent,
        "finding": finding,
        "letters": len(finding) + len(name) + 40,
        "evidence": [
            {
                "text": cut(one.text, MOST["evidence"]),
                "day": one.day,
                "source": cut(wording.source(one), MOST["source"]),
            }
            for one in flag.evidence
        ],
        "numbers": [{"text": cut(one.text, MOST["number"]), "tag": one.tag, "cite": one.cite} for one in flag.numbers],
        "cites": [str(cite) for cite in sorted({one.cite for one in flag.numbers if one.cite})],
    }


def _part(packet: Packet, part: wording.Part) -> dict:
    rows = getattr(packet, part.name) or ()
    return {
        "title": part.title,
        "table": part.name == "decisions",  # the others are said in lines
        "absent": absent(packet, part.name),
        "head": list(part.columns.values()),
        "widths": list(part.widths),
        "rows": [_cells(row, part) for row in rows],
    }


def _cells(row: object, part: wording.Part) -> list[str]:
    if part.name != "decisions":
        return [cut(wording.sentence(row, part), MOST["line"])]
    return [cut(getattr(row, name), MOST["cell"]) for name in part.columns]


def _chart(packet: Packet, number: int) -> dict | None:
    if packet.chart is None:
        return None
    drawn = packet.chart.drawn(f"chart-{number}", MOST_CHART, SHAPE)
    return {
        "svg": drawn.svg,
        "width": drawn.width,
        "height": drawn.height,
        "words": drawn.words,
        "caption": cut(chart.caption(drawn, packet.chart.empty, "in the HTML file and the CSV"), 700),
    }


def _seen(value: object) -> object:
    """The same with every character that nobody can see replaced by a mark."""
    if isinstance(value, dict):
        return {key: _seen(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_seen(part) for part in value]
    return seen(value) if isinstance(value, str) else value
