"""Workbooks that were made or mangled to do harm: refused, or read with what they hold, in bounded memory and time."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipelines import sources
from pipelines.errors import FileRefused
from pipelines.sources.workbook_parts import OLE
from tests import workbooks
from tests.workbooks import MAIN, labs, rows, sheet

HOSTILE = Path(__file__).parent / "hostile" / "excel"
ROW = ("p1", "ferritin", "300", "ng/mL", "2021-07-24")
MEMORY = 1 << 30  # bytes of address space in which every one must be settled: the libraries alone take some 600 MB
SECONDS = 240
READ = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
from pathlib import Path
from pipelines.errors import FileRefused
from pipelines.sources import Declared, excel
for name in sys.argv[1:]:
    try:
        print("rows", sum(batch.table.num_rows for batch in excel.read(Path(name), Declared()).batches()))
    except FileRefused as refused:
        print("refused", refused.found.replace(chr(10), " "))
"""


def settle(*paths: Path) -> list[str]:
    """What becomes of each file, read in a process of its own with little memory."""
    done = subprocess.run(
        [sys.executable, "-c", READ.format(memory=MEMORY), *map(str, paths)],
        capture_output=True, text=True, timeout=SECONDS, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def numbered(*cells: str) -> str:
    """A sheet of labs, with these cells (XML) below it."""
    return labs(ROW).replace("</sheetData>", "".join(cells) + "</sheetData>")


def test_what_a_sheet_says_of_its_size_costs_nothing(tmp_path: Path):
    far = numbered('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    paths = [
        workbooks.write(
            tmp_path / "dimension.xlsx", labs(ROW).replace("<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>')
        ),
        workbooks.write(tmp_path / "far.xlsx", far),
        workbooks.write(
            tmp_path / "merged.xlsx",
            labs(ROW).replace("</sheetData>", "</sheetData>" + '<mergeCell ref="A1:XFD1048576"/>' * 3),
        ),
        workbooks.write(
            tmp_path / "count.xlsx",
            labs(ROW),
            texts=f'<sst xmlns="{MAIN}" count="99999999999" uniqueCount="99999999999"/>',
        ),
        workbooks.write(tmp_path / "row.xlsx", numbered('<row r="4294967295"><c><v>1</v></c></row>')),
        workbooks.write(tmp_path / "column.xlsx", numbered('<row r="9"><c r="ZZZZZZZ9"><v>1</v></c></row>')),
    ]
    damaged = "refused The workbook is damaged: xl/worksheets/sheet1.xml: "
    assert settle(*paths) == ["rows 1"] * 4 + [
        damaged + "a row has the number '4294967295'.",
        damaged + "row 9 has a cell that belongs elsewhere.",
    ]


def test_hundreds_of_thousands_of_formatted_rows_without_content(tmp_path: Path):
    empty = "".join(f'<row r="{row}"><c r="A{row}" s="1"/></row>' for row in range(3, 400_000))
    assert settle(workbooks.write(tmp_path / "a.xlsx", numbered(empty))) == ["rows 1"]


def test_bombs(tmp_path: Path):
    zeros, million = b"0" * (1 << 20), 1 << 20
    bombs = {
        "spaces": {"xl/worksheets/sheet1.xml": b" " * (300 * million)},
        "cell": {"xl/worksheets/sheet1.xml": b"<a><row><c><v>" + zeros * 40 + b"</v></c></row></a>"},
        "attribute": {"xl/worksheets/sheet1.xml": b'<a b="' + zeros * 40 + b'"/>'},
        "comment": {"xl/worksheets/sheet1.xml": b"<!--" + zeros * 40 + b"--><a/>"},
        "deep": {"xl/worksheets/sheet1.xml": b"<a>" * (10 * million)},
        "text": {"xl/sharedStrings.xml": b"<sst><si><t>" + zeros * 40 + b"</t></si></sst>"},
        "texts": {"xl/sharedStrings.xml": b"<sst>" + b"<si/>" * (6 * million) + b"</sst>"},
        "entities": {"xl/workbook.xml": b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'},
        "styles": {"xl/styles.xml": b"<a><cellXfs>" + b"<xf/>" * million + b"</cellXfs></a>"},
        "sheets": {"xl/workbook.xml": b"<a>" + b"<sheet/>" * million + b"</a>"},
    }
    style, texts = workbooks.cell_styles(), f'<sst xmlns="{MAIN}"/>'
    shared = labs(ROW, ("p1", '<c t="s"><v>0</v></c>', "1", "1", "1"))
    paths = [
        workbooks.write(tmp_path / f"{name}.xlsx", shared, styles=style, texts=texts, more=more)
        for name, more in bombs.items()
    ]
    said = settle(*paths)
    assert len(said) == len(bombs)
    assert [line for line in said if not line.startswith("refused The workbook is")] == []


def test_a_text_repeated_in_every_cell_takes_its_memory_once(tmp_path: Path):
    long = f'<sst xmlns="{MAIN}"><si><t>{"a" * 500_000}</t></si></sst>'
    line = '<c t="s"><v>0</v></c>'
    path = workbooks.write(tmp_path / "a.xlsx", labs(ROW, *[(line,) * 5] * 100), texts=long)
    assert settle(path) == ["rows 101"]


def test_containers_that_are_no_workbook(tmp_path: Path):
    def refused(content: bytes, name: str = "a.xlsx") -> str:
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(FileRefused) as refusal:
            sum(batch.table.num_rows for batch in sources.recognise(path).batches())
        return refusal.value.found

    whole = workbooks.write(tmp_path / "whole.xlsx", labs(ROW)).read_bytes()
    assert refused(OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")) == "The workbook is encrypted."
    assert refused(OLE + b"\0" * 600, "a.xls") == "This is a workbook of Excel 97-2003 (.xls)."
    assert refused(whole[: len(whole) // 2]).startswith("The workbook is damaged")
    assert refused(whole[:200] + bytes(40) + whole[240:]).startswith("The workbook is damaged")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as file:
        file.writestr("letter.txt", "hello")
    assert refused((tmp_path / "b.zip").read_bytes()) == "This zip file is no Excel workbook."
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as file:
        file.writestr("xl/workbook.bin", "x")
    assert refused((tmp_path / "c.zip").read_bytes()) == "This is a binary workbook (.xlsb)."


def test_links_to_other_files_are_not_followed(tmp_path: Path):
    more = {
        "xl/externalLinks/externalLink1.xml": "<a/>",
        "xl/vbaProject.bin": "x",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{workbooks.PACKAGE}"><Relationship Id="rId1" Type="x/worksheet" '
        'Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="x/worksheet" Target="file:///etc/passwd" TargetMode="External"/>'
        '<Relationship Id="rId3" Type="x/worksheet" Target="../../../../etc/passwd"/></Relationships>',
    }
    source = sources.recognise(workbooks.write(tmp_path / "a.xlsx", labs(ROW), labs(ROW), labs(ROW), more=more))
    assert sum(batch.table.num_rows for batch in source.batches()) == 1
    assert source.notes == [
        "links to other files were not followed: their values are those saved in this file",
        "its macros were not read and not run",
        "sheet 'S2' has no cells (missing): not read",
        "sheet 'S3' has no cells (missing): not read",
    ]


def test_rows_and_cells_out_of_order_are_damage(tmp_path: Path):
    for at, cells in enumerate((
        '<row r="9"><c r="A9"><v>1</v></c></row><row r="5"/>', '<row r="9"><c r="A8"><v>1</v></c></row>',
        '<row r="9"><c r="A9"><v>1</v></c><c r="A9"><v>2</v></c></row>', '<row r="9"><c r="A9" t="s"><v>7</v></c></row>',
        '<row r="9"><row r="10"/></row>' + '<row r="9"/>', "<c><v>1</v></c>" * 20_000,
    )):  # fmt: skip
        path = workbooks.write(tmp_path / f"{at}.xlsx", numbered(cells))
        with pytest.raises(FileRefused, match="damaged"):
            sources.recognise(path)


def test_nested_names_and_odd_texts(tmp_path: Path):
    odd = ("p1", "=cmd|' /C calc'!A0", "\u202e300", "ng/mL", "2021-07-24")
    source = sources.recognise(workbooks.write(tmp_path / "a.xlsx", sheet(rows(workbooks.HEADER, odd))))
    assert [row["value"] for batch in source.batches() for row in batch.table.to_pylist()] == ["\u202e300"]


def test_the_kept_files_are_settled_in_little_memory():
    files = sorted(path for path in HOSTILE.iterdir() if path.suffix in (".xlsx", ".xlsm", ".xls"))
    assert len(settle(*files)) == len(files)
