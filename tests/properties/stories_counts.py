"""What the blood shows under treatment: counts and IgG at and around their limits."""

from datetime import date, timedelta

from hypothesis import strategies as st

FIRST = date(2024, 1, 1)  # as in cohorts
LOW_COUNTS = [
    (
        "lymphocytes",
        "10*9/L",
        [
            "0.19",
            "0.2",
            "0.49",
            "0.5",
            "0.79",
            "0.8",
            "0.99",
            "1",
            "<0.8",
            "<=0.8",
            "<0.5",
            "<1",
            ">0.8",
            ">0.7",
            ">=1",
        ],
    ),
    (
        "neutrophils",
        "10*9/L",
        [
            "0.49",
            "0.5",
            "0.99",
            "1",
            "1.01",
            "1.49",
            "1.5",
            "1.79",
            "1.8",
            "<0.5",
            "<=1",
            "<1.5",
            "<1.8",
            ">1",
            ">=1.5",
        ],
    ),
    ("igg", "g/L", ["2.99", "3", "3.99", "4", "6.99", "7", "<3", "<=4", "<7", ">3", ">=4"]),
]
CMV = ["0", "<34.5", "34.5", "109", "109.1", "110", "345", ">1000", "not detected"]
GLUCAN = {
    "Fungitell": ["<31", "59.9", "60", "79.9", "80", "<=60", ">500", ">70", "positive", "borderline"],
    "Wako": ["10.9", "11", "<11", "<=11", ">6", "negative"],
    "Goldstream": ["500"],
    "": ["500", "positive"],
}
HAEMOGLOBIN = ["7.9", "8", "9.9", "10", "10.5", "12", "12", "12.1", "<8", "<10", ">10"]


def _on(offset: int) -> str:
    return (FIRST + timedelta(days=offset)).isoformat()


@st.composite
def counted(draw: st.DrawFn) -> dict[str, list[dict[str, str]]]:
    """Blood counts and IgG, some on one day, CMV PCRs of one or two laboratories, and beta-D-glucan by one or two assays."""
    labs = []
    for analyte, unit, values in LOW_COUNTS:
        for offset in draw(st.lists(st.sampled_from([3, 3, 10, 20, 20, 34]), max_size=3)):
            labs.append({"analyte": analyte, "value": draw(st.sampled_from(values)), "unit": unit, "at": _on(offset)})
    for offset in draw(st.lists(st.sampled_from([2, 9, 9, 23, 24, 30, 51]), max_size=4)):
        row = {"analyte": "cmv_dna", "value": draw(st.sampled_from(CMV)), "unit": "[IU]/mL", "at": _on(offset)}
        if draw(st.sampled_from([False, False, False, True])):
            row |= {"analyte": "cmv_dna_copies", "unit": "copies/mL"}
        labs.append(row | {"laboratory": draw(st.sampled_from(["", "", "A"]))})
    for offset in draw(st.lists(st.sampled_from([1, 12, 12, 40]), max_size=3)):
        assay = draw(st.sampled_from(["Fungitell", "Fungitell", "Wako", "Goldstream", ""]))
        row = {"analyte": "beta_d_glucan", "value": draw(st.sampled_from(GLUCAN[assay])), "unit": "pg/mL"}
        labs.append(row | {"assay": assay, "at": _on(offset)})
    return {"labs": labs}


@st.composite
def inhibited(draw: st.DrawFn) -> dict[str, list[dict[str, str]]]:
    """A JAK inhibitor, paused, replaced or beside another, with blood counts before and under it."""
    start = draw(st.integers(4, 12))
    first, second = draw(
        st.sampled_from([("tofacitinib", "tofacitinib"), ("tofacitinib", "baricitinib"), ("tofacitinib", "")])
    )
    last = start + draw(st.integers(8, 14))
    given = [
        _jaki(first, start) | draw(st.sampled_from([{"stop": _on(last)}, {"stop": _on(last)}, {"ongoing": "yes"}]))
    ]
    if second:
        resumed = last + draw(st.sampled_from([-2, 1, 3, 4, 5]))
        given.append(_jaki(second, resumed) | {"stop": _on(resumed + 15)})
    labs = []
    for analyte, unit, values in (*LOW_COUNTS[:2], ("haemoglobin", "g/dL", HAEMOGLOBIN)):
        usual = {"lymphocytes": ["0.5", "1.5"], "neutrophils": ["1.01", "3"], "haemoglobin": ["10", "12"]}[analyte]
        if draw(st.sampled_from([True, True, True, False])):
            labs.append((analyte, draw(st.sampled_from(usual)), unit, draw(st.integers(0, start))))
        for offset in draw(st.lists(st.integers(start - 2, start + 30), max_size=3)):
            labs.append((analyte, draw(st.sampled_from([*values, *usual, *usual])), unit, offset))
    return {
        "administrations": given,
        "labs": [
            {
                "analyte": analyte,
                "value": value,
                "unit": unit,
                "at": _on(offset) + draw(st.sampled_from(["", "T06:00", "T18:00"])),
            }
            for analyte, value, unit, offset in labs
        ],
    }


def _jaki(drug: str, start: int) -> dict[str, str]:
    return {"drug": drug, "route": "oral", "dose": "10", "dose_unit": "mg", "per": "day", "start": _on(start)}
