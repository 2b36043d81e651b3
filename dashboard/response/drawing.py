"""The strip as one Plotly figure: a column per start, a row per measure, one scale along a row."""

from collections.abc import Iterable
from datetime import date

from dashboard import style
from dashboard.charts.labels import LINE_HEIGHT
from dashboard.response import measured, twin
from dashboard.response.cells import DEFAULT, Board, Cell, Row, board, signed
from dashboard.response.measured import Measure, Result
from dashboard.response.sheet import NARROW, UNSEEN, WIDE, Sheet
from dashboard.response.therapies import AFTER, BEFORE, exchange_days

LABELLED = 5  # lines of other starts named at their day; the table has all
DAYS = [-7, 0, 7, 14, 21, 28]
FIRST, LAST = -BEFORE - 1.2, AFTER + 1.2


def figure(page: dict[str, list[dict]], as_of: date, chosen: Iterable[str] | None = None, narrow: bool = False) -> dict:
    """One Plotly figure (a dict for JSON) of the chosen starts (ids of `starts`), oldest first, else of the newest four, on a phone two.

    Its `layout.meta` holds the ids drawn (`starts`) and how many there are to choose from (`offered`).
    """
    form = NARROW if narrow else WIDE
    shown = board(page, as_of, chosen, shown_by_default(narrow))
    sheet = Sheet(form, max(2, min(form.per_band, len(shown.columns))))
    if not shown.columns:
        sheet.write(f"No therapy start recorded up to {style.day(as_of)}.", 4, "empty", color=style.GREY)
        sheet.top = 28
    for first in range(0, len(shown.columns), form.per_band):
        _band(sheet, shown, range(first, min(first + form.per_band, len(shown.columns))))
    if shown.columns:
        _key(sheet)
    return sheet.finished({"starts": [start["id"] for start in shown.columns], "offered": shown.offered})


def shown_by_default(narrow: bool) -> int:
    """How many of the newest starts are drawn when none are chosen."""
    return NARROW.per_band if narrow else DEFAULT


def _band(sheet: Sheet, shown: Board, places: range) -> None:
    """Columns side by side under their titles, with their lines drawn through all rows."""
    _heads(sheet, shown, places)
    begin = sheet.top
    sheet.top += LINE_HEIGHT * max(len(_marked(shown.columns[place])) for place in places) + 4
    drawn = [_row(sheet, row, places) for row in shown.rows]
    axis_at = sheet.top
    sheet.top += 20
    if not any(drawn):
        return
    for place in places:
        sheet.axes[f"xaxis{place + 1 if place else ''}"] = _x_axis(sheet.domain(place - places[0]), axis_at)
        _lines(sheet, shown.columns[place], f"x{place + 1 if place else ''}", begin, axis_at)


def _heads(sheet: Sheet, shown: Board, places: range) -> None:
    heads = {place: _head(sheet, shown.columns[place]) for place in places}
    for place, lines in heads.items():
        sheet.write("<br>".join(lines), sheet.top, "head", x=sheet.domain(place - places[0])[0])
    sheet.top += max(map(len, heads.values())) * sheet.form.line + 8


def _head(sheet: Sheet, start: dict) -> list[str]:
    """The lines over a column: name, date and dose, what else started, and where the window is not over."""
    grey = f"<span style='color:{style.GREY}'>{{}}</span>"
    lines = [f"<b>{line}</b>" for line in sheet.wrapped(start["name"], sheet.column_width * 0.92)]
    lines += sheet.wrapped(f"{style.day(start['day'])} · {start['dose']}")
    if start["others"]:
        lines += sheet.wrapped("▲ " + twin.others(start).removesuffix(f" {twin.APART}."))
        lines += [f"<b>{line}</b>" for line in sheet.wrapped(f"{twin.APART}.", sheet.column_width * 0.92)]
    else:
        lines += [grey.format(line) for line in sheet.wrapped(twin.others(start))]
    lines += [grey.format(line) for line in sheet.wrapped(twin.before(start))]
    return lines + [f"<i>{line}</i>" for line in sheet.wrapped(twin.unreached(start))]


def _row(sheet: Sheet, row: Row, places: range) -> bool:
    """One measure in the columns of a band; whether anything is plotted. Without a result it is one line of text."""
    title_at = sheet.top
    if sheet.form is NARROW:
        sheet.top += sheet.form.line
    if row.empty:
        said = sheet.wrapped(row.empty, sheet.form.across)
        sheet.write("<br>".join(said), sheet.top, "empty", color=style.GREY, bgcolor="#FFFFFF")
        _title(sheet, row, title_at)
        sheet.top += sheet.form.line * len(said) + 8
        return False
    said = {place: sheet.wrapped(row.cells[place].said) for place in places}
    for place, lines in said.items():
        sheet.write("<br>".join(lines), sheet.top, "change", x=sheet.domain(place - places[0])[0], bgcolor="#FFFFFF")
    title_foot = _title(sheet, row, title_at)
    sheet.top += sheet.form.line * max(map(len, said.values())) + 4
    plotted = any(row.cells[place].inside for place in places)
    if plotted:
        _plots(sheet, row, places)
    sheet.top = max(sheet.top, title_foot) + 10
    return plotted


