"""RXE and RXA: encoded orders and administrations as rows of administrations.

An order (RDE) is one row per TQ1, else per repetition of RXE-1 or ORC-7; `action` is ordered. Its dose is per day only where the
pattern says how many doses a day has (QD, BID, Q8H ...) and the amount is one number; ONCE is per dose, QW per week; any other pattern
is printed as `per`, and ingest keeps such a dose as unknown. ORC-1 CA, OC or CR (or ORC-5 CA) is cancelled; DC stops the order at
ORC-15. Issued: ORC-9.
record_id: ORC-3, else ORC-2 (with the number of the timing where there are several).

An administration (RAS) is one row per RXA, `per` dose. RXA-4 is its stop only when it lies on another day than RXA-3. RXA-20: CP, PA or
nothing is given, RE (refused) and NA are not_given, any other goes through as printed. RXA-21 D is entered_in_error, U amended.
Issued: RXA-22.
record_id: ORC-3, else ORC-2, with RXA-2 and RXA-3; none without an order number.
"""

import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from pipelines.sources.hl7v2 import codes
from pipelines.sources.hl7v2.fields import Separators, field, identifier, instant, with_decimal_dot
from pipelines.sources.hl7v2.framing import Segment
from pipelines.sources.hl7v2.rows import Row
from pipelines.sources.hl7v2.tables import (
    CANCELLED_BY,
    COMPLETION,
    DISCONTINUED_BY,
    DOSES_PER_DAY,
    ONCE,
    ROUTES,
    WEEKLY,
)

EVERY_HOURS = re.compile(r"Q(\d{1,2})H", re.ASCII)
MOST_PATTERNS = 32  # of one timing, or routes of one order
MOST_HELD = 2000  # administrations under one order that wait for their route
# An RXA or RXE that the file cuts off is read only when what follows its amount has begun.
COMPLETE_FROM = {"RXA": 7, "RXE": 6}
# What `raw` keeps of a segment: no persons (RXA-10, RXE-13, RXE-14) and no addresses (RXE-8).
KEPT = {"RXA": (1, 2, 3, 4, 5, 6, 7, 8, 20, 21, 22), "RXE": (1, 2, 3, 4, 5, 6, 22, 23, 24)}


