"""What happens to an error nobody foresaw: an incident number for the person, the details in the store's logs.

A traceback may quote the row it failed on, so it stays inside the store and off the screen unless MDA5_DEBUG is set.
"""

import os
import secrets
import traceback
from pathlib import Path


def debugging() -> bool:
    """Whether errors are to be shown in full: MDA5_DEBUG is set."""
    return bool(os.environ.get("MDA5_DEBUG"))


def record_fault(store: Path, error: BaseException) -> str:
    """Writes the traceback to `logs/` of the store, where there is one to write to, and returns the incident's number."""
    incident = secrets.token_hex(4)
    try:
        (store / "logs").mkdir(mode=0o700, exist_ok=True)
        path = store / "logs" / f"{incident}.txt"
        path.touch(mode=0o600)
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    except OSError:
        pass  # the number alone still tells two incidents apart
    return incident
