"""The header strip of the patient page: what stands on the as-of day, each with its unit and date, and what was never measured;
which flags are met, newly met or no longer met since a day, and what record would settle most of the rest.

Nothing dated after the as-of day is read: without the later records every card and count is the same.
"""

from dataclasses import replace
from datetime import date
from typing import NamedTuple

from dashboard import anchors, result_cards, style
from dashboard.charts import oxygen_support, treatment
from dashboard.result_cards import Card
from pipelines import dictionary
from pipelines.alert_rules import is_urgent
from pipelines.catalog import catalog

SHORT = ("room air", "low flow", "mask", "reservoir", "HFNC", "NIV, CPAP", "ventilated", "ECMO")
SCHEDULED = {
    "Ferritin": "ferritin",
    "FVC": "lung_function",
    "DLCO": "lung_function",
}  # card -> test of the monitoring schedule
THERAPY = ("combination therapy", "therapy start")  # missing things that no test settles: treatment would have to begin


def cards(page: dict[str, list[dict]], as_of: date) -> list[Card]:
    """The cards of a patient's tables as of a day."""
    due = overdue(page, as_of)
    drawn = [
        oxygen(page, as_of),
        result_cards.ferritin(page, as_of),
        result_cards.titre(page, as_of),
        result_cards.lung_function(page, as_of, "fvc"),
        result_cards.lung_function(page, as_of, "dlco"),
        glucocorticoid(page, as_of),
        therapy(page, as_of),
        last_record(page, as_of),
    ]
    return [_aged(card, page, due, as_of) for card in drawn]


def overdue(page: dict, as_of: date) -> dict[str, date]:
    """The tests of the monitoring schedule that are overdue on a day (criterion overdue_tests), each with the day it was due."""
    place = catalog().criteria["overdue_tests"].facts.index("due")
    return {
        row["item"]: date.fromisoformat(row["facts"][place])
        for row in standing(page, as_of)
        if row["criterion"] == "overdue_tests" and row["status"] == "met"
    }


def _aged(card: Card, page: dict, due: dict[str, date], as_of: date) -> Card:
    """The card, said to be stale where its test is overdue. DLCO has no interval of its own: it is stale with the FVC, unless newer."""
    item = SCHEDULED.get(card.name)
    if item not in due:
        return card
    tested = [
        result_cards.on(row)
        for row in page["observation"]
        if row["analyte"] in dictionary.monitoring()[item]["analytes"] and result_cards.on(row) <= as_of
    ]
    if card.on and card.on > max(tested, default=date.min):
        return card
    days = (as_of - due[item]).days
    said = f"{days} day{'s' * (days != 1)}" if days else "today"
    stale = f"{'stale' if card.known else 'overdue'} {said}"
    return replace(card, stale=stale, detail=f"{card.detail}; due {style.day(due[item])}")


def oxygen(page: dict, as_of: date) -> Card:
    """The last record that says on what support the patient was, and the last one before it that is known to differ."""
    known = [row for row in oxygen_support.rows(page) if row["level"] is not None and result_cards.on(row) <= as_of]
    if not known:
        return Card("Oxygen now", "never recorded", f"up to {style.day(as_of)}", known=False)
    row = known[-1]
    value, change = _support(row), ""
    before = next((one for one in reversed(known) if _comparable(row, one) and _more(row, one)), None)
    if before is not None:
        value += " ↑" if _more(row, before) > 0 else " ↓"
        unstated = (row["activity"] is None) != (before["activity"] is None)  # compares with any, as rules have it
        change = f", from {_support(before)}, {result_cards.near(before, row)}"
        change += " (rest or exertion not stated)" if unstated else ""
    activity = f", {style.words(row['activity'])}" if row["activity"] else ""
    return Card("Oxygen now", value, style.day(row["at"]) + activity + change, on=result_cards.on(row))


def _support(row: dict) -> str:
    name, setting = SHORT[row["level"]], oxygen_support.setting(row, short=row["fio2_source"] == "set")
    return setting if row["level"] == 1 and setting else " ".join(part for part in (name, setting) if part)


