r"""HL7 v2 messages: results (ORU), orders (RDE), administrations (RAS) and patients (PID of every message that is read, ADT).

A file holds messages one after the other, with or without batch headers (FHS, BHS) and MLLP blocks (framing). Messages and
segments that are not read are counted in the notes, and so is what is dropped at the door. `line` is the running number of the row
in the file; `place` names the physical line, the message and the OBX, RXA or RXE.

    PID            id (PID-3), sex (PID-8), birth year (PID-7); PID-29 and PID-30: outcome death           patient
    OBR OBX SPM    results, blood gases, lung function, events                                              observations
    ORC RXE RXA TQ1 RXR   orders and administrations                                                       pharmacy
    MSH-4          the patient's site

A message without PID, or whose PID-3 is empty, has no patient: its rows are rejected for that, and never belong to the patient before.
A message that merges patients (A40 and its like, MRG) is rejected: which records move is a decision for a person.
A patient says the same in many messages: one row for each change, of which ADT messages make one each.
DG1 is not read yet.

What HL7 has no field for stands in codes of this project, which hospitals do not send: OBX-3 `kind.code^text^99MDA5` is an event (an event
kind and code of the rulebook, section 10); `ZMD|name^value~name^value|99MDA5` after an OBX, RXA or RXE gives native columns that no field
has (sample_timing, activity, phase, reference_set, purpose, ongoing, last_confirmed_on, until, text, date_assumed, per ...).

Times: YYYY[MM[DD[HHMM[SS[.S]]]]][+/-ZZZZ] at the precision printed. One to the hour is read as its day: minutes are never invented.
"""

import re
from pathlib import Path

from pipelines.errors import FileRefused
from pipelines.sources import text
from pipelines.sources.declared import Declared
from pipelines.sources.hl7v2.reading import Hl7v2

SUFFIXES = (".hl7",)
BEGINNINGS = (b"MSH", b"FHS", b"BHS")
MESSAGE = re.compile(rb"[\r\n\x0b](?:MSH|BHS|FHS)\|\^~\\&")  # after something else: the file was cut at its beginning
HEAD = 1 << 16


def recognises(path: Path, declared: Declared) -> bool:
    """A file that begins with a message, a batch or an MLLP block, or has one at the beginning of an early line, or whose name says so."""
    if path.suffix.lower() in SUFFIXES:
        return True
    with path.open("rb") as file:
        head = file.read(HEAD)
    for mark, encoding in text.BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            head = head.decode(encoding, "ignore").encode()
            break
    first = head.lstrip(b" \t\r\n\x0b\x1c")
    begins = first[:3] in BEGINNINGS and len(first) > 4 and not first[3:4].isalnum() and first[3] > 32
    return begins or MESSAGE.search(head) is not None


def read(path: Path, declared: Declared) -> Hl7v2:
    """Raises FileRefused for a file that is no text, or holds no message."""
    try:
        file = text.examine(path)
    except FileRefused as refused:
        raise FileRefused(refused.found, path.name, "Export the messages again, as text.") from None
    return Hl7v2(file, declared)
