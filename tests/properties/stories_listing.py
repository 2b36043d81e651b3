"""Random stories of transplant listing: 6-minute walks, events, and refractory disease on a ventilator."""

from datetime import date, timedelta

from hypothesis import strategies as st

FIRST = date(2024, 1, 1)
EVENTS = [
    ("stay", "respiratory"),
    ("diagnosis", "pneumothorax"),
    ("diagnosis", "acute_exacerbation"),
    ("diagnosis", "pulmonary_hypertension"),
]
SUPPORT = [
    {"device": "invasive_ventilation", "fio2": "0.8", "pao2": "79.9"},
    {"device": "invasive_ventilation", "fio2": "0.8", "pao2": "80"},
    {"device": "invasive_ventilation", "fio2": "0.6", "spo2": "88"},
    {"device": "invasive_ventilation"},
    {"fio2": "0.8", "pao2": "70"},
    {"fio2": "0.8", "pao2": "90"},
    {"device": "hfnc", "flow_l_min": "40", "fio2": "0.8", "pao2": "60"},
    {"device": "nasal_cannula", "flow_l_min": "3"},
    {"device": "ecmo", "fio2": "0.5", "pao2": "45"},
]


def _on(offset: int) -> str:
    return (FIRST + timedelta(days=offset)).isoformat()


def _event(offset: int, kind: str, code: str, value: str) -> dict[str, str]:
    return {"kind": kind, "code": code, "value": value, "at": _on(offset)}


@st.composite
def walking(draw: st.DrawFn) -> dict[str, list[dict[str, str]]]:
    """Walks some weeks apart, about 50 m and 88 %."""
    rows = []
    for offset in draw(st.lists(st.sampled_from([0, 10, 40, 70]), min_size=1, max_size=4)):
        for code, values in (
            ("walk_distance_m", ["400", "350", "349.5", "349", "300"]),
            ("walk_lowest_spo2", ["87.9", "88", "93"]),
        ):
            if draw(st.sampled_from([True, True, False])):
                rows.append(_event(offset, "measure", code, draw(st.sampled_from(values))))
    return {"events": rows}


@st.composite
def declining(draw: st.DrawFn) -> dict[str, list[dict[str, str]]]:
    """What listing speaks of, recorded as present or as absent: now and then everything as absent."""
    days, nothing = st.integers(0, 60), draw(st.booleans())
    asked = EVENTS if nothing else draw(st.lists(st.sampled_from(EVENTS), max_size=4))
    rows = [
        _event(draw(days), *one, "absent" if nothing else draw(st.sampled_from(["present", "absent"]))) for one in asked
    ]
    return {"events": rows}


@st.composite
def on_ventilator(draw: st.DrawFn) -> dict[str, list[dict[str, str]]]:
    """Combination therapy from the first days and what follows in the second week: ventilated, and refractory or not."""
    drugs = [
        {
            "drug": drug,
            "route": "oral",
            "dose": dose,
            "dose_unit": "mg",
            "per": "day",
            "start": _on(0),
            "ongoing": "yes",
        }
        for drug, dose in (("prednisolone", "40"), ("tacrolimus", "3"))
    ]
    oxygen = [{"at": _on(draw(st.integers(0, 1))), "device": "nasal_cannula", "flow_l_min": "2"}]
    for offset in draw(st.lists(st.integers(7, 24), min_size=1, max_size=5)):
        oxygen.append({"at": _on(offset)} | draw(st.sampled_from(SUPPORT)))
    reading = draw(st.sampled_from(["worse", "worse", "stable"]))
    symptom = "worse" if reading == "worse" else "same"
    judged = draw(st.integers(7, 20))
    events = [_event(judged, "imaging", "chest_ct", reading), _event(judged, "symptom", "dyspnoea", symptom)]
    return {"administrations": drugs, "oxygen": oxygen, "events": events}


@st.composite
def stable(draw: st.DrawFn) -> dict[str, list[dict[str, str]]]:
    """Everything that listing asks for is recorded, and none of it is worse, or little."""
    first, again = draw(st.integers(0, 10)), draw(st.integers(30, 60))
    events = [_event(first, *one, "absent") for one in EVENTS]
    events += [_event(day, "measure", "walk_distance_m", "400") for day in (first, again)]
    events.append(_event(again, "measure", "walk_lowest_spo2", draw(st.sampled_from(["88", "93"]))))
    tests = [
        {"measure": measure, "value": value, "unit": unit, "percent_predicted": percent, "at": _on(day)}
        for measure, value, unit, percent in (("FVC", "1.8", "L", "85"), ("DLCO", "9", "mL/min/mmHg", "55"))
        for day in (first, again)
    ]
    return {"events": events, "pft": tests}
