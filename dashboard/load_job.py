"""A load that goes on while its page is left, reloaded or closed: it runs in a thread of its own and is looked at from the page."""

import itertools
import threading
import time
from collections.abc import Callable

import streamlit as st

from dashboard import data, style
from pipelines import faults
from pipelines.errors import Refusal

LOOK_SECONDS = 0.2
NUMBERS = itertools.count(1)


class LoadJob:
    """One load. `reports` is what became of each file once it is done; `trouble` says in words why nothing could be loaded."""

    def __init__(self, work: Callable, said: dict | None = None, files: list | None = None) -> None:
        """`work(progress)` does it and returns the reports, one for each of `files`; it never touches the page."""
        self.said, self.files, self.number = said or {}, files or [], next(NUMBERS)
        self.reports: list | None = None
        self.trouble = ""
        self._told: tuple[str, int, int | None] = ("Starting", 0, None)
        self._thread = threading.Thread(target=self._run, args=(work,), name="load")
        self._thread.start()

    def _run(self, work: Callable) -> None:
        try:
            self.reports = work(self._progress)
        except (Refusal, ValueError) as error:
            self.trouble = str(error)
        except Exception as error:
            incident = faults.record_fault(data.store_folder(), error)
            self.trouble = f"Nothing could be loaded. Incident {incident}: the details are in the store's logs folder."

    def _progress(self, step: str, done: int, total: int | None) -> None:
        self._told = (step, done, total)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def state(self) -> tuple[float, str]:
        """How much is done (0 to 1; 0 where that is not known), and what is being done."""
        step, done, total = self._told
        if total:
            return min(done / total, 1.0), f"{step}: {done:,} of {total:,}"
        return 0.0, f"{step}: {done:,} rows" if done else step

    def draw(self) -> None:
        """Shows how it goes on until it is done. Leaving the page ends the showing, not the load."""
        bar = st.progress(0.0, text="Loading. You may leave this page: it goes on.")
        while self.running:
            part, step = self.state()
            bar.progress(part, text=style.as_markdown(f"{step}. You may leave this page: it goes on."))
            time.sleep(LOOK_SECONDS)
        bar.empty()