def _comparable(row: dict, before: dict) -> bool:
    """Of equal activity; an unstated one compares with any, as rules have it (concept gas_exchange_comparison)."""
    return None in (row["activity"], before["activity"]) or row["activity"] == before["activity"]


def _more(row: dict, before: dict) -> float:
    """Above nought: more support; below: less; nought: the same, or not known to differ. The level first, then what is set on it,
    the flow up to a reservoir mask and the FiO2 from HFNC on."""
    if row["level"] != before["level"]:
        return row["level"] - before["level"]
    setting, earlier = _setting(row), _setting(before)
    return 0 if setting is None or earlier is None else setting - earlier


def _setting(row: dict) -> float | None:
    if row["level"] == 0:
        return None
    return row["flow"] if row["level"] <= 3 else row["fio2"] if row["fio2_source"] == "set" else None


def glucocorticoid(page: dict, as_of: date) -> Card:
    """The dose of the day itself, and the other agents acting on it."""
    name = "Prednisone eq., agents"
    if not any(row["from_date"] <= as_of for row in page["treatment_course"]):
        return Card(name, "not recorded", "no drug record yet", known=False)
    agents = agents_acting(page, as_of)
    dose = _acting(page["prednisone_equivalent"], as_of)
    if dose is None:
        return Card(name, "0 mg/day", f"none recorded that day, {agents}")
    unread = " + unread dose" if dose["dose_unknown"] else ""
    return Card(
        name, f"{style.number(dose['mg_per_day'])} mg/day{unread}", f"since {style.day(dose['from_date'])}, {agents}"
    )


def agents_acting(page: dict, as_of: date) -> str:
    """The agents beside glucocorticoids (concept immunosuppression), and that they are assumed to go on where the last word is old."""
    row = _acting(page.get("immunosuppression", []), as_of)
    drugs = sorted(set(row["drugs"])) if row else []
    others = [drug for drug in drugs if dictionary.drugs().get(drug, {}).get("drug_class") != "glucocorticoid"]
    said = "+ " + ", ".join(treatment.lane_name(drug) for drug in others) if others else "no other agent acting"
    confirmed = row["confirmed_on"] if row else None
    days = int(catalog().concepts["prophylaxis"].thresholds["confirmed_days"].used)
    if confirmed and (as_of - confirmed).days > days:
        said += f" (assumed ongoing, confirmed {style.day(confirmed)})"
    return said


def _acting(rows: list[dict], as_of: date) -> dict | None:
    """The stretch that holds a day; of several the one that began last."""
    holding = [row for row in rows if row["from_date"] <= as_of and (row["to_date"] is None or as_of < row["to_date"])]
    return max(holding, key=lambda row: row["from_date"], default=None)


def therapy(page: dict, as_of: date) -> Card:
    """The day of the latest clock running on the as-of day: triple therapy, else combination therapy."""
    clock = anchors.therapy(page, as_of)
    if clock is None:
        return Card("Therapy", "not started", "no combination yet", known=False)
    name = clock.name.removesuffix(" therapy")
    return Card("Therapy", f"day {(as_of - clock.day).days}", f"{name}, {style.day(clock.day)}")


def last_record(page: dict, as_of: date) -> Card:
    """The newest record up to the as-of day, and how old it is."""
    days = [day for day in recorded_days(page) if day <= as_of]
    if not days:
        return Card("Last record", "none yet", f"by {style.day(as_of)}", known=False)
    age = (as_of - max(days)).days
    return Card(
        "Last record", style.day(max(days)), "on the as-of day" if age == 0 else f"{age} day{'s' * (age > 1)} before"
    )


def recorded_days(page: dict) -> list[date]:
    """Every day on which anything is recorded, in order."""
    days = {row["day"] for row in page.get("recorded_day", [])}  # those of long series too
    days |= {result_cards.on(row) for row in page["observation"]} | {row["on_date"] for row in page["event"]}
    days |= {row["from_date"] for row in page["treatment_course"] if not row["gap"]}
    days |= {row["start"] for row in page.get("administration", [])}
    return sorted(days)


