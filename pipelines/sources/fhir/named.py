"""What the code of an Observation names: an analyte of the dictionary, one of our own event codes, or nothing that is known.

LOINC wins: where one of the codings is LOINC and none of these is in the dictionary, its text is not read in its place (urine
creatinine is printed 'Creatinine' too). The codes of other systems are never read as names. Codings that name two different things
are passed on as analyte and code, so that ingest refuses the row. 59408-5 (by pulse oximetry) beside 2708-6 (arterial blood) is the
standard way to code a pulse oximetry: SpO2.
"""

from functools import lru_cache
from typing import NamedTuple

from pipelines.sources import kinds
from pipelines.sources.fhir.elements import LOCAL, LOINC, codings, text

EVENT = f"{LOCAL}event"
PANEL, COLUMN = f"{LOCAL}panel", f"{LOCAL}column"
# LOINC codes of measures that are events (rulebook section 10), with the one unit each is read in.
MEASURES = {"8302-2": ("height_cm", "cm"), "64098-7": ("walk_distance_m", "m")}


class Named(NamedTuple):
    """kind: the native kind. analyte: the dictionary's id, None when it is not known or the codings contradict each other.
    printed and code: as the columns `analyte` and `code` are given. local: our own code ('diagnosis/ild', 'percent_predicted')."""

    kind: str
    analyte: str | None
    printed: str | None
    code: str | None
    local: str = ""


def named(concept: dict) -> Named:
    """What a CodeableConcept names. Raises Unreadable."""
    return _named(tuple(codings(concept)), text(concept, "text"))


@lru_cache(maxsize=1 << 14)
def _named(given: tuple[tuple[str, str, str], ...], said: str | None) -> Named:
    for system, code, _ in given:
        if system == EVENT:
            return Named("events", None, said, None, code)
        if system in (PANEL, COLUMN):
            return Named("oxygen" if code == "oxygen" else "", None, said, None, code)
    names = [name for name in (said, *(display for _, _, display in given)) if name]
    loinc = [code for system, code, _ in given if system in LOINC and code]
    known = {code: analyte for code in loinc if (analyte := kinds.analyte_of_code(code))}
    if known.get("59408-5") and set(known.values()) == {"spo2", "sao2"}:
        known.pop("2708-6", None)
    if loinc and not known:
        measure = next((code for code in loinc if code in MEASURES), None)
        if measure:
            return Named("events", None, None, measure, f"measure/{MEASURES[measure][0]}")
        return Named("labs", None, None, loinc[0])
    printed_as = {name: analyte for name in names if (analyte := _analyte(name))}
    code = next(iter(known), None)
    meant = set(known.values()) | set(printed_as.values())
    if len(meant) > 1:
        return _contradiction(known, printed_as)
    printed = next(iter(printed_as), names[0] if names else None)
    if not meant:
        local = next((code for system, code, _ in given if code and system not in LOINC), None)
        return Named("labs", None, printed or local, None)
    analyte = meant.pop()
    return Named(kinds.kind_of(analyte), analyte, printed if printed in printed_as else analyte, code)


def _contradiction(known: dict[str, str], printed_as: dict[str, str]) -> Named:
    """A row that ingest refuses: its analyte and its code name different things."""
    all_named = list((known | printed_as).items())
    first, meant = all_named[0]
    other = next(name for name, analyte in all_named if analyte != meant)
    return Named("labs", None, other, first)


def _analyte(name: str) -> str | None:
    return kinds.analyte_of_name(name) or kinds.analyte_of_code(name)
