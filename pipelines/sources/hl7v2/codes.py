"""What OBX-3, OBX-6, OBX-7 and drug fields say, as the native columns say it: analyte and code, unit, reference range.

Each text is read once and remembered, for a file repeats a few hundred of them.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from pipelines import dictionary
from pipelines.sources import kinds
from pipelines.sources.hl7v2.fields import Separators, remembered
from pipelines.sources.hl7v2.tables import DRUG_CODES, LOCAL, LOINC, UCUM

LOINC_SHAPE = re.compile(r"\d{1,7}-\d", re.ASCII)
ATC_SHAPE = re.compile(r"[A-Z]\d{2}[A-Z]{2}\d{2}", re.ASCII)
NUMBER = r"[+-]?\d{1,18}(?:\.\d{1,18})?"
RANGE = re.compile(rf"({NUMBER})\s*(?:-|–|to)\s*({NUMBER})", re.ASCII)
BARE = re.compile(rf"=?\s*{NUMBER}|[\d.,\s]+", re.ASCII)
BOUND = re.compile(rf"(<=?|>=?|≤|≥)\s*({NUMBER})", re.ASCII)
# LOINC codes of measures that are events (rulebook section 10) and no analytes, with the one unit each is read in.
MEASURES = {"64098-7": ("walk_distance_m", "m")}


class Observed(NamedTuple):
    """What OBX-3 names. kind: the native kind. analyte: the dictionary's id, None when it is not known or the names contradict
    each other. name and code: as the columns `analyte` and `code` are given."""

    kind: str
    analyte: str | None
    name: str
    code: str
    judged_in_blood: bool


@remembered(1 << 14)
def observed(printed: str, separators: Separators) -> Observed:
    """OBX-3 (CWE): a code with its text and system, and an alternate of the same."""
    part = (*separators.components(printed), *[""] * 6)
    if LOCAL in (part[2], part[5]):
        return Observed("events", None, "", part[0] if part[2] == LOCAL else part[3], False)
    code, names = "", [part[1], part[4]]
    for identifier, system in ((part[0], part[2].upper()), (part[3], part[5].upper())):
        is_loinc = system in LOINC or (not system and LOINC_SHAPE.fullmatch(identifier))
        if is_loinc and not code:
            code = identifier
        elif LOINC_SHAPE.fullmatch(identifier) and not is_loinc:
            names.append(f"{identifier} ({system})")  # another system's code that looks like LOINC
        else:
            names.append(identifier)
    names = [name for name in names if name]
    known = {name: analyte for name in names if (analyte := kinds.analyte_of_name(name))}
    name = next(iter(known), names[0] if names else "")
    meant = set(known.values()) | {kinds.analyte_of_code(code)} - {None}
    if len(meant) > 1:  # ingest refuses a row whose name and code contradict each other
        others = [other for other, analyte in known.items() if analyte != known[name]] or [code]
        return Observed("labs", None, name, others[0], False)
    if code in MEASURES and not meant:
        return Observed("events", None, "measure", code, False)
    analyte = next(iter(meant), None)
    kind = kinds.kind_of(analyte) if analyte else "labs"
    numeric = analyte is not None and dictionary.analytes()[analyte]["value_kind"] == "number"
    return Observed(kind, analyte, name, code, numeric)


@remembered(1 << 14)
def unit(printed: str, separators: Separators) -> str:
    """OBX-6 (CWE): the UCUM code; else the first part that is a unit known to the dictionary; else the first part."""
    if not printed:
        return ""
    part = (*separators.components(printed), *[""] * 6)
    ucum = [code for code, system in ((part[0], part[2]), (part[3], part[5])) if code and system.upper() in UCUM]
    if ucum:
        return ucum[0]
    # 10^9/L is often written with a bare ^, which separates components; a bare number is a local code
    whole = separators.plain(printed).replace(separators.component, "^")
    choices = [choice for choice in (whole, part[0], part[1], part[3], part[4]) if choice and not choice.isdecimal()]
    return next((choice for choice in choices if dictionary.normal_unit(choice) in _known_units()), part[0] or part[1])


@lru_cache(maxsize=1)
def _known_units() -> frozenset[str]:
    spelled = dictionary.unit_spellings()
    doses = [unit for block in dictionary.dose_units().values() for unit in block]
    return frozenset(dictionary.normal_unit(text) for code, texts in spelled.items() for text in (code, *texts, *doses))


@remembered(1 << 14)
def reference_range(printed: str, separators: Separators) -> tuple[str, str]:
    """OBX-7 as (ref_low, ref_high). A text that is no range is the low end: ingest counts ranges it cannot read."""
    text = separators.plain(printed)
    both = RANGE.fullmatch(text)
    if both:
        return both[1], both[2]
    bound = BOUND.fullmatch(text)
    if bound:
        return ("", bound[2]) if bound[1] in ("<", "<=", "≤") else (bound[2], "")
    return (f"({text})" if BARE.fullmatch(text) else text), ""  # which end a single number is, nothing says


@remembered(1 << 12)
def drug(printed: str, separators: Separators) -> tuple[str, str]:
    """RXA-5 or RXE-2 (CWE) as (drug, code): the printed name, and an ATC or RxNorm code."""
    part = (*separators.components(printed), *[""] * 6)
    code, names = "", [part[1], part[4]]
    for identifier, system in ((part[0], part[2].upper()), (part[3], part[5].upper())):
        if identifier and not code and (system in DRUG_CODES or (not system and ATC_SHAPE.fullmatch(identifier))):
            code = identifier
        elif identifier.isdecimal() or ATC_SHAPE.fullmatch(identifier):
            names.append(f"{identifier} ({system or 'no system'})")  # another system's number is no RxNorm code
        else:
            names.append(identifier)
    return next((name for name in names if name), ""), code


@remembered(1 << 12)
def text_of(printed: str, separators: Separators) -> str:
    """A coded field (CWE) as text: its text, else the original text, else a code."""
    part = (*separators.components(printed), *[""] * 9)
    return part[1] or part[8] or part[0] or part[4] or part[3]
