"""Mapping files: how a local table, long or wide, becomes native rows. A person writes or corrects one, approves it by name and day, and
only then is a file loaded with it. `propose` writes a first draft from the file."""

import fnmatch
from pathlib import Path

from pipelines.errors import Refusal
from pipelines.mapping.model import Mapping
from pipelines.mapping.reading import read_mapping

__all__ = ["Mapping", "beside", "proposal_text", "propose", "read_mapping"]

SUFFIX = ".mapping.toml"
# A folder with more mapping files than this is not a folder of exports.
MOST_BESIDE = 200


def beside(path: Path | str) -> Path | None:
    """The mapping file that lies in the folder of a file and is meant for it: NAME.mapping.toml, else the one whose `files` match.

    None when there is none. Raises Refusal when two match, or when one of the folder cannot be read: it may be the one.
    """
    path = Path(path)
    for own in (path.with_name(path.name + SUFFIX), path.with_name(path.stem + SUFFIX)):
        if own.is_file():
            return own
    candidates = sorted(found for found in path.parent.glob(f"*{SUFFIX}") if found.is_file())
    if len(candidates) > MOST_BESIDE:
        raise Refusal(f"The folder has more than {MOST_BESIDE} mapping files.", path.name, "Name the one to use.")
    matching = [
        found
        for found in candidates
        if any(fnmatch.fnmatchcase(path.name, pattern) for pattern in read_mapping(found).files)
    ]
    if len(matching) > 1:
        names = ", ".join(found.name for found in matching)
        raise Refusal(f"Several mapping files are meant for it: {names}.", path.name, "Name the one to use.")
    return matching[0] if matching else None


def propose(path: Path | str):
    """A first mapping of a CSV file or workbook, with what it is sure of and what not (a `proposal.Proposal`). Raises FileRefused."""
    from pipelines.mapping.proposal import propose

    return propose(Path(path))


def proposal_text(path: Path | str) -> str:
    """The same as the text of a mapping file, not approved: it loads nothing until a person has put a name under it."""
    return propose(path).toml()
