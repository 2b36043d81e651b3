"""Packets as one HTML file that opens without a network: no script, nothing fetched, charts inside as SVG, nothing cut.

Every text is escaped here; the style sheet is static. A policy in the head forbids whatever a text might smuggle in all the same.
"""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from dashboard.reports import chart, wording
from dashboard.reports.packet import NOT_A_DEVICE, Flag, Packet
from dashboard.reports.svg import seen
from dashboard.reports.wording import Told

SHEET = (Path(__file__).parent / "offline.css").read_text(encoding="utf-8")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def document(packets: Sequence[Packet], told: Told | None = None) -> bytes:
    """The whole file, UTF-8. `told(done, of)` is called as patients are written."""
    sections = []
    for number, packet in enumerate(packets, start=1):
        sections.append(_patient(packet, number, len(packets)))
        if told:
            told(number, len(packets))
    title = _text(wording.title(packets))
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">'
        f"<title>{title}</title><style>{SHEET}</style>"
    )
    top = f"<header><h1>{title}</h1><p>{_text(NOT_A_DEVICE)}</p></header>"
    body = top + (_contents(packets) if len(packets) > 1 else "") + "<main>" + "".join(sections) + "</main>"
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'.encode()


def _text(value: object) -> str:
    return escape(seen(" ".join(str(value).split())))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str, kind: str = "") -> str:
    """A table; the cells are HTML already."""
    heads = "".join(f'<th scope="col">{_text(name)}</th>' for name in head)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    shown = f' class="{kind}"' if kind else ""
    return f"<table{shown}><caption>{_text(caption)}</caption><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"


def _contents(packets: Sequence[Packet]) -> str:
    rows = [
        [
            str(number),
            f'<a href="#patient-{number}">{_text(packet.patient_id)}</a>',
            _text(packet.as_of),
            str(len(packet.flags)),
            str(sum(flag.new for flag in packet.flags)),
            str(len(packet.unknown)),
        ]
        for number, packet in enumerate(packets, start=1)
    ]
    head = ("No.", "Patient", "As of", "Met", "Newly met", "Cannot be told")
    return f'<nav aria-label="Contents">{_table(head, rows, "The patients of this file")}</nav>'


def _patient(packet: Packet, number: int, of: int) -> str:
    site = f", {_text(packet.site)}" if packet.site else ""
    known = f"<p><strong>Read: {_text(packet.known)}</strong></p>" if packet.known else ""
    parts = [
        f'<h2 id="patient-{number}">{_text(packet.patient_id)} <span>as of {_text(packet.as_of)}</span></h2>',
        f"<p>{_text(packet.person)}{site}. Patient {number} of {of}. Changes are counted since {_text(packet.since)}.</p>{known}",
        _cards(packet),
        f"<p><strong>Treatment acting.</strong> {_text(packet.treatment)}</p>",
        f"<h3>Met: {_text(packet.summary)}</h3>",
        _flags(packet, number),
        _ceased(packet),
        _unknown(packet),
        *(_part(packet, part) for part in wording.PARTS if getattr(packet, part.name)),
        f"<p>{_text(wording.all_absent(packet))}</p>",
        _chart(packet, number),
        _papers(packet, number),
        _provenance(packet),
    ]
    return f'<section aria-labelledby="patient-{number}">{"".join(parts)}</section>'


def _cards(packet: Packet) -> str:
    told = "".join(
        f'<div class="card{" stale" if card.stale else ""}{"" if card.known else " unknown"}"><dt>{_text(card.name)}'
        f"{f' <b>{_text(card.stale)}</b>' if card.stale else ''}</dt>"
        f"<dd><b>{_text(card.value)}</b><br>{_text(card.detail)}</dd></div>"
        for card in packet.cards
    )
    return f'<dl class="cards">{told}</dl>'


def _flags(packet: Packet, number: int) -> str:
    if not packet.flags:
        return "<p>No criterion is met.</p>"
    rows = [[_name(flag), _finding(flag, number), _evidence(flag)] for flag in packet.flags]
    head = ("Flag", "Finding and the numbers of its rule", "Evidence")
    return _table(head, rows, "What is met, on what evidence", "flags")


