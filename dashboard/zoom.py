"""The zoom of the time axis: told by the browser to the server, so that it outlives a change of the figure.

Streamlit draws a chart anew when its figure changes, and what the reader had zoomed to is lost. A small component without a look of its
own listens to the chart and reports the range; the next figure begins with it, and long series are read for it. While nothing else
changes the figure stays the same to the letter, and the browser is left alone.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256

import streamlit as st

from dashboard import relative_days

# It finds the chart by the class that Streamlit gives a key: Streamlit is pinned, and a browser journey covers it.
LISTENER = """
export default function({ data, setStateValue }) {
  const bind = () => {
    const chart = document.querySelector('.st-key-' + data.chart + ' .js-plotly-plot');
    if (!chart || !chart.on) return;
    chart.mda5Tell = setStateValue;  // a chart may outlive the page of another patient: only the listener on screen is told
    if (chart.mda5Bound) return;
    chart.mda5Bound = true;
    chart.on('plotly_relayout', (change) => {
      const both = change['xaxis.range'] || [change['xaxis.range[0]'], change['xaxis.range[1]']];
      if (both[0] !== undefined) chart.mda5Tell('range', [String(both[0]), String(both[1])]);
    });
    chart.on('plotly_doubleclick', () => chart.mda5Tell('range', ['whole', String(Date.now())]));  // new each time
  };
  const narrow = window.innerWidth < data.narrow_below;
  if (narrow !== data.narrow) setStateValue('narrow', narrow);
  bind();
  const timer = setInterval(bind, 200);
  return () => clearInterval(timer);
}
"""
NARROW_BELOW = 640  # pixels
PAGE_IS_NARROW = "page-is-narrow"  # what the page outside the chart was last drawn for
_listener = st.components.v2.component("mda5_zoom", js=LISTENER)


@dataclass(frozen=True)
class Zoom:
    """`window` is what the time axis shows (None: everything), `narrow` whether the screen is a phone held upright."""

    window: tuple[datetime, datetime] | None
    narrow: bool


def asked(patient_id: str) -> Zoom:
    """What a patient's chart was last zoomed to, by the browser's report or by `put`, whichever came later."""
    state = st.session_state.get(_key(patient_id)) or {}
    reported = state.get("range")
    placed = st.session_state.get(_key(patient_id) + "-put")
    window = placed[1] if placed and placed[0] == reported else _window(reported)
    return Zoom(window, bool(state.get("narrow")))


def days(window: tuple[datetime, datetime]) -> tuple[date, date]:
    """The first and the last day of which a window shows some: one that ends with a midnight shows nothing of the day after."""
    return window[0].date(), (window[1] - timedelta(microseconds=1)).date()


def put(patient_id: str, window: tuple[datetime, datetime] | None) -> None:
    """Zooms from the page: for those who have no mouse, and to see the whole record again."""
    state = st.session_state.get(_key(patient_id)) or {}
    st.session_state[_key(patient_id) + "-put"] = (state.get("range"), window)
    began = st.session_state.get(_key(patient_id) + "-drawn") or (None, None, 0)
    st.session_state[_key(patient_id) + "-drawn"] = (None, window, began[2] + 1)


def listen(patient_id: str, chart: str) -> None:
    """Mounts the listener of the chart with this key, in the same fragment."""
    _listener(
        data={"chart": chart, "narrow": asked(patient_id).narrow, "narrow_below": NARROW_BELOW},
        key=_key(patient_id),
        on_range_change=lambda: None,
        on_narrow_change=lambda: None,
    )


def drawn(patient_id: str, others: object, zoom: Zoom, follows: bool) -> tuple[tuple[datetime, datetime] | None, int]:
    """The window the figure is to begin with, and a number that changes when the browser must draw it anew.

    As long as nothing but the zoom changed (`others` is all the rest) it begins as the last figure did, unless it `follows` the zoom
    (it holds long series) or the zoom was taken back.
    """
    key = _key(patient_id) + "-drawn"
    before, began, number = st.session_state.get(key) or (None, None, 0)
    if before != others or follows:
        began = zoom.window
    elif zoom.window is None and st.session_state.get(_key(patient_id) + "-was") is not None:
        began, number = None, number + 1
    st.session_state[_key(patient_id) + "-was"] = zoom.window
    st.session_state[key] = (others, began, number)
    return began, number


def _key(patient_id: str) -> str:
    """A patient's id is no class name, and none of the browser's business."""
    return "zoom-" + sha256(patient_id.encode()).hexdigest()[:12]


def _window(reported: object) -> tuple[datetime, datetime] | None:
    """What a browser says is checked like any other text."""
    if not isinstance(reported, (list, tuple)) or len(reported) != 2:
        return None
    try:
        start, end = (_moment(str(text)[:26]) for text in reported)
    except (ValueError, OverflowError):
        return None
    start, end = start.replace(tzinfo=None), end.replace(tzinfo=None)
    return (start, end) if end - start >= timedelta(minutes=1) else None


def _moment(text: str) -> datetime:
    """A moment as the browser says it: of a de-identified chart as a number of days."""
    try:
        days = float(text)
    except ValueError:
        return datetime.fromisoformat(text)
    return datetime.combine(relative_days.ZERO, time()) + timedelta(days=days)
