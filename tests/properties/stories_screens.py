"""Before and under intense immunosuppression: tests before a drug is started, pulses with counts about them, infections, agents."""

from datetime import date, timedelta

from hypothesis import strategies as st

FIRST = date(2024, 1, 1)  # as in cohorts
SCREENED = [
    ("rituximab", "iv", "1000"),
    ("tofacitinib", "oral", "10"),
    ("baricitinib", "oral", "4"),
    ("infliximab", "iv", "300"),
    ("adalimumab", "sc", "40"),
    ("cyclophosphamide", "oral", "50"),
]
COUNTS = [
    ("wbc", ["2.9", "3", "3.1", "2", "<3", "<=3", "<4", ">2.9", ">3"]),
    ("neutrophils", ["1.4", "1.5", "1.6", "<1.5", "<=1.5", "<2", ">1.4", ">=1.5"]),
]
INFECTIONS = [("e_coli", "urine"), ("e_coli", "blood"), ("k_pneumoniae", "lung"), ("aspergillus", None), (None, "lung")]
GLUCOCORTICOID = ["5", "19.5", "20", "60", "1 T"]
PARTNERS = [("tacrolimus", "oral", "3"), ("mycophenolate", "oral", "2000"), ("azathioprine", "oral", "50")]

offsets = st.sampled_from([0, 1, 5, 12, 13, 14, 15, 27, 28, 29, 30, 41, 42])


def _on(offset: int) -> str:
    return (FIRST + timedelta(days=offset)).isoformat()


def _given(drug: str, route: str, dose: str, start: int) -> dict[str, str]:
    return {"drug": drug, "route": route, "dose": dose, "dose_unit": "mg", "per": "dose", "start": _on(start)}


@st.composite
def _course(draw: st.DrawFn, drug: str, route: str, dose: str) -> dict[str, str]:
    """One dose, some days of it, or open."""
    start = draw(offsets)
    row = _given(drug, route, dose, start)
    if route == "iv":
        return row
    row |= {"per": "day"} | draw(
        st.sampled_from([
            {}, {"stop": _on(start + 3)}, {"stop": _on(start + 25)}, {"stop": _on(start + 40)}, {"ongoing": "yes"},
            {"ongoing": "yes", "last_confirmed_on": _on(start + 9)},
        ])
    )  # fmt: skip
    return row


@st.composite
def screened(draw: st.DrawFn) -> dict[str, list[dict[str, str]]]:
    """Drugs that ask for a hepatitis B or a tuberculosis screen, and the tests on, before or after the day they start."""
    given = [draw(_course(*drug)) for drug in draw(st.lists(st.sampled_from(SCREENED), max_size=4))]
    tests = draw(st.lists(st.sampled_from(["hbsag", "anti_hbc", "igra", "hepatitis_markers"]), max_size=4))
    return {
        "administrations": [row | {"action": draw(st.sampled_from(["", "", "", "ordered"]))} for row in given],
        "labs": [
            {"analyte": test, "value": draw(st.sampled_from(["negative", "positive"])), "at": _on(draw(offsets))}
            for test in tests
        ],
    }


@st.composite
def infected(draw: st.DrawFn) -> dict[str, list[dict[str, str]]]:
    """Infections with an end or without, under one to three agents, and pulses with blood counts about them."""
    events, labs, given = [], [], []
    for organism, site in draw(st.lists(st.sampled_from(INFECTIONS), max_size=3, unique=True)):
        start = draw(offsets)
        until = draw(st.sampled_from(["", _on(start), _on(start + 10), _on(start + 28), _on(start + 40)]))
        again = draw(st.sampled_from([0, 0, 9, 10, 11, 29, 30]))
        for code, value in (("organism", organism), ("site", site)):
            if value:
                events.append({"kind": "infection", "code": code, "value": value, "at": _on(start), "until": until})
                if again:
                    events.append({"kind": "infection", "code": code, "value": value, "at": _on(start + again)})
    if draw(st.booleans()):
        given.append(draw(_course("prednisolone", "oral", draw(st.sampled_from(GLUCOCORTICOID)))))
    given += [draw(_course(*drug)) for drug in draw(st.lists(st.sampled_from(PARTNERS), max_size=2, unique=True))]
    for offset in draw(st.lists(offsets, max_size=3)):
        pulse = _given("cyclophosphamide", "iv", "750", offset)
        given.append(pulse | {"action": draw(st.sampled_from(["", "", "ordered", "not_given"]))})
        for analyte, values in COUNTS:
            for wait in draw(st.lists(st.sampled_from([0, 0, 1, 3, 13, 14, 15]), max_size=2)):
                if offset >= wait:
                    value = draw(st.sampled_from(values))
                    labs.append({"analyte": analyte, "value": value, "unit": "10*9/L", "at": _on(offset - wait)})
    return {"administrations": given, "events": events, "labs": labs}
