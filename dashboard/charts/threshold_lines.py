"""The threshold lines of a panel and their labels, from the headers of the rules."""

from dashboard import style
from dashboard.charts import headings, results
from dashboard.charts.panel import Panel, View

LABEL_LINE = 12
WRAP = 36  # letters of a threshold label on one line of the left margin


def lines(panel: Panel, axis: str) -> list[dict]:
    if panel.empty:
        return []
    shift = -0.5 if panel.axis.get("lanes") else 0  # a level begins half a lane below its name
    return [
        {
            "type": "line",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "yref": axis,
            "y0": place(line) + shift,
            "y1": place(line) + shift,
            "layer": "below",
            "line": {"color": style.VERMILION, "width": 1.1, "dash": "dot"},
            "name": f"threshold {line['criterion']} {line['name']}",
        }
        for line in panel.lines
    ]


def place(line: dict) -> float:
    """Where a threshold stands on its panel's axis: its own number, unless the scale is another."""
    return line.get("y", float(line["value"]))


def labels(panel: Panel, view: View, top: float, total: float) -> list[dict]:
    """A label per threshold in the left margin beside its line, moved apart where lines are close. Placed in pixels, so that a
    logarithmic axis shows it too."""
    if panel.empty or panel.axis.get("lanes"):
        return [_level_label(line, top, total) for line in panel.lines] if not panel.empty else []
    if view.narrow:
        return _inside(panel, top, total)
    height_of = results.pixels(panel)
    wanted, told = [], set()
    for line in sorted(panel.lines, key=lambda line: -float(line["value"])):
        text = style.number(float(line["value"])) + (f" {style.unit(line['unit'])}" if "y" in line else "")
        text += " (this site)" if line["instead_of"] is not None else ""
        text += f" {line['of']}" if line.get("of") else ""  # of which assay, where a panel has several
        if line["criterion"] not in told:
            text = f"{line['title']}: {text}"
            told.add(line["criterion"])
        wanted.append((line, wrapped(text), height_of(place(line))))
    placed, ceiling = [], panel.height - 1 - headings.LINE * len(headings.lines(panel))  # below the heading
    for line, lines, middle in wanted:
        half = LABEL_LINE * len(lines) / 2
        at = min(middle, ceiling - half)
        placed.append((line, lines, at))
        ceiling = at - half
    foot = min((at - LABEL_LINE * len(lines) / 2 for _, lines, at in placed), default=0)
    lift = max(0.0, -foot)
    return [_label(line, lines, (top - panel.height + at + lift) / total) for line, lines, at in placed]


def _inside(panel: Panel, top: float, total: float) -> list[dict]:
    """On a narrow screen the number alone stands on its line at the right, the rule in its hover box."""
    height_of = results.pixels(panel)
    return [
        _label(line, [style.number(float(line["value"]))], (top - panel.height + height_of(place(line))) / total)
        | {"x": 1, "xshift": -2, "yanchor": "bottom"}
        for line in panel.lines
    ]


def _label(line: dict, lines: list[str], y: float) -> dict:
    return {
        "text": "<br>".join(style.as_label(part) for part in lines),
        "xref": "paper",
        "x": 0,
        "xshift": -5,
        "xanchor": "right",
        "align": "right",
        "yref": "paper",
        "y": y,
        "yanchor": "middle",
        "showarrow": False,
        "font": {"size": 10, "color": style.VERMILION},
        "hovertext": style.as_label(f"{line['title']}: {line['value']} {line['unit']} ({_whose(line)})"),
        "name": f"threshold {line['criterion']} {line['name']}",
    }


def _whose(line: dict) -> str:
    """Where a number comes from: its tag, or this site and what it replaces."""
    if line["instead_of"] is None:
        return line["tag"]
    return f"this site's, instead of {style.number(float(line['instead_of']))}, {line['tag']}"


def _level_label(line: dict, top: float, total: float) -> dict:
    """The rule of a level stands in the free row above the lanes."""
    label = _label(line, [line["title"]], top / total)
    return label | {"xshift": 4, "xanchor": "left", "yanchor": "top", "yshift": -1, "bgcolor": "#FFFFFF"}


def wrapped(text: str) -> list[str]:
    """A text in lines that fit the left margin."""
    lines = [""]
    for part in text.split():
        if lines[-1] and len(lines[-1]) + len(part) >= WRAP:
            lines.append(part)
        else:
            lines[-1] = f"{lines[-1]} {part}".strip()
    return lines
