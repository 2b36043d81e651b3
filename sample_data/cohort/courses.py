"""One synthetic patient's treatment, oxygen, lung function and events. Nothing here is real.

A course is told in days from the patient's day 0, the day on which rapidly progressive disease (or the chronic disease) is
recorded. `severity` is one number per day, 0 well to 1.7 dying, from which every measurement follows.
"""

import math
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from pipelines.dictionary import gli

LAST_DAY = date(2026, 6, 30)
PHENOTYPES = {"upfront_triple": 0.38, "step_up": 0.22, "refractory": 0.16, "chronic": 0.14, "early_referral": 0.10}

RISE = {
    "upfront_triple": 0.10,
    "step_up": 0.35,
    "early_referral": 0.05,
}  # of severity, from day -10 until treatment works


@dataclass
class Person:
    """A synthetic patient: who, which course, and the constants of the course."""

    patient_id: str
    site: str
    phenotype: str
    day0: date
    last: int  # last day of follow-up, counted from day 0
    start: float  # severity on day 0
    turn: int  # day on which treatment begins to work (refractory: never)
    weight: int
    height: int  # cm
    sex: str
    born: int  # year
    random: Random
    dead: bool = False
    rows: dict[str, list[tuple]] = field(
        default_factory=lambda: {"oxygen": [], "pft": [], "administrations": [], "events": []}
    )

    def on(self, day: int) -> str:
        return (self.day0 + timedelta(days=day)).isoformat()

    def event(
        self, day: int, kind: str, code: str, value: str = "", until: int | None = None, assumed: str = ""
    ) -> None:
        """An event, where follow-up reaches that far."""
        if day <= self.last:
            end = "" if until is None or until > self.last else self.on(until)
            self._add("events", (self.on(day), end, kind, code, value, assumed))

    def give(self, drug: str, route: str, dose: float, unit: str, per: str, day: int, stop: int | None = None, *, ongoing=False,
             action: str = "given", purpose: str = "") -> None:  # fmt: skip
        """A dose or a course. A course that outlasts follow-up is ongoing, confirmed on the last day."""
        if day > self.last:
            return
        ongoing = ongoing or (stop is not None and stop > self.last)
        end, confirmed = ("", self.on(self.last)) if ongoing else (self.on(stop) if stop is not None else "", "")
        open_end = "yes" if ongoing else ""
        self._add(
            "administrations",
            (drug, route, f"{dose:g}", unit, per, self.on(day), end, open_end, confirmed, action, purpose),
        )

    def _add(self, file: str, cells: tuple) -> None:
        rows = self.rows[file]
        rows.append((self.patient_id, *cells, f"{self.patient_id}-{file[:3]}-{len(rows) + 1:03d}"))


def severity(phenotype: str, start: float, turn: int, day: float) -> float:
    """0 well to 1.7 dying. Before `turn` it rises; afterwards it falls, except in refractory disease."""
    if phenotype == "chronic":
        return start + 0.10 * math.sin(day / 90)
    if phenotype == "refractory":
        return min(1.7, start + max(day, -10) / 55)
    rise = RISE[phenotype]
    if day < turn:
        return start + rise * max(day + 10, 0) / (turn + 10)
    return 0.06 + (start + rise - 0.06) * math.exp((turn - day) / 45)


def tell(person: Person) -> None:
    """Fills the person's rows: diagnoses, treatment, oxygen, lung function, infection, referral, outcome."""
    _diagnosis(person)
    {
        "upfront_triple": _upfront,
        "step_up": _step_up,
        "refractory": _refractory,
        "chronic": _chronic,
        "early_referral": _early,
    }[person.phenotype](person)
    _prophylaxis(person)
    _infection(person)
    _oxygen(person)
    _lung_function(person)
    _readings(person)
    _referral(person)


