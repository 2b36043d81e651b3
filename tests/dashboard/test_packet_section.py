"""The packet is made from the patient page, in each form, and not offered for another day than it was made of."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import packet_section
from tests.dashboard.packet_store import DAY, REAL

SCRIPT = """
from datetime import date
from dashboard import packet_section
packet_section.draw(["yonsei-2021", "kagawa2020"], date(2021, 9, {day}))
"""


@pytest.mark.parametrize("form", ["pdf", "csv"])
def test_a_file_is_made_and_belongs_to_its_day(shown_store, form):
    shown = AppTest.from_string(SCRIPT.format(day=3), default_timeout=60).run()
    assert not shown.get("download_button")
    shown.button_group[0].set_value(form).run()
    shown.button[0].click().run()
    assert not shown.exception
    assert len(shown.get("download_button")) == 1
    kept = shown.session_state[packet_section.KEPT]
    assert kept[1].startswith({"pdf": b"%PDF", "csv": b"\xef\xbb\xbf"}[form])


def test_a_patient_without_that_day_is_shown_as_of_the_nearest(shown_store):
    found = packet_section.read([REAL, "kagawa2020"], DAY)
    assert [one.as_of for one in found] == ["3 Sep 2021", "2 Jan 2000"]


def test_no_patient_is_named_in_the_name_of_a_file():
    assert packet_section.file_name([REAL], DAY, "pptx") == "packet-patient-2021-09-03.pptx"
    assert packet_section.file_name([REAL, "x"], DAY, "html") == "packet-agenda-2021-09-03.html"
