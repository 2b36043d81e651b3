"""What the screens show, read from the published snapshot: the only package of the dashboard that queries.

Reads are cached per process under the snapshot's number, or under what names its records, so that a screen never mixes two snapshots;
each uses a cursor of its own.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import streamlit as st

from dashboard import deidentify, style
from dashboard.data import deidentified
from dashboard.data.packets import CONCEPTS as CONCEPTS
from dashboard.data.packets import long_rows, read_pages
from dashboard.data.snapshot import Provenance as Provenance
from dashboard.data.snapshot import ask, provenance, reader, store_folder
from dashboard.deidentify import Person
from dashboard.dense import LongSeries
from dashboard.rows import plain
from pipelines import cohort_bands as bands_of
from pipelines import decisions, dictionary, findings, receipts, rule_versions, uploads
from pipelines.catalog import Definition, catalog
from pipelines.engines.inputs import Known
from pipelines.engines.on_duckdb import ALL_KNOWN
from pipelines.errors import StoreEmpty
from pipelines.identity import PatientIds
from pipelines.load import FileReport, Progress
from pipelines.rulebook import counts, documents
from pipelines.rulebook.content import Rulebook
from pipelines.rulebook.content import rulebook as rulebook_of
from pipelines.sources import Declared
from pipelines.store.database import Store
from pipelines.uploads import Upload

COHORT_OUTCOMES = bands_of.OUTCOMES  # by key, what an outcome group of the cohort is
MOST_UNMAPPED = receipts.MOST_UNMAPPED
PAGES_KEPT = 32  # an agenda; a page is some MB, a series of a million 24
ACCEPTABLE = decisions.ACCEPTABLE  # why a row is held that can be accepted as it is printed


def thresholds() -> list[dict]:
    """Every threshold of every rule, for the lines on charts: criterion, title, name, value, unit, tag, and `instead_of`: the rule's
    own number where the value is this site's, else None."""
    return [
        {
            "criterion": rule.id,
            "title": rule.title,
            "name": threshold.name,
            "value": plain(threshold.used),
            "unit": threshold.unit,
            "tag": threshold.tag,
            "instead_of": plain(threshold.value) if threshold.here else None,
        }
        for rule in catalog().criteria.values()
        for threshold in rule.thresholds.values()
    ]


def rules() -> dict[str, Definition]:
    """Every criterion, by id."""
    return catalog().criteria


def cited(criterion: str) -> list[dict]:
    """The thresholds of a rule with tag and citation (`findings.thresholds`). De-identified, `site` says the number alone."""
    lines = findings.thresholds(catalog().criteria[criterion])
    if not deidentify.on():
        return lines
    return [line | {"site": line["site"] and line["site"] | dict.fromkeys(("set_by", "on", "why"))} for line in lines]


def rulebook() -> Rulebook:
    """Everything the rulebook says, with the answers of the store counted; before anything was loaded, without."""
    if deidentify.on():
        return _deidentified_rulebook()
    try:
        return rulebook_of(ask(counts.count, provenance().snapshot))
    except StoreEmpty:
        return rulebook_of()


def _deidentified_rulebook() -> Rulebook:
    """The rulebook without the day of the counts, and without who set a number of this site, when and why."""
    try:
        counted = replace(ask(counts.count, provenance().snapshot), as_of=None)
    except StoreEmpty:
        counted = None
    book = rulebook_of(counted)
    hidden = [
        tuple(
            replace(entry, numbers=tuple(replace(one, site=one.site and SITE_SET) for one in entry.numbers))
            for entry in part
        )
        for part in (book.criteria, book.concepts)
    ]
    return replace(book, criteria=hidden[0], concepts=hidden[1])


SITE_SET = "this site uses another number: left out"


def rulebook_document(form: str) -> bytes:
    """The rulebook as a file: 'md' or 'pdf'."""
    return documents.FORMS[form](rulebook())


def answering(criterion: str) -> dict[str, list[str]]:
    """The ids of the patients behind the counts of a criterion, by status. Raises StoreEmpty."""
    return ask(counts.patients, criterion)


def title_of(kind: str, identifier: str) -> str:
    """The dictionary's title of what a record is of (`findings.evidence_records`), else its id as words."""
    known = {"observation": dictionary.analytes, "administration": dictionary.drugs}.get(kind, dict)()
    return known.get(identifier, {}).get("title") or style.words(identifier)


