"""Every therapy start, pulse and exchange up to a day, and what else started close to it.

A drug starts on the first day it is given after more than `restart_days` in which none acted, the gap after which the rules start a therapy
anew; a systemic glucocorticoid after another is no start. Orders start nothing.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import date, timedelta

from dashboard import relative_days, style
from dashboard.charts import treatment
from pipelines import dictionary
from pipelines.catalog import catalog

BEFORE, AFTER = 7, 28  # days drawn on both sides of day 0
PULSED = {
    "cyclophosphamide": "pulse",
    "rituximab": "infusion",
    "ivig": "infusion",
}  # single doses that each have a day 0
EXCHANGES = ("plasma_exchange", "polymyxin_hemoperfusion")
ANTIMICROBIAL = ("primaquine",)  # of a class whose other drugs are no antimicrobials: antimalarials
ONE_DAY = timedelta(days=1)


def restart_days() -> int:
    """A drug given again after more days than this without it starts anew."""
    return int(catalog()["combined_regimen"].thresholds["restart_days"].used)


def missed_days() -> int:
    """Pulses of one drug are one block up to so many days without it between them."""
    return int(catalog()["treatment_course"].thresholds["gap_days"].used)


def exchange_days() -> int:
    """So long an exchange lowers what is measured: sessions no further apart are one block, for their effects cannot be told apart."""
    return int(catalog()["ferritin_halved"].thresholds["exchange_days"].used)


def definition() -> str:
    """What counts as a start, in words, with the numbers and where they come from."""
    return (
        f"A drug starts on the first day it is given after more than {restart_days()} days without it acting; one "
        f"systemic glucocorticoid after another is no start, nor is a change of dose or an order. Pulses or infusions with up to "
        f"{missed_days()} days between them are one block, exchange sessions at most {exchange_days()} days apart are one. "
        "All three numbers are project defaults."
    )


def starts(page: dict[str, list[dict]], as_of: date) -> list[dict]:
    """Every start up to a day, newest first.

    Dicts: id (text, the same on every as-of day from its own day on), name, kind ('start', 'pulse', 'exchange'), day, until (its last
    recorded day), dose (text), evidence (record ids); others: what started on the same day or in the 28 days after it, before: in the
    28 days before it, both as dicts of name, kind, date and day (counted from this start). Drugs against an infection are counted
    among those, and start nothing here.
    """
    found = sorted(_all(page, as_of), key=lambda start: (start["day"], start["id"]))
    days = [start["day"] for start in found]
    reach = timedelta(days=AFTER)
    for start in found:
        first, last = bisect_left(days, start["day"] - reach), bisect_right(days, start["day"] + reach)
        near = [_beside(other, start["day"]) for other in found[first:last] if other is not start]
        start["others"] = [other for other in near if other["day"] >= 0]
        start["before"] = [other for other in near if other["day"] < 0]
    return [start for start in reversed(found) if start["kind"] != "infection"]


def _beside(other: dict, day: date) -> dict:
    return {"name": other["name"], "kind": other["kind"], "date": other["day"], "day": (other["day"] - day).days}


def exchanged(page: dict[str, list[dict]], as_of: date) -> list[date]:
    """The days of plasma exchange up to a day, in order."""
    return sorted({row["on_date"] for row in _sessions(page, as_of) if row["code"] == "plasma_exchange"})


def _all(page: dict[str, list[dict]], as_of: date) -> Iterable[dict]:
    groups: dict[str, list[dict]] = {}
    for row in page["treatment_course"]:
        if (
            row["action"] == "given"
            and row["systemic"]
            and not row["gap"]
            and row["from_date"] <= as_of
            and _treats(row)
        ):
            key = "glucocorticoid" if row["drug_class"] == "glucocorticoid" else row["drug"]
            groups.setdefault(key, []).append(row)
    for rows in groups.values():
        rows.sort(key=lambda row: (row["from_date"], _is_pulse(row)))
        yield from _begun(rows)
        yield from _pulses([row for row in rows if _is_pulse(row)], as_of)
    yield from _exchanges(page, as_of)


def _treats(row: dict) -> bool:
    """Prevention of infection is no therapy whose response is read here."""
    if row["purpose"] == "prophylaxis":
        return False
    return row["drug_class"] != "pjp_prophylaxis" or row["purpose"] == "treatment"


def _against_infection(row: dict) -> bool:
    return row["drug_class"] in treatment.INFECTION_CLASSES or row["drug"] in ANTIMICROBIAL


def _is_pulse(row: dict) -> bool:
    return row["pulse"] or (row["drug_class"] in PULSED and row["dosing"] == "dose")


def _begun(rows: list[dict]) -> Iterable[dict]:
    """The starts among the courses of one drug, in order: those after a long enough gap in which no dose of it acted."""
    acted_to = date.min
    for row in rows:
        if not _is_pulse(row) and (acted_to == date.min or (row["from_date"] - acted_to).days > restart_days()):
            yield _start(
                "infection" if _against_infection(row) else "start", [row], treatment.lane_name(row["drug"]), _dose(row)
            )
        acted_to = max(acted_to, _acts_to(row))


def _acts_to(row: dict) -> date:
    """The day on which the last dose of a course no longer acts."""
    if row["to_date"] is None and row["dosing"] == "daily":
        return date.max
    drug = dictionary.drugs().get(row["drug"], {})
    acts = drug.get("routes", {}).get(row["route"]) or drug.get("acts_for_days") or 1
    return (row["to_date"] or row["from_date"] + ONE_DAY) + timedelta(days=acts - 1)


def _pulses(rows: list[dict], as_of: date) -> Iterable[dict]:
    """Blocks of pulses of each drug, numbered in the order given."""
    for drug in dict.fromkeys(row["drug"] for row in rows):
        blocks: list[list[dict]] = []
        for row in (row for row in rows if row["drug"] == drug):
            if blocks and (row["from_date"] - _ends(blocks[-1][-1])).days <= missed_days():
                blocks[-1].append(row)
            else:
                blocks.append([row])
        for number, block in enumerate(blocks, start=1):
            word = PULSED.get(block[0]["drug_class"], "pulse")
            made = _start(
                "pulse", block, f"{treatment.lane_name(drug)}, {word} {number}", _block_dose(block, word, as_of)
            )
            yield made | {"until": min(_ends(block[-1]) - ONE_DAY, as_of)}


def _ends(row: dict) -> date:
    return row["to_date"] or row["from_date"] + ONE_DAY


def _exchanges(page: dict[str, list[dict]], as_of: date) -> Iterable[dict]:
    for code in EXCHANGES:
        blocks: list[list[dict]] = []
        for row in sorted(
            (row for row in _sessions(page, as_of) if row["code"] == code), key=lambda row: row["on_date"]
        ):
            if blocks and (row["on_date"] - blocks[-1][-1]["on_date"]).days <= exchange_days():
                blocks[-1].append(row)
            else:
                blocks.append([row])
        for block in blocks:
            first, last, count = block[0]["on_date"], block[-1]["on_date"], len({row["on_date"] for row in block})
            yield {
                "id": f"{relative_days.in_address(first)}.{code}",
                "name": style.words(code).capitalize(),
                "kind": "exchange",
                "day": first,
                "until": last,
                "dose": "1 session" if count == 1 else f"{count} sessions to {style.day(last)}",
                "evidence": sorted(row["record_id"] for row in block),
            }


def _sessions(page: dict[str, list[dict]], as_of: date) -> list[dict]:
    return [
        row
        for row in page["event"]
        if row["kind"] == "procedure"
        and row["code"] in EXCHANGES
        and row["value"] != "absent"
        and row["on_date"] <= as_of
    ]


def _start(kind: str, rows: list[dict], name: str, dose: str) -> dict:
    day, drug = rows[0]["from_date"], rows[0]["drug"]
    return {
        "id": f"{relative_days.in_address(day)}.{drug}" + (".pulse" if kind == "pulse" else ""),
        "name": name,
        "kind": kind,
        "day": day,
        "until": day,
        "dose": dose,
        "evidence": sorted({record_id for row in rows for record_id in row["evidence"]}),
    }


def _dose(row: dict) -> str:
    """The dose of one course as it can be read."""
    if row["dose_per_day"] is None:
        return "dose unknown"
    text = f"{style.number(row['dose_per_day'])} {row['dose_unit'] or ''}".strip()
    return ("at least " if row["dose_unread"] else "") + text + ("/day" if row["dosing"] == "daily" else "")


def _block_dose(block: list[dict], word: str, as_of: date) -> str:
    """The doses of a block: '750 mg', '3 days: 1000 mg/day', '2 infusions: dose unknown'. Days after the as-of day do not count."""
    doses = ", ".join(dict.fromkeys(_dose(row) for row in block))
    if block[0]["dosing"] == "daily":
        count, word = sum((min(_ends(row), as_of + ONE_DAY) - row["from_date"]).days for row in block), "day"
    else:
        count = len(block)
    return doses if count == 1 else f"{count} {word}s: {doses}"
