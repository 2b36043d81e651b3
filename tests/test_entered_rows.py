"""What people entered is read whole or refused: a file cut on its way never says something else than what was entered."""

from datetime import date, datetime
from pathlib import Path

import pytest

from pipelines import decisions, entries, sources
from pipelines.errors import FileRefused

MOMENT = datetime(2024, 5, 1, 12)
NOTE = {"kind": "note", "patient_id": "a", "day": date(2024, 4, 30), "text": "Asked for a troponin."}
HELD = {"sha256": "0" * 64, "line": 2, "reason": "value_slip"}
ENTRY = entries.entry_file([NOTE, NOTE | {"entry_id": "one", "withdrawn": True}], "Dr A", MOMENT)
DECISION = decisions.decision_file(HELD, "correct_unit", "the data manager", "asked", MOMENT, "mg/L")
QUOTED = entries.entry_file([NOTE | {"text": 'one\ntwo, "three"'}], "Dr A", MOMENT)
WHOLE = {"entries": ENTRY, "decisions": DECISION, "lines of a text": QUOTED}


def faults(folder: Path, text: str) -> list[str | None]:
    """Why each row is not taken as it stands."""
    path = folder / "entered.csv"
    path.write_bytes(text.encode())
    source = sources.recognise(path)
    assert source.format in ("csv/entries", "csv/decisions")
    return [fault for batch in source.batches() for fault in batch.table.column("cell_fault").to_pylist()]


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["line feed", "as a spreadsheet ends lines"])
def test_what_was_written_is_read(tmp_path, kind, end):
    assert set(faults(tmp_path, WHOLE[kind].replace("\n", end))) == {None}


@pytest.mark.parametrize("kind", WHOLE)
def test_wherever_a_file_is_cut_no_row_is_taken_that_was_not_whole(tmp_path, kind):
    text = WHOLE[kind]
    rows = len(faults(tmp_path, text))
    for end in range(text.index("\n") + 2, len(text)):
        try:
            found = faults(tmp_path, text[:end])
        except FileRefused:
            continue
        assert (text[end - 1] == "\n" and len(found) < rows) or found[-1] is not None, text[:end]


@pytest.mark.parametrize(("kind", "reason"), [("entries", "entry_unknown"), ("decisions", "decision_unknown")])
def test_a_row_of_fewer_or_more_cells_than_the_header_is_refused(tmp_path, kind, reason):
    text = WHOLE[kind]
    assert faults(tmp_path, text[: text.rindex(",")] + "\n")[-1] == reason
    assert faults(tmp_path, text[:-1] + ",\n")[-1] == reason


@pytest.mark.parametrize("kind", WHOLE)
def test_a_last_line_without_its_end_is_a_cut_file(tmp_path, kind):
    with pytest.raises(FileRefused, match="was cut"):
        faults(tmp_path, WHOLE[kind][:-1])


def test_a_quote_that_does_not_close_is_refused(tmp_path):
    with pytest.raises(FileRefused, match="cannot be read"):
        faults(tmp_path, QUOTED[: QUOTED.index("two")])
    with pytest.raises(FileRefused, match="cannot be read"):
        faults(tmp_path, QUOTED.replace('""three""', 'three" x'))
