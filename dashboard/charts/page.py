"""The figure of the patient page: every panel on one real x axis, in stacked y domains, as one dict.

`page_figure` is pure: the page's tables in, a Plotly figure out. Shapes go into the layout at once.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from types import ModuleType

from dashboard import relative_days, style
from dashboard.charts import axes, chosen_panels, evidence, headings, relative_axis, threshold_lines
from dashboard.charts.panel import Panel, View

TOP, BOTTOM = 44, 28  # margins in pixels
LEFT, RIGHT = {False: 196, True: 92}, {False: 44, True: 36}  # on a wide screen, on a narrow one
BETWEEN = {False: 7, True: 26}  # between panels: on a narrow screen a panel's title stands above it


LATER_SHARE = {False: 0.65, True: 0}  # where the as-of line leaves room for a word on what lies behind it


def page_figure(
    rows: dict[str, list[dict]],
    as_of: date,
    ringed: Iterable[str] = (),
    thresholds: Iterable[dict] = (),
    window: tuple[date, date] | None = None,
    shown: Iterable[str] | None = None,
    **chosen,
) -> dict:
    """One Plotly figure (a dict for JSON) of a patient's tables as `dashboard.data.patient_page` gives them.

    `ringed` are record ids to ring, `thresholds` dicts (criterion, title, name, value, unit, tag) to draw as lines, `window` the days
    shown (default: everything recorded), `shown` the panels in the reader's order (default: those with a PLACE, in that order),
    `chosen` further fields of View. What is dated after `as_of` is dimmed.
    """
    view = view_of(rows, as_of, ringed, thresholds, window, **chosen)
    return compose(drawn_panels(rows, view, shown), view)


def view_of(
    rows: dict[str, list[dict]],
    as_of: date,
    ringed: Iterable[str] = (),
    thresholds: Iterable[dict] = (),
    window: tuple[date, date] | None = None,
    **chosen,
) -> View:
    """The view of a patient's tables as `page_figure` describes it."""
    start, end = window or recorded_window(rows, as_of)
    return View(
        start,
        end,
        as_of,
        frozenset(ringed),
        tuple(thresholds),
        held=held_results(rows),
        exchanges=exchange_days(rows, as_of),
        **chosen,
    )


def drawn_panels(rows: dict[str, list[dict]], view: View, shown: Iterable[str] | None = None) -> list[Panel]:
    """The panels asked for, in that order; an optional one only where it has something to draw or was asked for by name, a companion
    only where it has something to draw, or nothing else is drawn."""
    found = [(module, module.rows(rows)) for module in chosen_panels(shown)]
    worth = [(module, its) for module, its in found if its or _stands_empty(module, view, shown is not None)]
    return [module.panel(its, view) for module, its in worth or found]


def _stands_empty(module: ModuleType, view: View, named: bool) -> bool:
    """Whether a panel without rows is drawn, to say so."""
    if any(analyte in view.held for analyte in getattr(module, "ANALYTES", ())):
        return True
    return (named and not getattr(module, "COMPANION", False)) or not getattr(module, "OPTIONAL", False)


def held_results(rows: dict[str, list[dict]]) -> dict[str, list[dict]]:
    """By analyte, the results refused for a reason that a person can settle."""
    held: dict[str, list[dict]] = {}
    for row in rows.get("held", []):
        if row["analyte"]:
            held.setdefault(row["analyte"], []).append(row)
    return held


def exchange_days(rows: dict[str, list[dict]], as_of: date) -> tuple[date, ...]:
    """The days up to the as-of day on which plasma was exchanged, in order."""
    days = {
        row["on_date"]
        for row in rows["event"]
        if row["kind"] == "procedure" and row["code"] == "plasma_exchange" and row["value"] != "absent"
    }
    return tuple(sorted(day for day in days if day <= as_of))


