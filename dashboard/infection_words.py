"""A row of the infection board in words: per column its statements, each with a sign, and where it stands in the files.

Facts come from `dashboard.data.infection.details`; the signs are ▲ met, ? cannot be told, and none for what is only recorded.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from dashboard import deidentify, style
from dashboard.charts import beta_d_glucan, immunosuppression, treatment_words
from dashboard.charts.prophylaxis import SHORT
from dashboard.charts.scales import bound, sign
from dashboard.data import deidentified, infection

MET, UNKNOWN, FACT = style.STATUS_MARKS["met"], style.STATUS_MARKS["not_evaluable"], ""
COLUMNS = ("acting", "prophylaxis", "counts", "cmv_bdg", "gaps", "infections")
KINDS = {"pjp": "PJP", "antiviral": "antiviral", "antifungal": "antifungal"}
DEFENCE = (
    ("lymphocytes", "lymphocytes", "lymphopenia"),
    ("neutrophils", "neutrophils", "neutropenia"),
    ("igg", "IgG", "hypogammaglobulinaemia"),
)
CMV = {
    "cmv_dna": "CMV PCR",
    "cmv_dna_copies": "CMV PCR, copies",
    "cmv_pp65": "CMV pp65",
    "cmv_dna_qualitative": "CMV PCR, qualitative",
}
UNITS = {"lymphocytes": "10⁹/L", "neutrophils": "10⁹/L", "igg": "g/L"}
UNITS |= {"cmv_dna": "IU/mL", "cmv_dna_copies": "copies/mL", "cmv_pp65": "cells", "beta_d_glucan": "pg/mL"}
TESTS = {"blood_count": "blood count", "igg": "IgG", "cmv_pcr": "CMV PCR"}
SCREENS = {"hbv_screen_missing": "hepatitis B screen", "tb_screen_missing": "tuberculosis screen"}
WAYS = {
    "up": "↗ up from",
    "down": "↘ down from",
    "same": "→ as before,",
    "untold": "↔ up or down cannot be told, before it",
}
STILL_TAKEN = "is prophylaxis still taken?"  # as the rule of the gap asks it
_ISO = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


class Statement(NamedTuple):
    """One thing said: its sign, the words, and the records behind it as 'file line n'."""

    sign: str
    text: str
    sources: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        return f"{self.sign} {self.text}".strip()


def cells(row: dict, as_of: date) -> dict[str, list[Statement]]:
    """The statements of a patient by column. A column is never empty: what is absent is said."""
    return {
        "acting": acting(row, deidentified.whose(row["patient_id"]).shown(as_of)),
        "prophylaxis": prophylaxis(row),
        "counts": counts(row),
        "cmv_bdg": [*cmv(row), *glucan(row)],
        "gaps": [*surveillance(row), *screening(row)],
        "infections": [*episodes(row), *exchanges(row)],
    }


def acting(row: dict, as_of: date) -> list[Statement]:
    """Which agents act with what dose on the day, and that a drug counts only because no stop is recorded."""
    stretch, on = row["acting"], "" if deidentify.on() else f" on {style.day(as_of)}"
    if stretch is None:
        told = [Statement(FACT, f"no immunosuppressant acts{on}")]
        return [*told, *_others(row, ("intense_immunosuppression",))]
    number, sources = stretch["agent_count"], _sources(row, stretch["evidence"])
    drugs = ", ".join(treatment_words.lane_name(drug) for drug in stretch["drugs"])
    told = [Statement(FACT, f"{number} agent{'s' * (number != 1)}: {drugs}", sources)]
    dosed = stretch["mg_per_day"] or stretch["dose_unknown"]
    dose = f"{immunosuppression.dose(stretch)}{on}" if dosed else "no systemic glucocorticoid"
    told.append(Statement(FACT, dose, _sources(row, stretch["dose_evidence"])))
    if stretch["confirmed_on"] and stretch["confirmed_on"] < as_of:
        confirmed = f"assumed ongoing, no stop recorded: last confirmed {style.day(stretch['confirmed_on'])}"
        told.append(Statement(UNKNOWN, confirmed, sources))
    return [*told, *_others(row, ("intense_immunosuppression",))]


def prophylaxis(row: dict) -> list[Statement]:
    """Cover against Pneumocystis with what the rule says of it, then against viruses and fungi."""
    answer = next((one for one in row["answers"] if one["criterion"] == "pjp_prophylaxis_gap"), None)
    told = []
    if answer and answer["status"] == "met":
        gap = f"PJP: gap since {style.day(answer['since'])} ({_days(answer['days'])})"
        told.append(Statement(MET, gap, _sources(row, answer["evidence"])))
    elif answer and answer["status"] == "not_evaluable" and answer["missing"] != [STILL_TAKEN]:
        told.append(Statement(UNKNOWN, f"PJP: cannot be told: {', '.join(answer['missing'])}"))
    elif answer is None:
        told.append(Statement(UNKNOWN, "PJP: not judged"))
    for kind, name in KINDS.items():
        standing = [one for one in row["cover"] if one["kind"] == kind]
        standing = [one for one in standing if one["certain"]] or standing
        told += [_cover(row, name, one) for one in standing]
        if not standing and not (kind == "pjp" and answer and answer["status"] == "met"):
            need = (
                "; the dose and duration of its rule are not reached"
                if kind == "pjp" and _status(answer) == "not_met"
                else ""
            )
            told.append(Statement(FACT, f"{name}: none recorded{need}"))
    return told


def _cover(row: dict, name: str, one: dict) -> Statement:
    drug = SHORT.get(one["drug"]) or treatment_words.lane_name(one["drug"])
    drug += " (treatment)" if one["treatment"] else ""
    confirmed = f", last confirmed {style.day(one['last_confirmed'])}" if one["last_confirmed"] else ""
    told, sources = f"{name}: {drug} since {style.day(one['since'])}{confirmed}", _sources(row, one["evidence"])
    if one["certain"]:
        return Statement(FACT, told, sources)
    return Statement(UNKNOWN, f"{told}, in doubt since {style.day(one['in_doubt_from'])}: {STILL_TAKEN}", sources)


def counts(row: dict) -> list[Statement]:
    """Lymphocytes, neutrophils and IgG with the grade of their rules, then what the rules that read counts say."""
    told = []
    for analyte, name, criterion in DEFENCE:
        answer = next((one for one in row["answers"] if one["criterion"] == criterion), None)
        told += _series(row, analyte, name, answer) or [Statement(FACT, f"{name}: never measured")]
    label = next((one for one in row["answers"] if one["criterion"] == "jaki_stop_counts"), None)
    if _status(label) == "met":
        said = "stop" if label["grade"] >= infection.STOP_GRADE["jaki_stop_counts"] else "interrupt"
        text = f"JAK inhibitor label: {said} (grade {label['grade']}), since {style.day(label['since'])}"
        told.append(Statement(MET, text, _sources(row, label["evidence"])))
    elif _status(label) == "not_evaluable" and label["missing"] != ["drug records"]:
        told.append(Statement(UNKNOWN, f"JAK inhibitor label: missing {', '.join(label['missing'])}"))
    return [*told, *_others(row, ("cyclophosphamide_hold",), met_only=True)]


def cmv(row: dict) -> list[Statement]:
    """Each kind of CMV test in its own unit, and whether the virus is reactivated."""
    answer = next((one for one in row["answers"] if one["criterion"] == "cmv_reactivation"), None)
    told = []
    if _status(answer) == "met":
        text = f"CMV reactivation, grade {answer['grade']}, since {style.day(answer['since'])}"
        told.append(Statement(MET, text, _sources(row, answer["evidence"])))
    found = [one for analyte, name in CMV.items() for one in _series(row, analyte, name, None)]
    if _status(answer) == "not_evaluable" and (found or answer["evidence"]):
        told.append(Statement(UNKNOWN, f"CMV reactivation cannot be told: missing {', '.join(answer['missing'])}"))
    return [*told, *(found or [Statement(FACT, "CMV: never measured")]), *_others(row, ("cmv_rising",), met_only=True)]


def glucan(row: dict) -> list[Statement]:
    """Beta-D-glucan, each assay against itself."""
    answers = {one["item"]: one for one in row["answers"] if one["criterion"] == "beta_d_glucan_positive"}
    told = []
    for newest in (one for one in row["results"] if one["analyte"] == "beta_d_glucan" and one["place"] == 1):
        name = beta_d_glucan.assay_name(*beta_d_glucan.same(newest))
        answer = answers.get(newest["assay"] or "assay not named")
        told.append(_result(row, newest, f"β-D-glucan {name}", answer))
    return told or [Statement(FACT, "β-D-glucan: never measured")]


def _series(row: dict, analyte: str, name: str, answer: dict | None) -> list[Statement]:
    """The newest result of an analyte; of several series (laboratories) that of the newest day."""
    found = [one for one in row["results"] if one["analyte"] == analyte and one["place"] == 1]
    if not found:
        return []
    return [_result(row, max(found, key=lambda one: (one["on_date"], one["series"])), name, answer)]


def _result(row: dict, newest: dict, name: str, answer: dict | None) -> Statement:
    """'▲ grade 3, lymphocytes 0.4 10⁹/L (3 Sep 2021) ↘ down from 0.9 10⁹/L (1 Sep 2021)'."""
    key = (newest["analyte"], newest["series"])
    before = next((one for one in row["results"] if (one["analyte"], one["series"]) == key and one["place"] == 2), None)
    text = f"{name} {value(newest)} ({_dated(newest)})"
    if before:
        year = before["on_date"].year != newest["on_date"].year
        text += f" {WAYS[way(newest, before)]} {value(before, unit=False)} ({_dated(before, year)})"
    else:
        text += ", none before it"
    lines = tuple(f"{one['file']} line {one['line']}" for one in (newest, before) if one)
    if _status(answer) == "met":
        return Statement(MET, f"grade {answer['grade']}, {text}" if answer["grade"] else f"positive, {text}", lines)
    if _status(answer) == "not_evaluable":
        return Statement(UNKNOWN, f"{text}; cannot be told: missing {', '.join(answer['missing'])}", lines)
    return Statement(FACT, text, lines)


def value(row: dict, unit: bool = True) -> str:
    """A result with its unit, a bound with its sign: '<34.5 IU/mL', 'negative'. Beside one of the same analyte the unit is the same."""
    if row["low"] is None:
        return row["coded"] or row["original_value"]
    named = f" {UNITS.get(row['analyte']) or style.unit(row['unit'])}" if unit else ""
    return f"{sign(row)}{style.number(bound(row))}{named}" + (" (unit assumed)" if row["unit_assumed"] else "")


def way(newest: dict, before: dict) -> str:
    """'up', 'down' or 'same' where that is sure of every value the two results can mean, else 'untold'."""
    if newest["low"] is None or before["low"] is None:
        return "same" if newest["low"] is before["low"] and newest["coded"] == before["coded"] else "untold"
    if newest["value"] is not None and newest["value"] == before["value"]:
        return "same"
    if _beyond(newest, before):
        return "up"
    return "down" if _beyond(before, newest) else "untold"


def _beyond(one: dict, other: dict) -> bool:
    """Whether every value of the one is above every value of the other."""
    if other["high"] is None:
        return False
    ends_open = one["low_open"] or other["high_open"]
    return one["low"] > other["high"] or (one["low"] == other["high"] and ends_open)


def surveillance(row: dict) -> list[Statement]:
    """The tests of the schedule that are overdue, and when each was last done."""
    told, untold = [], {}
    for answer in (one for one in row["answers"] if one["criterion"] == "overdue_tests"):
        name = TESTS[answer["item"]]
        days = [row["measured"].get(analyte) for analyte in infection.scheduled()[answer["item"]]]
        last = max((day for day in days if day), default=None)
        ago = f"last {style.day(last)}" if last else "never measured"
        if answer["status"] == "met":
            due = f"{name} due since {style.day(answer['since'])} ({_days(answer['days'])}), {ago}"
            told.append(Statement(MET, due, _sources(row, answer["evidence"])))
        elif answer["status"] == "not_evaluable":
            untold.setdefault(", ".join(answer["missing"]), []).append(f"{name} ({ago})")
    for missing, names in untold.items():
        told.append(Statement(UNKNOWN, f"{', '.join(names)}: overdue or not cannot be told, missing {missing}"))
    return told or [Statement(FACT, "no test overdue")]


def screening(row: dict) -> list[Statement]:
    """The screens missing before a drug."""
    told = []
    for answer in (one for one in row["answers"] if one["criterion"] in SCREENS):
        name = SCREENS[answer["criterion"]]
        if answer["status"] == "met":
            drug = treatment_words.lane_name(answer["item"]) if answer["item"] else "the drug"
            text = f"{name} missing before {drug}, since {style.day(answer['since'])}"
            told.append(Statement(MET, text, _sources(row, answer["evidence"])))
        elif answer["status"] == "not_evaluable":
            told.append(Statement(UNKNOWN, f"{name}: cannot be told, missing {', '.join(answer['missing'])}"))
    return told or [Statement(FACT, "no screen missing")]


def episodes(row: dict) -> list[Statement]:
    """The infections that are open or may be, and whether that is so under several agents."""
    answer = next((one for one in row["answers"] if one["criterion"] == "active_infection"), None)
    told = [_episode(row, one) for one in row["episodes"]]
    if _status(answer) == "met":
        under = f"infection open under at least two agents since {style.day(answer['since'])}"
        told.insert(0, Statement(MET, under, _sources(row, answer["evidence"])))
    elif _status(answer) == "not_evaluable" and not row["episodes"]:
        told.append(
            Statement(UNKNOWN, f"no infection recorded as open; cannot be told: {', '.join(answer['missing'])}")
        )
    return told or [Statement(FACT, "no infection recorded as open")]


def _episode(row: dict, one: dict) -> Statement:
    organism = style.words(one["organism"]) if one["organism"] not in (None, "not named", "not_named") else ""
    parts = [organism or "organism not named", style.words(one["site"]) or "site not named"]
    parts.append("end-organ disease" if one["end_organ"] else "")
    parts.append(f"proven by {one['proof']}" if one["proof"] else "how proven not recorded")
    named = ", ".join(part for part in parts if part)
    partly = "by " if one["slack"] else ""  # a partial date: the last day it can mean
    since = f"since {partly}{style.day(one['since'])}"
    sources = _sources(row, one["evidence"])
    if one["open"]:
        return Statement(MET, f"open: {named}, {since}", sources)
    recorded = f"last recorded {partly}{style.day(one['recorded_on'])}, no end recorded"
    return Statement(UNKNOWN, f"perhaps still open: {named}, {since}, {recorded}", sources)


def exchanges(row: dict) -> list[Statement]:
    """Exchanges near IVIG or rituximab in the sentence of the rule, and the other flags of the group that have no column."""
    named = {"pjp_prophylaxis_gap", "active_infection", "overdue_tests", "jaki_stop_counts", "cmv_reactivation"}
    named |= {"beta_d_glucan_positive", "intense_immunosuppression", "cyclophosphamide_hold", "cmv_rising", *SCREENS}
    named |= {criterion for _, _, criterion in DEFENCE}
    told = _others(row, infection.EXCHANGES)
    return told + _others(row, {one["criterion"] for one in row["answers"]} - named - set(infection.EXCHANGES))


def _others(row: dict, criteria: Iterable[str], met_only: bool = False) -> list[Statement]:
    """What other rules say where they are met, in their sentence, or cannot be told."""
    told = []
    for answer in (one for one in row["answers"] if one["criterion"] in criteria):
        name = style.words(answer["criterion"]) + (f" ({style.words(answer['item'])})" if answer["item"] else "")
        if answer["status"] == "met":
            grade = f", grade {answer['grade']}" if answer["grade"] else ""
            sentence = f": {dated(answer['finding'])}" if answer["criterion"] in infection.EXCHANGES else ""
            text = f"{name}{grade}, since {style.day(answer['since'])}{sentence}"
            told.append(Statement(MET, text, _sources(row, answer["evidence"])))
        elif answer["status"] == "not_evaluable" and not met_only:
            told.append(Statement(UNKNOWN, f"{name} cannot be told: missing {', '.join(answer['missing'])}"))
    return told


def dated(sentence: str | None) -> str:
    """The sentence of a rule with its days as they stand everywhere else. None: the rule judged it again after the day."""
    if sentence is None:
        return "its sentence is on the page of the patient"
    return _ISO.sub(lambda found: style.day(found[0]), sentence)


def first_flag(row: dict) -> str | None:
    """What the page of the patient opens: the met answer that ranks first, as its address calls it; of one rank the oldest."""
    met = [one for one in row["answers"] if one["status"] == "met"]
    chosen = min(met, key=lambda one: (_rank(one), one["since"], one["criterion"]), default=None)
    return chosen and chosen["criterion"] + (f"~{chosen['item']}" if chosen["item"] else "")


def _rank(answer: dict) -> int:
    criterion = answer["criterion"]
    if criterion in ("active_infection", "pjp_prophylaxis_gap"):
        return ("active_infection", "pjp_prophylaxis_gap").index(criterion)
    if (answer["grade"] or 0) >= infection.STOP_GRADE.get(criterion, 99):
        return 2
    return 4 if criterion == "overdue_tests" else 3


def _sources(row: dict, record_ids: Iterable[str]) -> tuple[str, ...]:
    known = row["sources"] or {}  # left out, while the page is de-identified
    found = sorted({known[one] for one in record_ids if one in known})
    return tuple(f"{name} line {line}" for name, line in found)


def _status(answer: dict | None) -> str | None:
    return answer["status"] if answer else None


def _dated(row: dict, year: bool = True) -> str:
    return ("by " if row["partial"] else "") + style.day(row["on_date"], year=year)


def _days(number: int) -> str:
    return f"{number} day{'s' * (number != 1)}"
