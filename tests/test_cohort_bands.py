"""Percentiles of the other patients of a store: what counts, on which day, of whom, and when nothing is said."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from random import Random
from shutil import copyfile
from statistics import quantiles

import duckdb
import pytest

from pipelines import cohort_bands
from pipelines.engines import on_duckdb
from tests.ingesting import LABS, SCHEMA, lab, load

ADMINISTRATIONS = "patient_id;drug;route;dose;dose_unit;per;start;stop\n"
PFT = "patient_id;measure;percent_predicted;phase;reference_set;at\n"
EVENTS = "patient_id;at;kind;code;value\n"
PATIENTS = [f"p{number}" for number in range(1, 16)]
STARTS = {patient_id: date(2021, 7, number) for number, patient_id in enumerate(PATIENTS, start=1)}
STARTS |= {"triple": date(2021, 7, 20), "month": date(2021, 7, 31), "untreated": date(2021, 7, 1)}
FIVE, FOUR = PATIENTS[:5], PATIENTS[:4]


def given(patient_id: str, drug: str, start: date | str) -> str:
    how = "iv;500;mg;dose" if drug == "cyclophosphamide" else "oral;5;mg;day"
    return f"{patient_id};{drug};{how};{start};{'' if drug == 'cyclophosphamide' else '2021-12-31'}\n"


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without results. Combination therapy of p1 to p15 starts on 1 to 15 July, of `triple` on the 1st, its triple therapy on the
    20th; of `month` on some day of July; `untreated` has a glucocorticoid alone."""
    path = tmp_path_factory.mktemp("judged") / "store.duckdb"
    with duckdb.connect(path) as con:
        con.execute(SCHEMA)
        started = [(patient_id, "tacrolimus", STARTS[patient_id]) for patient_id in PATIENTS]
        started += [("triple", "tacrolimus", "2021-07-01"), ("triple", "cyclophosphamide", "2021-07-20")]
        started += [("month", "tacrolimus", "2021-07")]
        started += [(patient_id, "prednisone", "2021-06-20") for patient_id in STARTS]
        load(con, ADMINISTRATIONS + "".join(given(*one) for one in started))
        load(con, EVENTS + "".join(f"{patient_id};2021-06-20;diagnosis;rp_ild;present\n" for patient_id in STARTS))
        on_duckdb.evaluate(con)
    return path


@pytest.fixture
def store(judged: Path, tmp_path: Path) -> duckdb.DuckDBPyConnection:
    copyfile(judged, tmp_path / "store.duckdb")
    with duckdb.connect(tmp_path / "store.duckdb") as con:
        yield con


def on(patient_id: str, day: int) -> str:
    """The date of a day of therapy."""
    return (STARTS[patient_id] + timedelta(days=day)).isoformat()


def results(
    con, values: dict[str, str], day: int = 0, analyte: str = "ferritin", unit: str = "ng/mL", **more: str
) -> None:
    """One result per patient, on one day of therapy of each."""
    rows = [lab(value, unit, analyte, on(who, day), patient_id=who, **more) for who, value in values.items()]
    load(con, LABS + "".join(rows))


def each(patients: list[str], first: int = 100) -> dict[str, str]:
    """100, 200, 300 ... by patient."""
    return {patient_id: str(first + 100 * number) for number, patient_id in enumerate(patients)}


def row(con, day: int = 0, analyte: str = "ferritin", **asked) -> dict:
    found = cohort_bands.bands(con, [analyte], **asked)[analyte]
    return next(one for one in found if one["day"] in (day, None))


def ends(found: dict, percent: int) -> tuple[float | None, float | None]:
    return found[f"p{percent}_low"], found[f"p{percent}_high"]


