"""What stands around every page: errors in words a person can act on, and where what is shown comes from."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard import data, deidentify, style, switch
from pipelines import faults
from pipelines.errors import Refusal, StoreEmpty


@contextmanager
def friendly() -> Iterator[None]:
    """Runs a page without ever showing a traceback: an empty store explains itself, anything unforeseen gets an incident number."""
    st.html(style.SHEET)
    try:
        switch.settle()
        switch.draw()
        yield
    except StoreEmpty:
        st.subheader("Nothing has been loaded yet")
        st.write(
            "The store is empty. Load the sample data, or files of your own, with this command and reload this page:"
        )
        st.code(f"python -m pipelines load sample_data --store {data.store_folder()}", language="bash")
    except Refusal as refusal:
        st.error(REFUSED if deidentify.on() else style.as_markdown(str(refusal)))
    except Exception as error:
        incident = faults.record_fault(data.store_folder(), error)
        st.error(f"This page could not be shown. Incident {incident}: the details are in the store's logs folder.")


def foot() -> None:
    """Which snapshot is shown, to which day it reaches, and what this is not."""
    try:
        now = data.provenance()
    except Exception:  # the page above has said why
        st.caption(NOT_A_DEVICE)
        return
    last = f"last recorded day {style.day(now.last_day)} · " if now.last_day else "no dated record · "
    last = "" if deidentify.on() else last
    st.caption(f"Snapshot {now.snapshot} · {now.patients} patient{'s' * (now.patients != 1)} · {last}{NOT_A_DEVICE}")


REFUSED = "This could not be shown. Why would name files or patients: turn the de-identification off to read it."
NOT_A_DEVICE = "Not a medical device. It shows published conditions on the records it was given, and gives no verdict on what to do."
