"""The packet of one or several patients to take home: the choice of form, the progress while it is made, the file."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

import streamlit as st

from dashboard import data, deidentify, strip
from dashboard.data import deidentified, packets
from dashboard.header import ASSUMED_DAYS
from dashboard.reports import files
from dashboard.reports.packet import Packet, packet

_WEEK = timedelta(days=ASSUMED_DAYS)
PARTS = ("changes", "decisions", "notes", "transplant", "infection")
KEPT = "packet_file"  # in the session: the file made last, and of what


def draw(
    patient_ids: Sequence[str],
    as_of: date,
    since: date | None = None,
    known: data.Known = data.ALL_KNOWN,
    rows_of: Callable[[str], dict[str, Sequence[dict]]] | None = None,
    key: str = "packet",
) -> None:
    """The choice and the file of the packets of some patients as of a day; `since` is the last meeting, `rows_of` gives by patient the
    rows of the meeting (PARTS, as `reports.packet.packet` takes them), in the state that `key` and these name."""
    form = st.segmented_control(
        "As",
        list(files.FORMS),
        default="pdf",
        required=True,
        format_func=lambda name: files.FORMS[name].title,
        key=f"{key}-form",
    )
    asked = (data.provenance().snapshot, tuple(patient_ids), as_of, since, known, form, deidentify.on())
    if st.button("Make the packet", key=f"{key}-make", icon=":material/description:"):
        st.session_state[KEPT] = (asked, _made(patient_ids, as_of, since, known, rows_of, form))
    kept = st.session_state.get(KEPT)
    if kept is None or kept[0] != asked:  # of another day, patient or form: not offered under this one
        return
    st.download_button(
        f"Download ({len(kept[1]) / 1000:,.0f} kB)",
        kept[1],
        file_name(patient_ids, as_of, form),
        files.FORMS[form].mime,
        on_click="ignore",
        key=f"{key}-download",
        icon=":material/download:",
    )


def file_name(patient_ids: Sequence[str], as_of: date, form: str) -> str:
    """No patient's name is in a file's name, which mail and folders show to everyone."""
    many = "agenda" if len(patient_ids) > 1 else "patient"
    return deidentify.file_name(f"packet-{many}", as_of, files.FORMS[form].ending)


def _made(patient_ids: Sequence[str], as_of: date, since: date | None, known: data.Known, rows_of, form: str) -> bytes:
    """The file, while a bar says how far it is: half of it for reading, half for drawing."""
    bar = st.progress(0.0, "Reading the patients")

    def reading(done: int, of: int) -> None:
        bar.progress(done / of / 2, f"Read {done} of {of}")

    def drawing(done: int, of: int) -> None:
        bar.progress(0.5 + done / of / 2, f"Drawn {done} of {of}")

    try:
        return files.FORMS[form].make(read(patient_ids, as_of, since, known, rows_of, reading), drawing)
    finally:
        bar.empty()


def read(
    patient_ids: Iterable[str],
    as_of: date,
    since: date | None = None,
    known: data.Known = data.ALL_KNOWN,
    rows_of: Callable[[str], dict[str, Sequence[dict]]] | None = None,
    told: Callable[[int, int], None] | None = None,
) -> list[Packet]:
    """The packets of patients as of a day, in their order; of one whose record ends before it or begins after it, as of the nearest of
    its days, as the screen does. Of whom nothing was recorded there is none. De-identified a day is that of each patient (`shown`)."""
    pages = packets.pages(patient_ids, known, told)
    days = {one: _nearest(page, _shown(one, as_of)) for one, page in pages.items()}
    records = packets.evidence([(pages[one], day) for one, day in days.items() if day])
    shared = (data.provenance(), packets.rules_used())
    lines = data.thresholds()
    return [
        packet(
            one, page, days[one], *shared, records=records, since=_shown(one, since) or days[one] - _WEEK, known=known, thresholds=lines,
            **(rows_of(one) if rows_of else {}),
        )
        for one, page in pages.items()
        if days[one]
    ]  # fmt: skip


def _shown(patient_id: str, day: date | None) -> date | None:
    return deidentified.whose(patient_id).shown(day)


def _nearest(page: dict, as_of: date | None) -> date | None:
    """The as-of day as far as the record reaches; None where nothing dated is recorded."""
    days = strip.recorded_days(page)
    return min(max(as_of or days[-1], days[0]), days[-1]) if days else None
