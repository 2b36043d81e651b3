"""What is recorded up to a day of infection, disease activity, immunosuppression and prophylaxis, as sentences: facts, no verdict."""

from datetime import date, timedelta
from typing import NamedTuple

from dashboard import held, result_cards, style
from dashboard.charts import (
    beta_d_glucan,
    fever,
    imaging,
    immunosuppression,
    microbiology,
    prophylaxis,
    results,
    treatment,
)

# analyte, name, unit; in the order of the panels
MARKERS = (
    ("crp", "CRP", "mg/dL"),
    ("procalcitonin", "procalcitonin", "ng/mL"),
    ("beta_d_glucan", "beta-D-glucan", "pg/mL"),
)
CMV = (
    ("cmv_dna", "CMV PCR", "IU/mL"),
    ("cmv_dna_qualitative", "CMV PCR, qualitative", ""),
    ("cmv_dna_copies", "CMV PCR", "copies/mL"),
    ("cmv_pp65", "CMV pp65", "cells"),
)
ACTIVITY = (("ferritin", "ferritin", "ng/mL"), ("kl6", "KL-6", "U/mL"))
DEFENCE = (("lymphocytes", "lymphocytes", "10⁹/L"), ("neutrophils", "neutrophils", "10⁹/L"), ("igg", "IgG", "g/L"))
BY_ASSAY = ("beta_d_glucan", "kl6")  # compared within one assay only
BY_LABORATORY = tuple(analyte for analyte, _, _ in CMV)  # within one laboratory only
UNNAMED = ("not named", "not_named")


class Absent(NamedTuple):
    """A subject of which there is nothing up to the day: `how` it is looked for (measured, recorded) and its name."""

    how: str
    name: str


def facts(page: dict[str, list[dict]], as_of: date) -> list[str]:
    """A sentence a subject in the order of the panels of the view, then what is absent up to the day; nothing dated later than `as_of` is
    read or counted. What became later of a record that was open on the day (a stop, an end) is left out."""
    told = [
        *fever_recorded(page, as_of),
        *(measured(page, as_of, *marker) for marker in MARKERS),
        cmv(page, as_of),
        organisms(page, as_of),
        *infections(page, as_of),
        *(measured(page, as_of, *marker) for marker in ACTIVITY),
        images(page, as_of),
        acting(page, as_of),
        pjp_cover(page, as_of),
        *(cover(page, as_of, kind) for kind in ("antiviral", "antifungal")),
        *(measured(page, as_of, *marker) for marker in DEFENCE),
    ]
    absent = {
        how: [one.name for one in told if isinstance(one, Absent) and one.how == how]
        for how in ("measured", "recorded")
    }
    return [one for one in told if isinstance(one, str)] + [
        f"not {how} up to {style.day(as_of)}: {', '.join(names)}" for how, names in absent.items() if names
    ]


def measured(page: dict, as_of: date, analyte: str, name: str, unit: str) -> str | Absent:
    """'CRP 8.5 mg/dL (2 Sep 2021), up from 1.2 (26 Aug 2021)': the newest result and the newest before it that may be compared."""
    found = _known(page, as_of, analyte)
    if not found:
        return _absent(page, as_of, (analyte,), name)
    newest, earlier = found[-1], [row for row in found[:-1] if _same(row) == _same(found[-1])]
    assay = f" by {beta_d_glucan.assay_name(newest['assay'] or '')}" if analyte in BY_ASSAY and newest["assay"] else ""
    told = f"{name} {result_cards.shown(newest, unit)}{assay} ({_dated(newest)})"
    return told + (_change(newest, earlier[-1], unit) if earlier else "")


def _change(newest: dict, before: dict, unit: str) -> str:
    """How two results that may be compared lie to each other: a direction only where both are exact."""
    if newest["value"] is None or before["value"] is None:
        return f", before that {result_cards.shown(before, unit)} ({_dated(before)})"
    way = (
        "up from"
        if newest["value"] > before["value"]
        else "down from"
        if newest["value"] < before["value"]
        else "as before,"
    )
    return f", {way} {style.number(before['value'])} ({_dated(before)})"


def _same(row: dict) -> tuple:
    if row["analyte"] in BY_ASSAY:
        return beta_d_glucan.same(row)
    return (row["laboratory"] or "",) if row["analyte"] in BY_LABORATORY else ()


def _known(page: dict, as_of: date, *analytes: str) -> list[dict]:
    """The results up to a day that are not preliminary, in order of time."""
    return [row for row in results.of(page, *analytes) if _on(row["at"]) <= as_of and row["status"] != "preliminary"]


def _absent(page: dict, as_of: date, analytes: tuple[str, ...], name: str) -> Absent:
    """Not measured up to the day; whether there is a later result is not said."""
    waiting = held.counted(page.get("held", []), analytes, as_of)
    return Absent("measured", name + (f" ({waiting} held, not accepted)" if waiting else ""))


def fever_recorded(page: dict, as_of: date) -> list[str | Absent]:
    """The newest temperature, and the newest fever that somebody recorded."""
    known = [row for row in fever.rows(page) if _on(row["at"]) <= as_of and row["status"] != "preliminary"]
    temperatures = [row for row in known if not row.get("symptom")]
    fevers = [row for row in known if row.get("symptom")]
    told: list[str | Absent] = [_absent(page, as_of, ("temperature",), "temperature"), Absent("recorded", "fever")]
    if temperatures:
        told[0] = f"temperature {result_cards.shown(temperatures[-1], '°C')} ({_dated(temperatures[-1])})"
    if fevers:
        days = len({row["at"] for row in fevers})
        said = "fever" if fevers[-1]["value"] is None else f"fever {result_cards.shown(fevers[-1], '°C')}"
        told[1] = f"{said} ({_dated(fevers[-1])})" + (f", recorded on {days} days" if days > 1 else "")
    return told


