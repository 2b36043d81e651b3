"""Long series: of a million bedside saturations as many are read and drawn as the screen can show at the current zoom.

A series is three arrays in order of time: when, the value, and the record it is of. What is drawn is chosen from them (the extremes of
every stretch are kept, and both edges of every gap), then read whole as any other record: a chart does not know which it has.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce

import numpy as np
from tsdownsample import MinMaxDownsampler

LONG = 2_000  # so many rows of one kind are drawn whole: no laboratory result is measured more often
DRAWN = 1_000  # points of a long series on screen; the plot is 660 to 1,600 pixels wide
GAP_HOURS = 24  # without a value for so long, both edges of the gap are drawn
MOST_EDGES = 200


@dataclass(frozen=True, eq=False)
class LongSeries:
    """`at` datetime64[ms], ascending; `value` float64, NaN where a row has none; `record_id` int64."""

    at: np.ndarray
    value: np.ndarray
    record_id: np.ndarray

    def drawn(self, start: date | datetime, end: date | datetime, evidence: frozenset[str]) -> np.ndarray:
        """The places of the rows to draw of the window [start, end], days to their end: at most DRAWN, the edges of gaps, the neighbours
        just outside the window, so that a line runs on to its edges, the last of every day, for it is what stands on that day, and
        whatever is evidence."""
        until = end if isinstance(end, datetime) else end + timedelta(days=1)
        first, last = np.searchsorted(self.at, [_moment(start), _moment(until)])
        first, last = max(0, first - 1), min(len(self.at), last + 1)
        at, value = self.at[first:last], self.value[first:last]
        chosen = first + reduce(np.union1d, (_most_telling(at, value), _edges(at), _last_of_days(at, value)))
        ids = np.array([int(record_id) for record_id in evidence if record_id.isdigit()], dtype=np.int64)
        return np.union1d(chosen, np.flatnonzero(np.isin(self.record_id, ids))).astype(np.int64)

    @property
    def days(self) -> list[date]:
        """The days on which it has a row."""
        return np.unique(self.at.astype("M8[D]")).tolist()


def _moment(day: date | datetime) -> np.datetime64:
    return np.datetime64(day, "ms")


def _most_telling(at: np.ndarray, value: np.ndarray) -> np.ndarray:
    if len(at) <= DRAWN:
        return np.arange(len(at))
    known = np.flatnonzero(~np.isnan(value))
    if len(known) <= DRAWN:
        return known
    # Not MinMaxLTTB, which looks the same: of the extremes it finds it lets some go.
    picked = MinMaxDownsampler().downsample(at[known].view(np.int64), np.ascontiguousarray(value[known]), n_out=DRAWN)
    return known[picked.astype(np.int64)]


def _last_of_days(at: np.ndarray, value: np.ndarray) -> np.ndarray:
    """The last row with a value of each day; of a series without any, the last row."""
    known = np.flatnonzero(~np.isnan(value))
    places = known if len(known) else np.arange(len(at))
    days = at[places].astype("M8[D]")
    return places[np.append(days[1:] != days[:-1], True)] if len(places) else places


def _edges(at: np.ndarray) -> np.ndarray:
    """The rows before and after each gap, of the longest gaps where there are many."""
    apart = np.diff(at)
    gaps = np.flatnonzero(apart > np.timedelta64(timedelta(hours=GAP_HOURS)))
    longest = gaps[np.argsort(apart[gaps])[-MOST_EDGES:]]
    return np.union1d(longest, longest + 1)