def _title(sheet: Sheet, row: Row, y: float) -> float:
    """Measure, unit and what tells its series, in the left margin; on a phone in a line of its own. Gives where it ends."""
    unit = measured.unit(row.series) if row.series else ""
    told_apart = any(cell.inside or cell.left_out for cell in row.cells)  # else nothing is drawn that a name would tell
    named = row.measure.named(row.series) if row.series and told_apart else ""
    grey = f"<span style='color:{style.GREY}'>"
    if sheet.form is NARROW:
        told = style.as_label(", ".join(part for part in (unit, named) if part))
        lines = [f"<b>{style.as_label(row.measure.title)}</b> {grey}{told}</span>"]
    else:
        told = [style.as_label(unit)] * bool(unit) + sheet.wrapped(named, sheet.form.left - 36, hyphens=True)
        lines = [f"<b>{style.as_label(row.measure.title)}</b>", *(f"{grey}{line}</span>" for line in told)]
    sheet.write("<br>".join(lines), y, "title", xshift=-sheet.form.left + 2, bgcolor="#FFFFFF")
    return y + sheet.form.line * len(lines)


def _plots(sheet: Sheet, row: Row, places: range) -> None:
    number = 1 + sum(name.startswith("yaxis") for name in sheet.axes)
    suffix = "" if number == 1 else str(number)
    foot = sheet.top + sheet.form.plot
    first = f"x{places[0] + 1 if places[0] else ''}"
    sheet.axes[f"yaxis{suffix}"] = _y_axis(row, [sheet.top, foot], first)
    for place in places:
        axis = f"x{place + 1 if place else ''}"
        on = {"xaxis": axis, "yaxis": f"y{suffix}", "showlegend": False}
        sheet.traces += [trace | on for trace in _traces(row, row.cells[place])]
        sheet.rule(axis, FIRST, sheet.top, foot, "cell", to=LAST, layer="below", line={"color": style.PALE, "width": 1})
        for low, _ in row.cells[place].spans[:1]:
            sheet.write(
                "exchange", foot - sheet.form.line - 2, "exchange", xref=axis, x=min(low - 0.4, 17), color=style.INK
            )
    sheet.top = foot


def _y_axis(row: Row, domain: list[float], anchor: str) -> dict:
    """From 0 to above the highest result drawn in any column."""
    highest = (
        max((result.y for cell in row.cells for _, result in cell.inside if result.y is not None), default=0) or 1.0
    )
    told = any(text for cell in row.cells for text in _labels(cell))  # needs room above its mark
    step = next(
        size * 10.0**power for power in range(-4, 9) for size in (1, 2, 2.5, 5) if highest / (size * 10.0**power) <= 3.5
    )
    ticks = [round(step * count, 6) for count in range(int(highest / step + 1e-9) + 1)]
    return {
        "type": "linear", "range": [-highest * 0.06, highest * (1.45 if told else 1.15)],
        "domain": domain, "anchor": anchor, "tickvals": ticks,
        "ticktext": [style.number(tick) for tick in ticks], "gridcolor": style.PALE, "zeroline": False, "fixedrange": True,
        "tickfont": {"size": 10, "color": style.GREY},
    }  # fmt: skip


def _x_axis(domain: list[float], position: float) -> dict:
    return {
        "type": "linear", "range": [FIRST, LAST], "domain": domain, "anchor": "free", "position": position, "side": "bottom",
        "tickvals": DAYS, "ticktext": ["day 0" if day == 0 else signed(day) for day in DAYS], "showgrid": False, "zeroline": False,
        "fixedrange": True, "tickangle": 0, "tickfont": {"size": 10, "color": style.GREY},
    }  # fmt: skip


def _traces(row: Row, cell: Cell) -> list[dict]:
    """Hatched days, the line from the last exact result before through those after, and the marks; an unseen mark where there is none."""
    traces = [_hatched(low, high, row) for low, high in cell.spans]
    exact = [point for point in cell.before[-1:] + cell.after if point[1].y is not None and not point[1].sign]
    if len(exact) > 1:
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": row.measure.title,
                "hoverinfo": "skip",
                "x": [day for day, _ in exact],
                "y": [result.y for _, result in exact],
                "line": {"color": row.measure.colour, "width": 2},
            }
        )
    return [*traces, _marks(row.measure, cell) if cell.inside else UNSEEN]


