"""The charts of the patient page: one module a panel, found in this folder, drawn in the order of its PLACE.

A panel module has PLACE (a number), TITLE, `rows(page)` which picks what it draws from the page's tables, and
`panel(rows, view)` which draws it. Both are pure functions of plain dicts; nothing here queries.
"""

import importlib
import pkgutil
from functools import cache
from types import ModuleType


@cache
def panels() -> tuple[ModuleType, ...]:
    """Every panel module of the folder, in order of place: those that have one."""
    found = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return tuple(sorted((module for module in found if hasattr(module, "PLACE")), key=lambda module: module.PLACE))
