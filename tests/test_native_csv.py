"""The reader of native CSV: which kind, which delimiter and encoding, which line, and what is refused."""

from pathlib import Path

import pytest

from pipelines import sources
from pipelines.errors import FileRefused
from pipelines.identity import PatientIds
from pipelines.sources import Declared

HEADER = "patient_id,analyte,value,unit,at\n"
ROW = "p1,ferritin,1500,ng/mL,2021-07-24\n"


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "export.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(path: Path) -> list[dict]:
    return [row for batch in sources.recognise(path).batches() for row in batch.table.to_pylist()]


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("patient_id,sex,birth_year,site", "patients"),
        ("value,AT,unit,Patient_ID,analyte", "labs"),
        ("patient id,code,value,unit,at", "labs"),
        ("patient_id,measure,value,unit,percent_predicted,at", "pft"),
        ("patient_id,at,device,flow_l_min,fio2", "oxygen"),
        ("patient_id,drug,dose,start", "administrations"),
        ("patient_id,code,start,stop", "administrations"),
        ("patient_id,at,kind,code,value", "events"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_header_tells_the_kind_whatever_its_order_case_and_delimiter(tmp_path, header, kind, delimiter):
    source = sources.recognise(written(tmp_path, header.replace(",", delimiter) + "\n"))
    assert (source.kind, source.format) == (kind, f"csv/{kind}")


@pytest.mark.parametrize(
    ("encoding", "unit"),
    [("utf-8", "µg/L"), ("utf-8-sig", "µg/L"), ("utf-16", "µg/L"), ("cp1252", "µg/L"), ("cp932", "ng/mL 東京大学病院 フェリチン"),
     ("cp949", "ng/mL 연세대학교 페리틴")],
)  # fmt: skip
def test_the_encoding_is_detected(tmp_path, encoding, unit):
    path = written(tmp_path, (HEADER + f"p1,ferritin,1500,{unit},2021-07-24\n").encode(encoding))
    assert rows(path)[0]["unit"] == unit


def test_a_guessed_encoding_is_said(tmp_path):
    source = sources.recognise(written(tmp_path, (HEADER + "p1,ferritin,1500,µg/L,2021-07-24\n").encode("cp1252")))
    assert any("cp1252" in note for note in source.notes)


def test_unknown_columns_are_named_and_absent_ones_are_left_out(tmp_path):
    path = written(tmp_path, "patient_id,analyte,value,unit,at,ward\np1,ferritin,1500,ng/mL,2021-07-24,B2\n")
    source = sources.recognise(path)
    assert source.notes == ["columns not read: ward"]
    assert "assay" not in next(iter(source.batches())).table.column_names


def test_lines_are_physical_lines(tmp_path):
    path = written(tmp_path, HEADER + ROW + "\n" + 'p1,"ferritin\nserum",1500,ng/mL,2021-07-24\n' + "\r\n" + ROW)
    found = rows(path)
    assert [row["line"] for row in found] == [2, 4, 7]
    assert found[1]["analyte"] == "ferritin\nserum"
    assert found[1]["raw"] == 'p1,"ferritin\nserum",1500,ng/mL,2021-07-24'


def test_ragged_rows_carry_a_fault_and_their_text(tmp_path):
    found = rows(written(tmp_path, HEADER + "p1,ferritin,1,234,ng/mL,2021-07-24\n" + "p1,ferritin,1500\n" + ROW))
    assert [row["cell_fault"] for row in found] == ["too_many_cells", "too_few_cells", None]
    assert found[0]["raw"] == "p1,ferritin,1,234,ng/mL,2021-07-24"


@pytest.mark.parametrize(
    ("line", "raw"),
    [
        ("4711,NAME, TEST,ferritin,1500,ng/mL,2021-07-24", "7 cells, the header has 6"),
        ("4711,NAME TEST", "2 cells, the header has 6"),
        ('4711,"NAME TEST,ferritin,1500,ng/mL,2021-07-24', "2 cells, the header has 6"),
    ],
)
def test_a_ragged_row_of_a_file_with_identifiers_shows_none_of_its_cells(tmp_path, line, raw):
    header = "patient_id,name,analyte,value,unit,at\n"
    found = rows(written(tmp_path, header + line + "\n4712,NAME OTHER,ferritin,1500,ng/mL,2021-07-24\n"))
    assert found[0]["raw"] == raw and found[0]["cell_fault"]
    assert not any(text in str(found) for text in ("4711", "NAME", "TEST"))
    assert found[1]["patient_id"] == "4712" and found[1]["cell_fault"] is None


def test_a_ragged_row_of_identifiers_becomes_no_patient(tmp_path, monkeypatch):
    monkeypatch.setenv("MDA5_KEY_FILE", str(tmp_path / "key"))
    path = written(tmp_path, HEADER + "NAME TEST,4711,ferritin,1500,ng/mL,2021-07-24\n")
    source = sources.recognise(path, Declared(ids=PatientIds("hospital")))
    (row,) = [row for batch in source.batches() for row in batch.table.to_pylist()]
    assert (row["raw"], row["cell_fault"]) == ("6 cells, the header has 5", "too_many_cells")
    assert not any(row[column] for column in ("patient_id", "analyte", "value", "unit", "at"))


@pytest.mark.parametrize(
    ("header", "says"),
    [("NAME TEST,4711,1950", "3 columns"), ("NAME TEST,4711,NAME TEST,value", "a column twice")],
)
def test_a_first_line_that_is_no_header_is_not_quoted(tmp_path, header, says):
    with pytest.raises(FileRefused, match=says) as refused:
        sources.recognise(written(tmp_path, header + "\n" + ROW))
    assert not any(text in str(refused.value).upper() for text in ("NAME TEST", "4711"))


def test_a_quote_that_is_never_closed_costs_only_its_own_line(tmp_path):
    found = rows(written(tmp_path, HEADER + 'p1,"ferritin,1500,ng/mL,2021-07-24\n' + ROW * 300))
    assert len(found) == 301
    assert [row["line"] for row in found if row["cell_fault"]] == [2]
    assert found[0]["cell_fault"] == "quote_unclosed"


def test_stray_quotes_never_make_two_rows_one(tmp_path):
    found = rows(written(tmp_path, HEADER + 'p1,"ferritin,1500,ng/mL,2021-07-24\n' * 4))
    assert [(row["line"], row["cell_fault"]) for row in found] == [(line, "quote_unclosed") for line in (2, 3, 4, 5)]


def test_a_quote_inside_a_cell_is_a_character(tmp_path):
    found = rows(written(tmp_path, HEADER + 'p1,ferritin 5" tube,1500,ng/mL,2021-07-24\n' + ROW))
    assert [row["cell_fault"] for row in found] == [None, None]
    assert found[0]["analyte"] == 'ferritin 5" tube'


def test_old_line_ends_are_read(tmp_path):
    assert len(rows(written(tmp_path, (HEADER + ROW * 3).replace("\n", "\r")))) == 3


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\n\n \n", "no known columns"),
        (b"\x00\x01\x02 binary", "not a file of a format known here"),
        ((HEADER + ROW).encode() * 40_000 + b"\0", "NUL"),
        (HEADER.encode() + b"p1," + b"x" * 9_000_000, "longer than"),
        (b"a,b,c\n1,2,3\n", "no known columns"),
        (b"patient_id,analyte,value,unit\np1,ferritin,5,ng/mL\n", "no column at"),
        (b"patient_id,at,record_id\n", "looks like an events file"),
        (b"patient_id,analyte,value,unit,at,Value\n", "twice: value"),
        ((HEADER.strip() + "," + ",".join(f"c{n}" for n in range(10_000)) + "\n").encode(), "columns; at most"),
        (b"\xff\xfep\x00a\x00\x00", "is not"),
    ],
)
def test_what_is_no_native_file_is_refused_with_a_hint(tmp_path, content, says):
    with pytest.raises(FileRefused, match=says) as refused:
        sources.recognise(written(tmp_path, content))
    assert refused.value.hint


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileRefused, match="cannot be opened"):
        sources.recognise(tmp_path / "absent.csv")


def test_progress_can_be_read_while_batches_run(tmp_path):
    source = sources.recognise(written(tmp_path, HEADER + ROW * 10))
    list(source.batches())
    assert source.position == source.size > 0
