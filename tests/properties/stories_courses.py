"""Random stories of treatment: several drugs at once, each with short gaps, doses that cannot be read, rows that overlap or stay open."""

from datetime import timedelta

from hypothesis import strategies as st

from tests.properties.values import FIRST

GLUCOCORTICOIDS = {
    "prednisolone": ["15", "19.5", "20", "60", "1 T"],
    "hydrocortisone": ["60", "80", "100", "1 T"],
    "dexamethasone": ["3", "6", "1 T"],
}
OTHERS = {"ciclosporin": ["100", "1 T"], "tacrolimus": ["3", "4"], "mycophenolate": ["1000"]}


def _on(offset: int) -> str:
    return (FIRST + timedelta(days=offset)).isoformat()


@st.composite
def interrupted(draw: st.DrawFn) -> dict[str, list[dict[str, str]]]:
    """One or two glucocorticoids and up to two other drugs, given again after a pause of up to five days, or while still given."""
    given = []
    drugs = draw(st.lists(st.sampled_from([*GLUCOCORTICOIDS]), min_size=1, max_size=2, unique=True))
    drugs += draw(st.lists(st.sampled_from([*OTHERS]), max_size=2, unique=True))
    for drug in drugs:
        start = draw(st.integers(0, 6))
        for _ in range(draw(st.integers(1, 3))):
            dose = draw(st.sampled_from((GLUCOCORTICOIDS | OTHERS)[drug]))
            last = start + draw(st.sampled_from([8, 12, 13, 14, 20, 26, 27, 30]))
            row = {"drug": drug, "route": "oral", "dose": dose, "dose_unit": "mg", "start": _on(start)}
            row["per"] = draw(st.sampled_from(["day", "day", "day", "day", "dose"]))
            ends = draw(st.sampled_from([True, True, True, False]))
            given.append(row | ({"stop": _on(last)} if ends else {"ongoing": "yes"}))
            start = last + draw(st.sampled_from([1, 2, 3, 3, 4, 4, 5, -3]))
    if draw(st.booleans()):
        row = {"drug": "rituximab", "route": "iv", "dose": "1000", "dose_unit": "mg", "per": "dose"}
        given.append(row | {"start": _on(draw(st.integers(0, 30)))})
    return {"administrations": given}