def _diagnosis(person: Person) -> None:
    chance = person.random.random
    person.event(-4, "diagnosis", "ild", "present")
    person.event(-4, "diagnosis", "cadm" if chance() < 0.7 else "dm", "present")
    if person.phenotype != "chronic":
        person.event(0, "diagnosis", "rp_ild", "present")
        person.event(-2, "stay", "respiratory", "present", until=min(person.last, 45))
    person.event(-2, "measure", "weight_kg", str(person.weight))
    person.event(-2, "measure", "height_cm", str(person.height))
    person.event(-3, "imaging", "ggo_fields", str(min(6, round(person.start * 6))))
    if chance() < 0.3:
        person.event(-3, "imaging", "hrct_score", str(round(80 + 90 * person.start)))


def _taper(person: Person, first: int, mg: float, drug: str = "prednisolone", wait: int = 21) -> None:
    """A daily glucocorticoid reduced by a fifth at a time, down to a lasting 7.5 mg."""
    day, dose = first, mg
    while dose > 7.5 and day <= person.last:
        person.give(drug, "oral", dose, "mg", "day", day, day + wait - 1)
        day, dose, wait = day + wait, max(7.5, round(dose * 0.8 / 2.5) * 2.5), 14
    person.give(drug, "oral", dose, "mg", "day", day, ongoing=True)


def _pulses(person: Person, first: int, every: int, count: int) -> None:
    """Cyclophosphamide: each pulse is ordered, most are given, a few are not; some courses are recorded as stopped."""
    chance = person.random.random
    mg = round(person.weight * 11, -1)
    for number in range(count):
        day = first + number * every + (number > 2) * int(chance() * 14)
        person.give("cyclophosphamide", "iv", mg, "mg", "dose", day, action="ordered")
        person.give("cyclophosphamide", "iv", mg, "mg", "dose", day, action="not_given" if chance() < 0.06 else "given")
    if chance() < 0.5:
        person.event(first + count * every, "drug_stopped", "drug", "cyclophosphamide")


def _cni(person: Person, day: int) -> None:
    """Tacrolimus, or ciclosporin at every fourth patient, with one change of dose."""
    if int(person.patient_id[-6:]) % 4 == 0:
        person.give("ciclosporin", "oral", 3 * person.weight, "mg", "day", day, day + 13)
        person.give("ciclosporin", "oral", 4 * person.weight, "mg", "day", day + 14, ongoing=True)
    else:
        person.give("tacrolimus", "oral", 3, "mg", "day", day, day + 9)
        person.give("tacrolimus", "oral", 5, "mg", "day", day + 10, ongoing=True)


def _upfront(person: Person) -> None:
    person.give("methylprednisolone", "iv", 1000, "mg", "day", 0, 2)
    _taper(person, 3, round(person.weight / 2.5) * 2.5)
    _cni(person, person.random.randint(0, 2))
    _pulses(person, person.random.randint(1, 4), 14, 6)


def _step_up(person: Person) -> None:
    pick = person.random.randint
    _taper(person, pick(-8, 0), 40)
    _cni(person, pick(12, 24))
    _pulses(person, pick(22, 45), 21, 6)
    if person.random.random() < 0.35:
        person.give("azathioprine", "oral", 50, "mg", "day", 6, 6 + pick(4, 20))


def _refractory(person: Person) -> None:
    pick, chance = person.random.randint, person.random.random
    person.give("methylprednisolone", "iv", 1000, "mg", "day", 0, 2)
    person.give("methylprednisolone", "iv", 80, "mg", "day", 3, 16)
    _taper(person, 17, round(person.weight / 2.5) * 2.5)
    _cni(person, pick(0, 3))
    _pulses(person, pick(1, 4), 14, 5)
    person.give("tofacitinib", "oral", 10, "mg", "day", pick(12, 25), ongoing=True)
    first = pick(7, 30)
    if chance() < 0.4:
        person.give("rituximab", "iv", 700, "mg", "dose", first - pick(1, 20))
    if chance() < 0.4:
        person.give("ivig", "iv", 20, "g", "day", first - pick(3, 12), first - 1)
    for session in range(pick(3, 7)):
        person.event(first + 2 * session, "procedure", "plasma_exchange")
    person.event(pick(9, 20), "impression", "worse_on_therapy")
    if chance() < 0.15:
        person.event(pick(10, 40), "diagnosis", "pneumothorax", "present")
    if person.dead:
        person.event(person.last, "outcome", "death")
    elif chance() < 0.5:
        person.event(pick(40, 70), "referral", "transplanted")


