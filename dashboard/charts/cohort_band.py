"""The other patients of the store behind a panel's results: the middle half and the range from the 10th to the 90th percentile, with
the median dashed, on the days since the patient's own start of therapy. Nobody's reference range.

A percentile that is only a bound (results beyond an assay's limit) is never drawn as exact: the median breaks off there and an arrow
stands on the bound. Where the cohort is refused, a gap stays a gap.
"""

from datetime import date, timedelta
from itertools import groupby

from dashboard import style
from dashboard.charts.panel import Panel, View

DRAWN_ON = ("linear", "log")  # a band in units says nothing on a scale of percent
FILLS = ((10, 90, 0.13), (25, 75, 0.28))  # percentiles, opacity
SMALLEST_SHARE = 0.001  # on a logarithmic scale zero is drawn at this share of the lowest bound, below the panel


def under(panel: Panel, rows: list[dict], view: View) -> list[float]:
    """Draws the band of the first analyte of a panel's results that has one, beneath them, and returns the values that the axis must
    hold: its middle half within the window. Nothing is drawn without a start of therapy, on a scale of percent, or beside words alone."""
    analytes = list(dict.fromkeys(row["analyte"] for row in rows if row["low"] is not None))
    analyte = next((one for one in analytes if shown(view.bands.get(one, []))), None)
    if view.baseline is None or analyte is None or view.scale_of(panel.name) not in DRAWN_ON:
        return []
    bands, seen = view.bands[analyte], shown(in_window(view.bands[analyte], view))
    name = panel.title if len(analytes) == 1 else analyte.removesuffix("_percent").upper()
    label = "cohort median" if len(analytes) == 1 else f"cohort median {name}"
    label += f" ({patients(seen)})" if seen else ""
    panel.note = "; ".join(part for part in (panel.note, label if seen else "") if part)
    panel.traces += traces(bands, view.baseline, name, label, logarithmic=view.scale_of(panel.name) == "log")
    panel.table += [_table_row(row, view.baseline, name) for row in shown(bands)]
    return [value for row in seen for value in (row["p25_low"], upper(row, 75))]


def shown(bands: list[dict]) -> list[dict]:
    """The days of a band that were not refused."""
    return [row for row in bands if row["refused"] is None]


def in_window(bands: list[dict], view: View) -> list[dict]:
    """The days of a band, refused ones too, that lie in the view's window on the patient's own dates."""
    return [row for row in bands if row["day"] is not None and view.start <= _day(row, view.baseline) <= view.end]


def traces(
    bands: list[dict], anchor_day: date, name: str, label: str = "cohort median", logarithmic: bool = False
) -> list[dict]:
    """A band as Plotly traces, from `cohort_bands.bands` of one analyte, placed on the dates of a start of therapy: two fills, the
    median, its marks with hover text and the arrows of bounds. `name` is the analyte's in the hover box, `label` the median's."""
    placed = [row | {"x": _day(row, anchor_day).isoformat()} for row in bands if row["day"] is not None]
    runs = [list(run) for refused, run in groupby(placed, key=lambda row: row["refused"] is not None) if not refused]
    drawn = [row for run in runs for row in run]
    if not drawn:
        return []
    least = None
    if logarithmic:
        least = SMALLEST_SHARE * min((row["p90_low"] for row in drawn if row["p90_low"] > 0), default=1.0)
    fills = [_fill(runs, low, high, opacity, least) for low, high, opacity in FILLS]
    return [*fills, _median(runs, label), _marks(runs, name, label), *_arrows(drawn)]


def upper(row: dict, percent: int) -> float:
    """The upper edge of a percentile: where it may reach, else the bound above which it lies."""
    high = row[f"p{percent}_high"]
    return row[f"p{percent}_low"] if high is None else high


def _day(row: dict, anchor_day: date) -> date:
    return anchor_day + timedelta(days=row["day"])


def _fill(runs: list[list[dict]], low: int, high: int, opacity: float, least: float | None) -> dict:
    """One band as outlines, one for each run; a single day is as wide as a mark."""
    xs: list[str | None] = []
    ys: list[float | None] = []
    for run in runs:
        days = [row["x"] for row in run]
        ceiling, floor = [upper(row, high) for row in run], [row[f"p{low}_low"] for row in run]
        if len(run) == 1:
            day = date.fromisoformat(days[0])
            days = [(day - timedelta(days=1)).isoformat(), (day + timedelta(days=1)).isoformat()]
            ceiling, floor = ceiling * 2, floor * 2
        xs += [*days, *reversed(days), days[0], None]
        ys += [*ceiling, *reversed(floor), ceiling[0], None]
    if least is not None:
        ys = [None if y is None else max(y, least) for y in ys]
    return {
        "type": "scatter", "mode": "lines", "name": f"cohort {low} to {high} %", "x": xs, "y": ys, "fill": "toself",
        "hoverinfo": "skip", "fillcolor": style.faded(style.SKY, opacity), "line": {"width": 0},
    }  # fmt: skip