def changes(page: dict) -> list[date]:
    """The days on which some answer of a rule became another, in order: where a meeting may want to stop."""
    ordered = sorted(page["judgement"], key=lambda row: (row["criterion"], row["item"] or "", row["on_date"]))
    days, before = set(), {}
    for row in ordered:
        key = (row["criterion"], row["item"])
        if before.get(key) != row["status"] and "met" in (before.get(key), row["status"]):
            days.add(row["on_date"])
        before[key] = row["status"]
    return sorted(days)


def standing(page: dict, as_of: date) -> list[dict]:
    """The answers that stand on a day, of every criterion and item."""
    return [
        row
        for row in page["judgement"]
        if row["on_date"] <= as_of and (row["until_date"] is None or as_of < row["until_date"])
    ]


def identity(answer: dict) -> str:
    """What the address calls a flag: the criterion, and the item where it judges several things."""
    return answer["criterion"] + (f"~{answer['item']}" if answer["item"] else "")


def newly_met(page: dict, as_of: date, since: date) -> list[dict]:
    """The answers met on a day whose unbroken run of met began after another day, in order of groups. A higher grade is no new run."""
    met = {identity(row): row for row in standing(page, as_of) if row["status"] == "met"}
    began: dict[str, date] = {}
    ran_to: dict[str, date | None] = {}
    for row in sorted(page["judgement"], key=lambda row: row["on_date"]):
        flag = identity(row)
        if flag not in met or row["status"] != "met" or row["on_date"] > as_of:
            continue
        if ran_to.get(flag) != row["on_date"]:
            began[flag] = row["on_date"]
        ran_to[flag] = row["until_date"]
    return _ordered([row for flag, row in met.items() if began[flag] > since])


def no_longer_met(page: dict, as_of: date, since: date) -> list[dict]:
    """The answers met on the earlier day that are not met on the later one, each with `now`: what it has become (None: not judged)."""
    now = {identity(row): row["status"] for row in standing(page, as_of)}
    met = [row for row in standing(page, min(since, as_of)) if row["status"] == "met"]
    return _ordered([row | {"now": now.get(identity(row))} for row in met if now.get(identity(row)) != "met"])


def met_between(page: dict, as_of: date, since: date) -> list[dict]:
    """The answers met after one day that had ceased by the other, and were met on neither."""
    ends = {identity(row) for day in (since, as_of) for row in standing(page, day) if row["status"] == "met"}
    found = {
        identity(row): row
        for row in page["judgement"]
        if row["status"] == "met" and since < row["on_date"] <= as_of and identity(row) not in ends
    }
    return _ordered(list(found.values()))


def _ordered(answers: list[dict]) -> list[dict]:
    """In order of groups, behind the urgent ones."""
    groups = list(style.GROUPS)

    def place(row: dict) -> tuple:
        return (
            not is_urgent(row["criterion"], row["grade"]),
            groups.index(row["group"]),
            row["criterion"],
            row["item"] or "",
        )

    return sorted(answers, key=place)


class Settling(NamedTuple):
    """A missing thing, how many criteria it would settle (nothing else is missing to them), and how many ask for it at all."""

    thing: str
    settles: int
    asked_by: int


def settling(page: dict, as_of: date) -> Settling | None:
    """The one thing whose record would settle most of what cannot be told on a day; None where nothing would."""
    return next(iter(missing_things(standing(page, as_of))), None)


def missing_things(answers: list[dict]) -> list[Settling]:
    """What the answers that cannot be told wait for, the most settling first. A criterion counts once, and as settled only where all
    its open answers miss this alone; that therapy has not begun is no missing test."""
    waiting: dict[str, list[frozenset[str]]] = {}
    for answer in answers:
        if answer["status"] == "not_evaluable":
            waiting.setdefault(answer["criterion"], []).append(frozenset(answer["missing"]))
    things = {thing for open_answers in waiting.values() for missing in open_answers for thing in missing}
    found = [
        Settling(
            thing,
            sum(all(missing == {thing} for missing in open_answers) for open_answers in waiting.values()),
            sum(any(thing in missing for missing in open_answers) for open_answers in waiting.values()),
        )
        for thing in things.difference(THERAPY)
    ]
    return sorted(found, key=lambda one: (-one.settles, -one.asked_by, one.thing))