def _chronic(person: Person) -> None:
    chance = person.random.random
    _taper(person, 0, 20, wait=28)
    if chance() < 0.7:
        person.give("mycophenolate", "oral", 2000, "mg", "day", 3, ongoing=True)
    else:
        person.give("methotrexate", "sc", 15, "mg", "week", 3, ongoing=True)
    if chance() < 0.3:
        person.give("nintedanib", "oral", 300, "mg", "day", 120, ongoing=True)
    if chance() < 0.2:
        person.give("hydroxychloroquine", "oral", 200, "mg", "day", 10, ongoing=True)


def _early(person: Person) -> None:
    _taper(person, 0, round(person.weight * 0.6 / 2.5) * 2.5)
    _cni(person, 0)
    if person.random.random() < 0.4:
        person.give("baricitinib", "oral", 4, "mg", "day", 14, ongoing=True)


def _prophylaxis(person: Person) -> None:
    """TMP-SMX from the start, late, stopped for a rash and replaced by pentamidine, or never."""
    pick, kind = person.random.randint, person.random.random()
    if kind < 0.60:
        person.give("tmp_smx", "oral", 480, "mg", "day", 1, ongoing=True, purpose="prophylaxis")
    elif kind < 0.75:
        person.give("tmp_smx", "oral", 480, "mg", "day", pick(25, 60), ongoing=True, purpose="prophylaxis")
    elif kind < 0.90:
        stop = pick(10, 30)
        person.give("tmp_smx", "oral", 480, "mg", "day", 1, stop, purpose="prophylaxis")
        for number in range(8):
            person.give(
                "pentamidine", "inhaled", 300, "mg", "dose", stop + pick(1, 12) + number * 28, purpose="prophylaxis"
            )


def _infection(person: Person) -> None:
    pick, chance = person.random.randint, person.random.random()
    day = pick(20, 80)
    if chance < 0.22:
        end_organ = "yes" if chance < 0.07 else "no"
        site = "lung" if end_organ == "yes" else "blood"
        for code, value in (("organism", "cmv"), ("site", site), ("proof", "PCR"), ("end_organ", end_organ)):
            person.event(day, "infection", code, value, until=day + 21)
        person.give("ganciclovir", "iv", 5 * person.weight, "mg", "day", day, day + 13, purpose="treatment")
        person.give("valganciclovir", "oral", 900, "mg", "day", day + 14, day + 27, purpose="treatment")
    elif chance < 0.32:
        for code, value in (("specimen", "sputum"), ("organism", "Aspergillus fumigatus"), ("result", "positive")):
            person.event(day, "microbiology", code, value)
        person.event(day + 1, "infection", "organism", "aspergillus")
        person.event(day + 1, "decision", "decision", "cyclophosphamide on hold")


DEVICES = ((0.42, "room_air"), (0.66, "nasal_cannula"), (0.80, "simple_mask"), (0.95, "reservoir_mask"), (1.25, "hfnc"),
           (1.50, "invasive_ventilation"), (9.0, "ecmo"))  # fmt: skip


def _oxygen(person: Person) -> None:
    days = sorted({-2, 0, 2, 4, 7, 10, 14, 21, 28, 35, 49, 70, 100, 180, 300, person.last})
    for day in (day for day in days if day <= person.last):
        worst = severity(person.phenotype, person.start, person.turn, day) + person.random.gauss(0, 0.02)
        device = next(name for limit, name in DEVICES if worst < limit)
        _one_reading(person, day, worst, device)


