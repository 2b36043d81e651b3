"""Packets as slides: two a patient, 16:9, with tables and texts that can be edited; the chart alone is a picture.

A slide grows for no text. What its boxes hold is counted in letters on the wide side, and what does not fit is cut with the number
of what is missing.
"""

import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from math import ceil

import typst
from pptx import Presentation
from pptx.enum.text import MSO_ANCHOR
from pptx.util import Inches

from dashboard.reports import chart, wording
from dashboard.reports import slide_boxes as boxes
from dashboard.reports.packet import NOT_A_DEVICE, Flag, Packet
from dashboard.reports.pdf import FONTS
from dashboard.reports.slide_boxes import GREY, INK, LETTER, PALE
from dashboard.reports.wording import Told, cut

WIDE, HIGH, EDGE = 13.333, 7.5, 0.45  # inches
MOST_CHART = 640  # pixels of panels on a slide
MOST_MISSING = 6
DPI = 150
EPOCH = datetime(2000, 1, 1)  # written as the time of making, so that the same packets give the same file
PICTURE = b'#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.svg), format: "svg")'


def document(packets: Sequence[Packet], told: Told | None = None) -> bytes:
    """The whole file. `told(done, of)` is called as patients are drawn."""
    deck = Presentation()
    deck.slide_width, deck.slide_height = Inches(WIDE), Inches(HIGH)
    for name in ("created", "modified", "last_printed"):
        setattr(deck.core_properties, name, EPOCH)
    deck.core_properties.author = deck.core_properties.last_modified_by = "mda5-monitor"
    deck.core_properties.title = boxes.plain(cut(wording.title(packets), 120))
    if len(packets) > 1:
        _agenda(deck, packets)
    for number, packet in enumerate(packets, start=1):
        _what_stands(_slide(deck, packet, number, len(packets), "what stands"), packet)
        _course(_slide(deck, packet, number, len(packets), "course and what is open"), packet, number)
        if told:
            told(number, len(packets))
    return _dateless(deck)


def _dateless(deck: Presentation) -> bytes:
    """The file without the time of its making, which its archive would keep."""
    saved, out = io.BytesIO(), io.BytesIO()
    deck.save(saved)
    with zipfile.ZipFile(saved) as made, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as kept:
        for entry in made.infolist():
            kept.writestr(
                zipfile.ZipInfo(entry.filename, EPOCH.timetuple()[:6]), made.read(entry), zipfile.ZIP_DEFLATED
            )
    return out.getvalue()


# ---- slides


def _slide(deck: Presentation, packet: Packet, number: int, of: int, what: str):
    """An empty slide with its title and its foot."""
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    title = slide.shapes.title
    boxes.put(title, EDGE, 0.2, WIDE - 2 * EDGE, 0.5)
    head = f"{cut(packet.patient_id, 36)}, as of {packet.as_of}: {what}"
    boxes.write(title.text_frame, [(head, 20, True, INK)])
    title.text_frame.vertical_anchor = MSO_ANCHOR.MIDDLE
    foot = f"Patient {number} of {of}. Snapshot {packet.snapshot}, as of {packet.as_of}{_known(packet)}. {NOT_A_DEVICE}"
    boxes.text_box(slide, EDGE, HIGH - 0.36, WIDE - 2 * EDGE, 0.28, [(cut(foot, 230), 8, False, GREY)])
    return slide


def _known(packet: Packet) -> str:
    return f" ({packet.known})" if packet.known else ""


def _agenda(deck: Presentation, packets: Sequence[Packet]) -> None:
    """The title slide: the patients of the file, as many as it holds."""
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    boxes.put(slide.shapes.title, EDGE, 0.3, WIDE - 2 * EDGE, 0.6)
    boxes.write(slide.shapes.title.text_frame, [(f"{wording.title(packets)}, {len(packets)} patients", 26, True, INK)])
    head = ("No.", "Patient", "As of", "Met", "Newly met", "Cannot be told")
    rows = [
        (str(number), cut(one.patient_id, 60), one.as_of, str(len(one.flags)), str(sum(flag.new for flag in one.flags)),
         str(len(one.unknown)))
        for number, one in enumerate(packets, start=1)
    ]  # fmt: skip
    shown = boxes.table_of(slide, EDGE, 1.05, 5.8, (0.6, 5.4, 1.8, 1.0, 1.4, 1.8), head, rows, 10)
    if shown < len(rows):
        boxes.text_box(
            slide, EDGE, 6.86, 6, 0.25, [(f"and {len(rows) - shown} more patients, in the CSV", 10, True, INK)]
        )
    boxes.text_box(slide, EDGE, HIGH - 0.36, WIDE - 2 * EDGE, 0.28, [(NOT_A_DEVICE, 8, False, GREY)])


def _what_stands(slide, packet: Packet) -> None:
    site = f", {packet.site}" if packet.site else ""
    boxes.text_box(
        slide,
        EDGE,
        0.68,
        WIDE - 2 * EDGE,
        0.28,
        [(cut(f"Met: {packet.summary} {packet.person}{site}", 150), 10, False, GREY)],
    )
    _cards(slide, packet)
    head = ("Flag, since", "Finding", "Evidence")
    rows = [(_name(flag), cut(flag.finding, 330), _evidence(flag)) for flag in packet.flags]
    if rows:
        shown = boxes.table_of(slide, EDGE, 2.52, HIGH - 2.52 - 1.0, (3.3, 5.2, 3.93), head, rows, 9)
        _others(slide, packet.flags[shown:])
    else:
        boxes.text_box(slide, EDGE, 2.6, 6, 0.3, [("No criterion is met.", 12, False, INK)])


