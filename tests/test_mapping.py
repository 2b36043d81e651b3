"""Mapping files: what they may say, what becomes of a table read with one, and what is proposed for a table."""

import tomllib
from pathlib import Path

import openpyxl
import pytest

from pipelines import mapping, sources
from pipelines.errors import FileRefused, Refusal
from pipelines.identity import PatientIds
from pipelines.mapping import dates
from pipelines.mapping.proposal import analyte_of
from pipelines.sources import Declared, Source

LOCAL = Path(__file__).parents[1] / "sample_data" / "local_export"
APPROVED = 'approved_by = "a person"\napproved_on = 2024-05-02\n'
PATIENT = '[patient]\ncolumn = "id"\nids = "pseudonyms"\n'
TABLE = '[table]\ndecimal = "dot"\n'
FERRITIN = '[wide.ferritin]\nanalyte = "ferritin"\nunit = "ng/mL"\nat_column = "day"\n'


def written(folder: Path, *parts: str, name: str = "a.mapping.toml") -> Path:
    path = folder / name
    path.write_text("".join(parts), encoding="utf-8")
    return path


def whole(folder: Path, *more: str, table: str = TABLE, patient: str = PATIENT) -> Path:
    return written(folder, APPROVED, table, patient, *more)


def read(folder: Path, table: str, mapped: Path, **declared) -> Source:
    path = folder / "a.csv"
    path.write_text(table, encoding="utf-8")
    return sources.recognise(path, Declared(mapping=mapped, **declared))


def rows_of(source: Source) -> list[dict]:
    found = [
        {name: cell for name, cell in row.items() if cell is not None} | {"kind_of_row": batch.kind}
        for batch in source.batches()
        for row in batch.table.to_pylist()
    ]
    return sorted(found, key=lambda row: row["line"])


def short(source: Source, *names: str) -> list[tuple]:
    return [tuple(row.get(name) for name in names) for row in rows_of(source)]


@pytest.fixture(autouse=True)
def _key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MDA5_KEY_FILE", str(tmp_path / "key"))


# ---- the file


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (["nonsense = 1\n"], "nonsense: unknown key"),
        ([TABLE.replace("decimal", "decimals"), PATIENT], "table.decimals: unknown key; perhaps decimal was meant"),
        (["[table]\n", PATIENT], "table.decimal: is needed, and one of dot, comma"),
        ([TABLE, '[patient]\nids = "pseudonyms"\n', FERRITIN], "patient.column: is missing"),
        ([TABLE, '[patient]\ncolumn = "id"\n', FERRITIN], "patient.ids: is needed"),
        ([TABLE, '[patient]\ncolumn = "id"\nids = "identifiers"\n', FERRITIN], "patient.assigner"),
        ([TABLE, PATIENT], "names no column that is read"),
        ([TABLE, PATIENT, FERRITIN.replace("ferritin\"", "feritin\"")], "'feritin' is not in the dictionary; perhaps"),
        ([TABLE, PATIENT, FERRITIN.replace("ng/mL", "ng/dL")], "'ng/dL' is no unit of ferritin; allowed are ng/mL"),
        ([TABLE, PATIENT, FERRITIN + 'unti = "x"\n'], "wide.'ferritin'.unti: unknown key; perhaps unit was meant"),
        ([TABLE, PATIENT, FERRITIN + 'unit_column = "u"\n'], "give unit or unit_column, not both"),
        ([TABLE, PATIENT, "[wide.ferritin]\nanalyte = \"ferritin\"\n"], "has no date: give at_column"),
        ([TABLE, PATIENT, "[wide.x]\nunit = \"mg\"\n"], "one of analyte, drug, event"),
        ([TABLE, PATIENT, "[wide.x]\nevent = \"imaging.foo\"\n"], "is not kind.code of an event"),
        ([TABLE, PATIENT, "[wide.x]\ndrug = \"nosuchdrug\"\nstart_column=\"d\"\n"], "wide.'x'.drug: 'nosuchdrug' is not in the dictionary"),
        ([TABLE, PATIENT, "[[rows]]\nkind = \"lab\"\n"], "rows 1.kind: is needed, and one of"),
        ([TABLE, PATIENT, "[[rows]]\nat_column = \"d\"\nvalue = 3\nanalyte_column = \"a\"\nx_column = \"b\"\n"],
         "rows 1.x_column: unknown key"),
        ([TABLE + 'date_formats = ["DD/MM/YYYY", "MM/DD/YYYY"]\n', PATIENT, FERRITIN], "read '04/03/2021' differently"),
        ([TABLE + 'date_formats = ["DD/MM"]\n', PATIENT, FERRITIN], "has no year"),
        ([TABLE + 'header_rows = [1, 3]\n', PATIENT, FERRITIN], "table.header_rows"),
        ([TABLE + 'delimiter = "x"\n', PATIENT, FERRITIN], "table.delimiter"),
        (["approved_on = \"soon\"\n", TABLE, PATIENT, FERRITIN], "approved_on"),
        (["[[[\n"], "is not TOML"), (["a = " + "[" * 100_000], "is not TOML"),
        (["wide = 3\n", TABLE, PATIENT], "wide: is a table"), (["rows = 3\n", TABLE, PATIENT], "rows: is written"),
    ],
)  # fmt: skip
def test_what_a_mapping_may_not_say_is_refused_by_its_key(tmp_path: Path, parts: list[str], said: str):
    with pytest.raises(Refusal) as refusal:
        mapping.read_mapping(written(tmp_path, *parts))
    assert said in refusal.value.found
    assert refusal.value.where == "a.mapping.toml"


