"""What an address may ask for, and that it can ask for nothing else."""

from datetime import date, datetime

import pytest

from dashboard import address

HOSTILE = "<img src=x onerror=alert(1)>"


def test_an_empty_address_asks_for_nothing():
    assert address.read({}) == address.Address()


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        ({"as_of": "2021-09-03"}, "as_of", date(2021, 9, 3)),
        ({"as_of": "3.9.2021"}, "as_of", None),
        ({"panels": "ldh,ferritin,ldh"}, "panels", ("ldh", "ferritin")),
        ({"panels": f"{HOSTILE},ferritin"}, "panels", ("ferritin",)),
        ({"panels": HOSTILE}, "panels", None),
        ({"scales": "ferritin:log,ldh:linear,kl6:peak"}, "scales", {"ferritin": "log", "kl6": "peak"}),
        ({"scales": f"ferritin:{HOSTILE},nobody:log,ferritin"}, "scales", {}),
        ({"open": "cni,jak_inhibitor"}, "opened", frozenset({"cni", "jak_inhibitor"})),
        ({"axis": "therapy"}, "axis", "therapy"),
        ({"axis": HOSTILE}, "axis", "calendar"),
        ({"bands": "died"}, "bands", "died"),
        ({"bands": HOSTILE}, "bands", None),
        ({"known_at": "2021-09-03"}, "known_at", datetime(2021, 9, 3, 23, 59, 59, 999_999)),
        ({"known_at": "2021-09-03T08:30:00+02:00"}, "known_at", datetime(2021, 9, 3, 8, 30)),
        ({"known_at": "soon"}, "known_at", None),
        ({"received_at": "2021-09-03"}, "received_at", datetime(2021, 9, 3, 23, 59, 59, 999_999)),
        ({"known_at": "2021-09-03", "received_at": "2021-09-03"}, "received_at", None),
        ({"since": "2021-08-27"}, "since", date(2021, 8, 27)),
    ],
)
def test_only_what_is_on_offer_is_read(query, name, value):
    assert getattr(address.read(query), name) == value


def test_scales_read_as_they_are_written():
    scales = {"ferritin": "log", "kl6": "peak", "ldh": "linear"}
    assert address.scales_text(scales) == "ferritin:log,kl6:peak"
    assert address.read({"scales": address.scales_text(scales)}).scales == {"ferritin": "log", "kl6": "peak"}
