"""What a decision froze is read whole or not at all."""

import pytest

from pipelines.frozen_decision import Frozen, read

ANSWER = {"criterion": "high_ferritin", "item": None, "finding": "Ferritin 1,700", "evidence": ["12"], "grade": 3}
RULES = {"high_ferritin": {"version": 2, "content_hash": "abc"}}
WHOLE = {"snapshot": 3, "as_of": "2024-04-30", "answers": [ANSWER], "rules": RULES}

UNREADABLE = [
    None, [], "text",
    {"as_of": "x"}, {"as_of": {"b": 1}}, {"as_of": "2024-02-30"}, {"as_of": "20240430"}, {"as_of": 20240430},
    {"snapshot": "3"}, {"snapshot": True}, {"snapshot": [3]},
    {"answers": {"a": 1}}, {"answers": ["a"]}, {"answers": "a"}, {"answers": [{}]}, {"answers": [ANSWER | {"finding": None}]},
    {"answers": [ANSWER | {"criterion": ["x"]}]}, {"answers": [ANSWER | {"evidence": "12"}]}, {"answers": [ANSWER | {"evidence": [None]}]},
    {"answers": [ANSWER | {"item": {}}]}, {"answers": [ANSWER, 1]},
    {"rules": ["x"]}, {"rules": "x"}, {"rules": {"high_ferritin": "x"}}, {"rules": {"high_ferritin": {}}},
    {"rules": {"high_ferritin": {"content_hash": 7}}}, {"rules": {"high_ferritin": {"content_hash": "abc", "version": "2"}}},
]  # fmt: skip


def test_what_was_kept_comes_back():
    assert read(WHOLE) == Frozen("2024-04-30", 3, [ANSWER], RULES)
    assert read({"as_of": "2024-04-30"}) == Frozen("2024-04-30", None, [], {})
    assert read({}) == Frozen(None, None, [], {})


@pytest.mark.parametrize("frozen", UNREADABLE, ids=str)
def test_what_is_of_another_shape_is_nothing(frozen):
    assert read(frozen if not isinstance(frozen, dict) else WHOLE | frozen) is None
