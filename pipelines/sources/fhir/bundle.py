"""The parts of a Bundle that are looked at before its resources are read."""

from collections.abc import Iterator
from datetime import datetime

DEEPEST_BUNDLE = 3  # Bundles inside of Bundles


def entries(bundle: dict) -> list:
    """The entries of a Bundle; none where they are no list."""
    entries = bundle.get("entry")
    return entries if isinstance(entries, list) else []


def with_urls(resource: object, depth: int = 0) -> Iterator[tuple[dict, str]]:
    """Every resource in a resource that may be a Bundle, with its fullUrl."""
    if not isinstance(resource, dict):
        return
    if resource.get("resourceType") != "Bundle":
        yield resource, ""
        return
    for entry in entries(resource) if depth <= DEEPEST_BUNDLE else ():
        inside = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(inside, dict) and inside.get("resourceType") == "Bundle":
            yield from with_urls(inside, depth + 1)
        elif isinstance(inside, dict):
            url = entry.get("fullUrl")
            yield inside, url if isinstance(url, str) else ""


def text_in(holder: object, *names: str) -> str | None:
    """The text below these names; None where there is none."""
    for name in names:
        holder = holder.get(name) if isinstance(holder, dict) else None
    return holder if isinstance(holder, str) else None


def last_updated(entry: object) -> float | None:
    """When the resource of an entry was last updated, in seconds."""
    said = text_in(entry, "resource", "meta", "lastUpdated") or text_in(entry, "response", "lastModified")
    try:
        return datetime.fromisoformat(said).timestamp() if said else None
    except (ValueError, OverflowError, OSError):
        return None