def patient_page(
    patient_id: str, known: Known = ALL_KNOWN, window: tuple[datetime, datetime] | None = None
) -> dict[str, list[dict]]:
    """The tables of one patient's page by name, as lists of dicts with record ids as strings: patient, observation, event,
    administration, held (rows a person must settle), the concepts of CONCEPTS, oxygen_support, judgement (every judged date, with its
    sentence), recorded_day (day).

    Only what was `known` is read. Of long series (dense.py) `observation` and `oxygen_support` hold what the `window` shows, of the whole
    record by default. The lists are shared among readers and never changed. Raises NotFound.
    """
    who = deidentified.whose(patient_id)
    asked = str(store_folder()), provenance().records, who.patient_id, known
    page, long = _patient_page(*asked)
    days = page["recorded_day"]
    if deidentify.on():
        page = _deidentified_page(*asked, who)
    if not long:
        return page
    window = tuple(map(who.real, window)) if window else (days[0]["day"], days[-1]["day"])
    page = page | {"observation": list(page["observation"])}
    for name, rows in _long_rows(*asked, window).items():
        page[name] = page[name] + who.rows(rows)
    return page


def prepare(patient_ids: Iterable[str]) -> None:
    """Reads the pages of several patients with one replay, as many as are kept, so that each then opens at once. Raises StoreEmpty."""
    folder, records = str(store_folder()), provenance().records
    asked = list(dict.fromkeys(deidentified.whose(one).patient_id for one in patient_ids))[:PAGES_KEPT]
    done = _begun(folder, records)
    missing = [one for one in asked if one not in done]
    if missing:
        with reader(folder).cursor() as cursor:
            _prepared(folder, records).update(read_pages(cursor, missing, ALL_KNOWN))
        done.update(missing)


@st.cache_resource(show_spinner=False, max_entries=2)
def _prepared(folder: str, records: str) -> dict[str, tuple]:
    """By patient the pages that were read ahead and not yet asked for."""
    return {}


@st.cache_resource(show_spinner=False, max_entries=2)
def _begun(folder: str, records: str) -> set[str]:
    """Whose pages were read ahead."""
    return set()


@st.cache_resource(show_spinner=False, max_entries=32)
def _deidentified_page(folder: str, records: str, patient_id: str, known: Known, _who: Person) -> dict[str, list[dict]]:
    return deidentified.page(_who, _patient_page(folder, records, patient_id, known)[0])


def has_long_series(patient_id: str, known: Known = ALL_KNOWN) -> bool:
    """Whether some of a patient's series are longer than what is drawn of them at once."""
    asked = str(store_folder()), provenance().records, deidentified.whose(patient_id).patient_id, known
    return bool(_patient_page(*asked)[1])


@st.cache_resource(show_spinner="Reading the patient", max_entries=PAGES_KEPT)
def _patient_page(
    folder: str, records: str, patient_id: str, known: Known
) -> tuple[dict[str, list[dict]], dict[str, LongSeries]]:
    """The tables, and the long series of which they hold nothing yet."""
    ready = None if known else _prepared(folder, records).pop(patient_id, None)
    if ready is not None:
        return ready
    with reader(folder).cursor() as cursor:
        return read_pages(cursor, [patient_id], known)[patient_id]


@st.cache_data(show_spinner=False, max_entries=64)
def _long_rows(
    folder: str, records: str, patient_id: str, known: Known, window: tuple[datetime, datetime]
) -> dict[str, list[dict]]:
    """By table the rows of the long series that a window shows."""
    page, long = _patient_page(folder, records, patient_id, known)
    with reader(folder).cursor() as cursor:
        return long_rows(cursor, patient_id, page, long, window)


def known(at: datetime | None = None, received_at: datetime | None = None) -> Known:
    """What is read of the past: what sources had made known at a moment, or what this store had received by then. Neither: all."""
    return Known(at, received_at)


def evidence(record_ids: list[str]) -> list[dict]:
    """The records behind an answer, down to file and line (`findings.evidence_records`), in order of time."""
    now = provenance()
    return deidentified.rows(_evidence(str(store_folder()), now.records, tuple(sorted(record_ids))))


@st.cache_data(show_spinner=False, max_entries=256)
def _evidence(folder: str, records: str, record_ids: tuple[str, ...]) -> list[dict]:
    with reader(folder).cursor() as cursor:
        return list(findings.evidence_records(cursor, record_ids).values())


def turning(patient_id: str, criterion: str, item: str | None, as_of: date, known: Known = ALL_KNOWN) -> dict:
    """What would turn one answer as of a day, among what was `known`: flips (`findings.explain`) and untried, the records that were not
    left out in turn."""
    who = deidentified.whose(patient_id)
    found = _turning(str(store_folder()), provenance().records, who.patient_id, criterion, who.real(as_of), known)
    if deidentify.on():  # items are asked for as they are shown
        found = {who.row({"item": item})["item"]: who.row(answer) for item, answer in found.items()}
    return found.get(item, {"flips": [], "untried": 0})


@st.cache_data(show_spinner="Leaving each record out in turn", max_entries=256)
def _turning(
    folder: str, records: str, patient_id: str, criterion: str, as_of: date, known: Known
) -> dict[str | None, dict]:
    with reader(folder).cursor() as cursor:
        answers = findings.explain(cursor, patient_id, criterion, as_of, known)["answers"]
    return {answer["item"]: {name: answer[name] for name in ("flips", "untried")} for answer in answers}