def _name(flag: Flag) -> str:
    marks = "".join(
        f"<b class=mark>{mark}</b> " for mark, is_so in (("URGENT", flag.urgent), ("NEW", flag.new)) if is_so
    )
    return f"{marks}<b>{_text(flag.name)}</b><br><small>{_text(flag.group)} · since {_text(flag.since)}</small>"


def _finding(flag: Flag, number: int) -> str:
    told = []
    for one in flag.numbers:
        cite = f' <a href="#paper-{number}-{one.cite}">[{one.cite}]</a>' if one.cite else ""
        told.append(f"{_text(one.text)} ({_text(one.tag)}{cite})")
    rule = f"<br><small>Rule: {'; '.join(told)}</small>" if told else ""
    return _text(flag.finding) + rule


def _evidence(flag: Flag) -> str:
    if not flag.evidence:
        return "<small>No record decided: it rests on what is missing or on the calendar.</small>"
    lines = []
    for one in flag.evidence:
        source = f", <small>{_text(wording.source(one))}</small>" if one.file else ""
        lines.append(f"<li>{_text(one.text)}, {_text(one.day)}{source}</li>")
    return f"<ul>{''.join(lines)}</ul>"


def _ceased(packet: Packet) -> str:
    said = ""
    for words, names in (("No longer met", packet.no_longer), ("Met and ceased", packet.between)):
        if names:
            said += f"<p><strong>{words} since {_text(packet.since)}:</strong> {_text('; '.join(names))}.</p>"
    return said


def _unknown(packet: Packet) -> str:
    said = f"<h3>Cannot be told: {len(packet.unknown)} criteria</h3>"
    if not packet.unknown:
        return said + "<p>Every criterion is answered.</p>"
    things = "; ".join(wording.settles(one) for one in packet.missing) or "none"
    return said + (
        f"<p><strong>One record would settle:</strong> {_text(things)}.</p><p><small>Open: {_text('; '.join(packet.unknown))}.</small></p>"
    )


def _part(packet: Packet, part: wording.Part) -> str:
    heading = f"<h3>{_text(part.title)}</h3>"
    rows = [[_text(getattr(row, name)) for name in part.columns] for row in getattr(packet, part.name)]
    return heading + _table(list(part.columns.values()), rows, part.title)


def _chart(packet: Packet, number: int) -> str:
    heading = f"<h3>Course up to {_text(packet.as_of)}</h3>"
    if packet.chart is None:
        return heading + "<p>Nothing is recorded that a chart could show.</p>"
    drawn = packet.chart.drawn(f"chart-{number}")
    words = chart.caption(drawn, packet.chart.empty, "in the CSV")
    told = f"<figcaption>{_text(words)}</figcaption>" if words else ""
    return f"{heading}<figure>{drawn.svg}{told}</figure>{_drawn_rows(packet)}"


def _drawn_rows(packet: Packet) -> str:
    if not packet.drawn_rows:
        return ""
    head = list(packet.drawn_rows[0])
    rows = [[_text(row[name]) for name in head] for row in packet.drawn_rows]
    caption = f"The chart as a table: {len(rows)} rows"
    return f"<details><summary>{caption}</summary>{_table(head, rows, caption)}</details>"


def _papers(packet: Packet, number: int) -> str:
    if not packet.citations:
        return "<h3>Papers cited</h3><p>No rule that is met cites a paper.</p>"
    items = "".join(
        f'<li id="paper-{number}-{place}">{_text(words)}</li>' for place, words in enumerate(packet.citations, start=1)
    )
    return f"<h3>Papers cited</h3><ol>{items}</ol>"


def _provenance(packet: Packet) -> str:
    known = f", {packet.known}" if packet.known else ""
    rules = "; ".join(packet.rules) or "none"
    return (
        f"<h3>Made from</h3><p><small>Snapshot {_text(packet.snapshot)}, as of {_text(packet.as_of + known)}. Rules of the flags met, with "
        f"version and the beginning of their content hash: {_text(rules)}. Numbers tagged “project default” have no published source. "
        f"{_text(NOT_A_DEVICE)}</small></p>"
    )
