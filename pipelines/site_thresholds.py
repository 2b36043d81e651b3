"""A site's own values for the thresholds that the rules leave to the site: one TOML file, read once per process.

    # site.toml beside README.md, or the file that MDA5_SITE names (sample_data/site.example.toml is one)
    [cmv_reactivation.pcr]
    value  = 150
    unit   = "IU/mL"                # must be the rule's unit: a number is never taken for another's
    set_by = "Infection board"
    on     = 2026-11-02
    why    = "our laboratory's limit of quantification"

Only thresholds marked `site = true` in a rule's header may be set. A file out of form is refused as a whole: a store judged with
half of it would look right. What is set is part of the rules' versions, and is told wherever the threshold is.
"""

import os
import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from pipelines.errors import Refusal

DEFAULT = Path(__file__).parents[1] / "site.toml"
FIELDS = ("value", "unit", "set_by", "on", "why")
MOST, SMALLEST = Decimal("1e9"), Decimal("1e-6")


@dataclass(frozen=True)
class SiteValue:
    """One threshold as a site sets it."""

    value: Decimal | int
    unit: str
    set_by: str
    on: date
    why: str


def path() -> Path:
    """The site's file, whether it exists or not. MDA5_SITE set to nothing: none is read."""
    named = os.environ.get("MDA5_SITE")
    return DEFAULT if named is None else Path(named)


def read() -> dict[tuple[str, str], SiteValue]:
    """(definition, threshold) -> the site's value. Empty without a file. Raises Refusal naming the entry at fault."""
    file = path()
    if file == Path("") or (file == DEFAULT and not file.exists()):
        return {}
    try:
        blocks = tomllib.loads(file.read_text(encoding="utf-8-sig"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal("The site's thresholds cannot be read.", str(file), "Mend or remove the file.") from error
    except tomllib.TOMLDecodeError as error:
        raise Refusal(f"The site's thresholds are not TOML: {error}.", str(file), "Mend the file.") from None
    found: dict[tuple[str, str], SiteValue] = {}
    for definition, entries in blocks.items():
        if not isinstance(entries, dict):
            raise out_of_form(definition, "is no table such as [rule.threshold]")
        found |= {(definition, name): _value(f"{definition}.{name}", entry) for name, entry in entries.items()}
    return found


def _value(place: str, entry: object) -> SiteValue:
    if not isinstance(entry, dict) or entry.keys() != set(FIELDS):
        raise out_of_form(place, f"needs exactly {', '.join(FIELDS)}")
    said_on = entry["on"]
    value = _number(place, entry["value"])
    if not isinstance(said_on, date) or isinstance(said_on, datetime):
        raise out_of_form(place, "needs a date such as 2026-11-02 in `on`")
    if not all(isinstance(entry[name], str) and entry[name].strip() for name in ("unit", "set_by", "why")):
        raise out_of_form(place, "needs words in unit, set_by and why")
    return SiteValue(value, entry["unit"], entry["set_by"].strip(), said_on, entry["why"].strip())


def _number(place: str, value: object) -> Decimal | int:
    """A number as the rules take one: DECIMAL(19,6), in which products of two measured numbers stay exact."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
        raise out_of_form(place, "has a value that is no number")
    if value <= 0:
        raise out_of_form(place, "has a value that is not above 0")
    if value >= MOST or Decimal(value) != Decimal(value).quantize(SMALLEST):
        raise out_of_form(place, "has a value that is too large, or of more than six decimals")
    return (
        value if isinstance(value, int) else Decimal(f"{value.normalize():f}")
    )  # no exponent: 1E+3 is no decimal in SQL


def out_of_form(place: str, what: str) -> Refusal:
    """What is wrong with an entry of the site's file."""
    return Refusal(f"The entry [{place}] {what}.", str(path()), "Mend the file; nothing of it is used until then.")