def cohort_bands(analytes: Iterable[str], outcome: str | None, patient_id: str, as_of: date | None = None) -> dict:
    """The other patients of the store behind one: bands (by analyte, `cohort_bands.bands`), cohort (`cohort_bands.cohort`), outcome, as_of,
    and the project's defaults `step_days` and `fewest`. Raises ValueError for an outcome or analyte that does not exist."""
    who = deidentified.whose(patient_id)
    asked = str(store_folder()), provenance().records, tuple(dict.fromkeys(analytes)), outcome
    found = _cohort_bands(*asked, who.patient_id, who.real(as_of))
    bands = {analyte: who.rows(rows) for analyte, rows in found["bands"].items()}
    return found | {"bands": bands, "as_of": as_of}


@st.cache_data(show_spinner="Reading the cohort", max_entries=64)
def _cohort_bands(
    folder: str, records: str, analytes: tuple[str, ...], outcome: str | None, patient_id: str, as_of: date | None
) -> dict:
    with reader(folder).cursor() as cursor:
        return {
            "bands": bands_of.bands(cursor, analytes, outcome, patient_id, as_of),
            "cohort": bands_of.cohort(cursor, patient_id, as_of),
            "outcome": outcome,
            "as_of": as_of,
            "step_days": bands_of.STEP_DAYS,
            "fewest": bands_of.FEWEST_PATIENTS,
        }


def rule_versions_told() -> dict:
    """Which versions of the rules judged the store, since when, and what changed (`rule_versions.told`). Raises StoreEmpty."""
    told = _rule_versions(str(store_folder()), provenance().snapshot)
    if deidentify.on():  # when this store was judged, and what its people wrote
        told = told | {
            "criteria": [row | {"since": None} for row in told["criteria"]],
            "changes": [row | {"judged_at": "", "why": ""} for row in told["changes"]],
        }
    return told


@st.cache_data(show_spinner=False, max_entries=4)
def _rule_versions(folder: str, snapshot: int) -> dict:
    with reader(folder).cursor() as cursor:
        return rule_versions.told(cursor, rule_versions.Ledger(Path(folder)))


def received_files() -> list[dict]:
    """Every file received, newest first (`receipts.files`)."""
    return ask(receipts.files)


def declared_of(receipt: int) -> dict:
    """What was said of a file when it was loaded: decimal, assigner, pseudonymous, mapping, as far as anything was."""
    return Store(store_folder()).landing.find(receipt).declared


def rejected(limit: int, offset: int = 0, **asked: int | str | None) -> tuple[int, list[dict]]:
    """How many rejected rows there are, and some of them (`receipts.rejected`: receipt, reason, text)."""
    with reader(str(store_folder())).cursor() as cursor:  # not kept: a download may be long
        return receipts.rejected(cursor, limit, offset, **asked)


def rejection_reasons() -> dict[str, int]:
    """How many rows stand rejected for each reason, most first."""
    return ask(receipts.rejection_reasons)


def unmapped() -> list[dict]:
    """What was printed that no dictionary knows (`receipts.unmapped`)."""
    return ask(receipts.unmapped)


def source_row(receipt: int, line: int) -> dict | None:
    """One row: what became of it, and the row as received (`receipts.one_row`)."""
    return ask(receipts.one_row, store_folder(), receipt, line)


def held_rows() -> list[dict]:
    """The rows that wait for a person (`decisions.held_rows`)."""
    return ask(decisions.held_rows)


def decided() -> list[dict]:
    """The decisions made, newest first (`decisions.decisions`)."""
    return ask(decisions.decisions)


# What follows writes. The dashboard has no login: it listens on 127.0.0.1 only, and whoever reaches it may load and decide.


def load_uploads(files: list[Upload], said: dict, mapping: Upload | None, progress: Progress) -> list[FileReport]:
    """Loads files; `said` may have decimal, assigner, pseudonymous (sources/declared.py). Raises StoreBusy, Refusal."""
    declared = Declared(said.get("decimal"), PatientIds(said.get("assigner"), said.get("pseudonymous")))
    return uploads.load_uploads(Store(store_folder()), files, declared, mapping, progress)


def proposal(upload: Upload):
    """The mapping proposed for a table with local column names (`mapping.propose`). Loads nothing. Raises FileRefused."""
    return uploads.proposal(Store(store_folder()), upload)


def decide(row: dict, decision: str, who: str, why: str, unit: str | None, progress: Progress) -> list[FileReport]:
    """Keeps a decision on a held row as a file of the store. Raises ValueError where it is incomplete, StoreBusy, Refusal."""
    text = decisions.decision_file(row, decision, who, why, datetime.now().replace(microsecond=0), unit)
    return [uploads.load_text(Store(store_folder()), "decision.csv", text, progress)]
