"""Who a record is about: from the identifier that a hospital prints to the id that the store shows.

A patient is a site's identifier under its assigner (the authority that gave it: a FHIR identifier system, an HL7 assigning
authority, or a name that the person who loads the file declares). The store shows a pseudonym: a keyed hash of the two. The
same patient gets the same pseudonym in every file of one assigner, and nobody without the key can find the identifier again
by trying all of them. The key lies outside the store: MDA5_KEY_FILE, or mda5-monitor/pseudonym.key in the user's
configuration folder, where it is made when it is first needed. Losing it means that new files make new patients.

Files of a study may bring ids that are pseudonyms already. Where that is declared they are kept as they are.
"""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Container
from functools import cached_property
from pathlib import Path

from pipelines.errors import KeyUnavailable

KEY_BYTES = 32
RESTORE = "Restore it from a backup, or name its place with MDA5_KEY_FILE."
# 80 bits: among a million patients two share a pseudonym with a probability of one in 2 million million.
PSEUDONYM_BYTES = 10


class PatientIds:
    """How the ids of one file are read.

    `assigner` None: the file's own (FHIR, HL7), or, where it has none, the ids are kept as they are.
    `pseudonymous`: True: the ids are pseudonyms already and kept, whatever the format; False: they are identifiers.
    None: what the format says of itself (the native files hold pseudonyms, FHIR and HL7 hold identifiers).
    """

    def __init__(
        self, assigner: str | None = None, pseudonymous: bool | None = None, key_check: Path | None = None
    ) -> None:
        """`key_check` is a file of the store that tells, without telling the key, which key its pseudonyms were made with."""
        if assigner and pseudonymous:
            raise ValueError("Ids are either pseudonyms already, or identifiers under an assigner.")
        self.assigner, self.pseudonymous = assigner, False if assigner else pseudonymous
        self._key_check = key_check
        self._known: dict[tuple[str, str], str] = {}

    def are_kept(self, pseudonymous_by_format: bool) -> bool:
        """Whether the ids of a file in such a format are kept as they are printed."""
        return pseudonymous_by_format if self.pseudonymous is None else self.pseudonymous

    def pseudonym(self, identifier: str, assigner: str | None = None) -> str:
        """The id in the store of a site's identifier ('P-' and 16 letters and digits). The declared assigner goes before the file's."""
        by = self.assigner or assigner or ""
        found = self._known.get((by, identifier))
        if found is None:
            found = self._known[by, identifier] = self.would_be(identifier, assigner)
        return found

    def would_be(self, printed: str, assigner: str | None = None) -> str:
        """The pseudonym of a text that may be an identifier: asked of many texts, so none of them is remembered."""
        message = f"{self.assigner or assigner or ''}\x1f{printed}".encode()
        digest = hmac.digest(self.key, message, "sha256")[:PSEUDONYM_BYTES]
        return f"P-{base64.b32encode(digest).decode()}"

    def printed(self, pseudonyms: Container[str]) -> set[str]:
        """The identifiers, as files printed them, of which these pseudonyms were made since this object was."""
        return {identifier for (_, identifier), pseudonym in self._known.items() if pseudonym in pseudonyms}

    @cached_property
    def key(self) -> bytes:
        """The secret key; made, and written for this user alone, when there is none yet.

        Raises KeyUnavailable, also when the store's pseudonyms were made with another key: its patients would all become new ones.
        """
        path = key_file()
        checked = self._key_check is not None and self._key_check.exists()
        try:
            if checked and not path.exists():
                raise KeyUnavailable(
                    "The key that this store's pseudonyms were made with is not there.", str(path), RESTORE
                )
            key = _read_key(path) if path.exists() else _make_key(path)
            check = hmac.new(key, b"mda5-monitor key check", hashlib.sha256).hexdigest()[:16]
            if checked and self._key_check.read_text(encoding="ascii").strip() != check:
                raise KeyUnavailable(
                    "This is not the key that this store's pseudonyms were made with.", str(path), RESTORE
                )
            if self._key_check and not checked:
                self._key_check.write_text(check + "\n", encoding="ascii")
            return key
        except OSError as error:
            raise KeyUnavailable(
                f"The key of the pseudonyms cannot be read or made: {error.strerror}.", str(path), "Set MDA5_KEY_FILE."
            ) from None


def key_file() -> Path:
    """Where the key lies: MDA5_KEY_FILE, or below XDG_CONFIG_HOME (~/.config)."""
    named = os.environ.get("MDA5_KEY_FILE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "mda5-monitor" / "pseudonym.key"


def _read_key(path: Path) -> bytes:
    text = path.read_text(encoding="ascii", errors="replace").strip()
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyUnavailable("This is not a key of pseudonyms.", str(path), RESTORE)
    return key


def _make_key(path: Path) -> bytes:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = secrets.token_bytes(KEY_BYTES)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process made it a moment ago
        return _read_key(path)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")
    return key