def cmv(page: dict, as_of: date) -> str | Absent:
    """The newest result of each kind of CMV test, each in its own unit."""
    told = [measured(page, as_of, *kind) for kind in CMV if _known(page, as_of, kind[0])]
    return "; ".join(told) or _absent(page, as_of, tuple(analyte for analyte, _, _ in CMV), "CMV")


def organisms(page: dict, as_of: date) -> str | Absent:
    """What the newest microbiology found, and the newest in which something grew if that is another."""
    known = [row for row in microbiology.rows_of(page) if row["from_date"] <= as_of]
    if not known:
        return Absent("recorded", "microbiology")
    grown = [row for row in known if row["found"]]
    newest = [row for row in known if row["from_date"] == known[-1]["from_date"]]
    told = f"last microbiology {', '.join(row['drug'] for row in newest)} ({style.day(newest[-1]['from_date'])})"
    if grown and grown[-1]["from_date"] < newest[-1]["from_date"]:
        told += f"; last found: {grown[-1]['drug']} ({style.day(grown[-1]['from_date'])})"
    return told


def infections(page: dict, as_of: date) -> list[str | Absent]:
    """The infections open on the day or perhaps so, a sentence each; with none, when the last one ended or that none was recorded."""
    known = sorted(
        (row for row in page["infection_episode"] if row["from_date"] <= as_of), key=lambda row: row["from_date"]
    )
    standing = [row for row in known if row["to_date"] is None or as_of < row["to_date"]]
    if standing:
        return [_infection(row, as_of) for row in standing]
    ended = [row for row in known if row["ended"]]
    if ended:
        last = max(ended, key=lambda row: row["to_date"])
        return [f"infection {_named(last)} until {style.day(last['to_date'] - timedelta(days=1))}, none open since"]
    return [Absent("recorded", "infection")]


def _infection(row: dict, as_of: date) -> str:
    told = f"infection {_named(row)} since {style.day(row['since'])}"
    if as_of < row["open_until"]:
        return told
    return f"{told}, last recorded {style.day(row['recorded_on'])}, no end recorded: perhaps still open"


def _named(row: dict) -> str:
    organism = "organism not named" if (row["organism"] or "not named") in UNNAMED else style.words(row["organism"])
    return f"({', '.join(part for part in (organism, style.words(row['site'])) if part)})"


def images(page: dict, as_of: date) -> str | Absent:
    """The newest of each kind of image with its reading."""
    newest = {row["code"]: row for row in imaging.rows(page) if row["on_date"] <= as_of}
    told = [
        f"{name} {imaging.label(newest[code])} ({style.day(newest[code]['on_date'])})"
        for code, name in imaging.LANES.items()
        if code in newest
    ]
    return "; ".join(told) or Absent("recorded", "chest CT, chest X-ray")


def acting(page: dict, as_of: date) -> str | Absent:
    """How many immunosuppressants act on the day itself, which, and with what dose."""
    stands = [row for row in immunosuppression.rows(page) if _stands(row, as_of)]
    if not stands:
        if any(row["from_date"] <= as_of for row in page["treatment_course"]):
            return f"no immunosuppressant acts on {style.day(as_of)}"
        return Absent("recorded", "any drug")
    row = stands[-1]
    number = row["agent_count"]
    verb = "agents act" if number != 1 else "agent acts"
    drugs = ", ".join(treatment.lane_name(drug) for drug in row["drugs"])
    told = f"{number} immunosuppressive {verb} on {style.day(as_of)} ({drugs}), {immunosuppression.dose(row)}"
    if row["confirmed_on"] and row["confirmed_on"] < as_of:
        told += f", not every stop recorded, last confirmed {style.day(row['confirmed_on'])}"
    return told


def pjp_cover(page: dict, as_of: date) -> str | Absent:
    """Whether a gap stands by the rule, else what covers on the day, else when cover was last recorded."""
    gap = [row for row in prophylaxis.gaps(page) if _stands(row, as_of)]
    if gap:
        return f"no PJP prophylaxis on {style.day(as_of)}, gap since {style.day(gap[-1]['from_date'])}"
    return cover(page, as_of, "pjp")


def cover(page: dict, as_of: date, kind: str) -> str | Absent:
    """'PJP prophylaxis last confirmed 6 Aug 2021, in doubt since 6 Sep 2021 (Atovaquone)': what covers on the day, or when it last did."""
    name = "PJP prophylaxis" if kind == "pjp" else kind
    known = prophylaxis.cover(
        [row for row in page.get("prophylaxis", []) if row["kind"] == kind and row["from_date"] <= as_of]
    )
    if not known:
        return Absent("recorded", name)
    row = next((row for row in known if _stands(row, as_of)), None)
    drugs = ", ".join(treatment.lane_name(drug) for drug in (row or known[-1])["drugs"])
    if row is None:
        return f"{name} recorded to {style.day(known[-1]['to_date'] - timedelta(days=1))} ({drugs})"
    confirmed = f"last confirmed {style.day(row['last_confirmed'])}" if row["last_confirmed"] else ""
    said = f"recorded for {style.day(as_of)}" if row["certain"] else f"in doubt since {style.day(row['from_date'])}"
    return f"{name} {', '.join(part for part in (confirmed, said) if part)} ({drugs})"


def _stands(row: dict, as_of: date) -> bool:
    return row["from_date"] <= as_of and (row["to_date"] is None or as_of < row["to_date"])


def _dated(row: dict) -> str:
    """The day of a result; of one with a partial date its last possible day, said to be that."""
    return ("by " if row.get("partial") else "") + style.day(row["at"])


def _on(at: str) -> date:
    return date.fromisoformat(at[:10])
