"""The chart of the patient page with its controls and its table twin: a fragment, so that a zoom or a choice draws it alone."""

from datetime import date

import streamlit as st

from dashboard import address, anchors, chart_options, data, style, table, zoom
from dashboard.charts import alt, lung_function, page, themes

KEY = "timeline"
CHART_CONFIG = style.CHART_CONFIG | {"doubleClick": False}  # the whole record comes back through the server (zoom.py)


@st.fragment
def draw(patient_id: str, as_of: date, days: list[date], ringed: frozenset[str]) -> None:
    """`days` are those recorded, `ringed` the record ids of the chosen flag."""
    chosen = address.now()
    known = data.known(chosen.known_at, chosen.received_at)
    zoomed = zoom.asked(patient_id)
    tables = data.patient_page(patient_id, known, zoomed.window)
    chart_options.draw(tables, as_of, chosen, days)
    view, drawn = _panels(patient_id, tables, as_of, ringed, chosen, zoomed)
    figure = page.compose(drawn, view)
    st.plotly_chart(
        themes.dark(figure) if st.context.theme.type == "dark" else figure,
        theme=None,
        key=KEY,
        config=CHART_CONFIG,
        alt=alt.sentence(drawn, view),
    )
    zoom.listen(patient_id, KEY)
    for sentence in lung_function.sentences(tables, as_of):
        st.caption(style.as_markdown(sentence))
    _draw_tables(drawn, view)


def _panels(
    patient_id: str, tables: dict, as_of: date, ringed: frozenset[str], chosen: address.Address, zoomed: zoom.Zoom
):
    """The view and the panels as the reader chose them."""
    therapy = anchors.therapy(tables, as_of)
    axis = anchors.AXES.get(chosen.axis)
    what = {
        "scales": chosen.scales,
        "opened": chosen.opened,
        "anchor": axis(tables, as_of) if axis else None,
        "baseline": therapy.day if therapy else None,
        "narrow": zoomed.narrow,
    }
    shown = chart_options.shown_panels(chosen)
    snapshot = data.provenance().snapshot
    others = (snapshot, as_of, ringed, chosen, shown, zoomed.narrow, st.context.theme.type)
    follows = data.has_long_series(patient_id, data.known(chosen.known_at, chosen.received_at))
    begins, number = zoom.drawn(patient_id, others, zoomed, follows)
    view = page.view_of(tables, as_of, ringed, data.thresholds(), zoom=begins, drawing=number, **what)
    return view, page.drawn_panels(tables, view, shown)


def _draw_tables(drawn: list, view) -> None:
    rows = table.twin(drawn, view)
    with st.expander(f"The chart as a table: {len(rows)} rows up to {style.day(view.as_of)}"):
        st.dataframe(rows, hide_index=True, height=360)
        st.download_button(
            "Download as CSV",
            lambda: table.as_csv(rows),
            "patient_chart.csv",
            "text/csv",
            on_click="ignore",
            key=f"csv-{view.as_of}",
        )
