"""Random stories of getting better: weaned from oxygen, ferritin falling, with plasma exchange or without."""

from datetime import timedelta

from hypothesis import strategies as st

from tests.properties.values import FIRST

AIR = {"device": "room_air"}
BREATHING = [
    AIR | {"spo2": "92"},
    AIR | {"spo2": "96"},
    AIR | {"spo2": "96"},
    AIR | {"spo2": "91.9"},
    AIR,
    AIR | {"spo2": ">=92"},
    AIR | {"spo2": ">90"},
    {"flow_l_min": "0", "spo2": "95"},
    {"flow_l_min": "1", "spo2": "95"},
    {"flow_l_min": "1", "activity": "sleep"},
    {"fio2": "0.21", "spo2": "95"},
    {"spo2": "95"},
]


def _on(offset: int) -> str:
    return (FIRST + timedelta(days=offset)).isoformat()


@st.composite
def responding(draw: st.DrawFn) -> dict[str, list[dict[str, str]]]:
    """Oxygen records on few days, about a week apart, and ferritins about half of a peak."""
    time = st.sampled_from(["", "T06:00", "T18:00"])
    oxygen = [
        {"at": _on(offset) + draw(time)} | draw(st.sampled_from(BREATHING))
        for offset in draw(st.lists(st.sampled_from([30, 35, 36, 37, 38, 43, 44, 60]), max_size=6))
    ]
    labs = [
        {
            "analyte": "ferritin",
            "value": draw(
                st.sampled_from(["500", "500.1", "600", "1000", "1000", "1000.2", "<500", ">1000", ">500", "<600"])
            ),
            "unit": "ng/mL",
            "at": _on(offset) + draw(time),
        }
        for offset in draw(st.lists(st.sampled_from([2, 9, 10, 16, 17, 60, 99, 100]), max_size=5))
    ]
    events = [
        {"kind": "procedure", "code": "plasma_exchange", "at": _on(offset)}
        for offset in draw(st.lists(st.sampled_from([2, 9, 53, 92]), max_size=1))
    ]
    return {"oxygen": oxygen, "labs": labs, "events": events}
