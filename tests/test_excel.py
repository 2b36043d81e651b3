"""Workbooks with native columns: headers, ids carried down, what cells become, what is not read."""

import csv
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
import python_calamine

from pipelines import ingest, sources
from pipelines.errors import FileRefused
from pipelines.identity import PatientIds
from pipelines.sources import Declared, Source
from pipelines.sources.workbook import Workbook
from pipelines.sources.workbook_formats import date_text, format_kind, number_text
from sample_data.cohort.generate import generate
from tests import ingesting, workbooks
from tests.workbooks import HEADER, cell_styles, labs, sheet
from tests.writers import excel as writer

SAMPLES = Path(__file__).parents[1] / "sample_data"
ROW = ("ferritin", "300", "ng/mL", "2021-07-24")


def rows_of(source: Source, kind: str | None = None) -> list[dict]:
    found = [row for batch in source.batches() if kind in (None, batch.kind) for row in batch.table.to_pylist()]
    return sorted(found, key=lambda row: row["line"])


def read(path: Path, **declared) -> Source:
    return sources.recognise(path, Declared(**declared))


def patients(source: Source) -> list[str | None]:
    return [row["patient_id"] for row in rows_of(source)]


def typed(path: Path, *lines: list, title: str = "Labs") -> Path:
    book = openpyxl.Workbook()
    book.active.title = title
    for line in lines:
        book.active.append(line)
    book.save(path)
    return path


def test_native_files_as_a_workbook_give_the_same_rows(tmp_path: Path):
    native: dict[str, list[dict]] = {}
    for folder in ("yonsei_2021", "published_cases"):
        for file in (SAMPLES / folder).glob("*.csv"):
            with file.open(encoding="utf-8") as opened:
                native.setdefault(file.stem, []).extend(csv.DictReader(opened))
    writer.write(native, tmp_path / "all.xlsx")
    source = read(tmp_path / "all.xlsx")
    for kind, expected in native.items():
        got = [
            {k: v for k, v in row.items() if v and k not in ("line", "raw", "place")} for row in rows_of(source, kind)
        ]
        assert got == [{name: text for name, text in row.items() if text} for row in expected]
    assert source.notes == []


def test_cells_are_read_as_they_are_shown(tmp_path: Path):
    styles = cell_styles("dd/mm/yyyy", "mmm-yy", "0.0%", "yyyy", "[h]:mm", "0.0 \\d", "[Red]0.00")
    number = lambda value, style=0: f'<c s="{style}"><v>{value}</v></c>'  # noqa: E731
    shown = [
        (number("0.30000000000000004"), "0.3"), (number("123.0"), "123"), (number("1E-5"), "0.00001"), (number("-0"), "0"),
        (number(44401, 1), "2021-07-24"), (number(44401.35416666666, 1), "2021-07-24T08:30"), (number(44378, 2), "2021-07"),
        (number(44401, 2), "2021-07-24"), (number(0.878, 3), "87.8%"), (number(44197, 4), "2021"), (number(1.5, 5), "36:00"),
        (number(44401, 6), "44401"), (number(0.5, 7), "0.5"), (number(60, 1), "1900-02-29"), (number(-5, 1), "-5"),
        ('<c t="b"><v>1</v></c>', "true"), ('<c t="str"><f>A1</f><v>x</v></c>', "x"), ('<c t="d"><v>2021-07-24</v></c>', "2021-07-24"),
        ('<c t="inlineStr"><is><r><t>ab</t></r><rPh><t>zz</t></rPh><r><t>cd</t></r></is></c>', "abcd"),
        (workbooks.cell("a_x000D_b"), "a\rb"), (number("abc"), "abc"),
    ]  # fmt: skip
    path = workbooks.write(tmp_path / "a.xlsx", sheet(workbooks.rows(tuple(xml for xml, _ in shown))), styles=styles)
    book = Workbook(path)
    cells = next(book.rows(book.sheets[0])).cells
    assert list(cells.values()) == [text for _, text in shown]


def test_shared_texts_are_read_without_what_tells_their_pronunciation(tmp_path: Path):
    texts = f'<sst xmlns="{workbooks.MAIN}"><si><r><t>fer</t></r><rPh><t>zz</t></rPh><r><t>ritin</t></r></si><si><t>p1</t></si></sst>'
    shared = [f'<c t="s"><v>{at}</v></c>' for at in (1, 0)]
    path = workbooks.write(tmp_path / "a.xlsx", labs((*shared, *ROW[1:])), texts=texts)
    assert [(row["patient_id"], row["analyte"]) for row in rows_of(read(path))] == [("p1", "ferritin")]


