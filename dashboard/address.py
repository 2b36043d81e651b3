"""What the reader of a patient page chose, as the address holds it: the same address opens the same screen again.

Everything in an address is hostile: what is not one of the choices on offer is passed over.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

import streamlit as st

from dashboard import data, relative_days
from dashboard.charts import panels
from dashboard.charts.panel import SCALES

AXES = ("calendar", "therapy", "admission")
OUTCOMES = ("all", *data.COHORT_OUTCOMES)
LONGEST = 600  # characters of one value that are looked at


@dataclass(frozen=True)
class Address:
    """`panels` in the reader's order (None: those of the `view`), `scales` by panel where not linear, `opened` drug classes, `axis` one
    of AXES, `known_at` and `received_at` (at most one) the past moment that is read, `since` the last meeting, `bands` whose cohort."""

    patient: str | None = None
    as_of: date | None = None
    flag: str | None = None
    view: str = "overview"
    panels: tuple[str, ...] | None = None
    scales: dict[str, str] = field(default_factory=dict)
    opened: frozenset[str] = frozenset()
    axis: str = "calendar"
    known_at: datetime | None = None
    received_at: datetime | None = None
    since: date | None = None
    bands: str | None = None

    @property
    def past(self) -> bool:
        """Whether a past moment is read and not what is known now."""
        return bool(self.known_at or self.received_at)


def read(query: Mapping[str, str]) -> Address:
    """The choices in the query of an address."""

    def asked(name: str) -> str:
        return query.get(name, "")[:LONGEST]

    known_at, received_at = _moment(asked("known_at")), _moment(asked("received_at"))
    names = tuple(name for name in dict.fromkeys(asked("panels").split(",")) if name in panels())
    pairs = (pair.partition(":") for pair in asked("scales").split(","))
    return Address(
        patient=query.get("patient"),
        as_of=_day(asked("as_of")),
        flag=asked("flag") or None,
        view=asked("view") or "overview",
        panels=names or None,
        scales={name: scale for name, _, scale in pairs if name in panels() and scale in SCALES and scale != "linear"},
        opened=frozenset(name for name in asked("open").split(",") if name),
        axis=asked("axis") if asked("axis") in AXES else "calendar",
        known_at=known_at,
        received_at=None if known_at else received_at,
        since=_day(asked("since")),
        bands=asked("bands") if asked("bands") in OUTCOMES else None,
    )


def now() -> Address:
    """The choices in the address on screen."""
    return read(st.query_params)


def put(**chosen: str | None) -> None:
    """Puts choices into the address on screen; None or nothing takes one out."""
    for name, value in chosen.items():
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)


def scales_text(scales: Mapping[str, str]) -> str:
    """Scales as the address holds them: 'ferritin:log,kl6:peak'."""
    return ",".join(f"{name}:{scale}" for name, scale in sorted(scales.items()) if scale != "linear")


def _day(text: str) -> date | None:
    try:
        return relative_days.from_address(text) or date.fromisoformat(text)
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    """A moment; a day alone is taken to its end."""
    day = _day(text)
    if day is not None:
        return datetime.combine(day, time.max)
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
