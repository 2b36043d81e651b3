"""Every file that the dashboard makes from the store beside those that a page offers as it opens: the leak test reads them all.

A download button of a page is read by the test without being named here, as long as the page draws it when it is opened. What is made by a
function of its own (a packet, a document, slides) is one line: the name of the file, and a function of a patient that gives its bytes. The
patient is named as on screen, by id or, while the de-identification switch is on, by label. The name's ending says how it is read.
"""

from collections.abc import Callable

from dashboard import data

EXPORTS: dict[str, Callable[[str], bytes]] = {
    "rulebook.md": lambda patient: data.rulebook_document("md"),
    "rulebook.pdf": lambda patient: data.rulebook_document("pdf"),
}
