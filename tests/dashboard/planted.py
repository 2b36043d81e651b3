"""A store with what identifies people planted wherever a file can hold it, and what to look for: every identifier and every date in it.

All of it is made up. The days lie in 2017, of which no rule, example or citation of the programme speaks in full.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

from dashboard import vocabulary
from pipelines import alerts, entries, findings
from pipelines.load import load
from pipelines.store.database import SnapshotReader, Store

ROOT = Path(__file__).resolve().parents[2]
PATIENT = "MRN-0048213-Wrzesniewski"
OTHERS = tuple(f"MRN-00900{number}-Dabrowska" for number in range(2))
NOTE = "Seen by Dr Oyelaran in Szczecin on 3 September 2017 (03.09.2017, 09/03/2017); phone 0048914567890, room Q17b"

FILES = {
    "wrzesniewski_labs.csv": "patient_id,analyte,value,unit,at,reported_at,ref_low,ref_high,assay,laboratory,specimen_id,record_id\n"
    + "".join(
        f"{PATIENT},ferritin,{value},ng/mL,{day},,30,400,,{laboratory},SPZ-{number:04d}x,wl-{number}\n"
        for number, (day, value, laboratory) in enumerate(
            (
                ("2017-07-11", 900, "Szczecin Immunolab"),
                ("2017-08-02 08:40", ">1650", "Szczecin Immunolab"),
                ("2017-08-29", 1700, "Wolin Praxis"),
                ("2017-09", 1500, "Wolin Praxis"),
                ("2017-10-19", 800, "Wolin Praxis"),
            )
        )
    )
    + f"{PATIENT},anti-MDA5,120,SI,2017-07-12,,,,Praxis Oyelaran in-house blot,Wolin Praxis,SPZ-0100x,wl-20\n"
    + f"{PATIENT},KL-6,1400,U/mL,2017-08-02,,,,,Szczecin Immunolab,SPZ-0101x,wl-21\n"
    + f"{PATIENT},CRP,7,,2017-08-05,,,,,Szczecin Immunolab,SPZ-0102x,wl-22\n"  # held: no unit
    + f"{PATIENT},CRP,\"4 ask Dr Oyelaran\",mg/dL,2017-08-06,,,,,Szczecin Immunolab,SPZ-0103x,wl-23\n"
    + "".join(f"{other},ferritin,{600 + 10 * n},ng/mL,2017-0{5 + n}-17,,,,,Wolin Praxis,,wo-{n}\n" for n, other in enumerate(OTHERS)),
    "wrzesniewski_oxygen.csv": "patient_id,at,device,flow_l_min,fio2,spo2,respiratory_rate,activity,record_id\n"
    f"{PATIENT},2017-08-01,nasal cannula,4,,92,22,rest,wx-1\n{PATIENT},2017-08-30,HFNC,45,0.7,91,28,rest,wx-2\n",
    "wrzesniewski_pft.csv": "patient_id,measure,value,unit,percent_predicted,phase,at,record_id\n"
    f"{PATIENT},FVC,2.4,L,71,pre,2017-07-13,wp-1\n{PATIENT},FVC,1.9,L,58,pre,2017-10-21,wp-2\n",
    "wrzesniewski_meds.csv": "patient_id,drug,route,dose,dose_unit,per,start,stop,ongoing,last_confirmed_on,action,purpose,record_id\n"
    f"{PATIENT},prednisolone,oral,50,mg,day,2017-07-14,,yes,2017-10-01,given,treatment,wm-1\n"
    f"{PATIENT},tacrolimus,oral,4,mg,day,2017-07-20,,yes,,given,treatment,wm-2\n"
    f"{PATIENT},cyclophosphamide,iv,750,mg,dose,2017-08-03,,,,given,treatment,wm-3\n"
    f"{PATIENT},Oyelaran's own syrup,oral,1,mL,day,2017-08-04,,,,given,,wm-4\n",  # rejected: no such drug
    "wrzesniewski_events.csv": "patient_id,at,until,kind,code,value,text,reported_at,date_assumed,record_id\n"
    f"{PATIENT},2017-07-10,,diagnosis,ild,present,\"{NOTE}\",2017-07-15,,we-1\n"
    f"{PATIENT},2017-07-16,,diagnosis,rp_ild,present,,,yes,we-2\n"
    f"{PATIENT},2017-08-11,,imaging,chest_ct,worse,\"Oyelaran reads: worse than 2017-07-16\",,,we-3\n"
    f"{PATIENT},2017-08-12,,infection,organism,Oyelaran's bacillus of Szczecin,,,,we-4\n"
    f"{PATIENT},2017-08-12,,infection,site,left lung of pan Wrzesniewski,,,,we-5\n"
    f"{PATIENT},2017-08-13,,microbiology,organism,cmv Szczecin 2017-08-13,\"{NOTE}\",,,we-6\n"
    f"{PATIENT},2017-08-14,,procedure,plasma_exchange,,\"ward Neptun 4\",,,we-7\n"
    f"{PATIENT},2017-08-15,,decision,decision,\"Send to Szczecin, Dr Oyelaran agrees\",\"{NOTE}\",,,we-8\n"
    f"{PATIENT},2017-08-16,,stay,respiratory,present,\"bed 12, Neptun\",,,we-9\n",
    "wrzesniewski_patients.csv": "patient_id,sex,birth_year,site\n"
    f"{PATIENT},male,1951,Szpital Neptun Szczecin\n" + "".join(f"{other},female,1980,Wolin Praxis\n" for other in OTHERS),
}  # fmt: skip
CORRECTIONS = {  # received after the first meeting
    "wrzesniewski_labs_2.csv": "patient_id,analyte,value,unit,at,assay,laboratory,specimen_id,status,record_id\n"
    f"{PATIENT},ferritin,1750,ng/mL,2017-08-29,,Wolin Praxis,SPZ-0002x,corrected,wl-2\n"
    f"{PATIENT},KL-6,1400,U/mL,2017-08-02,,Szczecin Immunolab,SPZ-0101x,entered_in_error,wl-21\n"
    f"{PATIENT},KL-6,1900,U/mL,2017-10-19,Oyelaran's own assay,Szczecin Immunolab,SPZ-0111x,,wl-31\n",
    "wrzesniewski_events_2.csv": "patient_id,at,until,kind,code,value,text,reported_at,date_assumed,status,record_id\n"
    f"{PATIENT},2017-08-11,,imaging,chest_ct,improved,\"Oyelaran reads anew: better than 2017-07-16\",,,corrected,we-3\n"
    f"{PATIENT},2017-10-20,,microbiology,organism,cmv Oyelaran,\"{NOTE}\",,,,we-16\n",
    "wrzesniewski_meds_2.csv": "patient_id,drug,route,dose,dose_unit,per,start,stop,ongoing,action,purpose,record_id\n"
    f"{PATIENT},prednisolone,oral,50,mg,day,2017-07-14,2017-10-11,,given,treatment,wm-1\n",
    "wrzesniewski_patients_2.csv": f"patient_id,sex,birth_year,site\n{PATIENT},male,1949,Oddzial Neptun Szczecin\n",
}  # fmt: skip
FIRST, SECOND = date(2017, 9, 6), date(2017, 10, 20)  # meetings
FROZEN = {
    "snapshot": 1, "as_of": "2017-09-06", "finding": f"{PATIENT} on 2017-09-06",
    "answers": [
        {"criterion": "high_ferritin", "item": None, "status": "met", "finding": f"{PATIENT}: 1700 ng/mL on 2017-08-29", "evidence": []},
        {"criterion": "transplant_barriers", "item": "age", "status": "met", "finding": "aged 65 or 66 on 2017-08-29", "evidence": []},
    ],
    "rules": {"high_ferritin": {"version": 1, "content_hash": "0123456789abcdef"}},
}  # fmt: skip
REASONS = {
    "why": "Because Oyelaran said so on 2017-09-06",
    "owner": "Dr Oyelaran",
    "text": "Ask Szczecin about pan Wrzesniewski",
}
DECIDED = {
    "kind": "decision",
    "patient_id": PATIENT,
    "day": FIRST,
    "frozen": FROZEN,
    "due_on": date(2017, 9, 27),
} | REASONS
EXPECTED = {"criterion": "high_ferritin", "code": "not_met", "until": date(2017, 10, 18)}
ENTRIES = (
    *({"kind": "agenda", "entry_id": f"agenda-{day}-{number:05}-Wrzesniewski-0048213-{day}", "patient_id": who, "day": day, "code": code}
      for day, code in ((FIRST, "seen"), (SECOND, "planned")) for number, who in enumerate((PATIENT, *OTHERS))),
    {"kind": "note", "entry_id": "note-Wrzesniewski-1", "patient_id": PATIENT, "day": FIRST, "text": NOTE},
    DECIDED | {"entry_id": "decision-Wrzesniewski-1", "topic": "transplant"},
    DECIDED | EXPECTED | {"entry_id": "decision-Wrzesniewski-2", "due_on": date(2017, 10, 2)},
    DECIDED | EXPECTED | {"entry_id": "decision-Wrzesniewski-3", "until": date(2017, 12, 24), "topic": "infection"},
    DECIDED | {"entry_id": "decision-Dabrowska-1", "patient_id": OTHERS[0], "topic": "transplant"},
    {"kind": "progress", "patient_id": PATIENT, "day": date(2017, 9, 29), "about": "decision-Wrzesniewski-2", "code": "not_done",
     "text": "Oyelaran forgot it"},
    {"kind": "review", "patient_id": PATIENT, "day": date(2017, 9, 8), "text": NOTE,
     "frozen": FROZEN | {"corrected": "0", "state": "1", "met": ["high_ferritin:1"], "unknown": [], "receipt": 6}},
    {"kind": "referral", "patient_id": PATIENT, "day": date(2017, 9, 7), "code": "declined", "text": "Szczecin has no bed"},
    {"kind": "workup", "patient_id": PATIENT, "day": date(2017, 9, 4), "item": "lung_function", "code": "done", "until": date(2018, 1, 4),
     "text": "Done by Dr Oyelaran in Szczecin on 2017-09-04"},
)  # fmt: skip
AUTHOR = "Prof Wrona-Oyelaran"


def make(folder: Path, inbox: Path) -> Path:
    """The store, loaded by the production path: records, what the first meeting entered, what was corrected afterwards, and an
    acknowledgement of every alert but the first of the patient."""
    store = Store(folder)
    for number, files in enumerate((FILES, {"entries.csv": _entered(ENTRIES)}, CORRECTIONS)):
        (there := inbox / str(number)).mkdir()
        for name, text in files.items():
            (there / name).write_text(text, encoding="utf-8")
        load(store, [there], received_at=datetime(2017, 11, 6 + 7 * number, 17, 23, 41))
    with SnapshotReader(folder).cursor() as cursor:
        found = alerts.alerts(cursor, findings.last_recorded_day(cursor), [PATIENT])
    (inbox / "entries_2.csv").write_text(_entered([_acknowledged(alert) for alert in found[1:]]), encoding="utf-8")
    load(store, [inbox / "entries_2.csv"], received_at=datetime(2017, 11, 27, 17, 23, 41))
    return folder


def _acknowledged(alert: dict) -> dict:
    row = {name: alert[name] for name in ("patient_id", "criterion", "item")}
    row |= {
        "kind": "acknowledgement",
        "why": "Neptun repeats it, says Oyelaran",
        "until": date(2017, 12, 3),
        "code": "evidence",
    }
    return row | {"frozen": alerts.frozen(alert, 1, date(2017, 10, 20))}


def _entered(rows: Iterable[dict]) -> str:
    return entries.entry_file(rows, AUTHOR, datetime(2017, 9, 8, 17, 23, 41))


def identifiers(folder: Path) -> set[str]:
    """Every text of the store that is not made of words of the dictionary alone, whole and by its words; file names; record ids."""
    found: set[str] = set()
    for schema, _table, column, values in _columns(folder, ("VARCHAR", "VARCHAR[]")):
        if schema in ("record", "source") and column not in OWN:
            found |= {text for text in values if not vocabulary.is_told(text) and not vocabulary.is_number(text)}
    words = {word for text in found for word in re.findall(r"[^\W_]{4,}", text) if not vocabulary.is_told(word.lower())}
    words = {
        word for word in words if word.casefold() not in _spoken() and not re.fullmatch(r"(19|20)\d\d|0*\d{1,5}", word)
    }
    ids = {
        str(one) for _, _, column, values in _columns(folder, ("BIGINT",)) if column == "record_id" for one in values
    }
    return {one for one in found if len(one) >= 4 and one.casefold() not in _spoken()} | words | ids


OWN = (
    "hint",
    "reason",
    "format",
    "class",
    "outcome",
    "notes",
    "sha256",
    "declared",
    "entry_id",
    "about",
    "title",
)  # texts of its own


def dates(folder: Path) -> dict[date, set[str]]:
    """Every day that the store says of a patient, in the forms in which people write it."""
    days: set[date] = set()
    for schema, _, _column, values in _columns(folder, ("DATE", "TIMESTAMP")):
        if schema in ("record", "result", "concept", "source"):
            days |= {value.date() if isinstance(value, datetime) else value for value in values}
    for schema, _, _, texts in _columns(folder, ("VARCHAR",)):  # and those in texts
        if schema == "record":
            days |= {date.fromisoformat(found) for text in texts for found in re.findall(r"\b2017-\d\d-\d\d\b", text)}
    return {day: written(day) for day in days if day.year < 2020}


def written(day: date) -> set[str]:
    """'2017-09-03', '3 September 2017', '3 Sep 2017', '03.09.2017', '09/03/2017' and others."""
    return {
        day.isoformat(), f"{day:%Y%m%d}", f"{day:%Y/%m/%d}", f"{day.day} {day:%B %Y}", f"{day.day} {day:%b %Y}", f"{day:%d %b %Y}",
        f"{day:%B} {day.day}, {day.year}", f"{day:%b} {day.day}, {day.year}", f"{day:%d.%m.%Y}", f"{day.day}.{day.month}.{day.year}",
        f"{day:%m/%d/%Y}", f"{day:%d/%m/%Y}", f"{day.month}/{day.day}/{day.year}", f"{day:%d-%m-%Y}", f"{day:%d%b%Y}", f"{day:%b %Y}",
        f"{day:%B %Y}", f"{day:%Y-%m}", f"{day:%m/%Y}",
    }  # fmt: skip


def birth_years(folder: Path) -> set[str]:
    with SnapshotReader(folder).cursor() as cursor:
        return {
            f"born {year}"
            for (year,) in cursor.execute("SELECT birth_year FROM record.patient WHERE birth_year > 0").fetchall()
        }


def _columns(folder: Path, kinds: Iterable[str]) -> Iterable[tuple[str, str, str, list]]:
    with SnapshotReader(folder).cursor() as cursor:
        named = cursor.execute(
            "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() WHERE schema_name IN "
            "('record', 'source', 'result', 'concept')"
        ).fetchall()
        for schema, table, column, kind in named:
            if kind in kinds:
                of = f'unnest("{column}")' if kind.endswith("[]") else f'"{column}"'
                sql = f'SELECT DISTINCT one FROM (SELECT {of} AS one FROM {schema}."{table}") WHERE one IS NOT NULL'
                yield schema, table, column, [value for (value,) in cursor.execute(sql).fetchall()]


def _spoken(known: list[frozenset[str]] = []) -> frozenset[str]:  # noqa: B006 - read once
    """Every word that the programme itself says anywhere."""
    if not known:
        files = [
            path
            for folder in ("dashboard", "pipelines", "tests/spec")
            for path in (ROOT / folder).rglob("*")
            if path.suffix in (".py", ".sql", ".toml", ".md")
        ]
        text = " ".join(path.read_text(encoding="utf-8") for path in files)
        known.append(frozenset(word.casefold() for word in re.findall(r"[^\W_]{4,}", text)))
    return known[0]
