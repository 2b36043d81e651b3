"""What a decision froze of its moment: the answers that the meeting saw, and the versions of the rules that gave them.

It comes back as the text of a file, so its shape is checked here, once, before anybody reads it.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Frozen:
    """`as_of`: the as-of day as ISO text, `snapshot`: its number; None where that was not kept. `answers`: criterion, item, finding (the
    sentence of then) and evidence (record ids), with whatever else was kept of each. `rules`: by criterion its version and content_hash."""

    as_of: str | None
    snapshot: int | None
    answers: list[dict]
    rules: dict[str, dict]


KEPT = ("criterion", "item", "status", "grade", "on_date", "since", "evidence", "missing", "margin", "finding")


def made(answers: list[dict], versions: dict[str, dict], as_of: date, snapshot: int) -> dict:
    """What a decision keeps, for `entries.entry_file`: answers (`findings.standing`), and of their rules the versions (by criterion:
    version, content_hash)."""
    told = {row["criterion"] for row in answers}
    return {
        "snapshot": snapshot,
        "as_of": as_of,
        "answers": [{name: row[name] for name in KEPT} for row in answers],
        "rules": {
            name: {"version": rule["version"], "content_hash": rule["content_hash"]}
            for name, rule in sorted(versions.items())
            if name in told
        },
    }


def read(frozen: object) -> Frozen | None:
    """What the `frozen` of a decision says; None where it cannot be read: nothing counts as frozen then."""
    if not isinstance(frozen, dict):
        return None
    as_of, snapshot = frozen.get("as_of"), frozen.get("snapshot")
    answers, rules = frozen.get("answers") or [], frozen.get("rules") or {}
    readable = (
        (as_of is None or _is_day(as_of))
        and (snapshot is None or type(snapshot) is int)
        and isinstance(answers, list)
        and all(map(_is_answer, answers))
        and isinstance(rules, dict)
        and all(map(_is_version, rules.values()))
    )
    return Frozen(as_of, snapshot, answers, rules) if readable else None


def _is_day(text: object) -> bool:
    try:
        return isinstance(text, str) and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_answer(answer: object) -> bool:
    return (
        isinstance(answer, dict)
        and all(isinstance(answer.get(name), str) for name in ("criterion", "finding"))
        and isinstance(answer.get("item"), str | None)
        and isinstance(answer.get("evidence"), list)
        and all(isinstance(record_id, str) for record_id in answer["evidence"])
    )


def _is_version(rule: object) -> bool:
    return isinstance(rule, dict) and isinstance(rule.get("content_hash"), str) and type(rule.get("version", 0)) is int
