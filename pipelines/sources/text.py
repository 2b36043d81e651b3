"""What a text file is made of: its encoding, and whether it is text at all. The whole file is looked at, once, in pieces."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from charset_normalizer import from_bytes

from pipelines.errors import FileRefused

PIECE = 1 << 20
# A line longer than this is a broken file, not a record: the longest text cells of hospital exports are some kilobytes.
LONGEST_LINE = 4 << 20
# Enough text outside ASCII for a guess; more makes the guess slower, not better.
SAMPLE = 1 << 17
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# The legacy encodings of hospital exports. Left to all it knows, charset-normalizer takes short texts for EBCDIC.
ONE_BYTE = ["cp1252", "cp1250", "cp1251"]
LEGACY = [*ONE_BYTE, "cp932", "euc_jp", "cp949", "gb18030", "big5"]
# East Asian encodings write pairs of bytes: text in them has neighbours outside ASCII, which µg/L or Müller has not.
NEIGHBOURS = re.compile(rb"[\x80-\xff]{2}")


@dataclass(frozen=True)
class TextFile:
    """A file found to be text: how to decode it, and whether there is a double quote after its first line."""

    path: Path
    encoding: str
    guessed: bool
    quotes: bool
    returns: bool = False  # somewhere a line ends with a carriage return alone

    @property
    def errors(self) -> str:
        """A guess may miss a byte far down the file: it becomes a replacement character there, and the row says so."""
        return "replace" if self.guessed else "strict"


def is_text(path: Path) -> bool:
    """Whether the file begins like text: a byte order mark, or no NUL in its first piece."""
    with path.open("rb") as file:
        head = file.read(PIECE)
    return _mark(head) is not None or b"\0" not in head


def examine(path: Path) -> TextFile:
    """Looks at every byte. Raises FileRefused for NUL bytes, endless lines and an encoding that cannot be told."""
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        encoding = _mark(head)
        decoder = codecs.getincrementaldecoder(encoding or "utf-8")("strict")
        headed, quotes, utf8, sample, unended = False, False, True, bytearray(), 0
        returns, split = 0, False
        while piece := file.read(PIECE):
            unended = _unended(piece, unended)
            if unended > LONGEST_LINE:
                raise FileRefused(
                    f"A line is longer than {LONGEST_LINE >> 20} MB.",
                    path.name,
                    "A quote or a line end is missing, or it is not a table.",
                )
            returns += piece.count(b"\r") - piece.count(b"\r\n") - (split and piece.startswith(b"\n"))
            split = piece.endswith(b"\r")
            if not headed:  # the header is read by itself
                begun = piece.find(b"\n") + 1
                headed = begun > 0
                quotes = headed and b'"' in piece[begun:]
            else:
                quotes = quotes or b'"' in piece
            if encoding is None and b"\0" in piece:
                raise FileRefused("The file contains NUL bytes: it is not text.", path.name, "Save it as CSV (UTF-8).")
            utf8 = utf8 and _decodes(decoder, piece)
            if encoding is None and len(sample) < SAMPLE and not piece.isascii():
                sample += b"\n".join(line for line in piece.splitlines() if not line.isascii())[:SAMPLE]
        utf8 = utf8 and _decodes(decoder, b"", final=True)
    if utf8:
        return TextFile(path, encoding or "utf-8", guessed=False, quotes=quotes, returns=returns > 0)
    if encoding:
        raise FileRefused(f"The file says it is {encoding} but is not.", path.name, "Save it again as CSV (UTF-8).")
    return TextFile(path, _legacy_encoding(bytes(sample), path), guessed=True, quotes=quotes)


def _mark(head: bytes) -> str | None:
    return next((encoding for mark, encoding in BYTE_ORDER_MARKS.items() if head.startswith(mark)), None)


def _unended(piece: bytes, before: int) -> int:
    """Bytes since the last line end, after this piece."""
    end = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
    return before + len(piece) if end < 0 else len(piece) - end


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError:
        return False
    return True


def _legacy_encoding(sample: bytes, path: Path) -> str:
    best = from_bytes(sample, cp_isolation=LEGACY if NEIGHBOURS.search(sample) else ONE_BYTE).best()
    if best is None:
        raise FileRefused("The encoding of the file cannot be told.", path.name, "Save it as CSV (UTF-8).")
    if best.encoding == "cp1250" and sample.decode("cp1252", "replace") == sample.decode("cp1250", "replace"):
        return "cp1252"
    return best.encoding