def recorded_window(rows: dict[str, list[dict]], as_of: date) -> tuple[date, date]:
    """The first and last recorded day with a little room on both sides."""
    days = [row["day"] for row in rows.get("recorded_day", [])]
    days += [date.fromisoformat(row["at"][:10]) for row in rows["observation"]]
    days += [row["from_date"] for row in rows["treatment_course"]] + [
        row["to_date"] for row in rows["treatment_course"] if row["to_date"]
    ]
    days += [row["on_date"] for row in rows["event"]] + [as_of]
    room = timedelta(days=max(3, (max(days) - min(days)).days // 40))
    return min(days) - room, max(days) + room


def compose(drawn: list[Panel], view: View) -> dict:
    """The figure of some panels (`composed`); where days count from a first record its time axis is one of numbers."""
    figure = composed(drawn, view)
    return relative_axis.counted(figure, view.narrow) if relative_days.is_relative(view.as_of) else figure


def composed(drawn: list[Panel], view: View) -> dict:
    """Stacks panels on one x axis of dates: traces get their axis, shapes and labels their place."""
    between = BETWEEN[view.narrow]
    total = sum(panel.height for panel in drawn) + between * (len(drawn) - 1 + view.narrow)
    traces, shapes, annotations, y_axes = [], _dimming(view) + _day_zero(view), _as_of_label(view), {}
    top = total - between * view.narrow
    for number, panel in enumerate(drawn, start=1):
        axis = "y" if number == 1 else f"y{number}"
        domain = [(top - panel.height) / total, top / total]
        y_axes["yaxis" + axis[1:]] = axes.y_axis(panel, view, domain)
        traces += [
            trace | {"xaxis": "x", "yaxis": axis, "showlegend": False}
            for trace in [*evidence.lit(panel, view), *_blank(panel, view)]
        ]
        shapes += [{"xref": "x", **shape, "yref": axis} for shape in panel.shapes]
        shapes += [
            *threshold_lines.lines(panel, axis),
            _separator(domain[0] - (between if not view.narrow else 0) / 2 / total),
        ]
        annotations += _titles(panel, view, top, total) + threshold_lines.labels(panel, view, top, total)
        top -= panel.height + between
    traces.append(axes.foot_mark(view, axis))
    layout = {
        **y_axes,
        "xaxis": axes.x_axis(view),
        "shapes": shapes,
        "annotations": annotations,
        "height": total + TOP + BOTTOM,
        "margin": {"l": LEFT[view.narrow], "r": RIGHT[view.narrow], "t": TOP, "b": BOTTOM, "pad": 0},
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "barmode": "overlay",
        "bargap": 0,
        "showlegend": False,
        "plot_bgcolor": "#FFFFFF",
        "paper_bgcolor": "#FFFFFF",
        "xaxis2": axes.foot_axis(view),
        "font": {"family": style.FONT, "size": 12, "color": style.INK},
        "dragmode": "zoom",
        "uirevision": "patient",
        "hoverlabel": {
            "bgcolor": "#FFFFFF",
            "bordercolor": style.PALE,
            "font": {"size": 12, "color": style.INK},
            "align": "left",
        },
        "meta": {"panels": [panel.name for panel in drawn], "drawing": view.drawing},
    }
    return {"data": traces, "layout": layout}


def _blank(panel: Panel, view: View) -> list[dict]:
    """An axis without a trace is not drawn: a panel that only explains itself holds one invisible mark."""
    if panel.traces:
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [view.start.isoformat()],
            "y": [0.5],
            "opacity": 0,
            "hoverinfo": "skip",
            "name": panel.title,
        }
    ]


def _dimming(view: View) -> list[dict]:
    """The as-of line, and a veil over what had not happened by then."""
    after = view.after.isoformat()
    line = {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": after,
        "x1": after,
        "y0": 0,
        "y1": 1,
        "layer": "above",
        "line": {"color": style.INK, "width": 1.5, "dash": "dash"},
    }
    if view.after > view.end:
        return [line]
    veil = {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "x0": after,
        "x1": (view.end + timedelta(days=400)).isoformat(),
        "y0": 0,
        "y1": 1,
        "layer": "above",
        "fillcolor": "rgba(255,255,255,0.66)",
        "line": {"width": 0},
    }
    return [veil, line]


def _day_zero(view: View) -> list[dict]:
    """The day that the time axis counts from."""
    if not view.anchor:
        return []
    day = view.anchor.day.isoformat()
    line = {"color": style.BLUE, "width": 1.5}
    return [
        {"type": "line", "xref": "x", "yref": "paper", "x0": day, "x1": day, "y0": 0, "y1": 1, "layer": "below", "line": line}
    ]  # fmt: skip


def _as_of_label(view: View) -> list[dict]:
    """Which day it is, and of what lies behind the veil that it was not known then."""
    share = (view.after - view.start).days / max(1, (view.end - view.start).days + 1)
    anchor = "right" if share > 0.8 else "left" if share < 0.2 else "center"
    place = {"xref": "x", "x": view.after.isoformat(), "yref": "paper", "y": 1, "yanchor": "bottom", "showarrow": False}
    day = place | {
        "text": f"<b>as of {style.day(view.as_of)}</b>",
        "yshift": 20,
        "xanchor": anchor,
        "font": {"size": 12, "color": style.INK},
        "bgcolor": "#FFFFFF",
        "name": "as of",
    }
    if share > LATER_SHARE[view.narrow]:
        return [day]
    later = place | {
        "text": "later, not known on this day →",
        "yshift": 22,
        "xshift": 64 if anchor == "center" else 112,
        "xanchor": "left",
        "font": {"size": 10, "color": style.GREY},
        "name": "later",
    }
    return [day, later]


def _titles(panel: Panel, view: View, top: float, total: float) -> list[dict]:
    """The title left of its panel, above it on a narrow screen, and in a panel without data why there is none."""
    title = {"text": headings.text(panel, view.narrow), "xshift": 2 - LEFT[view.narrow], "name": "title"}
    middle = (top - panel.height / 2) / total
    if view.narrow:
        title |= {"y": top / total, "yanchor": "bottom"}
    elif panel.empty:
        title |= {"y": middle, "yanchor": "middle"}
    else:
        title |= {"y": top / total, "yanchor": "top", "yshift": 2}
    found = [title]
    if panel.empty:
        empty = {"xshift": 8, "y": middle, "yanchor": "middle", "name": "empty"}
        found.append({"text": style.as_label(panel.empty), "font": {"size": 12, "color": style.GREY}, **empty})
    shared = {"xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "align": "left", "showarrow": False}
    return [shared | {"font": {"size": 12}} | one for one in found]


def _separator(y: float) -> dict:
    return {
        "type": "line",
        "xref": "paper",
        "yref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": y,
        "y1": y,
        "line": {"color": style.PALE, "width": 1},
        "layer": "below",
    }
