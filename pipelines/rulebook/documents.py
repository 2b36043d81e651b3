"""The rulebook as a file. The same rules and the same store give the same bytes."""

import os
from pathlib import Path

from pipelines.errors import Refusal
from pipelines.rulebook import markdown
from pipelines.rulebook.content import Rulebook
from pipelines.store.database import Store


def _pdf(book: Rulebook) -> bytes:
    from pipelines.rulebook import pdf  # loads typst, which only this needs

    return pdf.document(book)


def _markdown(book: Rulebook) -> bytes:
    return markdown.document(book).encode()


FORMS = {"md": _markdown, "pdf": _pdf}


def write(book: Rulebook, form: str, out: Path, store: Store) -> None:
    """Writes the document in one of FORMS. The file appears whole; one that exists is replaced.

    Raises Refusal when `out` is in the store or cannot be written.
    """
    if out.resolve().is_relative_to(store.folder.resolve()):
        raise Refusal("The rulebook is not written into the store.", str(out), "Choose a file elsewhere.")
    arriving = out.with_name(f".{out.name}.arriving")
    try:
        arriving.write_bytes(FORMS[form](book))
        os.replace(arriving, out)
    except OSError as error:
        raise Refusal(f"It cannot be written: {error.strerror}.", str(out)) from None
    finally:
        arriving.unlink(missing_ok=True)
