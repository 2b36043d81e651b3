"""The strip in words: what stands over each column, one sentence for those who cannot see it, and its table."""

from collections.abc import Iterable, Mapping
from datetime import date

from dashboard import relative_days, style
from dashboard.response import measured
from dashboard.response.cells import DEFAULT, Board, board, signed
from dashboard.response.therapies import AFTER, BEFORE

NAMED = 4  # other starts named in a sentence, of those before three; the table has all
APART = "what changed cannot be told apart"


def others(start: dict) -> str:
    """The sentence over a column: what else started, and that its effect cannot be told apart."""
    found = start["others"]
    if not found:
        until = f"within {AFTER} days" if start["reached"] == AFTER else f"up to day {start['reached']}"
        return f"No other therapy started {until}."
    many = "1 other therapy" if len(found) == 1 else f"{len(found)} other therapies"
    return f"{many} started within {AFTER} days: {_listed(found)}: {APART}."


def before(start: dict) -> str:
    """What started in the days before, whose effect may still be coming; empty where nothing did."""
    newest = start["before"][::-1]
    return f"Started in the {AFTER} days before: {_listed(newest, NAMED - 1)}." if newest else ""


def _listed(found: list[dict], most: int = NAMED) -> str:
    said = [f"{inside(other['name'])} ({_when(other['day'])})" for other in found[:most]]
    return ", ".join(said) + (f" and {len(found) - most} more" if len(found) > most else "")


def inside(name: str) -> str:
    """A name inside a sentence: tacrolimus; TNF stays."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def _when(day: int) -> str:
    return "same\u00a0day" if day == 0 else f"day\u00a0{signed(day)}"


def unreached(start: dict) -> str:
    """Said of a column whose window is not over; empty where it is."""
    return "" if start["reached"] == AFTER else f"Day {AFTER} not reached: as of day {start['reached']}."


def alt(page: dict[str, list[dict]], as_of: date, chosen: Iterable[str] | None = None, most: int = DEFAULT) -> str:
    """What the figure shows, in one or two sentences."""
    shown = board(page, as_of, chosen, most)
    if not shown.columns:
        return f"No therapy start recorded up to {style.day(as_of)}."
    columns = [f"{start['name']} of {style.day(start['day'])}" for start in shown.columns]
    confounded = sum(bool(start["others"]) for start in shown.columns)
    return (
        f"Ferritin, anti-MDA5, CRP, SpO₂/FiO₂ and FVC from day −{BEFORE} to day {AFTER} around {', '.join(columns)}, side by side, "
        f"as of {style.day(as_of)}. In {confounded} of {len(columns)} another therapy started inside the window. "
        "The table below holds every value."
    )


def table(
    page: dict[str, list[dict]],
    as_of: date,
    chosen: Iterable[str] | None = None,
    sources: Mapping[str, str] | None = None,
    most: int = DEFAULT,
) -> list[dict]:
    """Everything the figure shows, as text or None: start, date, what, day, value, unit, remark, source.

    `sources` gives file and line by record id for the starts themselves, whose page rows have none.
    """
    shown = board(page, as_of, chosen, most)
    rows = []
    for place, start in enumerate(shown.columns):
        rows += _of_start(start, sources or {}) + _of_cells(shown, place)
    return rows


def _entry(start: dict, on: date | None, what: str, day: int | None, value: str | None, **more: str | None) -> dict:
    return {
        "start": f"{start['name']}, {style.day(start['day'])}",
        "date": relative_days.cell(on.isoformat()) if on else None,
        "what": what,
        "day": None if day is None else str(day),
        "value": value,
        "unit": more.get("unit") or None,
        "remark": more.get("remark") or None,
        "source": more.get("source") or None,
    }


def _of_start(start: dict, sources: Mapping[str, str]) -> list[dict]:
    found = dict.fromkeys(sources[record_id] for record_id in start["evidence"] if record_id in sources)
    said = " ".join(part for part in (others(start), before(start), unreached(start)) if part)
    rows = [_entry(start, start["day"], start["name"], 0, start["dose"], remark=said, source=", ".join(found))]
    rows += [
        _entry(start, other["date"], other["name"], other["day"], None, remark="another start")
        for other in start["before"] + start["others"]
    ]
    return rows


def _of_cells(shown: Board, place: int) -> list[dict]:
    start, rows = shown.columns[place], []
    for row in shown.rows:
        cell, measure = row.cells[place], row.measure
        rows.append(_entry(start, None, f"{measure.title}: change", None, cell.said))
        for day, result in cell.inside:
            rows.append(
                _entry(
                    start,
                    result.on,
                    measure.title,
                    day,
                    result.shown,
                    unit=measured.unit(result.series) if result.y is not None else None,
                    remark=measured.remark(measure, result),
                    source=measured.source(measure, result),
                )
            )
    return rows