def test_calamine_reads_the_same_cells(tmp_path: Path):
    path = typed(
        tmp_path / "a.xlsx",
        ["text", 1, 2.5, 1e-7, -3, 123456789012, True, date(2021, 7, 24), datetime(2021, 7, 24, 8, 30)],
        [None, " padded ", "é日本", 0.1, None, datetime(2020, 2, 29, 23, 59, 59)],
    )
    grid = python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python(skip_empty_area=False)
    book = Workbook(path)
    for row, line in zip(book.rows(book.sheets[0]), grid, strict=True):
        assert row.cells == {at: _as_text(value) for at, value in enumerate(line) if value != ""}


def _as_text(value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds" if value.second else "minutes")
    return (
        value.isoformat()
        if isinstance(value, date)
        else number_text(repr(value))
        if isinstance(value, float)
        else value
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [("General", None), ("#,##0.00 \"d\"", None), ("0.00E+00", None), ("d/m/yy;@", "date"),
     ("[$-409]d-mmm-yy", "date"), ("h:mm AM/PM", "date"),
     ('yyyy"年"m"月"', "month"), ("mm:ss.0", "date"), ("0%", "percent"), ("@", None), ("_-* #,##0.00\\ _€_-", None), ("", None)],
)  # fmt: skip
def test_a_format_code_says_what_a_number_is(code: str, kind: str | None):
    assert format_kind(code) == kind


def test_dates_from_1904(tmp_path: Path):
    assert date_text("42939", "date", from_1904=True) == date_text("44401", "date", from_1904=False) == "2021-07-24"
    line = ("p1", "ferritin", "300", "ng/mL", '<c s="1"><v>42939</v></c>')
    path = workbooks.write(
        tmp_path / "a.xlsx", labs(line), book='<workbookPr date1904="1"/>', styles=cell_styles("yyyy-mm-dd")
    )
    source = read(path)
    assert rows_of(source)[0]["at"] == "2021-07-24"
    assert "dates count from 1904" in source.notes


def test_the_header_may_stand_below_titles_and_in_several_rows(tmp_path: Path):
    source = read(
        typed(tmp_path / "a.xlsx", ["Laboratory report"], [], ["printed", date(2021, 8, 1)], HEADER, ["p1", *ROW])
    )
    assert patients(source) == ["p1"]
    assert "sheet 'Labs': 2 lines above the header not read" in source.notes
    split = read(
        typed(
            tmp_path / "b.xlsx",
            ["patient", "analyte", "Result", None, "at"],
            ["id", None, "value", "unit", None],
            ["p1", *ROW],
        )
    )
    assert [(row["patient_id"], row["value"], row["unit"]) for row in rows_of(split)] == [("p1", "300", "ng/mL")]


def test_every_row_says_where_it_stands(tmp_path: Path):
    book = openpyxl.Workbook()
    for title in ("First", "Second"):
        page = book.create_sheet(title)
        page.append(HEADER)
        page.append(["p1", *ROW])
    book.save(tmp_path / "a.xlsx")
    source = read(tmp_path / "a.xlsx")
    assert [(row["line"], row["place"]) for row in rows_of(source)] == [
        (2, "sheet 'First', row 2"),
        (4, "sheet 'Second', row 2"),
    ]
    assert source.notes == ["sheet 'Sheet' is empty: not read"]
    assert rows_of(source) == rows_of(source)


def test_an_id_printed_on_the_first_row_of_a_patient_is_carried_down(tmp_path: Path):
    source = read(
        typed(tmp_path / "a.xlsx", HEADER, ["p1", *ROW], [None, *ROW], [None, *ROW], ["p2", *ROW], [None, *ROW])
    )
    assert patients(source) == ["p1", "p1", "p1", "p2", "p2"]
    assert source.notes[-1].startswith("patient_id carried down to 3 rows of sheet 'Labs'")


def test_a_blank_id_among_printed_ones_is_an_omission(tmp_path: Path):
    source = read(typed(tmp_path / "a.xlsx", HEADER, ["p1", *ROW], ["p1", *ROW], [None, *ROW], ["p2", *ROW]))
    assert patients(source) == ["p1", "p1", None, "p2"]


def test_an_id_is_not_carried_over_a_gap_a_total_or_an_error(tmp_path: Path):
    gap = read(typed(tmp_path / "a.xlsx", HEADER, ["p1", *ROW], [None, *ROW], [], [None, *ROW]))
    assert patients(gap) == ["p1", "p1", None]
    total = read(typed(tmp_path / "b.xlsx", HEADER, ["p1", *ROW], [None, None, "2 results"], [None, *ROW]))
    assert patients(total) == ["p1", None, None]
    error = workbooks.write(tmp_path / "c.xlsx", labs(("p1", *ROW), ('<c t="e"><v>#N/A</v></c>', *ROW), ("<c/>", *ROW)))
    assert patients(read(error)) == ["p1", None, None]


def test_a_merged_id_belongs_to_all_its_rows_and_no_other(tmp_path: Path):
    path = typed(tmp_path / "a.xlsx", HEADER, ["p1", *ROW], [None, *ROW], ["p2", *ROW], ["p2", *ROW], [None, *ROW])
    book = openpyxl.load_workbook(path)
    book.active.merge_cells("A2:A3")
    book.save(path)
    assert patients(read(path)) == ["p1", "p1", "p2", "p2", None]


def test_a_patients_row_without_id_is_nobodys(tmp_path: Path):
    header = ["patient_id", "sex", "birth_year"]
    assert patients(read(typed(tmp_path / "a.xlsx", header, ["p1", "f", 1950], [None, "m", 1960]))) == ["p1", None]


def test_hidden_sheets_charts_and_other_sheets_are_named(tmp_path: Path):
    path = typed(tmp_path / "a.xlsx", HEADER, ["p1", *ROW])
    book = openpyxl.load_workbook(path)
    secret = book.create_sheet("Old")
    secret.append(HEADER)
    secret.append(["p9", *ROW])
    secret.sheet_state = "veryHidden"
    book.create_sheet("Notes").append(["remember to call"])
    book.create_sheet("Half").append(["patient_id", "analyte", "value"])
    book.create_chartsheet("Curve")
    book["Labs"].row_dimensions[2].hidden = True
    book.save(path)
    source = read(path)
    assert patients(source) == ["p1"]
    assert source.notes == [
        "hidden sheets were not read: Old",
        "sheet 'Notes' has no known columns: not read",
        "sheet 'Half' looks like a labs table but has no column at: not read",
        "sheet 'Curve' has no cells (chartsheet): not read",
        "sheet 'Labs': 1 hidden rows were read too",
    ]


def test_columns_not_read_are_named_and_direct_identifiers_dropped(tmp_path: Path):
    header = [*HEADER, "Patient name", "Phone", "Ward"]
    source = read(typed(tmp_path / "a.xlsx", header, ["p1", *ROW, "NAME^TEST", "555", "7B"]))
    assert "sheet 1: columns not read: ward" in source.notes
    assert any("dropped at the door: names (1 column)" in note for note in source.notes)
    assert not any(text in str(rows_of(source)) for text in ("NAME^TEST", "555"))


def test_identifiers_become_pseudonyms_and_stand_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MDA5_KEY_FILE", str(tmp_path / "key"))
    path = typed(tmp_path / "a.xlsx", HEADER, [1234567, *ROW], [None, *ROW])
    ids = PatientIds(assigner="hospital")
    rows = rows_of(read(path, ids=ids))
    assert {row["patient_id"] for row in rows} == {ids.pseudonym("1234567")}
    assert "1234567" not in str(rows)


def test_error_cells_and_sentinels_are_refused_rows_and_empty_formulas_said(tmp_path: Path):
    error = '<c t="e"><f>1/0</f><v>#DIV/0!</v></c>'
    path = workbooks.write(
        tmp_path / "a.xlsx",
        labs(("p1", "ferritin", error, "ng/mL", "2021"), ("p1", "ferritin", "-99", "ng/mL", "2021"),
             ("p1", "ferritin", "<c><f>A1</f></c>", "ng/mL", "2021"), ("p1", *ROW)),
    )  # fmt: skip
    source = read(path)
    assert [row["cell_fault"] for row in rows_of(source)] == ["error_cell", "sentinel", None, None]
    assert [row["value"] for row in rows_of(source)] == ["#DIV/0!", "-99", None, "300"]
    assert "sheet 'S1': 1 formulas without a saved value are empty cells" in source.notes


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [("<0,5", None, "2,5"), ("0.5", None, "2.5"), ("positive", None, "2.5"), ("1,234", "unsettled", "2.5")],
)
def test_numbers_of_cells_are_written_with_the_mark_of_the_texts_beside_them(
    tmp_path: Path, text: str, decimal: str, value: str
):
    source = read(
        typed(tmp_path / "a.xlsx", HEADER, ["p1", "CRP", 2.5, "mg/L", "2021"], ["p1", "CRP", text, "mg/L", "2021"])
    )
    assert (source.decimal, rows_of(source)[0]["value"]) == ("comma" if "," in value else decimal, value)


