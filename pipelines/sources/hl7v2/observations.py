"""OBR and OBX: results as rows of labs, pft, oxygen and events. One OBX, or each repetition of its OBX-5, is one row, but:

* The blood gas and oxygen results of one OBR group are one row (oxygen).
* A lung function value and its percent of predicted are one row where their OBX-4 says so (`mda5-pair-...`: first the value).

When: OBX-14, else OBR-7; never the time of the message. Issued: OBR-22, else OBX-19. Status: OBX-11, else OBR-25. Method: OBX-17.
Laboratory: OBX-23, else OBX-15. Specimen: SPM-2, when the group has one SPM. record_id: OBX-21, else, with a filler order
number, OBR-3|OBX-3|OBX-4|time (the time, for an order may be observed again and again), unless the group has two such.
"""

import re
from collections import Counter
from collections.abc import Iterator

from pipelines import dictionary
from pipelines.sources import kinds
from pipelines.sources.hl7v2 import codes
from pipelines.sources.hl7v2.fields import LONGEST_ID, NULL, Separators, identifier, with_decimal_dot
from pipelines.sources.hl7v2.fields import field as part
from pipelines.sources.hl7v2.framing import RESULT_FIELDS, Segment
from pipelines.sources.hl7v2.oxygen import oxygen_rows
from pipelines.sources.hl7v2.result import Result
from pipelines.sources.hl7v2.rows import MOST_RAW, Row
from pipelines.sources.hl7v2.tables import (
    CODED,
    NOT_BLOOD,
    PARAGRAPHS,
    REPORT_STATUS,
    RESULT_STATUS,
    TEXTS,
)

NUMERIC = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)", re.ASCII)
PAIR = "mda5-pair-"
MOST_HELD = 2000  # results of a group that wait for its end; the rest of a longer one is read without what stands after
MOST_CHARACTERS = 16 << 20  # of the segments that wait
LONGEST_REPEATED = 4000  # characters beside OBX-5 in an OBX whose repetitions are rows
READ_FIELDS = 24  # of an OBX, up to OBX-23


class Group:
    """The results of one OBR, or those that stand before any."""

    def __init__(self, patient: str | None, order: Segment | None, decimal: str | None) -> None:
        self.patient, self.results, self._decimal = patient, [], decimal
        self._specimens, self._specimen, self._is_elsewhere = 0, "", False
        self.is_cut_up, self.characters = False, 0
        fields, separators = (order.fields, order.message.separators) if order else ([], None)
        self._at = self._reported = self._status = self._filler = ""
        if separators:
            first = separators.components(part(fields, 25))[0].upper()
            self._at, self._reported = separators.time(part(fields, 7)), separators.time(part(fields, 22))
            self._status = REPORT_STATUS.get(first, first)
            self._filler = identifier(part(fields, 3), separators)
            self._is_elsewhere = bool(_words(part(fields, 15), separators) & NOT_BLOOD)

    def takes_specimen(self, segment: Segment) -> None:
        separators = segment.message.separators
        placer, filler, *_ = (*separators.tree(part(segment.fields, 2))[0], [""])  # EIP
        number = filler[0] or placer[0]
        words = _words(part(segment.fields, 4), separators)
        self._specimens += 1  # of several, which one a result is of is not said
        self._specimen = number[:LONGEST_ID] if self._specimens == 1 else ""
        if words:
            self._is_elsewhere = bool(words & NOT_BLOOD) and (self._specimens == 1 or self._is_elsewhere)

    def takes(self, segment: Segment) -> None:
        """One OBX: each repetition of its value is a result."""
        separators, is_cut = segment.message.separators, not segment.whole and len(segment.fields) <= RESULT_FIELDS
        fields = segment.fields + [""] * (READ_FIELDS - len(segment.fields))
        kind = fields[2].strip().upper()
        size = sum(map(len, fields))
        self.characters += size
        single = kind in PARAGRAPHS or size - len(fields[5]) > LONGEST_REPEATED
        values = [fields[5]] if single else separators.repetitions(fields[5])
        seen = codes.observed(fields[3], separators)
        code = fields[11].strip().upper()
        status = RESULT_STATUS.get(code, code) if code else self._status
        at = separators.time(fields[14]) or self._at
        set_number, sub = fields[1].strip()[:12], separators.plain(fields[4])
        low, high = codes.reference_range(fields[7], separators)
        unit = codes.unit(fields[6], separators)
        reported = self._reported or separators.time(fields[19])
        method = codes.text_of(fields[17], separators)
        laboratory = codes.text_of(fields[15], separators)
        if fields[23]:
            laboratory = separators.components(fields[23])[0] or laboratory
        own_id = identifier(fields[21], separators)
        place = f"line {segment.line} (message {segment.message.number}, OBX {set_number or 'without number'}"
        for number, text in enumerate(values, start=1):
            value, fault = _value(kind, text, separators, self._decimal)
            if is_cut:
                fault = "message_cut"
            again = f"|{number}" if number > 1 else ""
            filler = f"{self._filler}|{seen.code or seen.name}|{sub}|{at}{again}" if self._filler else ""
            self.results.append(
                Result(
                    f"{place}, repetition {number})" if len(values) > 1 else f"{place})",
                    _raw(segment.fields, text, fault, separators),
                    seen, seen.kind, value, unit, low, high, at, reported, status, method, laboratory, set_number, sub,
                    own_id + again if own_id else "", filler, fault,
                )
            )  # fmt: skip

    @property
    def is_full(self) -> bool:
        return len(self.results) >= MOST_HELD or self.characters > MOST_CHARACTERS

    def takes_local(self, columns: dict[str, str]) -> None:
        """Native columns that no field of HL7 has, for the result before."""
        if self.results:
            result = self.results[-1]
            kind = columns.pop("kind_of_row", "")
            result.kind = kind if kind in ("labs", "pft", "oxygen", "events") else result.kind
            result.extra |= columns

    def rows(self, odd: Counter[str]) -> Iterator[Row]:
        """The rows of the results held, in order; and the group is empty."""
        results, self.results, self.characters = self.results, [], 0
        if not self.is_cut_up:
            twice = Counter(result.derived for result in results)
            for result in results:
                result.record_id = result.record_id or (result.derived if twice[result.derived] == 1 else "")
        gases, pairs = [], {}
        for result in results:
            if self._is_elsewhere and result.observed.judged_in_blood and result.kind == "labs":
                result.fault = result.fault or "specimen_not_blood"
            if result.kind == "oxygen":
                gases.append(result)
            elif result.kind == "pft" and result.sub.startswith(PAIR):
                pairs.setdefault(result.sub, []).append(result)
            else:
                yield _single(result, self.patient, self._specimen)
        for pair in pairs.values():
            yield from _pair(pair, self.patient)
        if gases:
            yield from oxygen_rows(gases, self.patient, not self.is_cut_up, odd)

    def cut_up(self, odd: Counter[str]) -> Iterator[Row]:
        """The rows held so far, of a group too long to wait for its end."""
        if not self.is_cut_up:
            odd["groups of results too long to wait for their end were read without their specimen"] += 1
        self.is_cut_up = True
        yield from self.rows(odd)


