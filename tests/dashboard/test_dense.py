"""What is drawn of a long series: few enough for the screen, and nothing that a reader would miss."""

from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.dense import DRAWN, GAP_HOURS, LongSeries

FIRST = np.datetime64("2024-01-01T00:00:00", "ms")
NOTHING: frozenset[str] = frozenset()


def series(values: list[float] | np.ndarray, minutes: int = 1) -> LongSeries:
    """A value every so many minutes; the id of a record is its place plus a million."""
    places = np.arange(len(values))
    return LongSeries(FIRST + places * np.timedelta64(minutes, "m"), np.asarray(values, float), places + 1_000_000)


def test_a_series_that_fits_the_screen_is_drawn_whole():
    one = series(np.arange(DRAWN))
    assert one.drawn(date(2024, 1, 1), date(2024, 1, 2), NOTHING).tolist() == list(range(DRAWN))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), low=st.integers(0, 49_999), high=st.integers(0, 49_999), count=st.just(50_000))
def test_the_lowest_and_the_highest_are_always_drawn(seed, low, high, count):
    values = np.random.default_rng(seed).normal(95, 1, count)
    values[low], values[high] = 40, 140  # the later wins where both fall on one place
    one = series(values)
    drawn = one.drawn(date(2024, 1, 1), date(2024, 2, 20), NOTHING)
    assert {int(values.argmin()), int(values.argmax())} <= set(drawn.tolist())
    assert len(drawn) <= DRAWN + 2


def test_the_extremes_of_every_stretch_of_the_screen_are_drawn():
    values = np.full(100_000, 96.0)
    dips = np.arange(5_000, 100_000, 10_000)
    values[dips] = 70
    drawn = series(values).drawn(date(2024, 1, 1), date(2024, 3, 20), NOTHING)
    assert set(dips.tolist()) <= set(drawn.tolist())


@pytest.mark.parametrize(("hours", "edges"), [(GAP_HOURS, False), (GAP_HOURS + 1, True)])
def test_both_edges_of_a_gap_are_drawn(hours, edges):
    count = 20_000
    one = series(np.random.default_rng(1).normal(95, 0.5, count))
    at = one.at.copy()
    at[10_000:] += np.timedelta64(hours, "h") - np.timedelta64(1, "m")  # apart by exactly so many hours
    drawn = LongSeries(at, np.full(count, 95.0), one.record_id).drawn(date(2024, 1, 1), date(2024, 1, 20), NOTHING)
    assert ({9_999, 10_000} <= set(drawn.tolist())) is edges


def test_a_window_is_drawn_finer_and_with_the_neighbours_outside_it():
    one = series(np.random.default_rng(2).normal(95, 1, 100_000))
    start, end = datetime(2024, 1, 5, 6), datetime(2024, 1, 5, 7)
    whole = one.drawn(date(2024, 1, 1), date(2024, 3, 20), NOTHING)
    hour = one.drawn(start, end, NOTHING)
    coarse, fine = ([place for place in drawn if start <= one.at[place].item() < end] for drawn in (whole, hour))
    assert len(fine) == 60 > len(coarse)
    assert one.at[hour[0]].item() < start and one.at[hour[-1]].item() >= end


def test_evidence_is_drawn_wherever_it_lies():
    one = series(np.full(100_000, 96.0))
    drawn = one.drawn(date(2024, 1, 1), date(2024, 1, 2), frozenset({"1054321", "a record of another kind"}))
    assert 54_321 in drawn


def test_rows_without_a_value_are_not_taken_for_one():
    values = np.full(50_000, 96.0)
    values[::2] = np.nan
    drawn = series(values).drawn(date(2024, 1, 1), date(2024, 2, 20), NOTHING)
    assert not np.isnan(values[drawn]).any()


def test_its_days():
    assert series(np.zeros(3), minutes=24 * 60).days == [date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 3)]