class TestFewPatients:
    def test_five_are_shown(self, store):
        results(store, each(FIVE))
        found = row(store)
        assert (found["n"], found["refused"], found["open"], found["unit"]) == (5, None, [], "ng/mL")
        assert [found[f"p{percent}_low"] for percent in (10, 25, 50, 75, 90)] == [140, 200, 300, 400, 460]
        assert [found[f"p{percent}_high"] for percent in (10, 25, 50, 75, 90)] == [140, 200, 300, 400, 460]

    def test_four_are_counted_and_refused(self, store):
        results(store, each(FOUR))
        found = row(store)
        assert (found["n"], found["refused"]) == (4, "fewer than 5 patients")
        assert {value for name, value in found.items() if name.startswith("p") and name[1].isdigit()} == {None}

    def test_many_results_of_four_are_four_patients(self, store):
        for day in (-2, -1, 0):
            results(store, each(FOUR), day)
        assert (row(store)["n"], row(store)["refused"] is None) == (4, False)

    def test_the_patient_shown_is_left_out(self, store):
        results(store, each(PATIENTS[:6]))
        assert (row(store)["n"], row(store, leaving_out="p6")["n"]) == (6, 5)
        assert row(store, leaving_out="p6")["p90_high"] == 460
        assert row(store, leaving_out="untreated")["n"] == 6

    def test_leaving_out_may_leave_too_few(self, store):
        results(store, each(FIVE))
        assert (row(store, leaving_out="p3")["n"], row(store, leaving_out="p3")["p50_low"]) == (4, None)

    @pytest.mark.parametrize("outcome", cohort_bands.OUTCOMES)
    def test_every_outcome_group_is_refused(self, store, outcome):
        assert {(one["n"], one["p50_low"]) for one in cohort_bands.bands(store, ["ferritin"], outcome)["ferritin"]} == {
            (0, None)
        }


PLACED = [
    # case, day of the result, the step it counts in
    ("the day itself", 0, 0),
    ("six days before", -6, 0),
    ("seven days before is the step before", -7, -7),
    ("the day after is the next step", 1, 7),
    ("the first day of the first step", -34, -28),
    ("the day before it", -35, None),
    ("the last day", 175, 175),
    ("a day later is in no step", 176, None),
]


@pytest.mark.parametrize(("case", "day", "step"), PLACED, ids=[case for case, _, _ in PLACED])
def test_days_of_a_step(store, case, day, step):
    results(store, each(FIVE), day)
    found = cohort_bands.bands(store, ["ferritin"])["ferritin"]
    assert [one["day"] for one in found if one["n"]] == ([] if step is None else [step])
    assert tuple(one["day"] for one in found) == cohort_bands.DAYS


class TestWhatCounts:
    def test_the_last_value_of_the_step(self, store):
        results(store, each(FIVE, 1000), -3)
        results(store, each(FIVE), -1)
        assert (row(store)["n"], row(store)["p50_low"]) == (5, 300)

    def test_the_last_of_the_day_by_time(self, store):
        results(store, each(FIVE))
        load(
            store,
            LABS
            + "".join(
                lab(value, at=f"2021-07-01 {hour}", patient_id="p1")
                for hour, value in (("15:00", "700"), ("09:00", "900"))
            ),
        )
        found = row(store)
        assert found["n"] == 4, "an untimed and a timed result of one day differ"
        times = (("250", "2021-07-06 15:00"), ("150", "2021-07-06 09:00"))
        load(store, LABS + "".join(lab(value, at=at, patient_id="p6") for value, at in times))
        assert (row(store)["n"], row(store)["p50_low"], row(store)["p10_low"]) == (5, 300, 220)

    def test_results_of_one_day_in_no_order_count_where_they_agree(self, store):
        results(store, each(FIVE))
        results(store, {"p1": "100", "p2": "201"}, assay="another")
        assert row(store)["n"] == 4

    def test_preliminary_results_do_not(self, store):
        results(store, each(FIVE))
        results(store, {"p6": "900"}, status="preliminary")
        assert row(store)["n"] == 5

    def test_a_corrected_result_replaces_the_first(self, store):
        results(store, each(FIVE), record_id="one")
        results(store, {"p5": "250"}, record_id="one", status="corrected")
        assert (row(store)["n"], row(store)["p90_high"]) == (5, pytest.approx(360))

    def test_a_partial_date_cannot_be_placed(self, store):
        results(store, each(FIVE))
        load(store, LABS + lab("900", at="2021-07", patient_id="p15"))
        assert [one["n"] for one in cohort_bands.bands(store, ["ferritin"])["ferritin"] if one["n"]] == [5]

    def test_what_came_later_is_not_read_as_of_a_day(self, store):
        results(store, each(FIVE))
        assert row(store, as_of=date(2021, 7, 5))["n"] == 5
        assert row(store, as_of=date(2021, 7, 4))["n"] == 4
        assert (
            cohort_bands.cohort(store, as_of=date(2021, 7, 4))["patients"]["not_recorded"] == 5
        )  # p1 to p4 and `triple`


