"""The heading of a panel in the left margin: its title, its unit with the scale, and its note, wrapped to the margin."""

import re

from dashboard import style
from dashboard.charts.panel import Panel

LETTERS = 30  # of one line
LINE = 16  # pixels
_TOGETHER = re.compile(r"\d{1,2} [A-Z][a-z]{2} \d{4}[,;]?|= 100 %|\S+")  # a date stays on one line


def lines(panel: Panel) -> list[str]:
    """What is said: beside the title what fits there of the unit, below it the rest and the note. The first may be empty."""
    if panel.empty or panel.axis.get("lanes"):  # below are other words
        return [panel.unit]
    beside = LETTERS - len(panel.title) - 1
    told = [panel.unit] if len(panel.unit) <= beside else ["", *wrapped(panel.unit)]
    return told + wrapped(panel.note)


def wrapped(text: str) -> list[str]:
    """Text in lines of at most LETTERS, longer ones cut."""
    found: list[str] = []
    for word in _TOGETHER.findall(text):
        word = word if len(word) <= LETTERS else word[: LETTERS - 1] + "…"
        if found and len(found[-1]) + len(word) < LETTERS:
            found[-1] += f" {word}"
        else:
            found.append(word)
    return found


def text(panel: Panel, narrow: bool = False) -> str:
    """The heading as a Plotly label; on a narrow screen what fits in one line of it."""
    first, *below = lines(panel)
    if narrow:
        said = " ".join([first, *below]).strip()
        room = LETTERS + 22 - len(panel.title)
        first, below = said if len(said) <= room else said[: room - 1] + "…", []
    parts = [f"<b>{style.as_label(panel.title)}</b>" + (f" {_grey(first)}" if first else ""), *map(_grey, below)]
    return "<br>".join(parts)


def _grey(said: str) -> str:
    return f"<span style='color:{style.GREY}'>{style.as_label(said)}</span>"
