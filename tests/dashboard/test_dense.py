"""What is drawn of a long series: few enough for the screen, and nothing that a reader would miss."""

import os
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard import data, dense, strip
from dashboard.dense import DRAWN, GAP_HOURS, LONG, LongSeries
from pipelines.load import load
from pipelines.store.database import Store

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
    assert len(drawn) <= DRAWN + 2 + len(one.days)


def test_the_extremes_of_every_stretch_of_the_screen_are_drawn():
    values = np.full(100_000, 96.0)
    dips = np.arange(5_000, 100_000, 10_000)
    values[dips] = 70
    drawn = series(values).drawn(date(2024, 1, 1), date(2024, 3, 20), NOTHING)
    assert set(dips.tolist()) <= set(drawn.tolist())


@pytest.mark.parametrize(("hours", "edges"), [(GAP_HOURS, set()), (GAP_HOURS + 1, {10_006, 10_007})])
def test_both_edges_of_a_gap_are_drawn(hours, edges):
    count = 20_000
    one = series(np.full(count, 95.0))
    at = one.at.copy()
    at[10_007:] += np.timedelta64(hours, "h") - np.timedelta64(1, "m")  # apart by exactly so many hours
    drawn = LongSeries(at, one.value, one.record_id).drawn(date(2024, 1, 1), date(2024, 1, 20), NOTHING)
    assert set(dense._edges(at).tolist()) == edges <= set(drawn.tolist())


def test_a_window_is_drawn_finer_and_with_the_neighbours_outside_it():
    one = series(np.random.default_rng(2).normal(95, 1, 100_000))
    start, end = datetime(2024, 1, 5, 6), datetime(2024, 1, 5, 7)
    whole = one.drawn(date(2024, 1, 1), date(2024, 3, 20), NOTHING)
    hour = one.drawn(start, end, NOTHING)
    coarse, fine = ([place for place in drawn if start <= one.at[place].item() < end] for drawn in (whole, hour))
    assert len(fine) == 60 > len(coarse)
    assert one.at[hour[0]].item() < start and one.at[hour[-1]].item() >= end


def test_the_last_of_every_day_is_drawn_for_it_is_what_stands_on_that_day():
    one = series(np.random.default_rng(3).normal(37, 1, 50_000))
    drawn = one.drawn(date(2024, 1, 1), date(2024, 3, 1), NOTHING)
    assert {24 * 60 * day - 1 for day in range(1, 35)} | {49_999} <= set(drawn.tolist())


def test_a_day_ends_with_its_last_value():
    values = np.random.default_rng(4).normal(37, 1, 5_000)
    values[24 * 60 - 3 : 24 * 60] = np.nan
    assert 24 * 60 - 4 in series(values).drawn(date(2024, 1, 1), date(2024, 1, 9), NOTHING)


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


class TestFromTheStore:
    """A monitor writes a temperature and a flow that is never quite the same every five minutes, the last of all at an odd instant."""

    COUNT = LONG + 500
    PATIENT = "monitored"

    @pytest.fixture(scope="class")
    @classmethod
    def store(cls, tmp_path_factory):
        folder, flows = tmp_path_factory.mktemp("long"), np.random.default_rng(6).integers(20, 60, cls.COUNT) / 10
        moments = [datetime(2024, 1, 1) + timedelta(minutes=5 * place) for place in range(cls.COUNT)]
        moments[-1] += timedelta(microseconds=1_234)
        lines = ["patient_id,analyte,value,unit,at"]
        for at, flow in zip(moments, flows, strict=True):
            lines.append(f"{cls.PATIENT},temperature,{36 + flow / 3:.1f},Cel,{at.isoformat()}")
            lines.append(f"{cls.PATIENT},oxygen_flow,{flow},L/min,{at.isoformat()}")
        (folder / "labs.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        load(Store(folder / "store"), [folder / "labs.csv"])
        return folder / "store"

    @pytest.fixture
    def page(self, store, monkeypatch):
        monkeypatch.setitem(os.environ, "MDA5_STORE", str(store))
        return data.patient_page(self.PATIENT)

    def test_the_newest_of_every_day_is_there(self, page):
        temperatures = [row["at"] for row in page["observation"] if row["analyte"] == "temperature"]
        assert {f"2024-01-0{day} 23:55:00" for day in range(1, 9)} <= set(temperatures)
        assert temperatures[-1].endswith(".001234")

    def test_support_that_never_stays_the_same_is_drawn_by_its_extremes(self, page):
        flows = [row["flow"] for row in page["oxygen_support"]]
        assert len(flows) <= DRAWN + 10 and {2.0, 5.9} <= set(flows)

    def test_the_support_of_a_day_is_its_last_record(self, page):
        for day in (date(2024, 1, 2), date(2024, 1, 5)):
            known = [row["at"] for row in page["oxygen_support"] if row["at"][:10] <= day.isoformat()]
            assert max(known) == f"{day} 23:55:00"
            assert next(card for card in strip.cards(page, day) if card.name == "Oxygen now").on == day