@pytest.mark.parametrize(
    "approval",
    ["", 'approved_by = "a person"\n', "approved_on = 2024-05-02\n", 'approved_by = " "\napproved_on = ""\n'],
)
def test_a_mapping_that_nobody_approved_loads_nothing(tmp_path: Path, approval: str):
    mapped = written(tmp_path, approval, TABLE, PATIENT, FERRITIN)
    assert not mapping.read_mapping(mapped).approved
    with pytest.raises(FileRefused, match="is not approved"):
        read(tmp_path, "id,day,ferritin\n", mapped)


def test_the_mapping_of_a_file_lies_beside_it(tmp_path: Path):
    assert mapping.beside(tmp_path / "x.csv") is None
    pattern = written(tmp_path, 'files = ["x*.csv"]\n', APPROVED, TABLE, PATIENT, FERRITIN, name="any.mapping.toml")
    assert mapping.beside(tmp_path / "x1.csv") == pattern
    assert mapping.beside(tmp_path / "y.csv") is None
    written(tmp_path, 'files = ["x1.*"]\n', APPROVED, TABLE, PATIENT, FERRITIN, name="other.mapping.toml")
    with pytest.raises(Refusal, match="Several mapping files are meant for it"):
        mapping.beside(tmp_path / "x1.csv")
    own = written(tmp_path, "", name="x1.mapping.toml")
    assert mapping.beside(tmp_path / "x1.csv") == own


@pytest.mark.parametrize(
    ("format", "text", "iso"),
    [("DD.MM.YYYY", "24.07.2021", "2021-07-24"), ("%d/%m/%Y", "4/7/2021", "2021-07-04"), ("D.M.YY", "4.7.21", "2021-07-04"),
     ("DD-MMM-YYYY", "24-Jul-2021", "2021-07-24"), ("DD.MM.YYYY hh:mm", "24.07.2021 08:30", "2021-07-24T08:30"),
     ("MM/YYYY", "07/2021", "2021-07"),
     ("YYYYMMDD", "20210724", "2021-07-24"), ("DD.MM.YYYY", "31.02.2021", None), ("DD.MM.YYYY", "24.7.2021", None),
     ("YYYY", "2021", "2021"),
     ("DD-MMM-YYYY", "24-Xyz-2021", None), ("DD.MM.YYYY", "٢٤.٠٧.٢٠٢١", None)],
)  # fmt: skip
def test_dates_in_a_format(format: str, text: str, iso: str | None):
    assert dates.iso(text, dates.compiled(format)) == iso


# ---- tables


def test_the_sample_exports_give_their_rows(tmp_path: Path):
    book = sources.recognise(
        LOCAL / "clinic_visits.xlsx", Declared(mapping=mapping.beside(LOCAL / "clinic_visits.xlsx"))
    )
    rows = rows_of(book)
    assert [sum(row["kind_of_row"] == kind for row in rows) for kind in ("patients", "labs", "oxygen")] == [2, 14, 5]
    assert [row["value"] for row in rows if row.get("cell_fault") == "sentinel"] == ["ND", "-99"]
    assert {row.get("birth_year") for row in rows} == {None, "1961", "1975"}
    assert not any(text in str(rows) + str(book.notes) for text in ("NAME^", "1001", "1002", "1961-", "1975-"))
    assert "column Patient Number carried down to 3 blank cells below" in book.notes
    redcap = sources.recognise(
        LOCAL / "redcap_longitudinal.csv", Declared(mapping=mapping.beside(LOCAL / "redcap_longitudinal.csv"))
    )
    assert len(rows_of(redcap)) == 13
    assert short(redcap, "patient_id", "measure", "value", "percent_predicted", "at")[1] == (
        "2001",
        "fvc",
        "2.41",
        "71",
        "2023-04-03",
    )


