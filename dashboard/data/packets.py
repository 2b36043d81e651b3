"""The tables of several patients' pages with one replay, and what else a packet is made from.

Nearly all the cost of a page is planning: the rules are planned once for all patients asked for, so that an agenda of 25 costs little
more than one page.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime

from dashboard import patient_tables
from dashboard.data import deidentified
from dashboard.data.snapshot import ask, provenance, reader, store_folder
from dashboard.dense import LongSeries
from dashboard.rows import fetch_rows
from dashboard.strip import recorded_days, standing
from pipelines import findings
from pipelines.catalog import catalog
from pipelines.engines import on_duckdb
from pipelines.engines.inputs import Known
from pipelines.engines.on_duckdb import ALL_KNOWN

TOGETHER = 25  # patients of one replay: bounds its memory

CONCEPTS = (
    "treatment_course",
    "prednisone_equivalent",
    "gas_exchange",
    "infection_episode",
    "lung_function_predicted",
    "combination_therapy",
    "triple_therapy",
    "immunosuppression",
    "prophylaxis",
    "ferritin_course",
)
Page = dict[str, list[dict]]


def pages(
    patient_ids: Iterable[str], known: Known = ALL_KNOWN, told: Callable[[int, int], None] | None = None
) -> dict[str, Page]:
    """The tables of several patients, each as `data.patient_page` gives them whole. `told(done, of)` is called as batches are read.

    Raises StoreEmpty.
    """
    people = {who.patient_id: who for who in map(deidentified.whose, dict.fromkeys(patient_ids))}
    asked = list(people)
    folder, _ = str(store_folder()), provenance()
    found: dict[str, Page] = {}
    for start in range(0, len(asked), TOGETHER):
        with reader(folder).cursor() as cursor:
            read = read_pages(cursor, asked[start : start + TOGETHER], known)
            for patient_id, (page, long) in read.items():
                who = people[patient_id]
                found[who.label] = deidentified.shown_page(who, whole(cursor, patient_id, page, long))
        if told:
            told(len(found), len(asked))
    return found


def whole(cursor, patient_id: str, page: Page, long: dict[str, LongSeries]) -> Page:
    """A page with what its whole record shows of its long series."""
    if not long:
        return page
    days = page["recorded_day"]
    for name, rows in long_rows(cursor, patient_id, page, long, (days[0]["day"], days[-1]["day"])).items():
        page = page | {name: page[name] + rows}
    return page


def evidence(read: Iterable[tuple[Page, date]]) -> dict[str, dict]:
    """By id the records behind every answer met on the as-of day of its page, of all pages at once (`findings.evidence_records`)."""
    ids = {
        one
        for page, as_of in read
        for row in standing(page, as_of)
        if row["status"] == "met"
        for one in row["evidence"]
    }
    return ask(_evidence, tuple(sorted(ids)))


def _evidence(cursor, ids: tuple[str, ...]) -> dict[str, dict]:
    return findings.evidence_records(cursor, ids)


def rules_used() -> dict[str, dict]:
    """By criterion the version and content_hash of the rules that judge a page: those of now, whichever judged the store."""
    hashes = catalog().content_hashes()
    return {
        name: {"version": len(rule.history), "content_hash": hashes[name]} for name, rule in catalog().criteria.items()
    }


def read_pages(cursor, patient_ids: list[str], known: Known) -> dict[str, tuple[Page, dict[str, LongSeries]]]:
    """The tables of patients by id with the long series of which the tables hold nothing yet."""
    versions = {table: known.standing(f"record.{table}") for table in ("observation", "event", "administration")}
    long = {one: patient_tables.long_series(cursor, one, versions["observation"]) for one in patient_ids}
    of_patient = versions | {"patient": known.patients()}
    found = {one: patient_tables.records(cursor, one, of_patient, list(long[one])) for one in patient_ids}
    on_duckdb.replay(cursor, patient_ids, known)
    for name in ("judgement", *CONCEPTS):
        for page in found.values():
            page[name] = []
    judged = cursor.execute(
        "SELECT * FROM judgement WHERE patient_id IN (SELECT patient_id FROM asked) ORDER BY criterion, item, on_date"
    )
    for row in findings.tell(findings.fetch_rows(judged)):
        found[row["patient_id"]]["judgement"].append(row)
    for concept in CONCEPTS:
        of_asked = f"SELECT * FROM {concept} WHERE patient_id IN (SELECT patient_id FROM asked) ORDER BY ALL"
        for row in fetch_rows(cursor, of_asked):
            found[row.pop("patient_id")][concept].append(row)
    return {one: (_finished(cursor, one, found[one], long[one], known), long[one]) for one in patient_ids}


def _finished(cursor, patient_id: str, page: Page, long: dict[str, LongSeries], known: Known) -> Page:
    """A page with what follows from its tables; a long series of the replay joins `long`."""
    if known:  # what waits for a person now is no part of what was known then
        page["held"] = []
    told = frozenset(record_id for row in page["judgement"] for record_id in row["evidence"])
    page["oxygen_support"], ratio = patient_tables.support(cursor, patient_id, told)
    if ratio and known:  # as of the past it is not kept: what the whole record shows is drawn at every zoom
        shown = ratio.drawn(ratio.days[0], ratio.days[-1], told)
        page["oxygen_support"] += patient_tables.ratio_rows(cursor, "oxygen_support", patient_id, ratio, shown)
    elif ratio:
        long[patient_tables.RATIO] = ratio
    days = {day for series in long.values() for day in series.days} | set(recorded_days(page))
    page["recorded_day"] = [{"day": day} for day in sorted(days)]
    for concept in ("oxygen_support", "gas_exchange"):
        page[concept] = patient_tables.with_sources(page[concept], page["observation"])
    return page


def long_rows(
    cursor, patient_id: str, page: Page, long: dict[str, LongSeries], window: tuple[date | datetime, date | datetime]
) -> Page:
    """By table the rows of the long series that a window shows."""
    told = frozenset(record_id for row in page["judgement"] for record_id in row["evidence"])
    found: Page = {"observation": [], "oxygen_support": []}
    for name, series in long.items():
        shown = series.drawn(*window, told)
        if name == patient_tables.RATIO:
            rows = patient_tables.ratio_rows(cursor, "concept.oxygen_support", patient_id, series, shown)
            # there are already those on which the support changed
            there = {(row["at"], *row["evidence"]) for row in page["oxygen_support"]}
            made = patient_tables.with_sources(rows, page["observation"])
            found["oxygen_support"] += [row for row in made if (row["at"], *row["evidence"]) not in there]
        else:
            found["observation"] += patient_tables.long_rows(cursor, series, shown)
    return found
