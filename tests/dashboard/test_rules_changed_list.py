"""Rules that changed since the last meeting: those that turned an answer are named, of the others how many there are."""

from dashboard import change_list
from dashboard.data.meeting import Changes


def rule(title: str, patients: int) -> dict:
    return {"title": title, "patients": patients, "through": [title], "why": "a number was corrected", "answers": [], "change": "changed",
            "version": 2, "judged_at": "2024-05-01T10:00:00"}  # fmt: skip


def told(*rows: dict) -> list[str]:
    return [change_list.words(line) for line in change_list.lines(Changes(rules=list(rows)))["rules"]]


def test_a_rule_that_turned_an_answer_is_named_before_the_others_are_counted():
    said = told(rule("A", 0), rule("B", 3), rule("C", 0))
    assert len(said) == 2
    assert said[0].startswith("B changed, version 2") and "3 patients" in said[0]
    assert said[1] == "2 rules changed, no answer of any patient is another by it: A, C"


def test_one_alone_is_named_and_of_many_three_are():
    assert told(rule("A", 0))[0].startswith("A changed")
    assert told(*(rule(name, 0) for name in "ABCDE"))[0].endswith(": A, B, C and 2 more")