def test_a_long_table(tmp_path: Path):
    entry = '[[rows]]\nanalyte_column = "Test"\nvalue_column = "Result"\nunit_column = "U"\nat_column = "Day"\nlaboratory = "central"\n'
    mapped = whole(tmp_path, entry, table=TABLE + 'date_formats = ["DD.MM.YYYY"]\n')
    source = read(
        tmp_path,
        "ID;test;Result;U;Day;Ward;Phone\np1;LDH;300;U/L;24.07.2021;7;5\np1;LDH;;U/L;2021-07-25;7;5\n;LDH;1;;x;;\n",
        mapped,
    )
    assert short(source, "patient_id", "analyte", "value", "unit", "at", "laboratory") == [
        ("p1", "LDH", "300", "U/L", "2021-07-24", "central"),
        ("p1", "LDH", None, "U/L", "2021-07-25", "central"),
        (None, "LDH", "1", None, "x", "central"),
    ]
    assert "columns that the mapping does not name: Ward" in source.notes
    assert "dropped at the door: telephone numbers and mail addresses (1 column)" in source.notes


def test_repeated_groups_units_words_and_blanks(tmp_path: Path):
    more = FERRITIN + (
        '[wide.ferritin_1]\nanalyte = "ferritin"\nunit_column = "unit_1"\nat_column = "day_1"\n'
        '[wide.pcr]\nanalyte = "pcp_pcr"\nat_column = "day"\nvalue_words = {"1" = "positive", "0" = "negative"}\n'
    )
    mapped = whole(tmp_path, more, table=TABLE + 'sentinels = ["-99", "nd"]\nblanks = ["."]\n')
    table = (
        "id,day,ferritin,ferritin_1,unit_1,day_1,pcr\np1,2021-01-01,1,2,ng/mL,2021-02-02,1\np1,2021-01-03,-99.0,.,,,0\n"
    )
    source = read(tmp_path, table, mapped)
    assert short(source, "line", "place", "value", "unit", "at", "cell_fault") == [
        (1, "line 2, column ferritin", "1", "ng/mL", "2021-01-01", None),
        (2, "line 2, column ferritin_1", "2", "ng/mL", "2021-02-02", None),
        (3, "line 2, column pcr", "positive", None, "2021-01-01", None),
        (4, "line 3, column ferritin", "-99.0", "ng/mL", "2021-01-03", "sentinel"),
        (5, "line 3, column pcr", "negative", None, "2021-01-03", None),
    ]
    assert "1 blank cells made no row" in source.notes


def test_values_of_one_moment_stay_together_and_a_sentinel_stands_alone(tmp_path: Path):
    more = '[date]\ncolumn = "day"\n[wide.s]\nanalyte = "spo2"\n[wide.f]\nanalyte = "fio2"\n[wide.p]\nanalyte = "pao2"\nunit = "kPa"\n'
    mapped = whole(tmp_path, more, table=TABLE + 'sentinels = ["-1"]\n')
    source = read(tmp_path, "id,day,s,f,p\np1,2021,95,0.5,9\np1,2022,-1,0.4,\n", mapped)
    assert short(source, "kind_of_row", "spo2", "fio2", "analyte", "unit", "cell_fault") == [
        ("labs", None, None, "pao2", "kPa", None),  # the oxygen columns are in mmHg
        ("oxygen", "95", "0.5", None, None, None),
        ("oxygen", "-1", None, None, None, "sentinel"),
        ("oxygen", None, "0.4", None, None, None),
    ]


