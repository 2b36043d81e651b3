"""A site's own values for the thresholds that the rules leave to the site: one TOML file, read once per process.

    # site.toml beside README.md, or the file that MDA5_SITE names
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
FIELDS = {"value", "unit", "set_by", "on", "why"}


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
        blocks = tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal("The site's thresholds cannot be read.", str(file), "Mend or remove the file.") from error
    except tomllib.TOMLDecodeError as error:
        raise Refusal(f"The site's thresholds are not TOML: {error}.", str(file), "Mend the file.") from None
    return {
        (definition, name): _value(file, f"{definition}.{name}", entry)
        for definition, entries in blocks.items()
        for name, entry in (entries.items() if isinstance(entries, dict) else [("", entries)])
    }


def _value(file: Path, place: str, entry: object) -> SiteValue:
    if not isinstance(entry, dict) or entry.keys() != FIELDS:
        raise out_of_form(place, f"needs exactly {', '.join(sorted(FIELDS))}")
    value, said_on = entry["value"], entry["on"]
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
        raise out_of_form(place, "has a value that is no number")
    if not isinstance(said_on, date) or isinstance(said_on, datetime):
        raise out_of_form(place, "needs a date such as 2026-11-02 in `on`")
    if not all(isinstance(entry[name], str) and entry[name].strip() for name in ("unit", "set_by", "why")):
        raise out_of_form(place, "needs words in unit, set_by and why")
    return SiteValue(value, entry["unit"], entry["set_by"].strip(), said_on, entry["why"].strip())


def out_of_form(place: str, what: str) -> Refusal:
    """What is wrong with an entry of the site's file."""
    return Refusal(f"The entry [{place}] {what}.", str(path()), "Mend the file; nothing of it is used until then.")
