"""Laboratory results of many synthetic patients at once. One array per analyte, one cell per patient and visit.

Severity (courses.severity) moves every analyte; each site has its own names and units, and its own anti-MDA5 assay. Some
results are censored, preliminary and then final, corrected, or dated to the month only.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sample_data.cohort.courses import PHENOTYPES, RISE, Person

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Test:
    """level * exp(slope * severity) in the unit of site A, measured at every `every`-th visit on average."""

    level: float
    slope: float
    noise: float
    every: float
    names: tuple[str, str, str]
    units: tuple[str, str, str]
    factors: tuple[float, float, float] = (1, 1, 1)
    digits: int = 2


TESTS = {
    "ferritin": Test(110, 2.7, 0.25, 1, ("ferritin", "Ferritin", "2276-4"), ("ng/mL", "µg/L", "ng/mL"), digits=0),
    "crp": Test(0.15, 2.7, 0.5, 1, ("CRP", "C-reactive protein", "crp"), ("mg/dL", "mg/L", "mg/L"), (1, 10, 10)),
    "ldh": Test(205, 0.75, 0.12, 1, ("LDH", "LD", "ldh"), ("U/L", "IU/L", ""), digits=0),
    "wbc": Test(6.2, 0.35, 0.25, 1, ("WBC", "Leukocytes", "6690-2"), ("10*9/L", "/µL", "10^3/uL"), (1, 1000, 1)),
    "neutrophils": Test(4.1, 0.5, 0.3, 1, ("neutrophils", "ANC", "751-8"), ("10*9/L", "/µL", "10^3/uL"), (1, 1000, 1)),
    "lymphocytes": Test(1.5, -1.1, 0.3, 1, ("lymphocytes", "ALC", "731-0"), ("10*9/L", "/µL", "10^3/uL"), (1, 1000, 1)),
    "platelets": Test(250, -0.15, 0.2, 1, ("PLT", "platelets", "777-3"), ("10*9/L", "G/L", "K/uL"), digits=0),
    "haemoglobin": Test(12.8, -0.18, 0.07, 1, ("Hb", "haemoglobin", "718-7"), ("g/dL", "g/L", "g/dL"), (1, 10, 1), 1),
    "creatinine": Test(0.7, 0.12, 0.18, 1, ("creatinine", "Crea", "2160-0"), ("mg/dL", "µmol/L", "mg/dL"), (1, 88.42, 1)),
    "ast": Test(28, 0.5, 0.35, 2, ("AST", "GOT", "1920-8"), ("U/L", "U/L", ""), digits=0),
    "alt": Test(26, 0.6, 0.4, 2, ("ALT", "GPT", "1742-6"), ("U/L", "U/L", ""), digits=0),
    "kl6": Test(340, 1.15, 0.15, 2, ("KL-6", "KL-6", "kl6"), ("U/mL", "U/mL", ""), digits=0),
    "albumin": Test(4.1, -0.25, 0.06, 3, ("Alb", "albumin", "1751-7"), ("g/dL", "g/L", "g/dL"), (1, 10, 1), 1),
    "igg": Test(11.5, -0.75, 0.2, 5, ("IgG", "IgG", "2465-3"), ("g/L", "mg/dL", "mg/dL"), (1, 100, 100), 1),
    "cmv_dna": Test(4, 3.2, 1.2, 3, ("CMV PCR", "CMV DNA", "72493-0"), ("IU/mL", "IU/mL", "IU/mL"), digits=0),
    "beta_d_glucan": Test(9, 1.5, 0.7, 6, ("BDG", "beta-D-glucan", "BDG"), ("pg/mL", "pg/mL", "pg/mL"), digits=1),
    "procalcitonin": Test(0.06, 1.6, 0.7, 6, ("PCT", "procalcitonin", "33959-8"), ("ng/mL", "µg/L", "ng/mL"), digits=3),
    "ck": Test(75, 0.4, 0.5, 5, ("CK", "CPK", "2157-6"), ("U/L", "U/L", ""), digits=0),
    "tacrolimus_level": Test(9.5, 0.15, 0.3, 2, ("tacrolimus level", "FK506 level", "11253-2"), ("ng/mL", "µg/L", "ng/mL"), digits=1),
    "ciclosporin_level": Test(140, 0, 0.3, 2, ("ciclosporin level", "CsA level", "3520-4"), ("ng/mL",) * 3, digits=0),
    "anti_mda5": Test(25, 4.5, 0.2, 5, ("anti-MDA5", "anti-MDA5", "MDA-5 Ab"), ("index", "", "SI"), digits=0),
}  # fmt: skip
RESULTS_PER_VISIT = sum(
    1 / test.every for name, test in TESTS.items() if name != "ciclosporin_level"
)  # a patient has one CNI
LOWEST = {"cmv_dna": 34.5, "procalcitonin": 0.02, "beta_d_glucan": 6.0}  # limits of quantification, in the printed unit
HIGHEST = {("ferritin", 2): 2000.0, ("anti_mda5", 0): 150.0, ("anti_mda5", 2): 100.0}  # by site
ASSAYS = {"anti_mda5": ("MBL MESACUP", "EUROIMMUN", "MSA-11"), "beta_d_glucan": ("Wako", "Fungitell", "Fungitell")}
ANTIBODY_AND_SCREEN = ("HBsAg", "anti-HBc", "IGRA")


def lab_rows(people: list[Person], visits: int, rng: np.random.Generator) -> list[pa.Array]:
    """labs.csv as columns: patient_id, analyte, value, unit, at, reported_at, assay, laboratory, sample_timing, status, record_id."""
    days = _visit_days(people, visits, rng)
    worst = _severity(people, days)
    site = np.array([int("ABC".index(person.site[-1])) for person in people])
    parts = [_results(name, test, people, site, days, worst, rng) for name, test in TESTS.items()]
    parts += [_screens(people, site, rng), *_again(parts, rng)]
    table = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    version = np.select(
        [table["status"] == PRELIMINARY, table["status"] == CORRECTED], [0, 2], 1
    )  # in order of arrival
    order = np.lexsort((version, table["day"], table["who"]))
    table = {key: values[order] for key, values in table.items()}
    return _columns(table, people, rng)


def _visit_days(people: list[Person], visits: int, rng: np.random.Generator) -> np.ndarray:
    """Days from day 0, close together at first: patients x visits, from -10 to the last day."""
    last = np.array([person.last for person in people])[:, None]
    share = np.linspace(0, 1, visits)[None, :] ** 2.2
    days = np.rint(-10 + share * (last + 10) + rng.uniform(-1.5, 1.5, (len(people), visits)))
    return np.clip(days, -14, last).astype(int)


def _severity(people: list[Person], days: np.ndarray) -> np.ndarray:
    """courses.severity for arrays."""
    start = np.array([person.start for person in people])[:, None]
    turn = np.array([person.turn for person in people])[:, None]
    kind = np.array([list(PHENOTYPES).index(person.phenotype) for person in people])[:, None]
    chronic = start + 0.10 * np.sin(days / 90)
    refractory = np.minimum(1.7, start + np.maximum(days, -10) / 55)
    rise = np.array([RISE.get(person.phenotype, 0) for person in people])[:, None]
    before = start + rise * np.maximum(days + 10, 0) / (turn + 10)
    after = 0.06 + (start + rise - 0.06) * np.exp(np.minimum(0, (turn - days) / 45))
    index = list(PHENOTYPES).index
    return np.select(
        [kind == index("chronic"), kind == index("refractory"), days < turn], [chronic, refractory, before], after
    )


def _results(name: str, test: Test, people, site, days, worst, rng) -> dict[str, np.ndarray]:
    """One analyte: which visits measured it, and its values as printed."""
    measured = rng.random(days.shape) < 1 / test.every
    if name in ("tacrolimus_level", "ciclosporin_level"):
        takes = np.array([(int(person.patient_id[-6:]) % 4 == 0) == (name == "ciclosporin_level") for person in people])
        measured &= (
            takes[:, None] & (days > 2) & np.array([person.phenotype != "chronic" for person in people])[:, None]
        )
    if name == "anti_mda5":
        measured[:, 0] = True
    constant = np.exp(rng.normal(0, test.noise, (len(people), 1)))
    value = (
        test.level
        * np.exp(test.slope * np.minimum(worst, 1.35))
        * constant
        * np.exp(rng.normal(0, test.noise / 2, days.shape))
    )
    value *= np.array(test.factors)[site][:, None]
    who, at = np.nonzero(measured)
    value = np.round(value[who, at], test.digits)
    return {"who": who, "day": days[who, at], "test": np.full(len(who), list(TESTS).index(name)), "value": value,
            "text": _texts(name, value, site[who]), "status": np.zeros(len(who), int), "pair": np.zeros(len(who), int)}  # fmt: skip


def _texts(name: str, value: np.ndarray, site: np.ndarray) -> np.ndarray:
    """Results that are not plain numbers: censored, or the intensity of a line blot. Empty: the number itself."""
    text = np.full(len(value), "", dtype=object)
    if name in LOWEST:
        low = value < LOWEST[name]
        text[low] = f"<{LOWEST[name]:g}"
        if name == "cmv_dna":
            text[value < 20] = "not detected"
    for (analyte, where), most in HIGHEST.items():
        if analyte == name:
            text[(site == where) & (value > most)] = f">{most:g}"
    if name == "anti_mda5":
        blot = site == 1
        text[blot] = np.select([value[blot] < 12, value[blot] < 60, value[blot] < 200], ["negative", "+", "++"], "+++")
    return text


def _screens(people: list[Person], site: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """HBsAg, anti-HBc and IGRA before treatment; each is missing in about every fifth patient."""
    done = rng.random((len(people), 3)) < 0.8
    who, which = np.nonzero(done)
    text = np.where(rng.random(len(who)) < 0.06, "positive", "negative").astype(object)
    return {"who": who, "day": np.full(len(who), -2), "test": -1 - which, "value": np.zeros(len(who)), "text": text,
            "status": np.zeros(len(who), int), "pair": np.zeros(len(who), int)}  # fmt: skip


PLAIN, FINAL, PRELIMINARY, CORRECTED = 0, 1, 2, 3


def _again(parts: list[dict], rng: np.random.Generator) -> list[dict]:
    """Marks about one result in forty as final with a preliminary version, one in two hundred as corrected later. Returns the other
    versions: they share the record_id of the row they belong to, which `pair` links."""
    others, linked = [], 0
    for part in parts:
        draw = np.where(part["text"] == "", rng.random(len(part["who"])), 1)
        for status, chosen in ((PRELIMINARY, draw < 0.025), (CORRECTED, (draw >= 0.025) & (draw < 0.03))):
            at = np.nonzero(chosen)[0]
            part["status"][at] = FINAL
            part["pair"][at] = np.arange(linked + 1, linked + 1 + len(at))
            other = {key: part[key][at].copy() for key in part}
            other["status"][:] = status
            digits = TESTS[list(TESTS)[part["test"][0]]].digits if len(at) and part["test"][0] >= 0 else 0
            other["value"] = np.round(other["value"] * (1.1 if status == PRELIMINARY else 0.9), digits)
            others.append(other)
            linked += len(at)
    return others


def _columns(table: dict[str, np.ndarray], people: list[Person], rng: np.random.Generator) -> list[pa.Array]:
    """From numbers to printed cells."""
    who, test, status = table["who"], table["test"], table["status"]
    site = np.array([int("ABC".index(person.site[-1])) for person in people])[who]
    day0 = np.array([(person.day0 - EPOCH).days for person in people])
    day = day0[who] + table["day"]
    cell = test * 3 + site  # screens have negative numbers: they pick from the end
    names = [name for one in TESTS.values() for name in one.names]
    units = [unit for one in TESTS.values() for unit in one.units]
    assays = [assay for name in TESTS for assay in ASSAYS.get(name, ("", "", ""))]
    screens = [name for screen in reversed(ANTIBODY_AND_SCREEN) for name in (screen,) * 3]
    plain = table["text"] == ""
    value = pc.if_else(
        pa.array(plain), pc.cast(pa.array(table["value"]), pa.string()), pa.array(table["text"], pa.string())
    )
    censored = np.isin(table["text"].astype("U1"), ["<", ">"])
    unit = pc.if_else(pa.array(plain | censored), _pick(units + [""] * 9, cell), "")
    return [
        _pick([person.patient_id for person in people], who), _pick(names + screens, cell), value, unit, _dates(day, status, rng),
        _reported(day, status), _pick(assays + [""] * 9, cell), _pick([f"Synthetic laboratory {letter}" for letter in "ABC"], site),
        _timing(test, rng), _pick(["", "final", "preliminary", "corrected"], status), _record_ids(table, people),
    ]  # fmt: skip


def _pick(texts: list[str], index: np.ndarray) -> pa.Array:
    """texts[index], without making a Python string per row."""
    return pa.array(texts, pa.string()).take(pa.array(index % len(texts)))


def _dates(day: np.ndarray, status: np.ndarray, rng: np.random.Generator) -> pa.Array:
    """ISO days; about one plain result in three hundred is dated to its month only."""
    text = pc.cast(pc.cast(pa.array(day.astype(np.int32)), pa.date32()), pa.string())
    partial = (rng.random(len(day)) < 0.003) & (status == PLAIN)
    return pc.if_else(pa.array(partial), pc.utf8_slice_codeunits(text, 0, 7), text)


def _reported(day: np.ndarray, status: np.ndarray) -> pa.Array:
    """Versions are reported in order: preliminary on the day, final the day after, corrected three days later."""
    later = np.select([status == FINAL, status == CORRECTED], [1, 3], 0)
    text = pc.cast(pc.cast(pa.array((day + later).astype(np.int32)), pa.date32()), pa.string())
    return pc.if_else(pa.array(status == PLAIN), "", text)


def _timing(test: np.ndarray, rng: np.random.Generator) -> pa.Array:
    """Ciclosporin is drawn before the dose (C0), mostly, and now and then without its time; tacrolimus is a trough or does not say."""
    draw = rng.random(len(test))
    numbers = list(TESTS)
    csa, tac = test == numbers.index("ciclosporin_level"), test == numbers.index("tacrolimus_level")
    timing = np.select([csa & (draw < 0.85), tac & (draw < 0.7)], [1, 2], 0)
    return _pick(["", "C0", "trough"], timing)


def _record_ids(table: dict[str, np.ndarray], people: list[Person]) -> pa.Array:
    """One per row, but the versions of one result share theirs."""
    number = np.arange(len(table["who"])) - np.searchsorted(table["who"], table["who"])  # rows are in order of patient
    paired = table["pair"] > 0
    patient = _pick([person.patient_id for person in people], table["who"])
    own = pc.binary_join_element_wise(patient, pc.cast(pa.array(number), pa.string()), "-lab-")
    shared = pc.binary_join_element_wise(patient, pc.cast(pa.array(table["pair"]), pa.string()), "-version-")
    return pc.if_else(pa.array(paired), shared, own)
