"""The response strip on the patient page: which starts, the figure, and its table. The starts chosen are kept in the address (`starts`)."""

from datetime import date

import streamlit as st

from dashboard import data, plotted, relative_days, response, shown_rows, style
from dashboard.rows import source_of

PARAMETER = "starts"
WIDGET = "response_starts"


def draw(page: dict[str, list[dict]], as_of: date, narrow: bool = False) -> None:
    """The whole section; `narrow` for a phone held upright."""
    st.subheader("Response to each start", anchor=False)
    offered = {start["id"]: start for start in response.starts(page, as_of)}
    if not offered:
        st.caption(style.as_markdown(f"No therapy start, pulse or exchange is recorded up to {style.day(as_of)}."))
        return
    chosen = asked(list(offered))
    _choose(offered, chosen)
    alt = response.alt(page, as_of, chosen, response.shown_by_default(narrow))
    plotted.draw(response.figure(page, as_of, chosen, narrow), "response", alt)
    st.caption(style.as_markdown(response.definition()))
    _draw_table(page, as_of, chosen, offered, narrow)


def asked(offered: list[str]) -> list[str]:
    """The starts the address names, as far as they are offered; anything else in it is passed over."""
    named = set(st.query_params.get(PARAMETER, "").split(","))
    return [start for start in offered if start in named][: response.MOST]


def _choose(offered: dict[str, dict], chosen: list[str]) -> None:
    st.session_state[WIDGET] = chosen
    st.multiselect(
        f"Starts to compare, up to {response.MOST}; none chosen: the newest",
        list(offered),
        format_func=lambda start: (
            f"{style.day(offered[start]['day'])} {offered[start]['name']}" if start in offered else start
        ),
        key=WIDGET,
        max_selections=response.MOST,
        on_change=_keep,
        placeholder=f"{len(offered)} starts, pulses and exchanges",
    )


def _keep() -> None:
    if st.session_state[WIDGET]:
        st.query_params[PARAMETER] = ",".join(st.session_state[WIDGET])
    else:
        st.query_params.pop(PARAMETER, None)


def _draw_table(page: dict, as_of: date, chosen: list[str], offered: dict[str, dict], narrow: bool) -> None:
    ids = sorted({record_id for start in offered.values() for record_id in start["evidence"]})
    sources = {record["record_id"]: source_of(record, ":") for record in data.evidence(ids)}
    rows = response.table(page, as_of, chosen, sources, response.shown_by_default(narrow))
    with st.expander(f"The response strip as a table: {len(rows)} rows"):
        shown_rows.draw(rows, "response.csv", f"response-{relative_days.in_address(as_of)}")