def _others(slide, flags: Sequence[Flag]) -> None:
    """The flags that the table had no room for, by name as far as two lines go."""
    if not flags:
        return
    head = f"And {len(flags)} more met, their findings in the PDF and the CSV: "
    names, most = [], int(2 * (WIDE - 2 * EDGE) * 72 / (8 * LETTER)) - len(head) - 30
    for flag in flags:
        if sum(len(name) + 2 for name in names) + len(flag.name) > most:
            break
        names.append(_mark(flag) + flag.name)
    rest = f"; and {len(flags) - len(names)} more" if len(names) < len(flags) else ""
    boxes.text_box(slide, EDGE, HIGH - 0.86, WIDE - 2 * EDGE, 0.42, [(head + "; ".join(names) + rest, 8, False, INK)])


def _cards(slide, packet: Packet) -> None:
    """The strip as a table of two rows of cards."""
    across = ceil(len(packet.cards) / 2)
    width = (WIDE - 2 * EDGE) / across
    made = slide.shapes.add_table(2, across, Inches(EDGE), Inches(1.0), Inches(WIDE - 2 * EDGE), Inches(1.4))
    boxes.plain_table(made.table, [width] * across, header=False)
    for place in range(2 * across):
        cell = made.table.cell(place // across, place % across)
        card = packet.cards[place] if place < len(packet.cards) else None
        stale = f" · {card.stale}" if card and card.stale else ""
        lines = [
            (card.name + stale, 8, bool(stale), GREY),
            (cut(card.value, 34), 13, card.known, INK),
            (cut(card.detail, 84), 8, False, INK),
        ]
        boxes.fill_cell(cell, lines if card else [])
        cell.fill.fore_color.rgb = PALE
        made.table.rows[place // across].height = Inches(0.7)


def _name(flag: Flag) -> str:
    return f"{_mark(flag)}{cut(flag.name, 110)}, since {flag.since}"


def _mark(flag: Flag) -> str:
    return "".join(f"{mark} " for mark, is_so in (("URGENT", flag.urgent), ("NEW", flag.new)) if is_so)


def _evidence(flag: Flag) -> str:
    if not flag.evidence:
        return "No record: what is missing, or the calendar"
    first, *others = flag.evidence
    source = f", {wording.source(first)}" if first.file else ""
    more = f"; and {len(others)} more, in the CSV" if others else ""
    return f"{cut(first.text, 110)}, {first.day}{cut(source, 50)}{more}"


def _course(slide, packet: Packet, number: int) -> None:
    """The chart on the left, what is open, decided and cited on the right."""
    left, top, width, height = EDGE, 0.75, 7.6, 6.1
    if packet.chart is None:
        boxes.text_box(slide, left, top, width, 0.4, [("Nothing is recorded that a chart could show.", 12, False, INK)])
    else:
        drawn = packet.chart.drawn(f"slide-{number}", MOST_CHART, width / height)
        scale = min(width / drawn.width, height / drawn.height)
        image = slide.shapes.add_picture(
            io.BytesIO(picture(drawn)),
            Inches(left),
            Inches(top),
            Inches(drawn.width * scale),
            Inches(drawn.height * scale),
        )
        image._element.nvPicPr.cNvPr.set("descr", boxes.plain(drawn.words))
        words = chart.caption(drawn, packet.chart.empty, "in the PDF, the HTML file and the CSV")
        boxes.text_box(slide, left, 6.82, width, 0.3, [(cut(words, 210), 7, False, GREY)])
    right = left + width + 0.2
    boxes.text_column(slide, right, 0.8, WIDE - EDGE - right, HIGH - 0.45 - 0.8, _said(packet))


def picture(drawn: chart.Drawn) -> bytes:
    """A chart as PNG, of 150 pixels an inch of the slide's width."""
    ppi = DPI * 7.6 * 72 / drawn.width
    return typst.compile(
        PICTURE, format="png", ppi=ppi, font_paths=[str(FONTS)], ignore_system_fonts=True, sys_inputs={"svg": drawn.svg}
    )


def _said(packet: Packet) -> list[tuple[str, list[str]]]:
    """What stands beside the chart: titles, each with its lines."""
    parts = [
        ("Treatment acting", [packet.treatment]),
        (
            f"Cannot be told: {len(packet.unknown)} criteria. One record would settle",
            _missing(packet) or ["none"],
        ),
    ]
    for words, names in (("No longer met", packet.no_longer), ("Met and ceased", packet.between)):
        if names:
            parts.append((f"{words} since {packet.since}", list(names)))
    for part in wording.PARTS:
        if rows := getattr(packet, part.name):
            parts.append((part.title, [_row(row, part) for row in rows]))
    if words := wording.all_absent(packet):
        parts.append(("Of the meeting", [words]))
    parts.append(
        ("Papers cited", [f"[{place}] {words}" for place, words in enumerate(packet.citations, start=1)] or ["none"])
    )
    parts.append(("Rules of the flags met", ["; ".join(packet.rules) or "none"]))
    return parts


def _missing(packet: Packet) -> list[str]:
    """The things that would settle most: what was decided and cited needs the room of the others."""
    rest = len(packet.missing) - MOST_MISSING
    more = [f"and {rest} more, in the CSV"] if rest > 0 else []
    return [wording.settles(one) for one in packet.missing[:MOST_MISSING]] + more


def _row(row: object, part: wording.Part) -> str:
    told = [(words, getattr(row, name)) for name, words in part.columns.items() if getattr(row, name)]
    return "; ".join(
        said if words in ("Day", "What", "Decision", "Note") else f"{words.lower()}: {said}" for words, said in told
    )
