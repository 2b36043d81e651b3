"""Workbooks made by hand, part by part: for what no program that writes workbooks would write."""

import zipfile
from pathlib import Path

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
HEADER = ("patient_id", "analyte", "value", "unit", "at")


def cell(text: str, more: str = "") -> str:
    """A cell that holds a text."""
    return f'<c t="inlineStr"{more}><is><t>{text}</t></is></c>'


def rows(*lines: tuple[str, ...]) -> str:
    """Rows of texts; a text that begins with < stands as it is."""
    written = "".join(
        f"<row>{''.join(one if one.startswith('<') else cell(one) for one in line)}</row>" for line in lines
    )
    return f"<sheetData>{written}</sheetData>"


def sheet(inside: str) -> str:
    """A sheet with that inside."""
    return f'<worksheet xmlns="{MAIN}">{inside}</worksheet>'


def labs(*lines: tuple[str, ...]) -> str:
    """A sheet of labs with these rows below the header."""
    return sheet(rows(HEADER, *lines))


def write(
    path: Path,
    *sheets: str,
    book: str = "",
    styles: str = "",
    texts: str = "",
    more: dict[str, str | bytes] | None = None,
) -> Path:
    """A workbook of these sheets. `book` goes before its list of sheets, `more` are further parts, or others instead."""
    kinds = [(f"rId{at}", "worksheet", f"worksheets/sheet{at}.xml") for at in range(1, len(sheets) + 1)]
    kinds += [("rIdS", "styles", "styles.xml")] * bool(styles) + [
        ("rIdT", "sharedStrings", "sharedStrings.xml")
    ] * bool(texts)
    related = "".join(
        f'<Relationship Id="{key}" Type="{OFFICE}/{kind}" Target="{target}"/>' for key, kind, target in kinds
    )
    listed = "".join(f'<sheet name="S{at}" sheetId="{at}" r:id="rId{at}"/>' for at in range(1, len(sheets) + 1))
    parts: dict[str, str | bytes] = {
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="a" Type="{OFFICE}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{book}<sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{related}</Relationships>',
    } | {f"xl/worksheets/sheet{at}.xml": text for at, text in enumerate(sheets, start=1)}  # fmt: skip
    parts |= {"xl/styles.xml": styles} if styles else {}
    parts |= {"xl/sharedStrings.xml": texts} if texts else {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in (parts | (more or {})).items():
            file.writestr(name, text)
    return path


def cell_styles(*codes: str) -> str:
    """A styles part: the style 0 shows numbers as they are, style n as the n-th format code does."""
    written = "".join(f'<numFmt numFmtId="{164 + at}" formatCode="{code}"/>' for at, code in enumerate(codes))
    used = "".join(f'<xf numFmtId="{164 + at}"/>' for at in range(len(codes)))
    return (
        f'<styleSheet xmlns="{MAIN}"><numFmts>{written}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
        f'<cellXfs><xf numFmtId="0"/>{used}</cellXfs></styleSheet>'
    )
