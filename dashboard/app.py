"""The dashboard: streamlit run dashboard/app.py. Pages, what stands on every page, and nothing else."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from dashboard import frame  # noqa: E402

st.set_page_config(page_title="mda5-monitor", page_icon="🫁", layout="wide", initial_sidebar_state="collapsed")
page = st.navigation(
    [
        st.Page("views/worklist.py", title="Worklist", icon=":material/list:", default=True),
        st.Page("views/patient.py", title="Patient", icon=":material/timeline:"),
        st.Page("views/infection.py", title="Infection", icon=":material/coronavirus:"),
        st.Page("views/files.py", title="Data", icon=":material/folder_open:"),
        st.Page("views/rulebook.py", title="Rulebook", icon=":material/menu_book:"),
    ],
    position="top",
)
with frame.friendly():
    page.run()
frame.foot()