class TestDayZero:
    def test_triple_therapy_goes_before_combination(self, store):
        results(store, each([*FOUR, "triple"]))
        assert row(store)["n"] == 5
        assert cohort_bands.cohort(store)["triple"] == {"died": 0, "off_oxygen": 0, "not_recorded": 1}

    def test_on_an_earlier_day_the_start_is_that_known_then(self, store):
        load(store, LABS + "".join(lab("500", at="2021-07-01", patient_id=who) for who in ("p1", "triple")))
        assert row(store, as_of=date(2021, 7, 19))["n"] == 2
        assert row(store, as_of=date(2021, 7, 20))["n"] == 1

    def test_who_is_not_treated_or_starts_on_an_unknown_day_is_not_aligned(self, store):
        results(store, each([*FIVE, "month", "untreated"]))
        assert row(store)["n"] == 5
        known = cohort_bands.cohort(store)
        assert (known["others"], known["partly_dated"], sum(known["patients"].values())) == (18, 1, 16)
        assert cohort_bands.cohort(store, "p1")["others"] == 17

    def test_a_store_judged_before_starts_were_kept_says_so(self, store):
        store.execute("DROP TABLE concept.therapy_clock")
        assert "judged before" in row(store)["refused"] and row(store)["n"] is None
        assert sum(cohort_bands.cohort(store)["patients"].values()) == 0


class TestPercentiles:
    @pytest.mark.parametrize("n", [5, 6, 11, 15])
    def test_they_are_those_of_the_standard_library(self, store, n):
        values = Random(n).sample(range(50, 5000), n)
        results(store, {who: str(value) for who, value in zip(PATIENTS, values, strict=False)})
        expected = quantiles(values, n=100, method="inclusive")
        for percent in (10, 25, 50, 75, 90):
            assert ends(row(store), percent) == (pytest.approx(expected[percent - 1]),) * 2

    def test_one_that_is_beyond_the_assay_is_a_bound(self, store):
        results(store, dict(zip(FIVE, ("100", "200", "300", ">400", ">400"), strict=True)))
        found = row(store)
        assert (ends(found, 50), ends(found, 75), ends(found, 90)) == ((300, 300), (400, None), (400, None))
        assert found["open"] == [75, 90]

    def test_an_unbounded_neighbour_opens_what_lies_between(self, store):
        results(store, dict(zip(FIVE, ("100", "200", "300", "400", ">500"), strict=True)))
        assert (ends(row(store), 75), ends(row(store), 90)) == ((400, 400), (460, None))

    def test_one_below_the_assay_is_between_zero_and_its_limit(self, store):
        results(store, dict(zip(FIVE, ("<50", "<50", "100", "200", "300"), strict=True)))
        assert (ends(row(store), 25), ends(row(store), 50), row(store)["open"]) == ((0, 50), (100, 100), [10, 25])

    def test_a_bound_below_the_others_leaves_more_open(self, store):
        results(store, dict(zip(FIVE, (">50", "100", "200", "300", "400"), strict=True)))
        assert (ends(row(store), 50), ends(row(store), 90)) == ((200, 300), (360, None))


