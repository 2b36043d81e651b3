"""Packets of the sample patients for the tests of packets: read once, with one replay."""

import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from dashboard import data, strip
from dashboard.data import packets, worklist
from dashboard.reports.packet import Packet, packet

REAL = "yonsei-2021"
DAY = date(2021, 9, 3)
DECISION = {
    "day": date(2021, 9, 3), "text": "Start plasma exchange", "why": "Gas exchange is failing", "owner": "Dr A",
    "due_on": date(2021, 9, 5), "effect": "off HFNC by 14 Sep 2021", "outcome": "cannot be told yet", "author": "Dr B",
}  # fmt: skip
MEETING = {
    "changes": [{"kind": "flag gained", "text": "urgent transfer (oxygen.csv line 5)", "day": date(2021, 9, 3)}],
    "decisions": [DECISION],
    "notes": [{"day": date(2021, 9, 3), "text": "Family informed", "topic": "", "author": "Dr A"}],
    "transplant": [{"name": "Referral", "value": "discussed"}],
    "infection": [],
}


def pages(store: Path) -> Iterator[dict[str, dict]]:
    """The pages of every patient of a store that is then the one shown."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(os.environ, "MDA5_STORE", str(store))
        yield packets.pages(worklist.order())


def made(patient_id: str, page: dict, as_of: date | None = None, **more) -> Packet:
    as_of = as_of or strip.recorded_days(page)[-1]
    records = packets.evidence([(page, as_of)])
    since = as_of - timedelta(days=7)
    return packet(
        patient_id, page, as_of, data.provenance(), packets.rules_used(), records=records, since=since, **more
    )
