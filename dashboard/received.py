"""What was received: the history of files, the rows that were rejected, the names nobody knows, and any row as it came in."""

import streamlit as st

from dashboard import adding, data, style, table

ON_A_PAGE = 50
EVERY = 0  # no receipt and no reason is called so
MOST_DOWNLOADED = 200_000  # rows; the command line has no limit
ONE = ("single-row", "single-cell")  # a click anywhere on a row chooses it
TALL = 330  # pixels of a table that scrolls from there on
OUTCOMES = {
    "accepted": "Accepted: it is a record",
    "duplicate": "Duplicate: a record says the same already",
    "superseded": "Superseded: a later version stands",
    "rejected": "Rejected",
}
UNKNOWN = {
    "analyte_unknown": "Analytes",
    "drug_unknown": "Drugs",
    "unit_unknown": "Units",
    "code_unknown": "Codes of events",
    "kind_unknown": "Kinds of events",
}


def draw_files() -> None:
    """The history, newest first, with the accounting of each; beside it the file that is chosen."""
    files = data.received_files()
    left, right = st.columns([2.3, 1], gap="medium")
    with left:
        first = first_of(len(files), "files_page")
        shown = files[first : first + ON_A_PAGE]
        key = f"files-{first}"
        st.dataframe(
            [line_of(file) for file in shown],
            hide_index=True,
            on_select=lambda: choose(key, shown, receipt="receipt"),
            selection_mode=ONE,
            key=key,
            alt="Every file received, newest first, with its accounting",
        )
        draw_pages(len(files), first, len(shown), "files_page", "files")
    chosen = number_asked("receipt")
    with right:
        draw_file(next((file for file in files if file["receipt"] == chosen), None))


def choose(key: str, shown: list[dict], **names: str) -> None:
    """Puts the row selected in a table into the address: each parameter of `names` from the column it names."""
    selected = st.session_state[key]["selection"]
    rows = selected["rows"] or [row for row, _ in selected.get("cells", [])]
    if rows and rows[0] < len(shown):
        for name, column in names.items():
            st.query_params[name] = str(shown[rows[0]][column])


def line_of(file: dict) -> dict:
    return {
        "Received at": f"{file['received_at']:%Y-%m-%d %H:%M}",
        "File": file["name"],
        "Format": file["format"],
        **{name.capitalize(): file[name] for name in ("received", "accepted", "duplicate", "superseded", "rejected")},
    }


def draw_file(file: dict | None) -> None:
    if file is None:
        st.caption("Choose a file to see its notes and its rejected rows.")
        return
    with st.container(border=True, key="chosen-file"):
        st.markdown(f"**{style.as_markdown(file['name'])}**")
        st.caption(
            f"Receipt {file['receipt']} · {file['received_at']:%Y-%m-%d %H:%M:%S} · {style.as_markdown(file['format'])}"
        )
        st.markdown(adding.accounting(file))
        for note in file["notes"] or ["No notes."]:
            st.caption(style.as_markdown(note))
        for name, said in data.declared_of(file["receipt"]).items():
            st.caption(style.as_markdown(f"declared: {name} {said}"))
        st.caption(f"SHA-256 {file['sha256']}")
        if file["rejected"]:
            st.button("Show its rejected rows", key="show_its", on_click=adding.show_rejected, args=(file["receipt"],))


def draw_rejected() -> None:
    """Rejected rows by page, filtered; beside them the row that is chosen, as received."""
    asked = draw_filters()
    number, _ = data.rejected(0, **asked)
    first = first_of(number, "rejected_page")
    _, rows = data.rejected(ON_A_PAGE, first, **asked)
    left, right = st.columns([1.75, 1], gap="medium")
    with left:
        if rows:
            draw_rejects(number, first, rows, asked)
        else:
            st.info("No rejected row matches." if any(asked.values()) else "No row is rejected.")
    with right:
        draw_row(number_asked("receipt"), number_asked("line"))
        draw_finder()


def draw_finder() -> None:
    """Any row, also one that was accepted, by the receipt and line that stand beside every value of a patient."""
    with st.expander("Find any row by its receipt and line"), st.form("finder", border=False):
        of, at = st.columns(2)
        receipt = of.number_input("Receipt", min_value=1, value=None, step=1, key="find_receipt")
        line = at.number_input("Line", min_value=1, value=None, step=1, key="find_line")
        if st.form_submit_button("Show it") and receipt and line:
            st.query_params["receipt"], st.query_params["line"] = str(receipt), str(line)
            st.rerun()


def draw_rejects(number: int, first: int, rows: list[dict], asked: dict) -> None:
    key = f"rejects-{first}"
    st.dataframe(
        [reject_of(row) for row in rows],
        hide_index=True,
        on_select=lambda: choose(key, rows, receipt="receipt", line="line"),
        selection_mode=ONE,
        key=key,
        alt="Rejected rows with file, line, reason and what was found",
    )
    draw_pages(number, first, len(rows), "rejected_page", "rows")
    few = number <= MOST_DOWNLOADED
    st.download_button(
        f"Download {'these' if few else 'the first'} {min(number, MOST_DOWNLOADED):,} as CSV",
        lambda: table.as_csv(data.rejected(MOST_DOWNLOADED, **asked)[1]),
        "rejected_rows.csv",
        "text/csv",
        on_click="ignore",
    )


