"""The boxes of a slide: texts and tables of a known size, filled by counted letters; what does not fit is cut and counted."""

from collections.abc import Iterable, Sequence

from pptx.dml.color import RGBColor
from pptx.enum.text import PP_ALIGN
from pptx.util import Emu, Inches, Pt

from dashboard.reports.svg import seen
from dashboard.reports.wording import cut

FONT = "Arial"
LETTER = 0.54  # of a size: how wide a letter is at most on average
LINE = 1.22  # of a size: how far lines stand apart
INK, GREY = RGBColor(0x1F, 0x29, 0x37), RGBColor(0x4B, 0x55, 0x63)
PALE, WHITE = RGBColor(0xF3, 0xF4, 0xF6), RGBColor(0xFF, 0xFF, 0xFF)


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


def tall_of(lines: int, size: float) -> float:
    return lines * size * LINE / 72


def text_column(
    slide, left: float, top: float, width: float, height: float, parts: list[tuple[str, list[str]]]
) -> None:
    """Titles with their lines in one box. Every part may have two lines; what the box has beyond these goes to the parts in order, and
    a part says how many of its own it could not hold."""
    size, told = 8.0, []
    inner = width - 0.1
    need = [sum(lines_of(line, size, inner) for line in lines) for _, lines in parts]
    titles = sum(lines_of(title, 9, inner) for title, _ in parts)
    left_over = int((height - tall_of(titles, 9)) / tall_of(1, size)) - sum(min(2, one) for one in need)
    for (title, lines), wanted in zip(parts, need, strict=True):
        allowed = min(wanted, 2 + max(left_over, 0))
        left_over -= max(allowed - 2, 0)
        told += [(title, 9, True, INK), *((text, size, False, INK) for text in _held(lines, allowed, size, inner))]
    text_box(slide, left, top, width, height, told)


def _held(lines: list[str], allowed: int, size: float, width: float) -> list[str]:
    """The texts that so many lines hold, the last of which says how many more there are; a first text too long for them is cut."""
    taken, shown = 0, []
    for place, line in enumerate(lines):
        more, last = lines_of(line, size, width), place == len(lines) - 1
        if taken + more > allowed - (not last):
            break
        shown.append(line)
        taken += more
    rest = len(lines) - len(shown)
    if not rest:
        return shown
    if not shown:
        room = max(1, allowed - (rest > 1))
        shown, rest = [_shortened(lines[0], room, size, width)], rest - 1
    return [*shown, f"and {rest} more, in the CSV"] if rest else shown


def _shortened(text: str, most: int, size: float, width: float) -> str:
    letters = int(most * width * 72 / (size * LETTER))
    while letters > 1 and lines_of(cut(text, letters), size, width) > most:
        letters = letters * 9 // 10
    return cut(text, letters)


def table_of(
    slide, left: float, top: float, height: float, widths: Sequence[float], head: Sequence[str], rows: list[Sequence[str]], size: float
) -> int:  # fmt: skip
    """A table of as many rows as the height holds. Returns how many."""
    tall = [
        max(tall_of(lines_of(text, size, wide - 0.16), size) for text, wide in zip(row, widths, strict=True)) + 0.07
        for row in rows
    ]
    room, shown, used = height - tall_of(1, size) - 0.07, 0, 0.0
    while shown < len(rows) and used + tall[shown] <= room:
        used += tall[shown]
        shown += 1
    made = slide.shapes.add_table(shown + 1, len(widths), Inches(left), Inches(top), Inches(sum(widths)), Inches(0.3))
    plain_table(made.table, widths, header=True)
    for number, row in enumerate([head, *rows[:shown]]):
        made.table.rows[number].height = Inches(tall[number - 1] if number else tall_of(1, size) + 0.07)
        for place, text in enumerate(row):
            cell = made.table.cell(number, place)
            fill_cell(cell, [(text, size, number == 0 or (place == 0 and len(widths) == 3), INK)])
            if number == 0:
                cell.fill.fore_color.rgb = PALE
    return shown


def plain_table(table, widths: Iterable[float], header: bool) -> None:
    table.first_row = header
    table.horz_banding = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Inches(width)


def fill_cell(cell, lines: list[tuple]) -> None:
    cell.margin_left = cell.margin_right = Inches(0.07)
    cell.margin_top = cell.margin_bottom = Inches(0.025)
    cell.fill.solid()
    cell.fill.fore_color.rgb = WHITE
    write(cell.text_frame, lines)


def put(shape, left: float, top: float, width: float, height: float) -> None:
    shape.left, shape.top, shape.width, shape.height = Inches(left), Inches(top), Inches(width), Inches(height)


def text_box(slide, left: float, top: float, width: float, height: float, lines: list[tuple]) -> None:
    box = slide.shapes.add_textbox(Inches(left), Inches(top), Inches(width), Inches(height))
    frame = box.text_frame
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = Emu(0)
    write(frame, lines)


def write(frame, lines: list[tuple]) -> None:
    """Lines of (text, size, bold, colour), one paragraph each."""
    frame.word_wrap = True
    for place, (text, size, bold, colour) in enumerate(lines):
        paragraph = frame.paragraphs[0] if place == 0 else frame.add_paragraph()
        paragraph.alignment = PP_ALIGN.LEFT
        run = paragraph.add_run()
        run.text = plain(text)
        run.font.size, run.font.bold, run.font.name, run.font.color.rgb = Pt(size), bold, FONT, colour


def plain(text: str) -> str:
    """A text in one line without what nobody can see: XML refuses control characters."""
    return seen(" ".join(text.split()))
