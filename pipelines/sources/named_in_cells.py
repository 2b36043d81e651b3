"""Whether patients stand in the cells of a table, whatever its columns are: as a whole cell, or as a word of one."""

import re
from collections.abc import Callable, Container, Iterable

WORD = re.compile(r"""[^\s,;|:"'()\[\]]+""")
LONGEST = 10_000  # characters of a cell that are looked at
MOST_REMEMBERED = 1_000_000  # different texts, so that one that is repeated is asked for once


def named_in_cells(cells: Iterable[str], names: Container[str], store_id: Callable[[str], str]) -> bool:
    """`store_id`: what the id in the store would be, were a text the identifier of a patient."""
    seen: set[str] = set()
    for cell in cells:
        whole = cell[:LONGEST].strip()
        for text in {whole, *WORD.findall(whole)} - seen - {""}:
            if store_id(text) in names:
                return True
            if len(seen) < MOST_REMEMBERED:
                seen.add(text)
    return False
