"""The chart of the patient page with its controls and its table twin: a fragment, so that a zoom or a choice draws it alone."""

from datetime import date

import streamlit as st

from dashboard import (
    address,
    anchors,
    chart_options,
    cohort_words,
    data,
    deidentify,
    infection_facts,
    plotted,
    presets,
    relative_days,
    shown_rows,
    style,
    table,
    zoom,
)
from dashboard.charts import alt, chosen_panels, lung_function, page
from dashboard.charts.panel import Panel, View

KEY = "timeline"
CHART_CONFIG = style.CHART_CONFIG | {"doubleClick": False}  # the whole record comes back through the server (zoom.py)


@st.fragment
def draw(patient_id: str, as_of: date, days: list[date], ringed: frozenset[str]) -> None:
    """`days` are those recorded, `ringed` the record ids of the chosen flag."""
    chosen = address.now()
    known = data.known(chosen.known_at, chosen.received_at)
    zoomed = zoom.asked(patient_id)
    if zoomed.narrow != st.session_state.get(zoom.PAGE_IS_NARROW, zoomed.narrow):
        st.rerun()  # the rest of the page was drawn for another width
    tables = data.patient_page(patient_id, known, zoomed.window)
    chart_options.draw(patient_id, tables, as_of, chosen, days)
    view, cohort = _view(patient_id, tables, as_of, ringed, chosen, zoomed)
    drawn = page.drawn_panels(tables, view, chart_options.shown_panels(chosen))
    figure = page.compose(drawn, view)
    _draw_facts(data.patient_page(patient_id, known), as_of, chosen)
    plotted.draw(figure, KEY, alt.sentence(drawn, view), CHART_CONFIG)
    zoom.listen(patient_id, KEY)
    _draw_words(tables, view, cohort, chosen)
    _draw_tables(drawn, view, zoomed)


def _view(
    patient_id: str, tables: dict, as_of: date, ringed: frozenset[str], chosen: address.Address, zoomed: zoom.Zoom
) -> tuple[View, dict | None]:
    """The view as the reader chose it, and the cohort beside the patient, if one was asked for and can be aligned."""
    therapy = anchors.therapy(tables, as_of)
    axis = None if deidentify.on() else anchors.AXES.get(chosen.axis)  # de-identified it counts from the first record
    cohort = _cohort(patient_id, as_of, chosen) if therapy and not chosen.past else None
    others = (data.provenance().snapshot, as_of, ringed, chosen, zoomed.narrow, st.context.theme.type)
    follows = data.has_long_series(patient_id, data.known(chosen.known_at, chosen.received_at))
    begins, number = zoom.drawn(patient_id, others, zoomed, follows)
    view = page.view_of(
        tables,
        as_of,
        ringed,
        data.thresholds(),
        scales=chosen.scales,
        opened=chosen.opened,
        anchor=axis(tables, as_of) if axis else None,
        baseline=therapy.day if therapy else None,
        bands=cohort["bands"] if cohort else {},
        narrow=zoomed.narrow,
        zoom=begins,
        drawing=number,
    )
    return view, cohort


def _cohort(patient_id: str, as_of: date, chosen: address.Address) -> dict | None:
    if not chosen.bands:
        return None
    analytes = _analytes(chosen)
    return data.cohort_bands(analytes, None if chosen.bands == "all" else chosen.bands, patient_id, as_of)


def _analytes(chosen: address.Address) -> dict[str, str]:
    """The panel in which each analyte of the panels on screen is drawn."""
    return {
        analyte: module.__name__.rsplit(".", 1)[-1]
        for module in chosen_panels(chart_options.shown_panels(chosen))
        for analyte in getattr(module, "ANALYTES", ())
    }


def _draw_facts(tables: dict, as_of: date, chosen: address.Address) -> None:
    """What the view shows, and of flare or infection the facts in words: of the whole record, wherever the chart is zoomed to."""
    if chosen.panels:
        return
    preset = presets.PRESETS.get(chosen.view, presets.PRESETS["overview"])
    st.caption(preset.said)
    if preset is presets.PRESETS["infection"]:
        with st.container(key="facts"):
            st.text("; ".join(infection_facts.facts(tables, as_of)))


def _draw_words(tables: dict, view: View, cohort: dict | None, chosen: address.Address) -> None:
    """What must be said of the chart in words: computed percentages, and the cohort."""
    said = lung_function.sentences(tables, view.as_of)
    if chosen.bands and chosen.past:
        said.append("No cohort is drawn beside what was known at a past moment.")
    elif chosen.bands:
        analytes = _analytes(chosen)
        titles = {analyte: data.title_of("observation", analyte) for analyte in analytes}
        said += cohort_words.sentences(cohort or {}, view, titles, analytes)
    for sentence in said:
        st.caption(style.as_markdown(sentence))


ALL_PANELS = "All panels"


def _draw_tables(drawn: list[Panel], view: View, zoomed: zoom.Zoom) -> None:
    """The rows that the chart shows, of all panels or of one, and the same as CSV."""
    rows = table.twin(drawn, view, zoom.days(zoomed.window) if zoomed.window else None)
    part = ", of the days zoomed to" if zoomed.window else ""
    with st.expander(f"The chart as a table: {len(rows)} rows up to {style.day(view.as_of)}{part}"):
        titles = [ALL_PANELS, *dict.fromkeys(row["panel"] for row in rows)]
        asked = st.selectbox("Rows of", titles, key="table_panel")
        rows = [row for row in rows if asked in (ALL_PANELS, None, row["panel"])]
        shown_rows.draw(rows, "patient_chart.csv", f"chart-{relative_days.in_address(view.as_of)}")
