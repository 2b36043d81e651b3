"""Watched treatment: drug levels at and around their limits, exchanges about rituximab, tests at and around their due days."""

from datetime import date, timedelta

from hypothesis import strategies as st

FIRST = date(2024, 1, 1)
LEVELS = {
    "tacrolimus": (
        ["4.9", "5", "8", "10", "12", "15", "15.1", "<2", "<=10", ">15", ">30"],
        ["", "trough", "trough", "C0", "C2"],
    ),
    "ciclosporin": (
        ["99", "100", "150", "151", "799", "800", "1200", "1201", "<100", ">1200"],
        ["C0", "trough", "C2", "C2", ""],
    ),
}
TESTS = [
    ("ferritin", "500", "ng/mL"),
    ("crp", "1", "mg/dL"),
    ("neutrophils", "4", "10*9/L"),
    ("creatinine", "0.8", "mg/dL"),
    ("kl6", "900", "U/mL"),
    ("cmv_pp65", "0", "cells"),
    ("igg", "8", "g/L"),
]


def _on(offset: int) -> str:
    return (FIRST + timedelta(days=offset)).isoformat()


def _daily(drug: str, dose: str, start: int, last: int | None) -> dict[str, str]:
    row = {"drug": drug, "route": "oral", "dose": dose, "dose_unit": "mg", "per": "day", "start": _on(start)}
    return row | ({"ongoing": "yes"} if last is None else {"stop": _on(last)})


@st.composite
def watched(draw: st.DrawFn) -> dict[str, list[dict[str, str]]]:
    """A calcineurin inhibitor with its levels, rituximab and exchanges, and the tests of the schedule."""
    given, labs, events = [_daily("prednisolone", "30", 0, None)], [], []
    start = draw(st.integers(0, 6))
    for drug in draw(st.lists(st.sampled_from(sorted(LEVELS)), min_size=1, max_size=2, unique=True)):
        stopped = draw(st.sampled_from([None, None, start + 20]))
        if draw(st.sampled_from([True, True, False])):
            given.append(_daily(drug, "3", start, stopped))
            if stopped and draw(st.booleans()):
                given.append(_daily(drug, "3", stopped + draw(st.sampled_from([3, 4, 5, 6])), None))
        values, timings = LEVELS[drug]
        for wait in draw(st.lists(st.sampled_from([0, 5, 9, 20, 22, 30, 88, 89, 90]), max_size=4)):
            level = {"analyte": f"{drug}_level", "value": draw(st.sampled_from(values)), "unit": "ng/mL"}
            labs.append(level | {"at": _on(start + wait), "sample_timing": draw(st.sampled_from(timings))})
    infused = draw(st.integers(5, 40))
    if draw(st.booleans()):
        infusion = {"drug": "rituximab", "route": "iv", "dose": "1000", "dose_unit": "mg", "per": "dose"}
        given += [infusion | {"start": _on(infused + 15 * number)} for number in range(draw(st.integers(1, 2)))]
    for wait in draw(st.lists(st.sampled_from([-1, 0, 2, 3, 4, 13, 14, 18]), max_size=4)):
        events.append({"kind": "procedure", "code": "plasma_exchange", "value": "", "at": _on(infused + wait)})
    if draw(st.booleans()):
        events.append({"kind": "diagnosis", "code": "rp_ild", "value": "", "at": _on(draw(st.integers(0, 30)))})
    for analyte, value, unit in TESTS:
        tested = start
        for gap in draw(st.lists(st.sampled_from([6, 7, 8, 14, 15, 28, 30, 31]), max_size=3)):
            tested += gap
            labs.append({"analyte": analyte, "value": value, "unit": unit, "at": _on(tested), "sample_timing": ""})
    return {"labs": labs, "administrations": given, "events": events}