def test_the_percent_sign_of_a_cell_is_its_unit(tmp_path: Path):
    cell = '<c s="1"><v>0.878</v></c>'
    lines = [("p1", "neutrophil_percent", cell, unit, "2021") for unit in ("%", "", "ng/mL")]
    source = read(workbooks.write(tmp_path / "a.xlsx", labs(*lines), styles=cell_styles("0.0%")))
    assert [(row["value"], row["unit"]) for row in rows_of(source)] == [
        ("87.8", "%"),
        ("87.8", "%"),
        ("87.8%", "ng/mL"),
    ]


def test_blocks_below_one_another_and_repeated_headers(tmp_path: Path):
    lines = [HEADER, ["p1", *ROW], HEADER, ["p1", *ROW], [], ["patient_id", "sex"], ["p1", "f"]]
    source = read(typed(tmp_path / "a.xlsx", *lines))
    assert [len(rows_of(source, kind)) for kind in ("labs", "patients")] == [2, 1]
    assert "sheet 'Labs': 1 repeated headers not read" in source.notes


def test_a_smaller_table_above_a_larger_one_is_read_too(tmp_path: Path):
    source = read(typed(tmp_path / "a.xlsx", ["Sex", "patient_id"], ["f", "p1"], [], HEADER, ["p1", *ROW]))
    assert [len(rows_of(source, kind)) for kind in ("patients", "labs")] == [1, 1]
    assert source.notes == []