def test_drugs_events_and_patients(tmp_path: Path):
    more = (
        '[wide.mpd]\ndrug = "methylprednisolone"\ndose_unit = "mg"\nstart_column = "day"\n'
        '[wide.ild_date]\nevent = "diagnosis.ild"\nholds = "at"\nvalue = "present"\n'
        '[[rows]]\nkind = "events"\nevent = "measure.mmrc"\nvalue_column = "mmrc"\nat_column = "day"\n'
    )
    patient = PATIENT + 'sex_column = "sex"\nsex_words = {"1" = "male"}\nbirth_date_column = "born"\n'
    mapped = whole(tmp_path, more, patient=patient, table=TABLE + 'date_formats = ["DD.MM.YYYY"]\n')
    source = read(
        tmp_path,
        "id,sex,born,day,mpd,ild_date,mmrc\np1,1,05.03.1960,2021,40,24.07.2021,2\np1,1,05.03.1960,2021,,,\n",
        mapped,
    )
    assert short(source, "kind_of_row", "sex", "birth_year", "drug", "dose", "kind", "code", "value", "at") == [
        ("patients", "male", "1960", None, None, None, None, None, None),
        ("administrations", None, None, "methylprednisolone", "40", None, None, None, None),
        ("events", None, None, None, None, "diagnosis", "ild", "present", "2021-07-24"),
        ("events", None, None, None, None, "measure", "mmrc", "2", "2021"),
    ]
    assert "05.03.1960" not in str(rows_of(source))


def test_the_date_of_an_event_is_taken_only_where_there_is_one(tmp_path: Path):
    more = '[date]\ncolumn = "day"\nevent_column = "event"\nfrom_same_event = true\n[wide.f]\nanalyte = "ferritin"\nunit = "ng/mL"\n'
    table = "id,event,day,f\np1,a,2021-01-01,\np1,a,,5\np1,b,2021-02-01,1\np1,b,2021-02-02,2\np1,b,,3\np2,a,,4\n"
    source = read(tmp_path, table, whole(tmp_path, more))
    assert short(source, "value", "at") == [
        ("5", "2021-01-01"),
        ("1", "2021-02-01"),
        ("2", "2021-02-02"),
        ("3", None),
        ("4", None),
    ]
    assert "1 rows have the date of their event, from another line" in source.notes


def test_a_mapping_that_does_not_fit_its_file_is_refused(tmp_path: Path):
    mapped = whole(tmp_path, FERRITIN)
    with pytest.raises(FileRefused, match=r"lacks columns that the mapping a.mapping.toml names: ferritin, day"):
        read(tmp_path, "id,ferr\n1,2\n", mapped)
    with pytest.raises(FileRefused) as refused:
        read(tmp_path, "NAME TEST,4711,1950\n1,2\n", mapped)
    assert refused.value.hint == "None of its 3 columns is named there."
    with pytest.raises(FileRefused, match="decimal mark is declared as comma"):
        read(tmp_path, "id,day,ferritin\n", mapped, decimal="comma")


@pytest.mark.parametrize(("ids", "named"), [(PatientIds("hospital"), False), (PatientIds(pseudonymous=True), True)])
def test_sheets_of_a_file_with_identifiers_are_called_by_number(tmp_path: Path, ids: PatientIds, named: bool):
    book = openpyxl.Workbook()
    book.active.title = "NAME TEST"
    book.active.append(["id", "day", "ferritin"])
    book.active.append(["1", "2021-07-24", 300])
    book.create_sheet("NAME OTHER")
    book.save(tmp_path / "a.xlsx")
    mapped = whole(tmp_path, FERRITIN, table=TABLE + 'sheet = "NAME TEST"\n')
    source = sources.recognise(tmp_path / "a.xlsx", Declared(mapping=mapped, ids=ids))
    (row,) = rows_of(source)
    assert row["place"] == ("sheet 'NAME TEST'" if named else "sheet 1") + ", row 2, column ferritin"
    assert ("sheets not read: NAME OTHER" in source.notes) == named
    assert ("NAME" in str(source.notes)) == named


def test_a_mapping_cannot_make_a_finding_of_a_name(tmp_path: Path):
    mapped = whole(
        tmp_path, '[[rows]]\nkind = "events"\nevent = "symptom.fever"\ntext_column = "Phone"\nat_column = "day"\n'
    )
    with pytest.raises(FileRefused, match="reads column Phone as text, which holds telephone numbers"):
        read(tmp_path, "id,day,Phone\n1,2021,555\n", mapped)


def test_lines_that_cannot_be_read_are_rejected_rows(tmp_path: Path):
    source = read(
        tmp_path,
        'id,day,ferritin\np1,2021,1\np1,2021\np1,2021,1,1\np1,"2021,1\np1,2021,"2"\n',
        whole(tmp_path, FERRITIN),
    )
    assert short(source, "place", "cell_fault") == [
        ("line 2, column ferritin", None), ("line 3", "too_few_cells"), ("line 4", "too_many_cells"), ("line 5", "quote_unclosed"),
        ("line 6, column ferritin", None),
    ]  # fmt: skip