def draw_filters() -> dict:
    """The rows asked for: receipt, reason and text, each None for any."""
    files = {file["receipt"]: file for file in data.received_files() if file["rejected"]}
    reasons = data.rejection_reasons()
    by_file, by_reason, by_text = st.columns([1.3, 1.3, 1], vertical_alignment="bottom")
    asked = number_asked("file")
    st.session_state["rejected_file"] = asked if asked in files else EVERY
    receipt = by_file.selectbox(
        "File",
        [EVERY, *files],
        key="rejected_file",
        format_func=lambda receipt: named(files.get(receipt)),
        on_change=choose_filter,
    )
    if st.session_state.get("rejected_reason") not in reasons:
        st.session_state["rejected_reason"] = EVERY
    reason = by_reason.selectbox(
        "Reason",
        [EVERY, *reasons],
        key="rejected_reason",
        format_func=lambda name: f"{style.words(name)} ({reasons[name]:,})" if name else "every reason",
        on_change=first_page,
    )
    text = by_text.text_input(
        "Containing", key="rejected_text", type="search", placeholder="text of the row", on_change=first_page
    )
    return {"receipt": receipt or None, "reason": reason or None, "text": text or None}


def named(file: dict | None) -> str:
    return f"{file['name']} (receipt {file['receipt']}: {file['rejected']:,})" if file else "every file"


def choose_filter() -> None:
    """Another file: the row that was open is closed."""
    receipt = st.session_state["rejected_file"]
    st.query_params.from_dict({"show": "rejected"} | ({"file": str(receipt)} if receipt else {}))
    first_page()


def first_page() -> None:
    st.session_state["rejected_page"] = 1


def reject_of(row: dict) -> dict:
    return {
        "File": row["file"],
        "Line": row["line"],
        "Reason": style.words(row["reason"])
        + (" (decided)" if row["decision"] else " (held)" if row["class"] == "held" else ""),
        "Column": row["field"] or "",
        "Found": row["found"] or "",
        "Row as received": row["raw"],
    }


def draw_row(receipt: int | None, line: int | None) -> None:
    """One row of one file: what became of it, why, what to do, and its text."""
    found = data.source_row(receipt, line) if receipt is not None and line is not None else None
    if found is None:
        st.caption(
            "There is no such row." if line is not None else "Choose a row to see it as received, with what to do."
        )
        return
    with st.container(border=True, key="chosen-row"):
        st.markdown(f"**{style.as_markdown(found['file'])}, line {found['line']}**")
        if found["place"]:
            st.caption(style.as_markdown(found["place"]))
        st.caption(
            f"Receipt {found['receipt']} of {found['received_at']:%Y-%m-%d %H:%M} · {style.as_markdown(found['format'])} · {found['kind']}"
        )
        st.markdown(
            f"**{OUTCOMES[found['outcome']]}**" + (f": {style.words(found['reason'])}" if found["reason"] else "")
        )
        if found["found"] is not None:
            st.text(f"Found in {found['field'] or 'the row'}: {found['found']}")
        if found["hint"]:
            st.text(f"What to do: {found['hint']}")
        st.caption("The row as received, without names, addresses and identifiers")
        if found["raw"] is None:
            st.caption("The file is too large to be read again here; its line number stands above.")
        else:
            st.code(found["raw"], language=None, wrap_lines=True)
        if found["cells"]:
            draw_cells(found["cells"])


def draw_cells(cells: dict[str, str | None]) -> None:
    """What was read in a row, by native column."""
    read = [
        {"Column": style.words(name), "As read": style.as_markdown(cell)}
        for name, cell in cells.items()
        if cell is not None
    ]
    st.table(read, border="horizontal", hide_index=True)


def draw_unknown() -> None:
    """What was printed that no dictionary knows, grouped, with how often and where."""
    rows = data.unmapped()
    if not rows:
        st.info("Every name, unit and code that was printed is known.")
        return
    only = f" Only the {len(rows):,} most frequent are listed." if len(rows) >= data.MOST_UNMAPPED else ""
    st.caption(f"Correct them at their source, or add them to the dictionary, and load the file again.{only}")
    reasons = {row["reason"] for row in rows}
    for reason in [*(name for name in UNKNOWN if name in reasons), *sorted(reasons - UNKNOWN.keys())]:
        found = [unknown_of(row) for row in rows if row["reason"] == reason]
        st.markdown(f"**{UNKNOWN.get(reason, style.words(reason).capitalize())}** · {len(found):,} different")
        if len({row["What to do"] for row in found}) == 1:  # said once
            st.caption(style.as_markdown(found[0]["What to do"]))
            found = [{name: cell for name, cell in row.items() if name != "What to do"} for row in found]
        st.dataframe(found, hide_index=True, height=min(36 * len(found) + 40, TALL), key=f"unknown-{reason}")
    st.download_button(
        "Download as CSV",
        lambda: table.as_csv([unknown_of(row) for row in rows]),
        "unknown_names.csv",
        "text/csv",
        on_click="ignore",
    )


def unknown_of(row: dict) -> dict:
    return {
        "Printed": row["found"],
        "Rows": row["rows"],
        "Column": row["field"],
        "Files": ", ".join(row["files"][:20])
        + (f" and {len(row['files']) - 20} more" if len(row["files"]) > 20 else ""),
        "What to do": row["hint"],
    }


def first_of(number: int, key: str) -> int:
    """The place of the first row of the page that is shown, also when there are fewer pages than before."""
    pages = max(-(-number // ON_A_PAGE), 1)
    return (min(st.session_state.get(key, 1), pages) - 1) * ON_A_PAGE


def draw_pages(number: int, first: int, shown: int, key: str, what: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"{what.capitalize()} {first + 1 if shown else 0:,} to {first + shown:,} of {number:,}")
        if number > ON_A_PAGE:
            st.pagination(-(-number // ON_A_PAGE), key=key)


def number_asked(name: str) -> int | None:
    """A number of the address; None where it is none."""
    said = st.query_params.get(name, "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 10 else None
