"""Blood levels of tacrolimus below the doses, with the target band of each phase: the one after a start, then the later one.

A level two hours after the dose (C2) has a mark of its own and no band: the bands are of troughs.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise

from dashboard import style
from dashboard.charts import results
from dashboard.charts.panel import Panel, View

PLACE = 81
TITLE = "Tacrolimus level"
OPTIONAL = True
COMPANION = True  # of the drug: a patient who never had it is not told that it was never measured
SCALES = True
ANALYTES = ("tacrolimus_level",)
RULE = "cni_level_out_of_range"
TROUGH = ("C0", "trough")
Band = tuple[date, date, float, float]  # from, to, low, high


def rows(page: dict) -> list[dict]:
    """The levels, each with the `stretches` of the drug: every start with the day on which its range ends to be in force. Of a drug given
    and never measured its first day."""
    return of(page, "tacrolimus") or unmeasured(page, "tacrolimus")


def unmeasured(page: dict, drug: str) -> list[dict]:
    """A drug that is recorded as given as a row without a level: `given_from`, its first day. None where it is not."""
    days = [row["from_date"] for row in _given(page["treatment_course"], drug) if not row["gap"]]
    return [{"given_from": min(days)}] if days else []


def measured(rows: list[dict]) -> list[dict]:
    """The rows that are levels."""
    return [row for row in rows if "given_from" not in row]


def say_given(drawn: Panel, rows: list[dict], view: View, drug: str) -> None:
    """Of a drug without a level since when it is given, where there is room; nothing of a day after the as-of day, which is not dimmed in
    words."""
    days = [row["given_from"] for row in rows if "given_from" in row]
    if days and days[0] > view.as_of:
        drawn.empty = f"no {drug} given yet"
    elif days and not view.narrow:
        drawn.empty += f", given from {style.day(days[0])}"


def say(drawn: Panel, *notes: str) -> None:
    """Adds to what is said under the title, and room for it."""
    drawn.note = "; ".join(note for note in (drawn.note, *notes) if note)
    drawn.height = max(drawn.height, 22 + 14 * (2 + len(drawn.note) // 24))


def of(page: dict, drug: str) -> list[dict]:
    """The levels of a drug in order of time. Ranges of the laboratory are left out: the band drawn is the target."""
    levels = results.of(page, f"{drug}_level")
    days = [date.fromisoformat(row["at"][:10]) for row in levels]
    found = stretches(page["treatment_course"], drug, max(days, default=None))
    return [
        row | {"ref_low": None, "ref_high": None, "remark": _sampled(row, drug), "stretches": found} for row in levels
    ]


def _sampled(row: dict, drug: str) -> str:
    timing = row.get("sample_timing")
    if timing is not None:
        return f"sampled: {timing}"
    return "sampling time not recorded" + (", judged as a trough" if drug == "tacrolimus" else ", not judged")


def _given(courses: Iterable[dict], drug: str) -> list[dict]:
    return [row for row in courses if row["drug"] == drug and row["action"] == "given" and row["systemic"]]


def stretches(courses: Iterable[dict], drug: str, last_level: date | None) -> list[tuple[date, date | None]]:
    """Every start of a drug as the rule counts it, a first dose or one that follows on no other, and the day its range ends: at the next
    start, else after the last dose and the last level. None: the drug goes on."""
    given = sorted(_given(courses, drug), key=lambda row: row["from_date"])
    starts, before = [], None
    for row in given:
        if not row["gap"] and before != row["from_date"]:
            starts.append(row["from_date"])
        before = row["to_date"]
    if not starts:
        return []
    ends = [row["to_date"] for row in given]
    levels = [last_level + timedelta(days=1)] if last_level else []
    last = None if None in ends else max(ends + levels)
    return [*pairwise(dict.fromkeys(starts)), (starts[-1], last)]


def panel(rows: list[dict], view: View) -> Panel:
    numbers = limits(view)
    drawn = Panel("trough", TITLE, "ng/mL", height=84)
    levels = measured(rows)
    troughs = [row for row in levels if row.get("sample_timing") in (*TROUGH, None)]
    others = [row for row in levels if row.get("sample_timing") not in (*TROUGH, None)]
    series = [
        ("Tacrolimus trough", troughs, style.GREEN, "circle"),
        ("Tacrolimus, no trough", others, style.PURPLE, "star"),
    ]
    bands = _bands(levels, numbers, view) if troughs else []
    levels_panel(drawn, series, bands, view, ANALYTES)
    if drawn.empty:
        say_given(drawn, rows, view, "tacrolimus")
    else:
        say(drawn, _note(troughs, numbers))
    return drawn


def levels_panel(
    drawn: Panel, series: list[results.Series], bands: list[Band], view: View, analytes: tuple[str, ...]
) -> Panel:
    """Fills a panel with levels and their target bands, each band on the days it is in force, its ends drawn as dashes."""
    series = [one for one in series if one[1]]
    results.results_panel(drawn, series, view, top=max((high for *_, high in bands), default=None), analytes=analytes)
    if bands and not drawn.empty and drawn.axis is not results.WORDS_ONLY:
        drawn.traces.insert(0, _band_trace(bands, drawn.factor))
    return drawn


def _band_trace(bands: list[Band], factor: float) -> dict:
    xs, ys = [], []
    for start, end, low, high in bands:
        first, last = start.isoformat(), end.isoformat()
        xs += [first, first, last, last, first, None]
        ys += [low * factor, high * factor, high * factor, low * factor, low * factor, None]
    return {
        "type": "scatter", "mode": "lines", "name": "target band", "x": xs, "y": ys, "fill": "toself", "hoverinfo": "skip",
        "fillcolor": style.faded(style.GREEN, 0.14), "line": {"width": 1, "color": style.GREEN, "dash": "dash"},
    }  # fmt: skip


def limits(view: View) -> dict[str, dict]:
    """The thresholds of the rule by name."""
    return {line["name"]: line for line in view.thresholds if line["criterion"] == RULE}


def clipped(start: date, end: date | None, low: float, high: float, view: View) -> list[Band]:
    """A band inside the window, or none."""
    first, last = max(start, view.start), min(end or date.max, view.end + timedelta(days=1))
    return [(first, last, low, high)] if first < last else []


def _bands(rows: list[dict], numbers: dict[str, dict], view: View) -> list[Band]:
    if "first_days" not in numbers:
        return []
    value = {name: float(line["value"]) for name, line in numbers.items()}
    bands = []
    for start, end in rows[0]["stretches"]:
        later = start + timedelta(days=int(value["first_days"]))
        first_end = later if end is None else min(later, end)
        bands += clipped(start, first_end, value["tacrolimus_first_low"], value["tacrolimus_first_high"], view)
        if end is None or later < end:
            bands += clipped(later, end, value["tacrolimus_later_low"], value["tacrolimus_later_high"], view)
    return bands


def _note(troughs: list[dict], numbers: dict[str, dict]) -> str:
    """The band in words, and of which levels the start is not known."""
    if not troughs or "first_days" not in numbers:
        return ""
    starts = [start for start, _ in troughs[0]["stretches"]]
    if not starts:
        return "start of tacrolimus not recorded: no target band"
    said = (
        f"band: trough {between(numbers, 'tacrolimus_first')} for {style.number(float(numbers['first_days']['value']))} days, "
        f"then {between(numbers, 'tacrolimus_later')}"
    )
    if troughs[0]["at"][:10] < starts[0].isoformat():
        said += f"; none before {style.day(starts[0])}: start not recorded"
    return said


def between(numbers: dict[str, dict], of: str) -> str:
    """'10 to 15', '8 to 12 (this site)'."""
    low, high = numbers[f"{of}_low"], numbers[f"{of}_high"]
    here = any(line["instead_of"] is not None for line in (low, high))
    return f"{style.number(float(low['value']))} to {style.number(float(high['value']))}" + (
        " (this site)" if here else ""
    )