def test_identifiers_become_pseudonyms_of_their_assigner(tmp_path: Path):
    patient = '[patient]\ncolumn = "id"\nids = "identifiers"\nassigner = "ward"\n'
    source = read(tmp_path, "id,day,ferritin\n777888,2021,1\n", whole(tmp_path, FERRITIN, patient=patient))
    assert short(source, "patient_id") == [(PatientIds().pseudonym("777888", "ward"),)]
    assert "777888" not in str(rows_of(source)) + str(source.notes)


# ---- proposals


@pytest.mark.parametrize(
    ("name", "found"),
    [("Ferritin (ng/mL)", ("ferritin", "name", "ng/mL")), ("ferritin_ng_ml", ("ferritin", "name", "ng/ml")),
     ("CRP", ("crp", "exact", None)),
     ("LDH_2", ("ldh", "name", None)), ("Ferittin", (None, "none", None)), ("", (None, "none", None))],
)  # fmt: skip
def test_a_column_name_names_an_analyte(name: str, found: tuple):
    assert analyte_of(name) == found


def test_a_proposal_is_never_loaded_as_it_is(tmp_path: Path):
    table = 'Patient ID,Name,Day,Ferritin [ng/mL],Ferittin,"x"" = 1\n'.replace("\n", '"\n')
    table += "p1,NAME^ONE,24.07.2021,310,1,2\np2,NAME^TWO,25.07.2021,ND,1,2\n"
    path = tmp_path / "a.csv"
    path.write_text(table, encoding="utf-8")
    found = mapping.propose(path)
    roles = {column.name: (column.role, column.confidence) for column in found.columns}
    assert roles["Patient ID"] == ("patient", "exact")
    assert roles["Name"] == ("identifying", "exact")
    assert roles["Ferritin [ng/mL]"] == ("analyte", "name")
    assert roles["Ferittin"] == ("unknown", "perhaps")
    assert "NAME^" not in str(found.columns)
    text = mapping.proposal_text(path)
    content = tomllib.loads(text)
    assert content["wide"] == {"Ferritin [ng/mL]": {"analyte": "ferritin", "unit": "ng/mL"}}
    assert (content["table"]["date_formats"], content["table"]["sentinels"]) == (["DD.MM.YYYY"], ["ND"])
    done = text.replace('ids = ""', 'ids = "pseudonyms"')
    assert not mapping.read_mapping(written(tmp_path, done)).approved
    approved = done.replace('approved_by = ""', 'approved_by = "x"').replace(
        'approved_on = ""', "approved_on = 2024-01-01"
    )
    source = sources.recognise(path, Declared(mapping=written(tmp_path, approved)))
    assert short(source, "patient_id", "value", "at", "cell_fault") == [
        ("p1", "310", "2021-07-24", None), ("p2", "ND", "2021-07-25", "sentinel"),
    ]  # fmt: skip


def test_days_that_could_be_months_are_left_open(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text("id,date,LDH\np1,03/04/2021,1\np1,05/06/2021,2\n", encoding="utf-8")
    found = mapping.propose(path)
    assert found.date_formats == []
    assert "do not tell the day from the month" in found.of("date")[0].remark


def test_a_long_table_a_units_row_and_a_workbook_are_proposed(tmp_path: Path):
    long = tmp_path / "long.csv"
    long.write_text(
        "MRN,Test,Result,Unit,Collected\n1,Ferritin,200,ng/mL,2021-04-13\n1,LDH,3,U/L,2021-05-16\n", encoding="utf-8"
    )
    rows = tomllib.loads(mapping.proposal_text(long))["rows"]
    assert rows == [{"kind": "labs", "analyte_column": "Test", "value_column": "Result", "unit_column": "Unit"}]
    book = openpyxl.Workbook()
    for line in (
        ["Report of the clinic"],
        [],
        ["Patient", "Date", "Ferritin", "CRP"],
        [None, None, "µg/L", "mg/L"],
        ["1", "2021-01-01", 5, "1,5"],
    ):
        book.active.append(line)
    book.save(tmp_path / "wide.xlsx")
    found = tomllib.loads(mapping.proposal_text(tmp_path / "wide.xlsx"))
    assert found["table"] | {"sentinels": []} == {
        "sheet": "Sheet", "header_rows": [3], "skip_rows": [4], "decimal": "comma", "date_formats": [], "sentinels": [],
    }  # fmt: skip
    assert [entry["unit"] for entry in found["wide"].values()] == ["µg/L", "mg/L"]
