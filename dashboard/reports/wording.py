"""Words and lengths that every form of a packet shares."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dashboard.reports.packet import Evidence, Missing, Packet, absent

Told = Callable[[int, int], None]  # done, of


class Part(NamedTuple):
    """A part that the meeting gives: the field of the packet, its title, its columns by field, and their widths (0: as wide as needed)."""

    name: str
    title: str
    columns: dict[str, str]
    widths: tuple[float, ...]


PARTS = (
    Part("changes", "Changed since the last meeting", {"kind": "Kind", "text": "What", "day": "Day"}, (0, 1, 0)),
    Part(
        "decisions",
        "Decisions",
        {"day": "Day", "text": "Decision", "why": "Why", "owner": "Owner", "due": "Due", "effect": "Expected effect",
         "outcome": "Did it work?"},
        (0, 1.5, 1.2, 0.6, 0, 1, 1),
    ),
    Part("notes", "Notes", {"day": "Day", "text": "Note", "topic": "Topic", "author": "By"}, (0, 1, 0, 0)),
    Part("transplant", "Transplant", {"name": "What", "value": "Says"}, (0.3, 1)),
    Part("infection", "Infection", {"name": "What", "value": "Says"}, (0.3, 1)),
)  # fmt: skip


def sentence(row: object, part: Part) -> str:
    """A row of a part in one line: 'Referral clock: 61 days', or its cells with commas between."""
    cells = [getattr(row, name) for name in part.columns]
    return (": " if "value" in part.columns else ", ").join(cell for cell in cells if cell)


def cut(text: str, most: int) -> str:
    """A text of at most so many letters, in one line."""
    plain = " ".join(text.split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def title(packets: Sequence[Packet]) -> str:
    """What a file is called in itself: no patient's name where there are several."""
    return "Meeting packet: agenda" if len(packets) > 1 else f"Meeting packet: {packets[0].patient_id}"


def source(one: Evidence) -> str:
    """'labs.csv line 12'; '' where the file is left out."""
    return f"{one.file} line {one.line}" if one.file else ""


def settles(one: Missing) -> str:
    """'FVC (settles 2, asked for by 5)'."""
    if not one.settles:
        return f"{one.thing} (settles none alone, asked for by {one.asked_by})"
    asked = f", asked for by {one.asked_by}" if one.asked_by != one.settles else ""
    return f"{one.thing} (settles {one.settles}{asked})"


def all_absent(packet: Packet) -> str:
    """What is said of every part that has no rows."""
    return " ".join(words for part in PARTS if (words := absent(packet, part.name)))