def test_a_workbook_without_native_columns_is_refused_with_what_is_missing(tmp_path: Path):
    with pytest.raises(FileRefused, match="looks like a labs table but has no column at"):
        read(typed(tmp_path / "a.xlsx", ["patient_id", "analyte", "value"], ["p1", "LDH", 300]))
    with pytest.raises(FileRefused, match="names a column twice: value"):
        read(typed(tmp_path / "b.xlsx", [*HEADER, "value"], ["p1", *ROW, 5]))


def test_a_second_header_that_does_not_fit_closes_the_block_and_loses_no_row(tmp_path: Path):
    other = ["patient_id", "analyte", "target", "unit", "at"]
    lines = [HEADER, ["p1", *ROW], [], other, ["p1", *ROW], [None, None, "7"], other, HEADER, ["p2", *ROW]]
    source = read(typed(tmp_path / "a.xlsx", *lines))
    assert [(row["line"], row["patient_id"], row["value"]) for row in rows_of(source, "labs")] == [
        (2, "p1", "300"),
        (9, "p2", "300"),
    ]
    refused = rows_of(source, "unreadable")
    assert [(row["line"], row["patient_id"], row["cell_fault"]) for row in refused] == [
        (5, "p1", "header_unfitting"),
        (6, None, "header_unfitting"),
    ]
    assert refused[0]["raw"] == "patient_id=p1,analyte=ferritin,unit=ng/mL,at=2021-07-24"
    assert "sheet 'Labs': row 4 is a header that does not fit: the rows below it are rejected" in source.notes


@pytest.mark.parametrize(
    "other", [["patient_id", "marker", "target", "uom", "date"], ["analyte", "patient_id", "unit"]]
)
def test_a_second_header_of_other_names_does_not_fit_either(tmp_path: Path, other: list[str]):
    source = read(typed(tmp_path / "a.xlsx", HEADER, ["p1", *ROW], other, ["p1", *ROW]))
    assert [len(rows_of(source, kind)) for kind in ("labs", "unreadable")] == [1, 1]


def test_a_second_block_may_hold_its_columns_elsewhere(tmp_path: Path):
    header = ["at", "value", "unit", "patient_id", "analyte"]
    lines = [HEADER, ["p1", *ROW], header, ["2021-07-25", "7", "ng/mL", "p2", "ferritin"]]
    source = read(typed(tmp_path / "a.xlsx", *lines))
    assert [(row["patient_id"], row["value"]) for row in rows_of(source)] == [("p1", "300"), ("p2", "7")]


@pytest.mark.parametrize(
    "row", [["p2", *ROW, "Patient ID", "site"], ["Patient ID", *ROW], ["patient-id", *ROW, "value", "sex"]]
)
def test_a_row_with_a_cell_that_reads_patient_id_is_a_row(tmp_path: Path, row: list[str]):
    source = read(typed(tmp_path / "a.xlsx", [*HEADER, "laboratory", "assay"], ["p1", *ROW], row, ["p3", *ROW]))
    assert patients(source) == ["p1", row[0], "p3"]


