"""When a meeting was: the first that the store received of anybody's being seen, so that what came in since is shown, never hidden."""

from datetime import date, datetime

import duckdb
import pytest

from pipelines import entries, meetings
from pipelines.changed_records import Since
from tests.ingesting import empty_store, load

DAY = date(2024, 3, 3)
FIRST, BETWEEN, LATER = datetime(2024, 3, 3, 9), datetime(2024, 3, 4, 9), datetime(2024, 3, 5, 9)


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    con = empty_store()
    load(con, "patient_id,sex\na,F\nb,F\n", received_at=datetime(2024, 3, 1))
    return con


def enter(con: duckdb.DuckDBPyConnection, at: datetime, **said: object) -> None:
    row = {"kind": "agenda", "patient_id": said["entry_id"], "day": DAY, "code": "seen"} | said
    load(con, entries.entry_file([row], "Dr A", at), received_at=at)


def told(con: duckdb.DuckDBPyConnection) -> Since | None:
    found = meetings.last_meeting(con, date(2024, 3, 9))
    assert found is None or meetings.meeting_of(con, found.as_of) == found
    return found


# what is entered after a was said to be seen at FIRST -> the moment of the meeting
LATER_SAID = {
    "another patient is seen later": [(LATER, {"entry_id": "b"})],
    "one who was planned is seen later": [(FIRST, {"entry_id": "b", "code": "planned"}), (LATER, {"entry_id": "b"})],
    "the same is said again": [(LATER, {"entry_id": "a"})],
    "the first was not seen after all": [(BETWEEN, {"entry_id": "b"}), (LATER, {"entry_id": "a", "withdrawn": True})],
    "the first was skipped after all": [(BETWEEN, {"entry_id": "b"}), (LATER, {"entry_id": "a", "code": "skipped"})],
}


@pytest.mark.parametrize("case", LATER_SAID)
def test_nothing_said_later_moves_the_moment_later(con, case):
    enter(con, FIRST, entry_id="a")
    for at, said in LATER_SAID[case]:
        enter(con, at, **said)
        assert told(con) == Since(FIRST, DAY)


def test_what_is_loaded_while_the_meeting_goes_on_comes_after_its_moment(con):
    enter(con, FIRST, entry_id="a")
    load(con, "patient_id,sex\nc,F\n", received_at=BETWEEN)
    enter(con, LATER, entry_id="b")
    assert told(con).received_at < BETWEEN


def test_of_a_meeting_on_another_day_than_was_said_the_first_word_counts(con):
    enter(con, FIRST, entry_id="a", day=date(2024, 3, 2))
    enter(con, LATER, entry_id="a")
    assert told(con) == Since(FIRST, DAY)


@pytest.mark.parametrize("after", [{"code": "planned"}, {"code": "skipped"}, {"withdrawn": True}], ids=str)
def test_where_nobody_was_seen_was_no_meeting(con, after):
    enter(con, FIRST, entry_id="a")
    enter(con, LATER, entry_id="a", **after)
    assert told(con) is None


def test_planned_is_not_seen(con):
    enter(con, FIRST, entry_id="a", code="planned")
    enter(con, LATER, entry_id="b")
    assert told(con) == Since(LATER, DAY)
