"""Adding files: what a person may say of them, the load as it goes, and what became of each."""

import streamlit as st

from dashboard import data, mapping_preview, style
from dashboard.load_job import LoadJob

DECIMALS = {None: "as the file's numbers show", "comma": "comma: 1,5", "dot": "dot: 1.5"}
IDS = {
    "format": "as the format says (CSV and Excel: pseudonyms; FHIR and HL7: identifiers)",
    "kept": "pseudonyms already: kept as they are",
    "assigner": "identifiers that one authority gave: they become pseudonyms",
}


def draw() -> None:
    job = st.session_state.get("load_job")
    running = bool(job and job.running)
    draw_form(running)
    if running:
        job.draw()
        st.rerun()
    if job:
        draw_outcome(job)


def draw_form(running: bool) -> None:
    number = st.session_state.setdefault("upload_number", 0)
    files = st.file_uploader(
        "Files as the hospital sends them: CSV, Excel (.xlsx), FHIR R4 (JSON, NDJSON), HL7 v2",
        accept_multiple_files=True,
        key=f"files-{number}",
        help="A file X.mapping.toml among them is used to read X. Files over 50 MB: python -m pipelines load, or watch.",
    )
    with st.expander("What the files do not say themselves"):
        decimal, ids, mapping = st.columns([1, 1.6, 1.4], gap="large")
        mark = decimal.radio("Decimal mark", list(DECIMALS), format_func=DECIMALS.get, key="decimal")
        kind = ids.radio("Patient ids are", list(IDS), format_func=IDS.get, key="ids")
        assigner = (
            ids.text_input("The authority", key="assigner", placeholder="such as the hospital's name")
            if kind == "assigner"
            else ""
        )
        toml = mapping.file_uploader("A mapping file for all of them (.toml)", key=f"mapping-{number}")
    lacking = kind == "assigner" and not assigner.strip()
    if lacking:
        st.warning("Name the authority that gave the identifiers: the same one must have the same name every time.")
    said = {"decimal": mark, "assigner": assigner.strip() or None, "pseudonymous": True if kind == "kept" else None}
    st.button(
        f"Load {len(files)} file{'s' * (len(files) != 1)}" if files else "Load",
        type="primary",
        key="load",
        disabled=not files or lacking or running,
        on_click=start,
        args=(files, said, toml),
    )


def start(files: list, said: dict, toml) -> None:
    """Begins to load; the files leave the form."""
    given = [data.Upload(file.name, file.getvalue()) for file in files]
    begin(given, said, data.Upload(toml.name, toml.getvalue()) if toml else None, {})
    st.session_state["upload_number"] += 1


def begin(given: list, said: dict, mapping, proposals: dict) -> None:
    """`mapping` is for all of them; X.mapping.toml among them is for X. `proposals`: what was proposed for them, by their number."""
    files = [upload for upload in given if not upload.name.lower().endswith(".mapping.toml")]
    st.session_state["load_job"] = LoadJob(lambda told: data.load_uploads(given, said, mapping, told), said, files)
    st.session_state["proposals"] = proposals


def draw_outcome(job: LoadJob) -> None:
    """Each file's accounting; why it was refused, with a mapping proposed where one would help."""
    if job.trouble:
        st.error(style.as_markdown(job.trouble))
        return
    st.markdown("**What became of them**")
    for number, (report, upload) in enumerate(zip(job.reports, job.files, strict=True)):
        with st.container(border=True, key=f"loaded-{number}"):
            draw_report(report, upload.name, number)
            completed = mapping_preview.draw(upload, number, job.number) if report.refused else None
            if completed:
                mapping = data.Upload("upload.mapping.toml", completed[1].encode())
                begin([upload], job.said, mapping, {0: completed})
                st.rerun()


def draw_report(report, name: str, number: int) -> None:
    if report.refused:
        st.markdown(f"**✗ {style.as_markdown(name)}**: refused, nothing of it was loaded")
        st.text(report.refused)
        return
    mark = "▲" if report.rejected else "✓"
    st.markdown(
        f"**{mark} {style.as_markdown(name)}** · {style.as_markdown(report.format)} · {accounting(vars(report))}"
    )
    if report.duplicate and not report.accepted:
        st.caption("It brings nothing new: what it says was received before.")
    for note in report.notes:
        st.caption(style.as_markdown(note))
    if report.rejected:
        receipt = next(file["receipt"] for file in data.received_files() if file["sha256"] == report.sha256)
        st.button(
            f"Show the {report.rejected:,} rejected row{'s' * (report.rejected != 1)}",
            key=f"show-{number}",
            on_click=show_rejected,
            args=(receipt,),
        )


def accounting(counts: dict) -> str:
    """The sum that always holds, in words."""
    return (
        f"{counts['received']:,} received = {counts['accepted']:,} accepted + {counts['duplicate']:,} duplicate "
        f"+ {counts['superseded']:,} superseded + {counts['rejected']:,} rejected"
    )


def show_rejected(receipt: int) -> None:
    """The rejected rows of one file."""
    st.query_params.from_dict({"show": "rejected", "file": str(receipt)})