def _words(printed: str, separators: Separators) -> frozenset[str]:
    """A specimen's type as the words to compare: OBR-15.1 (with its subcomponents) or SPM-4."""
    return frozenset(word.upper() for part in separators.tree(printed)[0][:2] for word in part[:4] if word)


def _value(kind: str, printed: str, separators: Separators, decimal: str | None) -> tuple[str, str | None]:
    """(value, fault) of one repetition of OBX-5."""
    if printed.strip() == NULL:
        return NULL, "value_deleted"
    if kind == "NM":
        value = separators.plain(printed)
        return value, None if not value or NUMERIC.fullmatch(value) else "numeric_unreadable"
    if kind in PARAGRAPHS and separators.repetition in printed:
        return "\n".join(separators.plain(line) for line in separators.repetitions(printed)), None
    if kind in TEXTS:
        return with_decimal_dot(separators.plain(printed), decimal)
    if kind == "SN":  # comparator, number, separator, number: <^5, ^1^:^128, ^2^+
        return with_decimal_dot("".join(separators.components(printed)[:4]).removeprefix("="), decimal)
    if kind in CODED:
        return with_decimal_dot(codes.text_of(printed, separators), decimal)
    return "", "value_type_unread"


def _raw(fields: list[str], text: str, fault: str | None, separators: Separators) -> str:
    """The segment as received without the fields that may name a person (OBX-16, OBX-24, OBX-25), and with one repetition."""
    kept = (
        [*fields[:16], "", *fields[17:18], "", *fields[19:20], "", *fields[21:22]] if len(fields) > 16 else fields[:16]
    )
    if len(kept) > 5:
        kept[5] = "" if fault == "value_type_unread" else text
    return separators.field.join(kept)[:MOST_RAW]


def _single(result: Result, patient: str | None, specimen: str) -> Row:
    """The row of one result on its own."""
    if result.kind == "labs":
        return result.lab_row(patient, specimen)
    seen = result.observed
    if result.kind == "events":
        columns = _event(result)
        if columns is None:
            return result.lab_row(patient, specimen)
    else:
        is_known = kinds.analyte_of_name(seen.name) or not seen.analyte
        columns = {"measure": seen.name if is_known else seen.analyte, "value": result.value, "unit": result.unit}
    return Row(result.kind, result.place, result.raw, result.versioned(patient) | columns | result.extra, result.fault)


def _event(result: Result) -> dict[str, str] | None:
    """An event by the local code 'kind.code', or a measure by its LOINC code; None when it is in another unit."""
    if result.observed.code not in codes.MEASURES:
        kind, _, code = result.observed.code.partition(".")
        return {"kind": kind, "code": code, "value": result.value}
    code, unit = codes.MEASURES[result.observed.code]
    if dictionary.normal_unit(result.unit) != unit:
        return None
    return {"kind": "measure", "code": code, "value": result.value}


def _pair(pair: list[Result], patient: str | None) -> Iterator[Row]:
    """A value and its percent of predicted; anything else than two of one measure stays single."""
    if len(pair) != 2 or pair[0].observed != pair[1].observed or pair[0].fault or pair[1].fault:
        yield from (_single(result, patient, "") for result in pair)
        return
    value, percent = pair
    row = _single(value, patient, "")
    row.columns |= {"percent_predicted": percent.value} | percent.extra
    row.raw = f"{value.raw}\n{percent.raw}"
    yield row


def local_columns(segment: Segment) -> dict[str, str]:
    """The name and value pairs of a local segment: ZMD-1 repeats `name^value`."""
    separators = segment.message.separators
    pairs = (separators.components(pair) for pair in separators.repetitions(part(segment.fields, 1)))
    return {pair[0]: pair[1] for pair in pairs if len(pair) > 1 and pair[0] in LOCAL_COLUMNS}


LOCAL_COLUMNS = frozenset((
    "kind_of_row", "code", "ref_low", "ref_high", "sample_timing", "status", "record_id", "phase", "reference_set", "activity", "per",
    "stop", "ongoing", "last_confirmed_on", "action", "purpose", "until", "text", "date_assumed",
))  # fmt: skip