def _marks(measure: Measure, cell: Cell) -> dict:
    """Grey and hollow before and on day 0, filled after; arrows where a result is a limit, words at the foot."""
    colours = [style.GREY if day <= 0 else measure.colour for day, _ in cell.inside]
    hollow = [day <= 0 or bool(result.sign) or _estimated(result) for day, result in cell.inside]
    return {
        "type": "scatter", "mode": "markers+text", "name": measure.title, "cliponaxis": False,
        "x": [day for day, _ in cell.inside], "y": [result.y or 0 for _, result in cell.inside],
        "text": _labels(cell),
        "textposition": "top center", "textfont": {"size": 10, "color": style.INK},
        "hovertext": [f"day {signed(day)} · {measured.hover(measure, result)}" for day, result in cell.inside],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "opacity": 1,
            "size": [11 if result.sign else 8 for _, result in cell.inside],
            "symbol": [_symbol(measure, result) for _, result in cell.inside],
            "color": ["#FFFFFF" if empty else colour for empty, colour in zip(hollow, colours, strict=True)],
            "line": {"color": colours, "width": 1.8},
        },
    }  # fmt: skip


def _labels(cell: Cell) -> list[str]:
    """Limits and words are told beside their mark, each at least a week from the last one told, so that none covers another."""
    told, last = [], -99
    for day, result in cell.inside:
        tells = (result.y is None or result.sign) and day - last >= BEFORE
        last = day if tells else last
        told.append(style.as_label(result.shown) if tells else "")
    return told


def _symbol(measure: Measure, result: Result) -> str:
    if result.y is None:
        return "x-thin"
    if result.sign:
        return "triangle-up" if result.sign in ">≥" else "triangle-down"
    return "circle-cross" if _estimated(result) else measure.symbol


def _estimated(result: Result) -> bool:
    return result.row.get("fio2_source") == "estimated"


def _hatched(low: int, high: int, row: Row) -> dict:
    """A span of days on which exchange lowers what is measured: hatched, so that it is seen without colour."""
    top = 1e9  # clipped by the axis
    return {
        "type": "scatter", "mode": "lines", "name": "after exchange", "hoverinfo": "skip", "line": {"width": 0},
        "x": [low - 0.4, low - 0.4, high + 0.4, high + 0.4, low - 0.4], "y": [-top, top, top, -top, -top],
        "fill": "toself", "fillcolor": style.faded(style.SKY, 0.12),
        "fillpattern": {"shape": "/", "size": 7, "solidity": 0.12, "fgcolor": style.SKY, "bgcolor": style.faded(style.SKY, 0.12)},
    }  # fmt: skip


def _marked(start: dict) -> list[tuple[int, str]]:
    """(day, label) of the other starts inside the days drawn, those of one day in one label."""
    days: dict[int, list[str]] = {}
    for other in start["before"] + start["others"]:
        if -BEFORE <= other["day"] <= AFTER:
            days.setdefault(other["day"], []).append(other["name"])
    labels = [(day, f"+ {', '.join(twin.inside(name) for name in names)}") for day, names in sorted(days.items())]
    return labels[:LABELLED] + [(day, "") for day, _ in labels[LABELLED:]]


def _lines(sheet: Sheet, start: dict, axis: str, begin: float, end: float) -> None:
    """Day 0, the other starts with their names each on a line of its own, and the days that have not come yet."""
    marked = _marked(start)
    dotted = {"color": style.INK, "width": 1, "dash": "dot"}
    for place, (day, label) in enumerate(marked):
        y = begin + LINE_HEIGHT * place
        sheet.rule(axis, day, y, end, "other start", line=dotted)
        if label:
            _name_other(sheet, label, day, y, axis)
    sheet.rule(axis, 0, begin + LINE_HEIGHT * len(marked), end, "day 0", line={"color": style.INK, "width": 1.8})
    if start["reached"] < AFTER:
        edge = start["reached"] + 0.5
        veil = {"fillcolor": style.faded(style.GREY, 0.13), "line": {"width": 0}, "layer": "below"}
        sheet.rule(axis, edge, begin, end, "not reached", to=LAST, **veil)
        sheet.rule(axis, edge, begin, end, "as of", line={"color": style.INK, "width": 1.2, "dash": "dash"})


def _name_other(sheet: Sheet, label: str, day: int, y: float, axis: str) -> None:
    """The name of another start beside its line, on the side where it fits, else across the column."""
    text = sheet.clipped(label, f", day {signed(day)}")
    takes = (len(text) + 1) * sheet.letter / sheet.column_width * (LAST - FIRST)  # in days of the axis
    at = {"x": FIRST, "xanchor": "left"}
    if day + takes <= LAST:
        at = {"x": day, "xanchor": "left", "xshift": 3}
    elif day - takes >= FIRST:
        at = {"x": day, "xanchor": "right", "xshift": -3}
    sheet.write(style.as_label(text), y, "other start", xref=axis, bgcolor="#FFFFFF", **at)


def _key(sheet: Sheet) -> None:
    """What the marks mean, under the last band."""
    said = (
        "Grey and hollow: before and on day 0 · filled: after · triangle: a limit of the test, not a value · "
        "crossed circle: FiO₂ estimated · "
        f"dotted line: another start · hatched: to {exchange_days()} days after plasma exchange, which lowers what is measured · "
        "grey ground: not reached"
    )
    lines = sheet.wrapped(said, sheet.form.across)
    sheet.write("<br>".join(lines), sheet.top + 6, "key", color=style.GREY, xshift=0)
    sheet.top += sheet.form.line * len(lines) + 10
