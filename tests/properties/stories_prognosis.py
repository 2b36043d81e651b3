"""Random stories for the rules of prognosis: Kurasawa's signs about the start of therapy, and titres of one assay over weeks."""

from datetime import timedelta

from hypothesis import strategies as st

from tests.properties.values import FIRST

HYDROCORTISONE = ["40", "160", "240"]  # mg/day: 10, 40 and 60 as prednisone
TITRES = {
    "MBL": ["31.9", "32", "33", "63.7", "63.8", "64", "99.9", "100", "<32", ">100"],
    "line blot": ["negative", "negative", "+", "++", "positive"],
    "": ["50", "99.9", "100", ">100", "<60"],
}


def _on(offset: int) -> str:
    return (FIRST + timedelta(days=offset)).isoformat()


@st.composite
def foretold(draw: st.DrawFn) -> dict[str, list[dict[str, str]]]:
    """Ferritin and ground glass before a high-dose glucocorticoid, with a partner or without, and readings after; titres all along."""
    start = draw(st.integers(0, 30))
    drug = {"route": "oral", "dose_unit": "mg", "per": "day"}
    dose = draw(st.sampled_from(HYDROCORTISONE))
    given = [drug | {"drug": "hydrocortisone", "dose": dose, "start": _on(start), "stop": _on(start + 40)}]
    if draw(st.booleans()):
        joined = start + draw(st.sampled_from([0, 0, 5]))
        given.append(drug | {"drug": "tacrolimus", "dose": "3", "start": _on(joined), "stop": _on(joined + 30)})
    labs, events = [], []
    time = st.sampled_from(["", "T06:00", "T18:00"])
    for _ in range(draw(st.integers(1, 2))):
        value = draw(st.sampled_from(["1000", "1000.1", "1000.1", ">1000", "2000", "<1200"]))
        day = _on(max(0, start + draw(st.sampled_from([-29, -28, -1, 0, 0]))))
        labs.append({"analyte": "ferritin", "value": value, "unit": "ng/mL", "at": day + draw(time)})
        day = _on(max(0, start + draw(st.sampled_from([-29, -28, -1, 0, 0]))))
        events.append(
            {
                "kind": "imaging",
                "code": "ggo_fields",
                "value": draw(st.sampled_from(["5", "6", "6", "6"])),
                "at": day + draw(time),
            }
        )
    for wait in draw(st.lists(st.sampled_from([0, 1, 10, 30]), max_size=2)):
        reading = draw(st.sampled_from(["worse", "worse", "stable", "improved", "blank"]))
        code = draw(st.sampled_from(["chest_ct", "chest_xray"]))
        events.append({"kind": "imaging", "code": code, "value": reading, "at": _on(start + wait)})
    for assay in draw(st.lists(st.sampled_from(sorted(TITRES)), max_size=2, unique=True)):
        for offset in draw(st.lists(st.sampled_from([0, 10, 10, 40, 70]), min_size=1, max_size=4)):
            value = draw(st.sampled_from(TITRES[assay]))
            row = {"analyte": "anti_mda5", "value": value, "assay": assay, "at": _on(offset)}
            labs.append(row | ({"unit": "index"} if value[-1].isdigit() else {}))
    return {"administrations": given, "labs": labs, "events": events}
