"""A figure on the page: one place for how a chart is handed to Streamlit."""

import plotly.graph_objects as go
import streamlit as st

from dashboard import style
from dashboard.charts import themes


def draw(figure: dict, key: str, alt: str, config: dict = style.CHART_CONFIG) -> None:
    """Draws a figure dict under a key, on the dark page in its dark form. `alt` is the chart in words."""
    shown = themes.dark(figure) if st.context.theme.type == "dark" else figure
    # Streamlit checks every property of a dict, which takes longer than drawing it; of a Figure it takes that for done. The tests check
    # each figure in full (tests/dashboard/test_valid_figures.py).
    unchecked = go.Figure(data=shown["data"], layout=shown["layout"], _validate=False)
    st.plotly_chart(unchecked, theme=None, key=key, config=config, alt=alt)
