"""The days after a plasma exchange, which lowers what is measured: hatched in the panels it concerns and said of each result in them."""

from bisect import bisect_right
from datetime import date, timedelta

from dashboard import style
from dashboard.charts.panel import Panel, View

# What the rulebook names as lowered by a session. LDH, CRP and cell counts are not among them.
LOWERED = frozenset({"ferritin", "kl6", "anti_mda5", "igg"})
DAYS = 7  # the rules' own number, where no rule is on offer that says it


def days_of(view: View) -> int:
    """How many days after a session a result is no evidence of improvement, in the rule that reads ferritin."""
    said = [float(line["value"]) for line in view.thresholds if _says(line)]
    return int(said[0]) if said else DAYS


def _says(line: dict) -> bool:
    return line["criterion"] == "refractory_ferritin" and line["name"] == "exchange_days"


def spans(view: View) -> list[tuple[date, date]]:
    """[from, to) of the days on and after sessions, those that touch as one, clipped to the window."""
    reach, found = timedelta(days=days_of(view) + 1), []
    for day in view.exchanges:
        if found and day <= found[-1][1]:
            found[-1] = (found[-1][0], day + reach)
        else:
            found.append((day, day + reach))
    last = view.end + timedelta(days=1)
    clipped = [(max(start, view.start), min(end, last)) for start, end in found]
    return [(start, end) for start, end in clipped if start < end]


def said(on: date, view: View, reach: int) -> str:
    """What is to be said of a result of a day: '' outside the `reach` of a session."""
    place = bisect_right(view.exchanges, on)
    days = (on - view.exchanges[place - 1]).days if place else reach + 1
    if days > reach:
        return ""
    return "on the day of a plasma exchange" if days == 0 else f"day {days} after plasma exchange"


def band(panel: Panel, view: View) -> list[dict]:
    """The hatched days as one trace, and at the foot of each run its word."""
    found = spans(view)
    if not found:
        return []
    low, high = panel.axis["range"]
    if panel.axis["type"] == "log":
        low, high = 10**low, 10**high
    xs, ys = [], []
    for start, end in ((start.isoformat(), end.isoformat()) for start, end in found):
        xs += [start, start, end, end, start, None]
        ys += [low, high, high, low, low, None]
    pattern = {
        "shape": "/",
        "size": 7,
        "solidity": 0.12,
        "fgcolor": style.faded(style.BLUE, 0.4),
        "bgcolor": style.faded(style.SKY, 0.1),
    }
    hatched = {
        "type": "scatter", "mode": "lines", "name": "after plasma exchange", "x": xs, "y": ys, "fill": "toself", "hoverinfo": "skip",
        "fillcolor": style.faded(style.SKY, 0.1), "fillpattern": pattern, "line": {"width": 0},
    }  # fmt: skip
    word = {
        "type": "scatter", "mode": "text", "name": "after plasma exchange, word", "x": [start.isoformat() for start, _ in found],
        "y": [low] * len(found), "text": ["after exchange"] * len(found), "textposition": "top right", "hoverinfo": "skip",
        "textfont": {"size": 10, "color": style.GREY},
    }  # fmt: skip
    return [hatched, word]