class PharmacyGroup:
    """One ORC with its RXE or RXA, timings and route."""

    def __init__(self, patient: str | None, order: Segment | None, decimal: str | None) -> None:
        self.patient, self._order, self._decimal = patient, order, decimal
        self._timings: list[Segment] = []
        self._encoded_timings: list[Segment] = []
        self._routes: list[str] = []
        self._segments: list[tuple[Segment, dict[str, str]]] = []

    def holds(self, name: str) -> bool:
        return any(segment.name == name for segment, _ in self._segments)

    @property
    def is_full(self) -> bool:
        return len(self._segments) + len(self._timings) + len(self._encoded_timings) >= MOST_HELD

    def takes(self, segment: Segment) -> None:
        if segment.name == "TQ1":
            (self._encoded_timings if self._segments else self._timings).append(segment)
        elif segment.name == "RXR":
            route = _route(field(segment.fields, 1), segment.message.separators)
            if route not in self._routes and len(self._routes) < MOST_PATTERNS:
                self._routes.append(route)
        else:
            self._segments.append((segment, {}))

    def takes_local(self, columns: dict[str, str]) -> None:
        if self._segments:
            self._segments[-1][1].update(columns)

    def rows(self, odd: Counter[str]) -> Iterator[Row]:
        """The rows of what is held; and the group is empty."""
        segments, self._segments = self._segments, []
        route = " or ".join(self._routes)  # several are alternatives: ingest says that this is no route
        for segment, local in segments:
            read = self._given if segment.name == "RXA" else self._ordered
            cut = not segment.whole and len(segment.fields) <= COMPLETE_FROM[segment.name]
            for place, columns in read(segment, odd):
                columns = {"patient_id": self.patient, "route": route} | columns | local
                columns["dose"], fault = with_decimal_dot(columns["dose"], self._decimal)
                yield Row("administrations", place, _raw(segment), columns, "message_cut" if cut else fault)

    def _given(self, segment: Segment, odd: Counter[str]) -> Iterator[tuple[str, dict[str, str]]]:
        fields, separators = segment.fields, segment.message.separators
        drug, code = codes.drug(field(fields, 5), separators)
        start, stop = (separators.time(field(fields, number)) for number in (3, 4))
        completion = separators.plain(field(fields, 20)).upper()
        change = separators.plain(field(fields, 21)).upper()
        order, counter = self._number(), separators.plain(field(fields, 2))
        yield (
            _place(segment, "RXA", counter),
            {
                "drug": drug, "code": code, "dose": separators.plain(field(fields, 6)), "dose_unit": _unit(field(fields, 7), separators),
                "per": "dose", "start": start, "stop": "" if stop[:10] == start[:10] else stop,
                "action": COMPLETION.get(completion, completion),
                "status": {"D": "entered_in_error", "U": "amended"}.get(change, ""),
                "reported_at": separators.time(field(fields, 22)),
                "record_id": f"{order}|{counter}|{start}" if order else "",
            },
        )  # fmt: skip

    def _ordered(self, segment: Segment, odd: Counter[str]) -> Iterator[tuple[str, dict[str, str]]]:
        fields, separators = segment.fields, segment.message.separators
        drug, code = codes.drug(field(fields, 2), separators)
        least, most = separators.plain(field(fields, 3)), separators.plain(field(fields, 4))
        amount = f"{least}-{most}" if most and most != least else least
        status, stopped = self._control(odd)
        columns = {
            "drug": drug, "code": code, "dose_unit": _unit(field(fields, 5), separators), "action": "ordered", "status": status,
            "reported_at": self._of_order(9),
        }  # fmt: skip
        timings = self._encoded_timings or self._timings
        read = [_timing(timing) for timing in timings] or self._old_timings(field(fields, 1), separators)
        number = self._number()
        for at, (quantity, pattern, start, stop) in enumerate(read, start=1):
            dose, per = _daily(amount, quantity, pattern)
            again = f"|{at}" if len(read) > 1 else ""
            yield (
                _place(segment, "RXE", again[1:]),
                columns | {
                    "dose": dose, "per": per, "start": start or self._of_order(15) * (not stopped), "stop": stopped or stop,
                    "record_id": number + again if number else "",
                },
            )  # fmt: skip

    def _control(self, odd: Counter[str]) -> tuple[str, str]:
        """(status, day on which the order was stopped) by ORC-1 and ORC-5."""
        control, standing = self._plain(1).upper(), self._plain(5).upper()
        if control in CANCELLED_BY or standing == "CA":
            return "cancelled", ""
        if control in DISCONTINUED_BY or standing == "DC":
            stopped = self._of_order(15)
            if not stopped:
                odd["orders were discontinued without saying when (ORC-15)"] += 1
            return "", stopped
        return "entered_in_error" if standing == "ER" else "", ""

    def _old_timings(self, printed: str, separators: Separators) -> list[tuple[str, str, str, str]]:
        """RXE-1, else ORC-7 (TQ, until version 2.4), which repeats: quantity, interval, duration, start, end."""
        text = printed if printed.strip(separators.component) else (field(self._order.fields, 7) if self._order else "")
        timings = ((*timing, *[[""]] * 5) for timing in separators.tree(text)[:MOST_HELD])
        return [(parts[0][0], parts[1][0], instant(parts[3][0]), instant(parts[4][0])) for parts in timings]

    def _number(self) -> str:
        """The order's number: the filler's, else the placer's."""
        for number in (3, 2):
            if self._order and field(self._order.fields, number):
                separators = self._order.message.separators
                return identifier(field(self._order.fields, number), separators)
        return ""

    def _plain(self, number: int) -> str:
        return self._order.message.separators.plain(field(self._order.fields, number)) if self._order else ""

    def _of_order(self, number: int) -> str:
        if self._order is None:
            return ""
        return self._order.message.separators.time(field(self._order.fields, number))


def _timing(segment: Segment) -> tuple[str, str, str, str]:
    """TQ1 as (quantity, pattern, start, end)."""
    fields, separators = segment.fields, segment.message.separators
    quantity = separators.components(field(fields, 2))[0]
    patterns = [repetition[0][0] for repetition in separators.tree(field(fields, 3))]
    start, end = (separators.time(field(fields, number)) for number in (7, 8))
    return quantity, " and ".join(pattern for pattern in patterns[:MOST_PATTERNS] if pattern), start, end


def _daily(amount: str, quantity: str, pattern: str) -> tuple[str, str]:
    """(dose, per) of an amount given in a pattern of repetition; per day only where the pattern says so exactly."""
    key = pattern.replace(".", "").upper()
    if quantity not in ("", "1"):
        return amount, f"{quantity} x {pattern}".strip(" x") if pattern or quantity else ""
    if key in ONCE:
        return amount, "dose"
    if key in WEEKLY:
        return amount, "week"
    times = DOSES_PER_DAY.get(key)
    every = EVERY_HOURS.fullmatch(key)
    if every and int(every[1]) and 24 % int(every[1]) == 0:
        times = 24 // int(every[1])
    if times is None:
        return amount, pattern
    if times == 1:
        return amount, "day"
    try:
        return f"{(Decimal(amount) * times).normalize():f}", "day"
    except InvalidOperation:
        return amount, pattern


def _route(printed: str, separators: Separators) -> str:
    """RXR-1: the code of table 0162, else its text."""
    parts = (*separators.components(printed), "")
    return ROUTES.get(parts[0].upper(), "") or parts[1] or parts[0]


def _unit(printed: str, separators: Separators) -> str:
    return codes.unit(printed, separators)


def _place(segment: Segment, name: str, number: str) -> str:
    return f"line {segment.line} (message {segment.message.number}, {name}{' ' + number if number else ''})"


def _raw(segment: Segment) -> str:
    kept = KEPT[segment.name]
    texts = [text if at in kept or at == 0 else "" for at, text in enumerate(segment.fields)]
    return segment.message.separators.field.join(texts).rstrip(segment.message.separators.field)
