"""Errors that a person can act on: what was found, where, and what to do. Anything else that is raised is a bug."""


class Refusal(Exception):
    """The base of every error shown to a person: never with a traceback.

    `found` says what is wrong, `where` names the file, line, column or store, `hint` says what to do.
    """

    def __init__(self, found: str, where: str = "", hint: str = "") -> None:
        self.found, self.where, self.hint = found, where, hint
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" {self.hint}" if self.hint else ""
        return f"{place}{self.found}{advice}"


class FileRefused(Refusal):
    """A file as a whole cannot be read: nothing of it was loaded."""


class KeyUnavailable(Refusal):
    """The key of the pseudonyms is not there, or is not the store's: no fault of any file."""


class StoreBusy(Refusal):
    """Another process is writing to the store."""


class StoreEmpty(Refusal):
    """Nothing has been loaded into the store yet."""


class NotFound(Refusal):
    """A patient, criterion or table that does not exist was asked for."""
