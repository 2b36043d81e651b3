"""The sentences around the rules that the screen and both documents share. Plain text: whoever shows it makes it safe."""

from pipelines.catalog import STATUS_WORDS, TAGS
from pipelines.rulebook.content import Entry, Rulebook, Source

TO_APPROVE = (
    "No paper settles these numbers, or this site uses another. "
    "They are used as they stand until a committee approves or replaces them."
)
NOTHING_TO_APPROVE = "Every number is published, and this site uses no other."
NO_EXAMPLES = "The worked examples are not installed here: they lie in tests/spec of the source tree."
TAG_MEANINGS = {
    "published": "a paper gives it",
    "project default": "nobody has published it, the project chose it",
    "unverified": "it is said to be published, but nobody of the project has seen it in its source",
}


def title_facts(book: Rulebook) -> dict[str, str]:
    """What a reader must know of this edition, by name."""
    facts = {"Rules version": book.version}
    if book.counts:
        facts |= {
            "Store": f"snapshot {book.counts.snapshot}",
            "Answers as of": str(book.counts.as_of or "not said: nothing is recorded, or dates are left out"),
            "Patients": str(book.counts.patients),
        }
    facts |= {"Criteria": str(len(book.criteria)), "Concepts": str(len(book.concepts))}
    return facts | {f"Numbers tagged {tag}": str(sum(entry.tagged(tag) for entry in book.entries)) for tag in TAGS}


def edition(book: Rulebook) -> str:
    if book.counts is None:
        return f"rules {book.version}"
    on = f" as of {book.counts.as_of}" if book.counts.as_of else ""
    return f"rules {book.version}, snapshot {book.counts.snapshot}{on}"


def warning(book: Rulebook) -> str | None:
    """What makes the counts doubtful."""
    if book.counts and not book.counts.by_these_rules:
        return "The rules have changed since this store was judged: the numbers of patients are answers of the rules before."
    return None


def overview(book: Rulebook) -> str:
    counted = ", and in how many patients it is met, cannot be told, or is not met" if book.counts else ""
    return f"How many numbers of each tag a criterion has{counted}."


def overview_heads(book: Rulebook) -> list[str]:
    """The heads of `overview_cells`."""
    return [*(tag.capitalize() for tag in TAGS), *(STATUS_WORDS.values() if book.counts else ())]


def overview_cells(book: Rulebook, entry: Entry) -> list[str]:
    """How many numbers of each tag a criterion has, and its answers where they were counted."""
    tags = [str(entry.tagged(tag) or "") for tag in TAGS]
    return tags + [str(entry.answers.get(status, 0)) for status in STATUS_WORDS] if book.counts else tags


def about(entry: Entry) -> str:
    """The line under the title."""
    items = f" · judges each {entry.items} on its own" if entry.items else ""
    return f"{entry.id} · content hash {entry.content_hash}{items}"


def no_number(entry: Entry) -> str:
    """Instead of the numbers of an entry that has none."""
    if entry.is_criterion:
        return "No number of its own: it combines others or asks whether something is recorded."
    return "No number of its own: it derives what others judge."


def remarks(entry: Entry) -> list[str]:
    """What goes with the sentences."""
    missing = [f"Missing while nothing is recorded: {', '.join(entry.unknown)}"] if entry.unknown else []
    return [f"May be added: {note}" for note in entry.notes] + missing


def answers(book: Rulebook, entry: Entry) -> str | None:
    """'On 2026-06-30: met 3, cannot be told 20, not met 7 of 30 patients.' None where nothing was counted."""
    if book.counts is None or entry.answers is None:
        return None
    counted = {words.lower(): entry.answers.get(status, 0) for status, words in STATUS_WORDS.items()}
    counted["not judged"] = book.counts.patients - sum(counted.values())
    said = ", ".join(f"{words} {count}" for words, count in counted.items() if count or words != "not judged")
    on = f"On {book.counts.as_of}: " if book.counts.as_of else ""
    return f"{on}{said} of {book.counts.patients} patients."


def examples(book: Rulebook) -> str:
    """What stands above the worked examples."""
    if not book.examples_installed:
        return NO_EXAMPLES
    return "What is given and what must come out. These cases are the tests of the rules; each is a patient of its own."


def how_read(source: Source) -> str | None:
    """How well a source was read; the project is no source."""
    return None if source.key == "project" else f"Read: {source.certainty}."
