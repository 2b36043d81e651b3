"""Doses of FHIR: a quantity, a rate or a dose with its timing, as the native columns dose, dose_unit and per.

Per day only where it can be computed exactly: 5 mg with frequency 2 per 1 d is 10 mg per day; 5 mg every 8 h is 15 mg per day. A range, a
dose as needed, several instructions, days of the week, less than once a day: the dose as printed per 'as timed',
which ingest keeps as a dose unknown. Without any timing the dose is one dose.
"""

from decimal import Decimal, InvalidOperation

from pipelines.sources.fhir.elements import UCUM, codings, invalid, many, number, one, text
from pipelines.sources.fhir.quantity import quantity

Dose = dict[str, str | None]
NO_DOSE: Dose = {"dose": None, "dose_unit": None, "per": None}
AS_TIMED = "as timed"
PER = {"d": "day", "day": "day", "wk": "week", "week": "week"}
# Times a day, of the HL7 abbreviations whose definition is a number of times.
TIMES_A_DAY = {"QD": 1, "BID": 2, "TID": 3, "QID": 4, "Q4H": 6, "Q6H": 4, "Q8H": 3, "Q12H": 2}
UNEVEN = (
    "frequencyMax", "periodMax", "dayOfWeek", "timeOfDay", "when", "offset", "count", "countMax", "duration", "durationMax",
)  # fmt: skip
HOURS = {"h": Decimal(1), "d": Decimal(24)}


def administered(dosage: dict) -> Dose:
    """MedicationAdministration.dosage: a rate per day or week, else the dose of one administration, else any rate."""
    rate, of_ratio = one(dosage, "rateQuantity"), one(dosage, "rateRatio")
    timed = _rate(rate) if rate else _ratio(of_ratio) if of_ratio else None
    given = one(dosage, "dose")
    if timed and (not given or timed["per"] in PER.values()):
        return timed
    if not given:
        return NO_DOSE
    found, unit = quantity(given, None)
    return {"dose": found, "dose_unit": unit, "per": "dose" if found else None}


def instructed(instructions: list[dict]) -> Dose:
    """dosageInstruction of an order, dosage of a statement."""
    if not instructions:
        return NO_DOSE
    first = instructions[0]
    amounts = many(first, "doseAndRate")
    if "doseQuantity" in first or "doseRange" in first:
        raise invalid("doseQuantity")
    amount = amounts[0] if amounts else {}
    if "rateQuantity" in amount or "rateRatio" in amount:
        dose = _rate(one(amount, "rateQuantity")) if "rateQuantity" in amount else _ratio(one(amount, "rateRatio"))
        return dose if len(instructions) == len(amounts) == 1 else dose | {"per": AS_TIMED}
    given = one(amount, "doseQuantity")
    if not given:
        return NO_DOSE
    found, unit = quantity(given, None)
    if len(instructions) > 1 or len(amounts) > 1 or first.get("asNeededBoolean") or "asNeededCodeableConcept" in first:
        return {"dose": found, "dose_unit": unit, "per": AS_TIMED}
    return _timed(found, unit, one(first, "timing"))


def _rate(rate: dict) -> Dose:
    """40 mg/d is 40 mg per day; any other time stays as printed."""
    found, _ = quantity(rate, None)
    printed = (text(rate, "code") if text(rate, "system") in UCUM else None) or text(rate, "unit") or ""
    unit, slash, time = printed.rpartition("/")
    return {
        "dose": found,
        "dose_unit": (unit if slash else printed) or None,
        "per": PER.get(time, time if slash else AS_TIMED),
    }


def _ratio(ratio: dict) -> Dose:
    found, unit = quantity(one(ratio, "numerator"), None)
    per, time = quantity(one(ratio, "denominator"), None)
    whole = per in (None, "1", "1.0")
    return {"dose": found, "dose_unit": unit, "per": PER.get(time or "", AS_TIMED) if whole else AS_TIMED}


def _timed(found: str | None, unit: str | None, timing: dict) -> Dose:
    repeat = one(timing, "repeat")
    codes = {code for _, code, _ in codings(one(timing, "code"))}
    if not timing or (not codes and not set(repeat) - {"boundsPeriod"} and "event" not in timing):
        return {"dose": found, "dose_unit": unit, "per": "dose"}
    times, period, period_unit = number(repeat, "frequency"), number(repeat, "period"), text(repeat, "periodUnit")
    if period is None and len(codes) == 1 and (code := codes.pop()) in TIMES_A_DAY:
        times, period, period_unit = str(TIMES_A_DAY[code]), "1", "d"
    dose = None if any(name in repeat for name in UNEVEN) else _each(found, times or "1", period, period_unit)
    if dose:
        return {"dose": dose, "dose_unit": unit, "per": "week" if period_unit == "wk" else "day"}
    return {"dose": found, "dose_unit": unit, "per": AS_TIMED}


def _each(found: str | None, times: str, period: str | None, period_unit: str | None) -> str | None:
    """The dose of a day or of a week; None where it is not the same every day, or every week."""
    try:
        dose, often, every = Decimal(found or "?"), Decimal(times), Decimal(period or "?")
        if period_unit == "wk" and every == 1:
            number_of_times = often
        elif period_unit in HOURS and 0 < every * HOURS[period_unit] <= 24:
            number_of_times = often * 24 / (every * HOURS[period_unit])
        else:
            return None
        if number_of_times != number_of_times.to_integral_value():
            return None
        total = dose * number_of_times
    except InvalidOperation:
        return None
    return f"{total.normalize():f}" if abs(total.adjusted()) < 20 else None
