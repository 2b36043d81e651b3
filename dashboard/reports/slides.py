"""Packets as slides: two a patient, 16:9, with tables and texts that can be edited; the chart alone is a picture.

A slide grows for no text. What its boxes hold is counted in letters on the wide side, and what does not fit is cut with the number
of what is missing.
"""

import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from math import ceil

import typst
from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.util import Emu, Inches, Pt

from dashboard.reports import chart, wording
from dashboard.reports.packet import NOT_A_DEVICE, Flag, Packet
from dashboard.reports.pdf import FONTS
from dashboard.reports.svg import seen
from dashboard.reports.wording import Told, cut

WIDE, HIGH, EDGE = 13.333, 7.5, 0.45  # inches
FONT = "Arial"
LETTER = 0.54  # of a size: how wide a letter is at most on average
LINE = 1.22  # of a size: how far lines stand apart
MOST_CHART = 640  # pixels of panels on a slide
DPI = 150
INK, GREY = RGBColor(0x1F, 0x29, 0x37), RGBColor(0x4B, 0x55, 0x63)
PALE, WHITE = RGBColor(0xF3, 0xF4, 0xF6), RGBColor(0xFF, 0xFF, 0xFF)
EPOCH = datetime(2000, 1, 1)  # written as the time of making, so that the same packets give the same file
PICTURE = b'#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.svg), format: "svg")'


def document(packets: Sequence[Packet], told: Told | None = None) -> bytes:
    """The whole file. `told(done, of)` is called as patients are drawn."""
    deck = Presentation()
    deck.slide_width, deck.slide_height = Inches(WIDE), Inches(HIGH)
    for name in ("created", "modified", "last_printed"):
        setattr(deck.core_properties, name, EPOCH)
    deck.core_properties.author = deck.core_properties.last_modified_by = "mda5-monitor"
    deck.core_properties.title = _plain(cut(wording.title(packets), 120))
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
    _place(title, EDGE, 0.2, WIDE - 2 * EDGE, 0.5)
    head = f"{cut(packet.patient_id, 50)}, as of {packet.as_of}: {what}"
    _write(title.text_frame, [(head, 20, True, INK)])
    title.text_frame.vertical_anchor = MSO_ANCHOR.MIDDLE
    foot = f"Patient {number} of {of}. Snapshot {packet.snapshot}, as of {packet.as_of}{_known(packet)}. {NOT_A_DEVICE}"
    _box(slide, EDGE, HIGH - 0.36, WIDE - 2 * EDGE, 0.28, [(cut(foot, 230), 8, False, GREY)])
    return slide


def _known(packet: Packet) -> str:
    return f" ({packet.known})" if packet.known else ""


def _agenda(deck: Presentation, packets: Sequence[Packet]) -> None:
    """The title slide: the patients of the file, as many as it holds."""
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    _place(slide.shapes.title, EDGE, 0.3, WIDE - 2 * EDGE, 0.6)
    _write(slide.shapes.title.text_frame, [(f"{wording.title(packets)}, {len(packets)} patients", 26, True, INK)])
    head = ("No.", "Patient", "As of", "Met", "Newly met", "Cannot be told")
    rows = [
        (str(number), cut(one.patient_id, 60), one.as_of, str(len(one.flags)), str(sum(flag.new for flag in one.flags)),
         str(len(one.unknown)))
        for number, one in enumerate(packets, start=1)
    ]  # fmt: skip
    shown = _table(slide, EDGE, 1.05, 5.8, (0.6, 5.4, 1.8, 1.0, 1.4, 1.8), head, rows, 10)
    if shown < len(rows):
        _box(slide, EDGE, 6.86, 6, 0.25, [(f"and {len(rows) - shown} more patients, in the CSV", 10, True, INK)])
    _box(slide, EDGE, HIGH - 0.36, WIDE - 2 * EDGE, 0.28, [(NOT_A_DEVICE, 8, False, GREY)])


