"""Lung function over half a year, with all that makes a comparison hard: censored values, several tests of a day, reference sets,
litres alone; ILD recorded before, between or never, on combination therapy or not."""

from datetime import date, timedelta

from hypothesis import strategies as st

from tests.properties.values import PFT

FIRST = date(2024, 1, 1)  # as in cohorts.py, which reads this module
# At and around every size that counts: 90 to 85 is 5 points, to 81 10 %; 80 to 70 is 10 points, to 72 10 %; 55 is 10 % above 50.
PERCENTS = {
    "FVC": [
        "90",
        "85.5",
        "85",
        "81",
        "80",
        "75",
        "72",
        "70",
        "69.9",
        "55",
        "50",
        ">80",
        "<80",
        ">=72",
        "<=70",
        ">81",
        ">85.5",
        "<90",
    ],
    "DLCO": ["60", "51", "50", "49.9", "46", "42.5", "40", ">50", "<50", ">=40", ">51"],
}
OFFSETS = (0, 10, 27, 28, 29, 60, 100, 183, 184, 190)


def _on(offset: int) -> str:
    return (FIRST + timedelta(days=offset)).isoformat()


@st.composite
def followed(draw: st.DrawFn) -> dict[str, list[dict[str, str]]]:
    """Tests of both measures, drugs and what may be said beside them."""
    found: dict[str, list[dict[str, str]]] = {"pft": [], "events": [], "administrations": []}
    sets = draw(st.sampled_from([("",), ("",), ("", "GLI 2022 global")]))
    for offset in sorted(draw(st.lists(st.sampled_from(OFFSETS), min_size=2, max_size=5))):
        for measure in draw(st.sampled_from([PFT, PFT, PFT[:1], PFT[1:]])):
            row = measure | {"at": _on(offset) + draw(st.sampled_from(["", "", "", "T08:00", "T16:00"]))}
            row["reference_set"] = draw(st.sampled_from(sets))
            row["phase"] = draw(st.sampled_from(["", "", "", "", "pre", "post"]))
            if draw(st.sampled_from([True] * 9 + [False])):
                row["percent_predicted"] = draw(st.sampled_from(PERCENTS[row["measure"]]))
            found["pft"].append(row)
    if draw(st.booleans()):
        diagnosis = {"kind": "diagnosis", "code": draw(st.sampled_from(["ild", "rp_ild"])), "value": "present"}
        found["events"].append(diagnosis | {"at": _on(draw(st.sampled_from(OFFSETS)))})
    for _ in range(draw(st.integers(0, 2))):
        read = {"kind": "imaging", "code": "chest_ct", "value": draw(st.sampled_from(["stable", "worse", "worse", ""]))}
        found["events"].append(read | {"at": _on(draw(st.sampled_from([1, *OFFSETS, 187])))})
    if draw(st.sampled_from([True, True, False])):
        for drug, dose in (("prednisolone", "30"), ("tacrolimus", "3")):
            start = draw(st.sampled_from([0, 0, 5, 28, 60]))
            row = {"drug": drug, "route": "oral", "dose": dose, "dose_unit": "mg", "per": "day", "start": _on(start)}
            stop = draw(st.sampled_from([None, None, None, 60, 100]))
            found["administrations"].append(row | ({"ongoing": "yes"} if stop is None else {"stop": _on(stop)}))
    return found
