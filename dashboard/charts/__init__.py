"""The charts of the patient page: one module a panel, found in this folder.

A panel module has TITLE, `rows(page)` which picks what it draws from the page's tables, and `panel(rows, view)` which draws it. Both are
pure functions of plain dicts; nothing here queries. Its name is the file's. PLACE (a number) is where it stands when the reader
chose nothing; a panel whose DEFAULT is False is drawn only when chosen, an OPTIONAL one only where it has something to draw or was
chosen, and one that is also a COMPANION of another panel only where it has something. One whose SCALES is True can be drawn on any scale
of panel.SCALES.
"""

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache
from types import ModuleType


@cache
def panels() -> dict[str, ModuleType]:
    """Every panel module of the folder by name, in order of place."""
    found = {
        module.name: importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)
    }
    placed = {name: module for name, module in found.items() if hasattr(module, "PLACE")}
    return dict(sorted(placed.items(), key=lambda named: named[1].PLACE))


def chosen_panels(shown: Iterable[str] | None) -> list[ModuleType]:
    """The panels named, in that order, each once; names that are no panel's are passed over. None: those drawn by default."""
    if shown is None:
        return [module for module in panels().values() if getattr(module, "DEFAULT", True)]
    return [panels()[name] for name in dict.fromkeys(shown) if name in panels()]
