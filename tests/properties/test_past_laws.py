"""Laws of the past: what was received or known by a moment answers as a store that never held anything else.

The cohorts arrive in several loads, with corrections, withdrawals and late rows among them, as hospitals send them. The rules read
nothing but their input tables, so most laws are about these; the whole way is gone with a few rules that read all of them.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import duckdb
import pytest

from pipelines import findings, ingest, sources
from pipelines.engines.inputs import JUDGED, Known
from pipelines.ingest import slips
from pipelines.load import load
from pipelines.store.database import Store, open_snapshot
from tests import some_rules
from tests.properties import cohorts
from tests.properties.cohorts import Cohort

PATIENTS = 8
LOADS = [datetime(2024, 9, day, 12, 0) for day in (1, 8, 15)]
RECORDS = ("observation", "administration", "event")
RULES = ("risk_factors", "referral_oxygen", "not_recommended_agent")  # they read every table of the records
OTHER_VALUES = {"ferritin": "1700", "ldh": "900", "crp": "12", "kl6": "3000"}


def drawn(first: int) -> Cohort:
    return cohorts.numbered([cohorts.seeded_person(first + number) for number in range(PATIENTS)])


def versions(name: str, row: dict[str, str], chance: Random) -> list[dict[str, str]]:
    """A row and what becomes of it: mostly nothing, sometimes a correction, a withdrawal, or a final after a preliminary result."""
    if name == "patients":
        return [row, row | {"birth_year": chance.choice(cohorts.BIRTH_YEARS), "sex": "female"}]
    if chance.random() < 0.4:  # then a later version meets it by what it says, not by its record
        row = {column: cell for column, cell in row.items() if column != "record_id"}
    fate = chance.choice(["stays", "stays", "corrected", "withdrawn", "preliminary"])
    if fate == "corrected":
        return [row, changed(name, row, chance) | {"status": "corrected"}]
    if fate == "withdrawn":
        return [row, row | {"status": "entered_in_error"}]
    if fate == "preliminary":
        return [row | {"status": "preliminary"}, changed(name, row, chance) | {"status": "final"}]
    return [row]


def changed(name: str, row: dict[str, str], chance: Random) -> dict[str, str]:
    """The row with something else in it, where there is an obvious thing."""
    if name == "labs" and row["analyte"] in OTHER_VALUES:
        return row | {"value": OTHER_VALUES[row["analyte"]]}
    if name == "oxygen" and "spo2" in row:
        return row | {"spo2": "86"}
    if name == "pft":
        return row | {"percent_predicted": chance.choice(["30", "88"])}
    if name == "administrations" and row.get("ongoing"):
        start = date.fromisoformat(row["start"])
        return row | {"ongoing": "", "last_confirmed_on": "", "stop": str(start + timedelta(chance.choice([3, 30])))}
    return row


def in_loads(cohort: Cohort, chance: Random) -> list[Cohort]:
    """The rows by load. A version comes in the load of the one before it or later, or, now and then, overtakes it."""
    loads: list[Cohort] = [{} for _ in LOADS]
    for name, rows in cohort.items():
        for row in rows:
            said = versions(name, row, chance)
            places = sorted(chance.randrange(len(LOADS)) for _ in said)
            if name != "patients" and chance.random() < 0.15:
                places.reverse()
            for place, version in zip(places, said, strict=True):
                loads[place].setdefault(name, []).append(version)
    return loads


def receive(con: duckdb.DuckDBPyConnection, cohort: Cohort, moment: datetime) -> None:
    """The rows as files received at a moment, without judging anybody."""
    with TemporaryDirectory() as folder:
        for name, rows in cohort.items():
            path = Path(folder) / f"{name}.csv"
            path.write_text(cohorts.as_csv(rows), encoding="utf-8")
            file_id = con.execute("SELECT coalesce(max(file_id), 0) + 1 FROM source.file").fetchone()[0]
            source = sources.recognise(path)
            con.execute(
                "INSERT INTO source.file VALUES (?, ?, '', ?, ?, [])", [file_id, path.name, source.format, moment]
            )
            ingest.ingest(con, file_id, source, moment)


def read(con: duckdb.DuckDBPyConnection, known: Known = Known()) -> dict[str, list[tuple]]:  # noqa: B008
    """What the rules would read: the records that stand, without what later versions and files wrote into them, and what is known of
    their patients."""
    standing = {name: f"FROM ({known.standing(f'record.{name}')}) WHERE {JUDGED}" for name in RECORDS}
    found = {
        name: f"SELECT * EXCLUDE (known_until, received_at, received_until, file_id, line) {rows}"
        for name, rows in standing.items()
    }
    of_whom = " UNION ALL ".join(f"SELECT patient_id {rows}" for rows in standing.values())
    found["patient"] = f"FROM ({known.patients()}) AS person SEMI JOIN ({of_whom}) AS theirs USING (patient_id)"
    return {name: con.execute(f"{rows} ORDER BY ALL").fetchall() for name, rows in found.items()}


def reported(cohort: Cohort, chance: Random) -> list[tuple[str, dict[str, str], datetime]]:
    """Every version of every row, with the moment its source reported it at: in no particular order of arrival."""
    found = []
    for name, rows in cohort.items():
        for row in rows if name != "patients" else ():
            days = sorted(chance.randrange(100, 190) for _ in range(2))
            for days_after, version in zip(days, versions(name, row, chance), strict=False):
                moment = datetime.combine(cohorts.FIRST, datetime.min.time()) + timedelta(days_after, hours=9)
                found.append((name, version | {"reported_at": moment.isoformat()}, moment))
    chance.shuffle(found)
    return found


def test_what_was_known_by_a_moment_is_a_store_of_what_was_reported_by_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slips, "hold", lambda con, source: None)  # it asks what the store holds, not what was known
    cohort, chance = drawn(6_000), Random(2)
    rows = reported(cohort, chance)
    patients = {"patients": cohort["patients"]} if cohort["patients"] else {}

    def holding(reported_by: Callable[[datetime], bool]) -> duckdb.DuckDBPyConnection:
        con, held = cohorts.new_store(), dict(patients)
        for name, row, moment in rows:
            if reported_by(moment):
                held[name] = [*held.get(name, []), row]
        receive(con, held, LOADS[0])
        return con

    everything = holding(lambda moment: True)
    for offset in (120, 160):
        past = datetime.combine(cohorts.FIRST, datetime.min.time()) + timedelta(offset, hours=9)
        assert read(everything, Known(at=past)) == read(holding(lambda moment, past=past: moment <= past))


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory):
    """A store of three loads, and what it answered by a few rules after each, and what they read: as of its last day and of another."""
    with some_rules.in_use(some_rules.only(*RULES)):
        folder = tmp_path_factory.mktemp("past")
        store, then = Store(folder / "store"), []
        for number, rows in enumerate(in_loads(drawn(7_000), Random(3))):
            arrive(store, folder / str(number), rows, LOADS[number])
            then.append((ask(store), ask(store, as_of=date(2024, 3, 1)), ask(store, read)))
        yield store, then


def arrive(store: Store, folder: Path, rows: Cohort, moment: datetime) -> None:
    """One load of the rows, as native files."""
    folder.mkdir()
    for name, found in rows.items():
        (folder / f"{name}.csv").write_text(cohorts.as_csv(found), encoding="utf-8")
    load(store, [folder], received_at=moment)


def ask(store: Store, question: Callable = findings.standing, **asked) -> list[dict]:
    with open_snapshot(store.folder) as snapshot, snapshot.cursor() as cursor:
        return question(cursor, **asked)


def test_what_was_received_by_a_moment_is_what_was_read_then(past) -> None:
    store, then = past
    for moment, (*_, records) in zip(LOADS, then, strict=True):
        assert ask(store, read, known=Known(received_at=moment)) == records
    before = ask(store, read, known=Known(received_at=LOADS[0] - timedelta(seconds=1)))
    assert not any(before.values())


class TestFindings:
    def test_received_at_they_are_those_of_the_store_of_then(self, past) -> None:
        store, then = past
        for moment, (standing, in_march, _) in zip(LOADS, then, strict=True):
            known = Known(received_at=moment)
            assert ask(store, known=known) == standing
            assert ask(store, known=known, as_of=date(2024, 3, 1)) == in_march
        assert then[0][0] != then[1][0] != then[2][0]
        assert ask(store, findings.history, known=Known(received_at=LOADS[-1])) == ask(store, findings.history)

    @pytest.mark.parametrize("known", [Known(received_at=LOADS[1]), Known(at=datetime(2024, 2, 10))], ids=repr)
    def test_of_one_patient_they_are_those_of_everybody(self, past, known: Known) -> None:
        everybody = ask(past[0], known=known)
        patients = sorted({row["patient_id"] for row in everybody})
        assert len(patients) > 2
        for patient_id in patients[:2]:
            alone = ask(past[0], known=known, patients=[patient_id])
            assert alone == [row for row in everybody if row["patient_id"] == patient_id]
        assert ask(past[0], known=known, criterion="risk_factors") == [
            row for row in everybody if row["criterion"] == "risk_factors"
        ]


def test_as_of_a_day_nothing_changes_when_later_records_arrive(tmp_path: Path, put_rules) -> None:
    put_rules(some_rules.only(*RULES))
    store, day = Store(tmp_path / "store"), date(2024, 2, 10)
    earlier: Cohort = {}
    later: Cohort = {}
    for name, rows in drawn(6_000).items():
        for row in rows if name in ("labs", "oxygen", "administrations") else ():
            dated = row.get("start") or row.get("at", "")
            (later if dated[:10] > day.isoformat() else earlier).setdefault(name, []).append(row)
    told = []
    for number, rows in enumerate((earlier, later)):
        arrive(store, tmp_path / str(number), rows, LOADS[number])
        told.append((ask(store, as_of=day), ask(store, findings.history, as_of=day)))
    assert told[0] == told[1] and told[0][0] and later["labs"]
