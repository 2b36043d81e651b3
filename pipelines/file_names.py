"""Names for files that others named: what comes in as a name is shown to people, and never becomes a path as it is."""

LONGEST = 120  # characters, as people read names
LONGEST_BYTES = 180  # in UTF-8: leaves room for a number and `.report.json` within the 255 of usual file systems


def plain_file_name(name: str) -> str:
    """A base name that is safe on any file system and in any shell: 'labs.csv' stays as it is.

    Path separators, control and unseen characters, quotes and signs with a meaning become `_`; no leading dot, dash or blank; never
    empty; shortened before its ending.
    """
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    safe = "".join(letter if letter.isalnum() or letter in " ._-()+" else "_" for letter in base)
    safe = safe.lstrip(" .-").rstrip(" .") or "file"
    stem, dot, ending = safe.rpartition(".")
    if not dot or len(ending.encode()) > 20:
        stem, dot, ending = safe, "", ""
    kept = stem[:LONGEST].encode()[:LONGEST_BYTES].decode("utf-8", "ignore")
    return f"{kept}{dot}{ending}"