def _median(runs: list[list[dict]], label: str) -> dict:
    xs: list[str | None] = []
    ys: list[float | None] = []
    for run in runs:
        xs += [*(row["x"] for row in run), None]
        ys += [*(None if 50 in row["open"] else row["p50_low"] for row in run), None]
    return {
        "type": "scatter", "mode": "lines", "name": label, "x": xs, "y": ys, "connectgaps": False, "hoverinfo": "skip",
        "line": {"color": style.GREY, "width": 1.4, "dash": "dash"},
    }  # fmt: skip


def _marks(runs: list[list[dict]], name: str, label: str) -> dict:
    """What the hover box says, on the median of each day: unseen where the line runs, a dot on a day alone, an arrow where the median
    is a bound without an end."""
    drawn = [(row, len(run) == 1 and 50 not in row["open"]) for run in runs for row in run]
    unbounded = [row["p50_high"] is None for row, _ in drawn]
    return {
        "type": "scatter", "mode": "markers", "name": label,
        "x": [row["x"] for row, _ in drawn], "y": [upper(row, 50) for row, _ in drawn],
        "hovertext": [style.as_label(hover(row, name)) for row, _ in drawn], "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "symbol": ["triangle-up-open" if bound else "circle" for bound in unbounded],
            "size": [7 if bound else 4 for bound in unbounded],
            "color": style.GREY, "opacity": [int(bound or alone) for bound, (_, alone) in zip(unbounded, drawn, strict=True)],
        },
    }  # fmt: skip


def _arrows(drawn: list[dict]) -> list[dict]:
    """The upper edges beyond which a band may reach."""
    bounds = {
        (row["x"], row[f"p{percent}_low"]) for row in drawn for percent in (75, 90) if row[f"p{percent}_high"] is None
    }
    if not bounds:
        return []
    xs, ys = zip(*sorted(bounds), strict=True)
    return [
        {
            "type": "scatter", "mode": "markers", "name": "cohort, bound", "x": list(xs), "y": list(ys), "hoverinfo": "skip",
            "marker": {"symbol": "triangle-up-open", "size": 6, "color": style.SKY},
        }
    ]  # fmt: skip


def patients(bands: list[dict]) -> str:
    """How many patients the days of a band have: n 5 to 23."""
    counted = [row["n"] for row in bands]
    return f"n {min(counted)}" if min(counted) == max(counted) else f"n {min(counted)} to {max(counted)}"


def hover(row: dict, name: str) -> str:
    """What the hover box says of a day: median and middle half with their unit, and how many patients."""
    unit = style.unit(row["unit"])
    middle = f"25th percentile {percentile(row, 25)}, 75th {percentile(row, 75)} {unit}"
    said = f"{name}, cohort on day {row['day']} of therapy: median {percentile(row, 50)} {unit}, {middle}, n {row['n']}"
    return f"{said} · {row['series']}" if row["series"] else said


def percentile(row: dict, percent: int) -> str:
    """A percentile as text: a number, 'at least 400' or 'between 0 and 50'."""
    low, high = row[f"p{percent}_low"], row[f"p{percent}_high"]
    if high is None:
        return f"at least {style.number(low)}"
    return style.number(low) if low == high else f"between {style.number(low)} and {style.number(high)}"


def _table_row(row: dict, anchor_day: date, name: str) -> dict:
    ranges = "; ".join(
        f"{low}th to {high}th percentile: {percentile(row, low)} to {percentile(row, high)}" for low, high, _ in FILLS
    )
    remark = f"day {row['day']} of therapy, n {row['n']}; {ranges}; not a reference range"
    return {
        "date": _day(row, anchor_day).isoformat(),
        "what": f"{name}: cohort median",
        "value": percentile(row, 50),
        "unit": style.unit(row["unit"]) or None,
        "remark": remark if row["series"] is None else f"{remark}; {row['series']}",
        "source": "other patients of this store",
    }