def test_half_of_a_surrogate_pair_is_a_character_that_cannot_be_read(tmp_path: Path):
    texts = ("a_xD800_", "_xDE00_b", "_xD83D__xDE00_", "_xD800__x0041_")
    path = workbooks.write(tmp_path / "a.xlsx", labs(*[("p1", text, *ROW[1:]) for text in texts]))
    assert [row["analyte"] for row in rows_of(read(path))] == ["a\ufffd", "\ufffdb", "\U0001f600", "\ufffdA"]


@pytest.mark.parametrize("how", ["identifiers", "a column of names", "neither"])
def test_sheets_may_be_named_after_patients(tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MDA5_KEY_FILE", str(tmp_path / "key"))
    header = [*HEADER, "Ward", *(["Name"] if how == "a column of names" else [])]
    path = typed(tmp_path / "a.xlsx", header, ["p1", *ROW], [None, *ROW], title="NAME TEST 1950")
    book = openpyxl.load_workbook(path)
    book.create_sheet("NAME OTHER").append(["x"])
    book.create_sheet("NAME HIDDEN").sheet_state = "hidden"
    book.save(path)
    source = read(path, ids=PatientIds(assigner="hospital") if how == "identifiers" else PatientIds())
    places = [row["place"] for row in rows_of(source)]
    assert ("NAME" in str(source.notes) + str(places)) == (how == "neither")
    if how != "neither":
        assert places == ["sheet 1, row 2", "sheet 1, row 3"]
        assert source.notes[:3] == [
            "hidden sheets were not read: 3",
            "sheet 2 has no known columns: not read",
            "sheet 1: columns not read: ward",
        ]


def test_a_refusal_names_no_sheet_of_a_file_with_identifiers(tmp_path: Path):
    path = typed(tmp_path / "a.xlsx", ["patient_id", "analyte", "value"], ["p1", "LDH", 300], title="NAME TEST")
    with pytest.raises(FileRefused, match="sheet 1 looks like a labs table"):
        read(path, ids=PatientIds(assigner="hospital"))


def test_csv_and_excel_give_identical_records(tmp_path: Path):
    generate(tmp_path / "cohort", patients=5, seed=1)
    files = [
        file
        for folder in (tmp_path / "cohort", SAMPLES / "yonsei_2021", SAMPLES / "published_cases")
        for file in folder.glob("*.csv")
    ]
    native: dict[str, list[dict]] = {}
    for file in files:
        with file.open(encoding="utf-8") as opened:
            native.setdefault(file.stem, []).extend(csv.DictReader(opened))
    writer.write(native, tmp_path / "all.xlsx")
    assert records(tmp_path / "all.xlsx") == records(*files)


def records(*files: Path) -> dict[str, list[tuple]]:
    """Every record that comes of these files, without what says where it came from."""
    con = ingesting.empty_store()
    for file_id, file in enumerate(files, start=1):
        source = sources.recognise(file)
        con.execute(
            "INSERT INTO source.file VALUES (?, ?, '', ?, ?, ?)",
            [file_id, file.name, source.format, ingesting.RECEIVED, []],
        )
        ingest.ingest(con, file_id, source, ingesting.RECEIVED)
    without = {
        "file_id",
        "line",
        "set_id",
        "received_at",
        "received_until",
        "original_value",
        "original_unit",
        "record_key",
        "observation_id",
    }
    found = {}
    for (table,) in con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'record' ORDER BY 1"
    ).fetchall():
        names = [row[0] for row in con.execute(f"DESCRIBE record.{table}").fetchall() if row[0] not in without]
        found[table] = sorted(con.execute(f"SELECT {', '.join(names)} FROM record.{table}").fetchall(), key=repr)
    assert sum(map(len, found.values())) > 1000
    return found


def test_a_number_shown_with_leading_zeros_is_the_text_that_is_shown(tmp_path: Path):
    book = openpyxl.Workbook()
    book.active.append(["patient_id", "analyte", "value", "unit", "at"])
    book.active.append([123, "ferritin", 1500, "ng/mL", "2021-07-24"])
    book.active["A2"].number_format = "00000"
    book.save(tmp_path / "labs.xlsx")
    (batch,) = sources.recognise(tmp_path / "labs.xlsx").batches()
    assert batch.table.column("patient_id").to_pylist() == ["00123"]