class TestOutcomes:
    @pytest.fixture
    def ended(self, store) -> Callable[..., dict]:
        """Five died, five came off oxygen, of five nothing is recorded."""
        results(store, each(PATIENTS))
        events = [f"{who};2021-10-01;outcome;death;\n" for who in PATIENTS[:5]]
        events += [f"{who};2021-09-01;outcome;off_oxygen;\n" for who in PATIENTS[4:10]]
        load(store, EVENTS + "".join(events))
        return store

    def test_each_group_has_its_own(self, ended):
        assert {group: (row(ended, outcome=group)["n"], row(ended, outcome=group)["p50_low"]) for group in cohort_bands.OUTCOMES} == {
            "died": (5, 300),
            "off_oxygen": (5, 800),
            "not_recorded": (5, 1300),
        }  # fmt: skip
        assert row(ended)["n"] == 15

    def test_who_died_is_not_among_those_off_oxygen(self, ended):
        assert cohort_bands.cohort(ended)["patients"] == {"died": 5, "off_oxygen": 5, "not_recorded": 6}

    def test_a_later_death_is_not_known_as_of_an_earlier_day(self, ended):
        assert row(ended, outcome="died", as_of=date(2021, 9, 30))["n"] == 0
        assert row(ended, outcome="died", as_of=date(2021, 10, 1))["n"] == 5

    def test_no_other_outcome_is_asked_for(self, store):
        with pytest.raises(ValueError, match="survived"):
            cohort_bands.bands(store, ["ferritin"], "survived")


class TestOneScale:
    def test_units_are_converted_before(self, store):
        results(store, each(FOUR))
        results(store, {"p5": "1123.595506"}, unit="pmol/L")  # 500 ng/mL
        assert (row(store)["n"], row(store)["p90_low"]) == (5, pytest.approx(460, abs=0.01))

    @pytest.mark.parametrize(
        ("analyte", "value", "unit", "said"),
        [
            ("anti_mda5", "100", "[arb'U]/mL", "unit of its own"),
            ("hbsag", "positive", "", "words"),
            ("beta_d_glucan", "90", "pg/mL", "some of its results are words"),
            ("fvc", "2.5", "L", "height"),
            ("spo2", "94", "%", "oxygen given"),
        ],
    )
    def test_what_is_on_no_common_scale_is_refused(self, store, analyte, value, unit, said):
        results(store, dict.fromkeys(FIVE, value), analyte=analyte, unit=unit)
        (found,) = cohort_bands.bands(store, [analyte])[analyte]
        assert said in found["refused"] and found["n"] is None

    def test_kl6_is_compared_within_the_assay_of_the_patient_shown(self, store):
        results(store, each(FIVE), analyte="kl6", unit="U/mL", assay="Lumipulse")
        results(store, each(PATIENTS[5:8], 5000), analyte="kl6", unit="U/mL", laboratory="here")
        results(store, {"p9": "500"}, analyte="kl6", unit="U/mL", assay="Lumipulse")
        found = row(store, analyte="kl6", leaving_out="p9")
        assert (found["n"], found["p50_low"], found["series"]) == (5, 300, "assay Lumipulse")
        assert row(store, analyte="kl6", leaving_out="p6")["n"] == 2, "a blank assay only within its laboratory"
        assert row(store, analyte="kl6", leaving_out="p15")["day"] is None

    def test_percent_predicted_is_compared_within_the_reference_set(self, store):
        sets = dict.fromkeys(PATIENTS[:6], "GLI 2022 global") | dict.fromkeys(PATIENTS[6:9], "ECSC") | {"p10": ""}
        rows = [
            f"{who};FVC;{50 + number};pre;{named};{on(who, 0)}\n" for number, (who, named) in enumerate(sets.items())
        ]
        rows += [f"{who};FVC;90;post;GLI 2022 global;{on(who, 0)}\n" for who in PATIENTS[10:]]
        load(store, PFT + "".join(rows))
        found = row(store, analyte="fvc_percent", leaving_out="p6")
        assert (found["n"], found["p50_low"], found["series"]) == (5, 52, "reference set GLI 2022 global")
        assert "reference set" in row(store, analyte="fvc_percent", leaving_out="p10")["refused"]

    def test_an_analyte_that_does_not_exist(self, store):
        with pytest.raises(ValueError, match="ferritine_x"):
            cohort_bands.bands(store, ["ferritine_x"])