def _what_stands(slide, packet: Packet) -> None:
    site = f", {packet.site}" if packet.site else ""
    _box(
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
        shown = _table(slide, EDGE, 2.52, HIGH - 2.52 - 1.0, (3.3, 5.2, 3.93), head, rows, 9)
        _others(slide, packet.flags[shown:])
    else:
        _box(slide, EDGE, 2.6, 6, 0.3, [("No criterion is met.", 12, False, INK)])


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
    _box(slide, EDGE, HIGH - 0.86, WIDE - 2 * EDGE, 0.42, [(head + "; ".join(names) + rest, 8, False, INK)])


def _cards(slide, packet: Packet) -> None:
    """The strip as a table of two rows of cards."""
    across = ceil(len(packet.cards) / 2)
    width = (WIDE - 2 * EDGE) / across
    made = slide.shapes.add_table(2, across, Inches(EDGE), Inches(1.0), Inches(WIDE - 2 * EDGE), Inches(1.4))
    _plain_table(made.table, [width] * across, header=False)
    for place in range(2 * across):
        cell = made.table.cell(place // across, place % across)
        card = packet.cards[place] if place < len(packet.cards) else None
        stale = f" · {card.stale}" if card and card.stale else ""
        lines = [
            (card.name + stale, 8, bool(stale), GREY),
            (cut(card.value, 34), 13, card.known, INK),
            (cut(card.detail, 84), 8, False, INK),
        ]
        _cell(cell, lines if card else [])
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
        _box(slide, left, top, width, 0.4, [("Nothing is recorded that a chart could show.", 12, False, INK)])
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
        image._element.nvPicPr.cNvPr.set("descr", _plain(drawn.words))
        words = chart.caption(drawn, packet.chart.empty, "in the PDF, the HTML file and the CSV")
        _box(slide, left, 6.82, width, 0.3, [(cut(words, 210), 7, False, GREY)])
    right = left + width + 0.2
    _column(slide, right, 0.8, WIDE - EDGE - right, HIGH - 0.45 - 0.8, _said(packet))


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
            [wording.settles(one) for one in packet.missing] or ["none"],
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


def _row(row: object, part: wording.Part) -> str:
    told = [(words, getattr(row, name)) for name, words in part.columns.items() if getattr(row, name)]
    return "; ".join(
        said if words in ("Day", "What", "Decision", "Note") else f"{words.lower()}: {said}" for words, said in told
    )


# ---- boxes, by counted letters


def lines_of(text: str, size: float, width: float) -> int:
    """How many lines a text takes at a size in points in so many inches."""
    across = max(1, int(width * 72 / (size * LETTER)))
    lines, taken = 1, 0
    for word in text.split():
        for piece in (word[start : start + across] for start in range(0, len(word), across)):
            if taken and taken + 1 + len(piece) > across:
                lines, taken = lines + 1, 0
            taken += len(piece) + (taken > 0)
    return lines


def _height(lines: int, size: float) -> float:
    return lines * size * LINE / 72


def _column(slide, left: float, top: float, width: float, height: float, parts: list[tuple[str, list[str]]]) -> None:
    """Titles with their lines in one box; each part may have a share of what is left, and says what it could not hold."""
    size, told, used = 8.0, [], 0.0
    inner = width - 0.1
    for place, (title, lines) in enumerate(parts):
        used += _height(lines_of(title, 9, inner), 9) + 0.05
        waiting = len(parts) - place
        reserve = (waiting - 1) * (_height(1, 9) + _height(2, size) + 0.05)
        room = max(height - used - reserve, _height(1, size))
        share = room if waiting <= 2 else room * 0.55
        shown, taken = [], 0.0
        for line in lines:
            text = cut(line, 430)
            more = _height(lines_of(text, size, inner), size)
            keep = 0 if line is lines[-1] else _height(1, size)
            if taken + more + keep > share and shown:
                break
            shown.append(text)
            taken += more
        if len(shown) < len(lines):
            shown.append(f"and {len(lines) - len(shown)} more, in the CSV")
            taken += _height(1, size)
        used += taken
        told += [(title, 9, True, INK), *((text, size, False, INK) for text in shown)]
    _box(slide, left, top, width, height, told)


def _table(
    slide, left: float, top: float, height: float, widths: Sequence[float], head: Sequence[str], rows: list[Sequence[str]], size: float
) -> int:  # fmt: skip
    """A table of as many rows as the height holds. Returns how many."""
    tall = [
        max(_height(lines_of(text, size, wide - 0.16), size) for text, wide in zip(row, widths, strict=True)) + 0.07
        for row in rows
    ]
    room, shown, used = height - _height(1, size) - 0.07, 0, 0.0
    while shown < len(rows) and used + tall[shown] <= room:
        used += tall[shown]
        shown += 1
    made = slide.shapes.add_table(shown + 1, len(widths), Inches(left), Inches(top), Inches(sum(widths)), Inches(0.3))
    _plain_table(made.table, widths, header=True)
    for number, row in enumerate([head, *rows[:shown]]):
        made.table.rows[number].height = Inches(tall[number - 1] if number else _height(1, size) + 0.07)
        for place, text in enumerate(row):
            cell = made.table.cell(number, place)
            _cell(cell, [(text, size, number == 0 or (place == 0 and len(widths) == 3), INK)])
            if number == 0:
                cell.fill.fore_color.rgb = PALE
    return shown


def _plain_table(table, widths: Iterable[float], header: bool) -> None:
    table.first_row = header
    table.horz_banding = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Inches(width)


def _cell(cell, lines: list[tuple]) -> None:
    cell.margin_left = cell.margin_right = Inches(0.07)
    cell.margin_top = cell.margin_bottom = Inches(0.025)
    cell.fill.solid()
    cell.fill.fore_color.rgb = WHITE
    _write(cell.text_frame, lines)


def _place(shape, left: float, top: float, width: float, height: float) -> None:
    shape.left, shape.top, shape.width, shape.height = Inches(left), Inches(top), Inches(width), Inches(height)


def _box(slide, left: float, top: float, width: float, height: float, lines: list[tuple]) -> None:
    box = slide.shapes.add_textbox(Inches(left), Inches(top), Inches(width), Inches(height))
    frame = box.text_frame
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = Emu(0)
    _write(frame, lines)


def _write(frame, lines: list[tuple]) -> None:
    """Lines of (text, size, bold, colour), one paragraph each."""
    frame.word_wrap = True
    for place, (text, size, bold, colour) in enumerate(lines):
        paragraph = frame.paragraphs[0] if place == 0 else frame.add_paragraph()
        paragraph.alignment = PP_ALIGN.LEFT
        run = paragraph.add_run()
        run.text = _plain(text)
        run.font.size, run.font.bold, run.font.name, run.font.color.rgb = Pt(size), bold, FONT, colour


def _plain(text: str) -> str:
    """A text in one line without what nobody can see: XML refuses control characters."""
    return seen(" ".join(text.split()))
