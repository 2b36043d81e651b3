"""The board of the strip: a column per start, a row per thing measured, in each cell the results of days -7 to 28 and what changed."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from dashboard import held, style
from dashboard.response.measured import HELD, MEASURES, Measure, Result, unit
from dashboard.response.therapies import AFTER, BEFORE, exchange_days, exchanged, starts

DEFAULT, MOST = 4, 8  # starts drawn when none are chosen, and at most


@dataclass
class Cell:
    """One measure after one start: (day, result) of the series drawn inside the window up to the as-of day, how many results of other
    series are left out, the first result after the window, and the hatched spans of days after an exchange."""

    inside: list[tuple[int, Result]]
    left_out: int
    later: Result | None
    spans: list[tuple[int, int]]
    said: str = ""

    @property
    def before(self) -> list[tuple[int, Result]]:
        """Days -7 to 0: day 0 counts as before, for a result and a dose of one day have no order."""
        return [point for point in self.inside if point[0] <= 0]

    @property
    def after(self) -> list[tuple[int, Result]]:
        return [point for point in self.inside if point[0] > 0]


@dataclass
class Row:
    """One measure in every column; `series` is the one drawn (None: no result), `empty` says why there is none."""

    measure: Measure
    series: tuple | None
    cells: list[Cell] = field(default_factory=list)
    empty: str = ""


@dataclass
class Board:
    """`columns` are starts (`therapies.starts`), with `reached`: the last day of the window up to the as-of day."""

    columns: list[dict]
    rows: list[Row]
    as_of: date
    offered: int


def board(page: dict[str, list[dict]], as_of: date, chosen: Iterable[str] | None = None, most: int = DEFAULT) -> Board:
    """The chosen starts (ids; those that are none up to the as-of day are passed over), else the newest `most`, oldest first."""
    offered = starts(page, as_of)
    asked = set(chosen or ())
    columns = [start for start in offered if start["id"] in asked][:MOST] or offered[:most]
    columns = [start | {"reached": min(AFTER, (as_of - start["day"]).days)} for start in reversed(columns)]
    sessions = exchanged(page, as_of)
    rows = [_row(measure, page, columns, as_of, sessions) for measure in MEASURES] if columns else []
    return Board(columns, rows, as_of, len(offered))


def _row(measure: Measure, page: dict, columns: list[dict], as_of: date, sessions: list[date]) -> Row:
    results = [result for result in measure.read(page) if result.on <= as_of]
    days = [result.on for result in results]
    windows = [
        _between(results, days, start["day"] - timedelta(BEFORE), start["day"] + timedelta(AFTER)) for start in columns
    ]
    series = _commonest(results, windows)
    row = Row(measure, series)
    if series is None:
        waiting = held.counted(page.get("held", []), HELD.get(measure.name, ()), as_of)
        row.empty = f"no result accepted: {waiting} held" if waiting else f"{measure.never} up to {style.day(as_of)}"
    own = [result for result in results if result.series == series]
    for start, window in zip(columns, windows, strict=True):
        inside = [((result.on - start["day"]).days, result) for result in window if result.series == series]
        end = start["day"] + timedelta(AFTER)
        later = next((result for result in own if result.on > end), None)
        spans = _spans(sessions, start) if measure.removed else []
        cell = Cell(inside, len(window) - len(inside), later, spans)
        cell.said = row.empty or _said(measure, cell, start, series)
        row.cells.append(cell)
    return row


def _between(results: list[Result], days: list[date], first: date, last: date) -> list[Result]:
    return results[bisect_left(days, first) : bisect_right(days, last)]


def _commonest(results: list[Result], windows: list[list[Result]]) -> tuple | None:
    """The series with most numbers inside the windows drawn, then with most results, then the newest: one for all columns, which are
    compared on one scale."""
    if not results:
        return None
    numbers = Counter(result.series for window in windows for result in window if result.y is not None)
    counted = Counter(result.series for window in windows for result in window)
    newest = {result.series: place for place, result in enumerate(results)}
    return max(newest, key=lambda series: (numbers[series], counted[series], newest[series]))


def _spans(sessions: list[date], start: dict) -> list[tuple[int, int]]:
    """The days from a session to the last on which it lowers what is measured, joined, inside the part of the window that is drawn."""
    spans: list[tuple[int, int]] = []
    for session in sessions:
        first = (session - start["day"]).days
        low, high = max(first, -BEFORE), min(first + exchange_days(), start["reached"])
        if low > high:
            continue
        if spans and low <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], high)
        else:
            spans.append((low, high))
    return spans


def _said(measure: Measure, cell: Cell, start: dict, series: tuple) -> str:
    """What changed from the last result before to the last after, or why nothing can be said."""
    parts = [_change(measure, cell, unit(series)) if cell.after else _unmeasured(cell, start, unit(series))]
    if cell.after and any(low <= cell.after[-1][0] <= high for low, high in cell.spans):
        parts.append("after exchange, which lowers it")
    if cell.left_out:
        parts.append(f"{cell.left_out} {measure.apart} left out")
    return "; ".join(parts)


def _unmeasured(cell: Cell, start: dict, unit_text: str) -> str:
    reached = start["reached"]
    said = f"not measured within {AFTER} days" if reached == AFTER else f"not measured up to day {reached}"
    if cell.before:
        day, result = cell.before[-1]
        said += f"; before: {_with_unit(result, unit_text)}, day {signed(day)}"
    if cell.later:
        said += f"; next on day {(cell.later.on - start['day']).days}, {style.day(cell.later.on)}"
    return said


def _change(measure: Measure, cell: Cell, unit_text: str) -> str:
    last_day, last = cell.after[-1]
    if not cell.before and len(cell.after) == 1:
        return f"{_with_unit(last, unit_text)}, day {last_day}; none in the {BEFORE} days before"
    first_day, first = (cell.before or cell.after[:1])[-1]
    unsure = first.unsure or last.unsure or _apart(first.row, last.row)
    size = f" (not computed: {unsure})" if unsure else f" ({_difference(measure, first.y, last.y)})"
    said = f"{first.shown} → {_with_unit(last, unit_text)}{size}, day {signed(first_day)} to {last_day}"
    if "estimated" in (first.row.get("fio2_source"), last.row.get("fio2_source")):
        said += "; FiO₂ estimated"
    return said if cell.before else f"{said}; none in the {BEFORE} days before"


def _apart(first: dict, last: dict) -> str:
    """Why two oxygen records cannot be compared: rest and exertion are stated and differ."""
    stated = [row.get("activity") for row in (first, last)]
    return (
        f"{style.words(stated[0])} against {style.words(stated[1])}" if all(stated) and stated[0] != stated[1] else ""
    )


def _difference(measure: Measure, first: float, last: float) -> str:
    if first == last:
        return "no change"
    if measure.points:
        return f"{_sign(last - first)}{style.number(abs(last - first))} points"
    if first <= 0:
        return f"{_sign(last - first)}{style.number(abs(last - first))}"
    percent = abs(last - first) / first * 100
    return f"{_sign(last - first)}{percent:.0f} %" if percent >= 0.5 else "less than 1 %"


def _sign(value: float) -> str:
    return "−" if value < 0 else "+"


def signed(day: int) -> str:
    """A day with the sign that is printed: −3."""
    return f"−{-day}" if day < 0 else str(day)


def _with_unit(result: Result, unit_text: str) -> str:
    return f"{result.shown} {unit_text}".strip() if result.y is not None else result.shown