def _one_reading(person: Person, day: int, worst: float, device: str) -> None:
    pick, chance = person.random.randint, person.random.random
    flow, fio2 = "", ""
    if device == "nasal_cannula":
        flow = str(max(1, min(6, round(1 + 20 * (worst - 0.42)))))
    elif device in ("simple_mask", "reservoir_mask"):
        flow = str(round(5 + 20 * (worst - 0.66)) if device == "simple_mask" else round(8 + 25 * (worst - 0.80)))
    elif device != "room_air":
        fio2 = f"{min(1.0, 0.10 + 0.45 * worst + pick(0, 1) * 0.05):.2f}"
        flow = str(pick(6, 12) * 5) if device == "hfnc" else ""
    spo2 = max(78, min(99, round(97 - 4 * worst + person.random.gauss(0, 1.5))))
    gas = worst > 0.5 and chance() < 0.5
    pao2 = f"{max(42, 95 - 25 * worst + person.random.gauss(0, 5)):.0f}" if gas else ""
    paco2 = f"{33 + 8 * max(0, worst - 1) + person.random.gauss(0, 2):.0f}" if gas else ""
    at = f"{person.on(day)}T{pick(6, 21):02d}:{pick(0, 5)}0" if chance() < 0.4 else person.on(day)
    activity = "rest" if chance() < 0.5 else ("exertion" if chance() < 0.15 and worst < 0.9 else "")
    rate = str(round(15 + 11 * worst))
    person._add("oxygen", (at, device, flow, fio2, str(spo2), rate, pao2, paco2, activity))


def _lung_function(person: Person) -> None:
    for day in (-3, 88, 182, 270, 365, 545):
        scarring = 0.12 * max(day, 0) / 180 if person.phenotype == "chronic" else 0
        worst = severity(person.phenotype, person.start, person.turn, day) + scarring
        if day > person.last or worst > 0.9 or (day > 0 and person.random.random() < 0.2):
            continue
        fvc, dlco = 98 - 45 * worst + person.random.gauss(0, 2), 85 - 55 * worst + person.random.gauss(0, 3)
        fvc, dlco = max(22, fvc), max(12, dlco)
        litres, transfer = fvc / 100 * _predicted(person, "fvc", day), dlco / 100 * _predicted(person, "dlco", day)
        on = person.on(day)
        person._add("pft", ("FVC", f"{litres:.2f}", "L", f"{fvc:.0f}", "pre", "GLI 2022 global", on))
        person._add("pft", ("FEV1", f"{litres * 0.83:.2f}", "L", "", "pre", "GLI 2022 global", on))
        person._add("pft", ("DLCO", f"{transfer:.1f}", "mL/min/mmHg", f"{dlco:.0f}", "", "GLI 2017", on))


def _predicted(person: Person, measure: str, day: int) -> float:
    """GLI's predicted value at the age of somebody born in the middle of the year."""
    age = (person.day0 + timedelta(days=day) - date(person.born, 7, 2)).days / 365.25
    return gli.predicted(person.sex, measure, age, person.height)


def _readings(person: Person) -> None:
    """mMRC, dyspnoea and chest CT readings that follow the change of severity."""
    before = severity(person.phenotype, person.start, person.turn, -3)
    person.event(-3, "measure", "mmrc", str(min(4, round(before * 4))))
    for day in (14, 30, 60, 120, 240, 400):
        now = severity(person.phenotype, person.start, person.turn, day)
        change = "worse" if now > before + 0.07 else "better" if now < before - 0.07 else "same"
        person.event(day, "measure", "mmrc", str(max(0, min(4, round(now * 4)))))
        person.event(day, "symptom", "dyspnoea", change)
        reading = (
            {"worse": "worse", "better": "improved", "same": "stable"}[change]
            if person.random.random() > 0.08
            else "blank"
        )
        person.event(day + 1, "imaging", "chest_ct", reading)
        before = now
    if person.phenotype in ("chronic", "early_referral"):
        for day in (60, 200):
            person.event(day, "measure", "walk_distance_m", str(person.random.randint(280, 520)))
            person.event(day, "measure", "walk_lowest_spo2", str(person.random.randint(82, 95)))


def _referral(person: Person) -> None:
    pick = person.random.randint
    if person.phenotype == "early_referral":
        steps = [(pick(0, 10), "discussed"), (pick(11, 25), "referred"), (pick(40, 90), "not_needed")]
    elif person.phenotype == "refractory":
        steps = [
            (pick(8, 25), "discussed"),
            (pick(15, 40), "work_up"),
            (pick(30, 60), "listed" if pick(0, 1) else "declined"),
        ]
    else:
        steps = [(pick(60, 300), "referred")] if person.random.random() < 0.15 else []
    for day, code in steps:
        person.event(day, "referral", code)
