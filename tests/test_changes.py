"""What changed since a meeting: five kinds, each with the record that did it, by replay of what had been received then."""

import shutil
from collections import defaultdict
from datetime import date, datetime
from pathlib import Path

import pytest

from pipelines import changed_flags, changes, entries, findings
from pipelines.changes import Changes, Since
from pipelines.load import load
from pipelines.store.database import SnapshotReader, Store
from tests import some_rules

RULES = some_rules.only("high_ferritin", "urgent_transfer", "overdue_tests")
MET_AT, LATER = (
    datetime(2024, 6, 1, 9),
    datetime(2024, 6, 8, 9),
)  # when the files before and after the meeting were received
MEETING, NOW = date(2024, 5, 31), date(2024, 6, 8)  # the meeting looked at the day before
SINCE = Since(MET_AT, MEETING)

HEADERS = {
    "labs": "patient_id,analyte,value,unit,at,status,record_id\n",
    "oxygen": "patient_id,at,device,fio2,record_id\n",
    "administrations": "patient_id,drug,route,dose,dose_unit,per,start,stop,ongoing,record_id\n",
    "patients": "patient_id,sex,birth_year,site\n",
}
BEFORE = {
    "labs": """quiet,ferritin,600,ng/mL,2024-05-20,,q1
grade,ferritin,600,ng/mL,2024-05-20,,g1
late,ferritin,600,ng/mL,2024-05-20,,l1
fixed,ferritin,2000,ng/mL,2024-05-25,,f1
slot,ferritin,2000,ng/mL,2024-05-25,,
gone,ferritin,300,ng/mL,2024-05-10,,w1
gone,ferritin,2000,ng/mL,2024-05-25,,w2
tomorrow,ferritin,300,ng/mL,2024-05-20,,t1
tomorrow,ferritin,900,ng/mL,2024-06-01,,t2
reissued,ferritin,600,ng/mL,2024-05-20,,r1
""",
    "oxygen": "unknown,2024-05-30,HFNC,0.5,o1\n",
    "administrations": """course,prednisolone,oral,20,mg,day,2024-05-20,,yes,c1
wait,prednisolone,oral,60,mg,day,2024-05-24,,yes,c2
wait,ciclosporin,oral,100,mg,day,2024-05-24,,yes,c3
""",
    "patients": "sexed,female,1955,here\n",
}
AFTER = {
    "labs": """grade,ferritin,1600,ng/mL,2024-06-05,,g2
late,ferritin,1200,ng/mL,2024-05-25,,l2
fixed,ferritin,200,ng/mL,2024-05-25,corrected,f1
slot,ferritin,200,ng/mL,2024-05-25,corrected,
gone,ferritin,2000,ng/mL,2024-05-25,entered in error,w2
fresh,ferritin,700,ng/mL,2024-06-06,,n1
""",
    "oxygen": "unknown,2024-06-03,,0.4,o2\n",
    "administrations": "course,prednisolone,oral,20,mg,day,2024-05-20,2024-06-04,,c1\n",
    "patients": "sexed,male,1955,here\n",
}
DECISION = {
    "kind": "decision",
    "patient_id": "quiet",
    "text": "ask again",
    "owner": "Dr A",
    "frozen": {"as_of": "2024-05-25"},
}
EXPECTED = {"criterion": "high_ferritin", "code": "not_met"}
ENTRIES = (
    DECISION | {"entry_id": "overdue", "day": date(2024, 5, 25), "due_on": date(2024, 6, 7)},
    DECISION | {"entry_id": "due today", "day": date(2024, 5, 25), "due_on": NOW},
    DECISION | {"entry_id": "done", "day": date(2024, 5, 25), "due_on": date(2024, 6, 2)},
    DECISION | {"entry_id": "not done", "day": date(2024, 5, 25), "due_on": date(2024, 6, 3)},
    DECISION | EXPECTED | {"entry_id": "check today", "day": MEETING, "until": NOW},
    DECISION | EXPECTED | {"entry_id": "checked then", "day": date(2024, 5, 25), "until": MEETING},
    DECISION | EXPECTED | {"entry_id": "check later", "day": MEETING, "until": date(2024, 6, 9)},
    DECISION | EXPECTED | {"entry_id": "dropped", "day": MEETING, "until": date(2024, 6, 5), "due_on": date(2024, 6, 5)},
    {"kind": "progress", "patient_id": "quiet", "about": "done", "day": date(2024, 6, 2), "code": "done"},
    {"kind": "progress", "patient_id": "quiet", "about": "not done", "day": date(2024, 6, 3), "code": "not_done"},
    {"kind": "progress", "patient_id": "quiet", "about": "dropped", "day": date(2024, 6, 4), "code": "dropped"},
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def some_of_the_rules():
    with some_rules.in_use(RULES):
        yield


class Kept:
    """A store before and after, what stood in it before, and what changed of everybody."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "store")
        receive(self.store, folder / "before", BEFORE, MET_AT)
        with SnapshotReader(self.store.folder).cursor() as cursor:
            self.then = findings.standing(cursor, MEETING)
        receive(self.store, folder / "after", AFTER, LATER)
        (folder / "entries.csv").write_text(entries.entry_file(ENTRIES, "Dr A", LATER))
        assert load(self.store, [folder / "entries.csv"], received_at=LATER).files[0].rejected == 0
        with self.cursor() as cursor:
            self.patients = [row[0] for row in cursor.execute("SELECT patient_id FROM record.patient").fetchall()]
            self.now = findings.standing(cursor, NOW)
            self.found = changes.changes(cursor, self.patients, SINCE, NOW)

    def cursor(self):
        return SnapshotReader(self.store.folder).cursor()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept(tmp_path_factory.mktemp("changes"))


def receive(store: Store, folder: Path, files: dict[str, str], moment: datetime) -> None:
    folder.mkdir()
    for name, rows in files.items():
        (folder / f"{name}.csv").write_text(HEADERS[name] + rows)
    report = load(store, [folder], received_at=moment)
    assert not any(file.refused or file.rejected for file in report.files)


def flags(answers: list[dict]) -> dict[str, set[tuple]]:
    """By patient what is met, with its grade."""
    found = defaultdict(set)
    for row in answers:
        if row["status"] == "met":
            found[row["patient_id"]].add((row["criterion"], row["item"], row["grade"]))
    return found


def turned(then: set[tuple], changed: Changes) -> set[tuple]:
    """The flags of then with what is said to have changed."""
    flags = set(then)
    for row in [*changed.gained, *changed.lost]:
        if row["before_status"] == "met":
            flags.remove((row["criterion"], row["item"], row["before_grade"]))
        if row["status"] == "met":
            flags.add((row["criterion"], row["item"], row["grade"]))
    return flags


# patient -> (gained or lost, criterion, item, change, because, [(value of the record that did it, how)])
CASES = {
    "grade": ("gained", "high_ferritin", None, "grade", "records", [("1600", "received")]),
    "late": ("gained", "high_ferritin", None, "grade", "records", [("1200", "received")]),
    "fresh": ("gained", "high_ferritin", None, "met", "records", [("700", "received")]),
    "tomorrow": ("gained", "high_ferritin", None, "met", "records", [("900", "dated")]),
    "fixed": ("lost", "high_ferritin", None, "ceased", "records", [("200", "corrected")]),
    "slot": ("lost", "high_ferritin", None, "ceased", "records", [("200", "corrected")]),
    "gone": ("lost", "high_ferritin", None, "ceased", "corrected", [("2000", "withdrawn")]),
    "unknown": ("lost", "urgent_transfer", None, "unknown", "records", [("0.4", "received")]),
    "wait": ("gained", "overdue_tests", "kl6", "met", "waiting time", []),
}


@pytest.mark.parametrize("patient_id", CASES)
def test_a_flag_that_stands_otherwise_names_the_record_that_did_it(kept, patient_id):
    side, criterion, item, change, because, did = CASES[patient_id]
    found = {name: getattr(kept.found[patient_id], name) for name in ("gained", "lost")}
    row = next(row for row in found[side] if (row["criterion"], row["item"]) == (criterion, item))
    assert (row["change"], row["because"]) == (change, because)
    assert [(record["value"], record["how"]) for record in row["did"]] == did
    assert all(record["file"] and record["line"] >= 2 and record["record_id"].isdigit() for record in row["did"])
    assert not found["lost" if side == "gained" else "gained"]


def test_what_was_met_and_now_cannot_be_told_says_what_is_missing(kept):
    (row,) = kept.found["unknown"].lost
    assert (row["status"], row["missing"]) == ("not_evaluable", ["oxygen support"])


def test_then_with_the_changes_is_now(kept):
    then, now = flags(kept.then), flags(kept.now)
    assert any(then.values())
    for patient_id in kept.patients:
        assert turned(then[patient_id], kept.found[patient_id]) == now[patient_id], patient_id


def test_what_is_judged_again_is_what_a_snapshot_of_then_said(kept):
    again = [changed_flags.BY_REPLAY, changed_flags.NOTHING]
    with kept.cursor() as cursor, changed_flags._sides(cursor, kept.patients, SINCE, NOW) as (own, before, _):
        assert before in again
        found = findings.fetch_rows(own.execute(before.replace("$%s", "$day"), {"day": MEETING}))
    names = ("patient_id", "criterion", "item", "status", "grade", "since")

    def compared(rows):
        return sorted(str([row[name] for name in names] + sorted(map(str, row["evidence"]))) for row in rows)

    assert compared(found) == compared(kept.then)


@pytest.mark.parametrize("patient_id", ["quiet", "reissued"])
def test_of_a_patient_of_whom_nothing_was_received_nothing_changed(kept, patient_id):
    found = kept.found[patient_id]
    assert not (found.new or found.corrected or found.gained or found.lost or found.rules)


@pytest.mark.parametrize("day", [MEETING, NOW])
def test_nothing_changed_since_just_now(kept, day):
    with kept.cursor() as cursor:
        found = changes.changes(cursor, kept.patients, Since(LATER, day), day)
    assert not any(one.new or one.corrected or one.gained or one.lost or one.rules for one in found.values())


def test_new_is_what_was_not_seen_then(kept):
    rows = {
        name: [(row["what"], row["value"], row["unit"], row["day"], row["because"], row["late"]) for row in one.new]
        for name, one in kept.found.items()
        if one.new
    }
    assert rows == {
        "grade": [("ferritin", "1600", "ng/mL", date(2024, 6, 5), "received", False)],
        "late": [("ferritin", "1200", "ng/mL", date(2024, 5, 25), "received", True)],
        "fresh": [("ferritin", "700", "ng/mL", date(2024, 6, 6), "received", False)],
        "tomorrow": [("ferritin", "900", "ng/mL", date(2024, 6, 1), "dated", False)],
        "unknown": [("fio2", "0.4", None, date(2024, 6, 3), "received", False)],
    }
    record = kept.found["late"].new[0]
    assert (record["file"], record["line"], record["received_at"]) == ("labs.csv", 3, LATER)


def test_corrected_is_another_version_or_none_of_what_stood_then(kept):
    rows = {
        name: [
            (row["what"], row["old"]["value"], row["new"] and row["new"]["value"], row["withdrawn"], row["continues"],
             [(one["field"], one["old"], one["new"]) for one in row["changed"]])
            for row in one.corrected
        ]
        for name, one in kept.found.items()
        if one.corrected
    }  # fmt: skip
    same = [("value", "2000", "200"), ("value as judged", "2000.000000 to 2000.000000", "200.000000 to 200.000000")]
    assert rows == {
        "fixed": [("ferritin", "2000", "200", False, False, [*same, ("status", "final", "corrected")])],
        "slot": [("ferritin", "2000", "200", False, False, [*same, ("status", "final", "corrected")])],
        "gone": [("ferritin", "2000", "2000", True, False, [])],
        "course": [("prednisolone", "20", "20", False, True, [("end", "going on", "2024-06-04")])],
        "sexed": [("sex", "female", "male", False, False, [("value", "female", "male")])],
    }
    (row,) = kept.found["fixed"].corrected
    assert row["old"]["record_id"] != row["new"]["record_id"]
    assert (row["old"]["file"], row["old"]["line"], row["new"]["line"]) == ("labs.csv", 5, 4)


def test_nothing_dated_after_the_day_is_told(kept):
    with kept.cursor() as cursor:
        found = changes.changes(cursor, ["grade", "course"], SINCE, date(2024, 6, 3))
    assert not any(found.values())  # the end of the course on 4 June is going on until then


def test_where_no_moment_of_the_meeting_is_known_the_days_alone_tell(kept):
    with kept.cursor() as cursor:
        found = changes.changes(cursor, ["grade", "late", "fixed", "tomorrow"], Since(None, MEETING), NOW)
    assert {name: len(one.new) for name, one in found.items()} == {"grade": 1, "late": 0, "fixed": 0, "tomorrow": 1}
    assert not any(one.corrected or one.lost for one in found.values())
    assert [row["grade"] for row in found["grade"].gained] == [3]
    assert not found["late"].gained


def test_a_day_before_that_of_the_meeting_is_refused(kept):
    with kept.cursor() as cursor, pytest.raises(ValueError, match="before that of the meeting"):
        changes.changes(cursor, ["quiet"], SINCE, date(2024, 5, 30))


def test_a_decision_is_undone_from_its_due_day_on_and_to_check_from_its_check_day_on(kept):
    assert [(row["entry_id"], row["due"]) for row in kept.found["quiet"].undone] == [
        ("checked then", "to check"),  # nobody has looked at the patient since
        ("not done", "to do"),
        ("overdue", "to do"),
        ("check today", "to check"),
        ("due today", "to do"),
    ]
    assert kept.found["quiet"].undone[1]["progress"]["code"] == "not_done"


def by_criterion(found: dict[str, Changes], side: str) -> dict[str, list[str]]:
    rows = [row for one in found.values() for row in getattr(one, side)]
    names = {row["criterion"] for row in rows}
    return {name: sorted({row["patient_id"] for row in rows if row["criterion"] == name}) for name in names}


def test_the_cohort_is_all_patients_together(kept):
    with kept.cursor() as cursor:
        whole = changes.cohort_changes(cursor, SINCE, NOW)
    for side in ("gained", "lost"):
        assert {row["criterion"]: row["patients"] for row in whole[side]} == by_criterion(kept.found, side)
    new, corrected = (
        [row for one in kept.found.values() for row in getattr(one, kind)] for kind in ("new", "corrected")
    )
    recorded = [row for row in corrected if row["kind"] != "patient"]
    assert whole["records"] == {
        "new": {"records": len(new), "late": sum(row["late"] for row in new), "patients": 5},
        "corrected": {
            "records": len(recorded),
            "withdrawn": sum(row["withdrawn"] for row in recorded),
            "continues": sum(row["continues"] for row in recorded),
            "patients": 4,
        },
    }
    assert whole["left_out"]["patients"] == [] and len(whole["undone"]) == 5
    assert next(row for row in whole["lost"] if row["criterion"] == "urgent_transfer")["unknown"] == ["unknown"]


def test_the_cohort_says_who_is_left_out_and_compares_the_others(kept):
    with kept.cursor() as cursor:
        whole = changes.cohort_changes(cursor, SINCE, NOW, most=1)
    assert "at most 1 patients" in whole["left_out"]["why"] and len(whole["left_out"]["patients"]) == 6
    named = {patient_id for side in ("gained", "lost") for row in whole[side] for patient_id in row["patients"]}
    assert not named & set(whole["left_out"]["patients"])
    assert "wait" in named and "tomorrow" in named  # of them nothing was received: their spells say it


def test_rules_changed_are_told_to_the_patients_they_answer_for(kept, tmp_path, put_rules):
    store = Store(shutil.copytree(kept.store.folder, tmp_path / "store"))
    raised = some_rules.with_threshold(RULES, "high_ferritin", "grade_1_above", 650)
    put_rules(raised)
    try:
        with SnapshotReader(
            store.folder
        ).cursor() as cursor:  # judged by the rules before: everyone is judged again, on both sides
            before = changes.changes(cursor, kept.patients, SINCE, NOW)
            then = flags(findings.standing(cursor, MEETING, known=findings.Known(received_at=MET_AT)))
            now = flags(findings.standing(cursor, NOW))
        load(store, [], received_at=datetime(2024, 6, 9, 9))
        with SnapshotReader(store.folder).cursor() as cursor:
            after = changes.changes(cursor, ["quiet", "course"], Since(LATER, NOW), NOW)
            whole = changes.cohort_changes(cursor, Since(LATER, NOW), NOW)
    finally:
        some_rules.put(RULES)
    assert not then["quiet"] and before["grade"].gained[0]["change"] == "met"
    assert all(turned(then[name], before[name]) == now[name] for name in kept.patients)
    (rule,) = after["quiet"].rules
    assert (rule["criterion"], rule["change"], rule["patients"]) == ("high_ferritin", "changed", 2)
    assert rule["through"] == [rule["title"]] and rule["answers"] == [{"item": None, "status": "not_met"}]
    assert after["course"].rules[0]["answers"] == [{"item": None, "status": "not_evaluable"}]
    assert not after["quiet"].lost  # by the rules of now on both sides
    assert [row["criterion"] for row in whole["rules"]] == ["high_ferritin"]
