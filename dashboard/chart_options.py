"""What the reader may choose of the chart: which panels in which order, on which scales, counted from which day, beside which cohort.

Every choice stands in the address. The controls run in the fragment of the chart, so that a choice draws the chart alone.
"""

from datetime import date, datetime, time, timedelta

import streamlit as st

from dashboard import address, anchors, data, deidentify, in_popover, presets, relative_days, style, zoom
from dashboard.charts import panels, treatment
from dashboard.charts.panel import SCALES

BANDS = {"": "off", "all": "all patients"} | data.COHORT_OUTCOMES


def shown_panels(chosen: address.Address) -> tuple[str, ...] | None:
    """The panels to draw: the reader's own, else those of the view. None: the default ones."""
    if chosen.panels:
        return chosen.panels
    return presets.PRESETS.get(chosen.view, presets.PRESETS["overview"])[1]


def draw(patient_id: str, page: dict, as_of: date, chosen: address.Address, days: list[date]) -> None:
    """One line of controls above the chart."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="chart-controls"):
        _draw_views(chosen)
        with st.popover("Panels", icon=":material/dashboard_customize:"):
            _draw_panels(page, chosen)
        with st.popover("Axis", icon=":material/straighten:"):
            _draw_axis(page, as_of, chosen)
            _draw_zoom(patient_id, days)
        with st.popover("Compare", icon=":material/groups:"):
            _draw_bands(chosen)


def _draw_views(chosen: address.Address) -> None:
    st.session_state["view"] = None if chosen.panels else chosen.view
    st.segmented_control(
        "View",
        list(presets.PRESETS),
        format_func=lambda name: presets.PRESETS[name][0],
        key="view",
        label_visibility="collapsed",
        on_change=lambda: address.put(view=st.session_state["view"], panels=None),
    )


def _draw_panels(page: dict, chosen: address.Address) -> None:
    shown = list(shown_panels(chosen) or default_names(page))
    st.multiselect(
        "Panels, from the top down",
        list(panels()),
        format_func=lambda name: panels()[name].TITLE,
        key=in_popover.key("panels", shown),
        on_change=lambda: address.put(panels=",".join(in_popover.said("panels"))),
    )
    if chosen.panels:
        st.button("Back to the view's own", on_click=lambda: address.put(panels=None), type="tertiary")
    folded = [found for found in treatment.classes(treatment.rows(page)) if found[2] > 1]
    if folded:
        titles = {name: title for name, title, _ in folded}
        st.pills(
            "Classes drawn drug by drug",
            list(titles),
            selection_mode="multi",
            format_func=titles.get,
            key=in_popover.key("open", [name for name in titles if name in chosen.opened]),
            on_change=lambda: address.put(open=",".join(in_popover.said("open"))),
        )
    scaled = [name for name in shown if getattr(panels().get(name), "SCALES", False)]
    for name in (name for name in scaled if panels()[name].rows(page)):
        _draw_scale(name, chosen)


def _draw_scale(name: str, chosen: address.Address) -> None:
    key = f"scale-{name}"
    st.segmented_control(
        f"{panels()[name].TITLE} is drawn",
        list(SCALES),
        format_func=SCALES.get,
        key=in_popover.key(key, chosen.scales.get(name, "linear")),
        on_change=lambda: address.put(
            scales=address.scales_text(chosen.scales | {name: in_popover.said(key) or "linear"})
        ),
    )


def default_names(page: dict) -> list[str]:
    """The panels drawn when nothing is chosen."""
    return [
        name
        for name, module in panels().items()
        if getattr(module, "DEFAULT", True) and (not getattr(module, "OPTIONAL", False) or module.rows(page))
    ]


def _draw_axis(page: dict, as_of: date, chosen: address.Address) -> None:
    found = {name: anchor(page, as_of) for name, anchor in anchors.AXES.items()}
    titles = {"calendar": "Dates"} | {
        name: f"Days since {anchor.name}, {style.day(anchor.day)}" for name, anchor in found.items() if anchor
    }
    if deidentify.on():
        st.caption("The time axis counts days since the first record.")
        return
    st.radio(
        "The time axis counts",
        list(titles),
        format_func=titles.get,
        key=in_popover.key("axis", chosen.axis if chosen.axis in titles else "calendar"),
        on_change=lambda: address.put(axis=None if in_popover.said("axis") == "calendar" else in_popover.said("axis")),
    )
    for name, anchor in found.items():
        if anchor is None:
            st.caption(f"Not from {name}: {anchors.MISSING[name]}.")


def _draw_zoom(patient_id: str, days: list[date]) -> None:
    """The zoom for those who use no mouse, and the way back."""
    now = zoom.asked(patient_id).window
    first, last = zoom.days(now) if now else (days[0], days[-1])
    shown = tuple(min(max(day, days[0]), days[-1]) for day in (first, last))
    if deidentify.on():
        _draw_zoom_in_days(patient_id, shown, days)
    else:
        said = in_popover.said("zoom_days")
        st.date_input(
            "From day to day",
            key=in_popover.key("zoom_days", shown, unfinished=isinstance(said, tuple) and len(said) == 1),
            min_value=days[0],
            max_value=days[-1],
            on_change=lambda: _zoom_to(patient_id, in_popover.said("zoom_days")),
        )
    st.button("The whole record", on_click=zoom.put, args=(patient_id, None), icon=":material/zoom_out_map:")
    st.caption("With the mouse: draw across the chart to zoom, double-click for the whole record.")


def _draw_zoom_in_days(patient_id: str, shown: tuple[date, ...], days: list[date]) -> None:
    """The same without a calendar."""
    if days[0] == days[-1]:
        return
    st.slider(
        "From day to day",
        relative_days.number(days[0]),
        relative_days.number(days[-1]),
        key=in_popover.key("zoom_in_days", tuple(map(relative_days.number, shown))),
        on_change=lambda: _zoom_to(patient_id, tuple(map(relative_days.of, in_popover.said("zoom_in_days")))),
    )


def _zoom_to(patient_id: str, chosen: tuple[date, ...]) -> None:
    if len(chosen) == 2:
        zoom.put(
            patient_id, (datetime.combine(chosen[0], time()), datetime.combine(chosen[1] + timedelta(days=1), time()))
        )


def _draw_bands(chosen: address.Address) -> None:
    st.selectbox(
        "Percentiles of this store's other patients, aligned on the start of therapy",
        list(BANDS),
        format_func=BANDS.get,
        key=in_popover.key("bands", chosen.bands or ""),
        on_change=lambda: address.put(bands=in_popover.said("bands")),
    )
    st.caption("Other patients, not a reference range. Of fewer than five patients nothing is drawn.")
