"""Random stories of what counts against a transplant: age, build, kidney, infections, ECMO."""

from datetime import date, timedelta

from hypothesis import strategies as st

FIRST = date(2024, 1, 1)
LABS = [
    ("egfr", "mL/min/{1.73_m2}", ["39.9", "40", "59", "60", "60.1", ">60", ">45", "<40", "<60"]),
    ("bmi", "kg/m2", ["15.9", "16", "17", "17.1", "24", "29.9", "30", "35", ">30", "<20"]),
    ("weight", "kg", ["46.2", "60"]),
    ("height", "cm", ["170"]),
]
SIZES = [
    ("weight_kg", ["46.23", "46.24", "49.13", "49.14", "60", "86.69", "86.7", "101.14", "101.15"]),
    ("height_cm", ["170", "170", "168"]),
]
SITES = ["lung", "Lung", "urinary tract", "blood", "disseminated", ""]
OXYGEN = [
    {"device": "nasal_cannula", "flow_l_min": "2"},
    {"device": "niv", "fio2": "0.6"},
    {"device": "invasive_ventilation", "fio2": "0.6"},
    {"device": "ecmo"},
]


def _on(offset: int) -> str:
    return (FIRST + timedelta(days=offset)).isoformat()


@st.composite
def hindered(draw: st.DrawFn) -> dict[str, list[dict[str, str]]]:
    """A little of each, with ends and without."""
    days = st.integers(0, 60)
    found: dict[str, list[dict[str, str]]] = {"labs": [], "events": [], "oxygen": [], "patients": []}
    if draw(st.booleans()):
        found["patients"].append(
            {"birth_year": draw(st.sampled_from(["1940", "1952", "1953", "1954", "1958", "1959", "1960"]))}
        )
    for analyte, unit, values in draw(st.lists(st.sampled_from(LABS), max_size=3)):
        found["labs"].append(
            {"analyte": analyte, "value": draw(st.sampled_from(values)), "unit": unit, "at": _on(draw(days))}
        )
    for code, values in draw(st.lists(st.sampled_from(SIZES), max_size=4)):
        found["events"].append(
            {"kind": "measure", "code": code, "value": draw(st.sampled_from(values)), "at": _on(draw(days))}
        )
    for code in draw(st.lists(st.sampled_from(["septic_shock", "tuberculosis", "malignancy_high_risk"]), max_size=3)):
        found["events"].append(
            draw(_ended(draw(days)))
            | {"kind": "diagnosis", "code": code, "value": draw(st.sampled_from(["present", "absent"]))}
        )
    for _ in range(draw(st.integers(0, 2))):
        moment = draw(_ended(draw(days)))
        rows = {"organism": draw(st.sampled_from(["e_coli", "candida", ""])), "site": draw(st.sampled_from(SITES))}
        found["events"] += [
            moment | {"kind": "infection", "code": code, "value": value} for code, value in rows.items() if value
        ]
    for _ in range(draw(st.integers(0, 1))):
        found["events"].append(draw(_ended(draw(days))) | {"kind": "procedure", "code": "ecmo"})
    for _ in range(draw(st.integers(0, 3))):
        found["oxygen"].append({"at": _on(draw(days))} | draw(st.sampled_from(OXYGEN)))
    return found


@st.composite
def _ended(draw: st.DrawFn, offset: int) -> dict[str, str]:
    """The dates of a row: with no end, or one some days or weeks later."""
    until = draw(st.sampled_from([None, None, 0, 5, 33]))
    return {"at": _on(offset), "until": "" if until is None else _on(offset + until)}
