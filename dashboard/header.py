"""What stands above the chart: the header strip as cards, and one line on what changed since the last meeting.

The day of the last meeting is in the address (`since`), else it is the latest one recorded; where none is, a week is assumed.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import streamlit as st

from dashboard import address, day_input, relative_days, strip, style
from dashboard.charts.flags import lane_name
from dashboard.data import meeting

ASSUMED_DAYS = 7
EARLIEST = date(1950, 1, 1)  # what the calendar offers
NAMED = 2  # so many newly met flags are named in the line; all of them above the flags, and each is marked on its card


@dataclass(frozen=True)
class LastMeeting:
    """The day from which changes are counted; `assumed` where no reader has said it."""

    day: date
    assumed: bool


def last_meeting(as_of: date, of: str | None = None) -> LastMeeting:
    """The last meeting the address names, if that is a day up to the as-of day; else the latest one recorded before it, else a week
    before. `of`: the patient whose days they are, while days count from a first record."""
    asked = address.now().since
    if asked and EARLIEST <= asked <= as_of:
        return LastMeeting(asked, assumed=False)
    recorded = meeting.last_meeting(as_of, of)
    if recorded:
        return LastMeeting(recorded.as_of, assumed=False)
    return LastMeeting(as_of - timedelta(days=ASSUMED_DAYS), assumed=True)


def draw(page: dict[str, list[dict]], as_of: date, since: LastMeeting) -> None:
    """The cards, and below them the line on the flags with the calendar in which the reader says when the last meeting was."""
    with st.container(key="strip"):
        for number, card in enumerate(strip.cards(page, as_of)):
            draw_card(card, number)
    with st.container(horizontal=True, vertical_alignment="center", key="changes"):
        st.markdown(sentence(page, as_of, since))
        day_input.draw("Last meeting", "last_meeting", since.day, EARLIEST, as_of, say_meeting, width=250)


def draw_card(card: strip.Card, number: int) -> None:
    """A card is one text: name, that it is stale, value, what dates it."""
    marks = ("" if card.known else "unknown-") + ("stale-" if card.stale else "")
    stale = f" **{style.as_markdown('◷ ' + card.stale)}**" if card.stale else ""
    lines = [
        style.as_markdown(card.name) + stale, f"**{style.as_markdown(card.value)}**", style.as_markdown(card.detail)
    ]  # fmt: skip
    with st.container(border=True, key=f"card-{marks}{number}", height="stretch"):
        st.markdown("\n\n".join(lines))


def say_meeting() -> None:
    """Puts the day chosen into the address."""
    chosen = day_input.said("last_meeting")
    if chosen:
        address.put(since=relative_days.in_address(chosen))


def sentence(page: dict, as_of: date, since: LastMeeting) -> str:
    """The line on the flags, as Markdown: met, newly met, no longer met, and what record would settle most of the rest."""
    standing = strip.standing(page, as_of)
    met = sum(row["status"] == "met" for row in standing)
    unknown = sum(row["status"] == "not_evaluable" for row in standing)
    held = f"{style.day(since.day)}, a week before: assumed" if since.assumed else style.day(since.day)
    parts = [
        f"**Met {met}**",
        f"**newly met** since the last meeting ({held}): {_counted(strip.newly_met(page, as_of, since.day))}",
        f"no longer met: {_counted(strip.no_longer_met(page, as_of, since.day), named=1)}",
    ]
    between = strip.met_between(page, as_of, since.day)
    if between:
        parts.append(f"met and ceased in between: {_counted(between, named=1)}")
    parts.append(f"**Cannot be told {unknown}**{_settled(page, as_of)}")
    return " · ".join(parts)


def _counted(answers: list[dict], named: int = NAMED) -> str:
    """'**3** (urgent transfer, overdue tests: CRP, and 1 more)'."""
    if not answers:
        return "0"
    names = [style.as_markdown(name(answer)) for answer in answers[:named]]
    if len(answers) > named:
        names.append(f"and {len(answers) - named} more")
    return f"**{len(answers)}** ({', '.join(names)})"


def name(answer: dict) -> str:
    """A flag in few words, as the lanes of the chart call it; and where it is no longer met, that it is now unknown."""
    unknown = ", now unknown" if answer.get("now") == "not_evaluable" else ""
    return lane_name(answer["criterion"], answer["item"]) + unknown


def _settled(page: dict, as_of: date) -> str:
    """': ferritin would settle 3 criteria (asked for by 7)'; nothing where nothing is missing."""
    most = strip.settling(page, as_of)
    if most is None:
        return ""
    thing = style.as_markdown(most.thing)
    if not most.settles:
        return f": none by one record alone; {thing} is asked for by {_criteria(most.asked_by)}"
    asked = f" (asked for by {most.asked_by})" if most.asked_by != most.settles else ""
    return f": a record of **{thing}** would settle {_criteria(most.settles)}{asked}"


def _criteria(number: int) -> str:
    return "1 criterion" if number == 1 else f"{number} criteria"
