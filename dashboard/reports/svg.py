"""The parts of a picture as SVG text: colours, labels, symbols, hatching. Every text is escaped here, and nowhere else.

What is not known here is refused with UnknownMark, never left out in silence.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from html import escape
from html.parser import HTMLParser
from math import cos, pi, sin

from pipelines.command_output import visible

FAMILY = "Liberation Sans, Arial, Helvetica, sans-serif"
LINE = 1.25  # lines of a label stand so many sizes apart
CAP, DESCENT = 0.72, 0.21  # of a size: how far capitals reach above the foot of the letters, and tails below it
DASHES = {"solid": None, "dash": "6 4", "dot": "2 2.5", "longdash": "10 5", "dashdot": "6 3 2 3"}


_NO_CHARACTER = re.compile("[\ufffe\uffff]")  # XML refuses them, and no category names them


def seen(text: str) -> str:
    """A text with a replacement mark for every character that nobody can see or that XML refuses."""
    return _NO_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", visible(text))


class UnknownMark(ValueError):
    """A figure asks for something that is not drawn here."""


def known(given: Iterable[str], names: frozenset[str], of: str) -> None:
    """Raises UnknownMark where a part has a key that nobody here looks at."""
    strange = sorted(set(given) - names)
    if strange:
        raise UnknownMark(f"{of} with {', '.join(strange)}")


def number(value: float) -> str:
    """A place in pixels, short, and the same on every machine."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def element(name: str, content: str = "", **given: object) -> str:
    """An element; None is no attribute, `_` stands for `-`. `content` is SVG already."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(number(value) if isinstance(value, float) else str(value))}"'
        for key, value in given.items()
        if value is not None
    )
    return f"<{name}{told}>{content}</{name}>" if content else f"<{name}{told}/>"


@lru_cache(maxsize=512)
def paint(colour: str) -> tuple[str, float]:
    """A colour as `#rrggbb` or `rgba(r,g,b,a)`: its solid form and its opacity."""
    if colour.startswith("#") and len(colour) == 7:
        return colour, 1.0
    if colour.startswith("rgba(") and colour.endswith(")"):
        red, green, blue, alpha = colour[5:-1].split(",")
        return f"#{int(red):02X}{int(green):02X}{int(blue):02X}", float(alpha)
    raise UnknownMark(f"colour {colour}")


def filled(colour: str | None) -> dict[str, object]:
    """The attributes of a fill."""
    if colour is None:
        return {"fill": "none"}
    solid, alpha = paint(colour)
    return {"fill": solid, "fill_opacity": None if alpha == 1 else alpha} if alpha else {"fill": "none"}


def stroked(line: dict) -> dict[str, object]:
    """The attributes of a Plotly line: colour, width, dash. Of no width: none."""
    known(line, frozenset({"color", "width", "dash", "shape"}), "line")
    if not line.get("width", 2) or "color" not in line:
        return {}
    solid, alpha = paint(line["color"])
    if not alpha:
        return {}
    if line.get("dash", "solid") not in DASHES:
        raise UnknownMark(f"dash {line['dash']}")
    told = {
        "stroke": solid,
        "stroke_width": float(line.get("width", 2)),
        "stroke_dasharray": DASHES[line.get("dash", "solid")],
    }
    return told | ({} if alpha == 1 else {"stroke_opacity": alpha})


class _Label(HTMLParser):
    """Plotly's small HTML as lines of (text, bold, colour)."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[list[tuple[str, bool, str | None]]] = [[]]
        self.bold, self.colours = 0, [None]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.lines.append([])
        elif tag == "b":
            self.bold += 1
        elif tag == "span" and [name for name, _ in attrs] == ["style"] and attrs[0][1].startswith("color:"):
            self.colours.append(paint(attrs[0][1].removeprefix("color:").strip(" ;"))[0])
        else:
            raise UnknownMark(f"<{tag}> in a label")

    def handle_endtag(self, tag: str) -> None:
        if tag == "b":
            self.bold -= 1
        elif tag == "span":
            self.colours.pop()

    def handle_data(self, data: str) -> None:
        self.lines[-1].append((data, self.bold > 0, self.colours[-1]))


@lru_cache(maxsize=4096)
def _lines(label: str) -> tuple[tuple[tuple[str, bool, str | None], ...], ...]:
    parser = _Label()
    parser.feed(label)
    parser.close()
    return tuple(tuple(line) for line in parser.lines)


def plain(label: str) -> str:
    """A label without its markup."""
    return " ".join("".join(text for text, *_ in line) for line in _lines(label))


def text(
    label: str,
    x: float,
    y: float,
    size: float,
    colour: str,
    across: str = "start",
    stands: str = "middle",
    halo: str | None = None,
) -> str:
    """A label at a place: `across` is start, middle or end; `stands` is top (below the place), middle or bottom (above it)."""
    lines = _lines(label)
    height = size * (CAP + LINE * (len(lines) - 1))
    first = {"top": y + size * CAP, "middle": y - height / 2 + size * CAP, "bottom": y - height + size * CAP}[stands]
    spans = []
    for place, line in enumerate(lines):
        words = "".join(_span(*part) for part in line)
        if words:
            spans.append(element("tspan", words, x=float(x), y=float(first + place * size * LINE)))
    around = {"paint_order": "stroke", "stroke": halo, "stroke_width": 3.0, "stroke_linejoin": "round"} if halo else {}
    anchor = None if across == "start" else across
    return (
        element("text", "".join(spans), font_size=float(size), **filled(colour), text_anchor=anchor, **around)
        if spans
        else ""
    )


def _span(words: str, bold: bool, colour: str | None) -> str:
    told = escape(seen(words).replace("\n", " "))
    if not bold and not colour:
        return told
    return element("tspan", told, font_weight="bold" if bold else None, fill=colour) if told else ""


def _star(points: int, outer: float, inner: float, turn: float = -pi / 2) -> str:
    corners = [
        (radius * cos(turn + place * pi / points), radius * sin(turn + place * pi / points))
        for place in range(2 * points)
        for radius in [outer if place % 2 == 0 else inner]
    ]
    return _polygon(corners)


def _regular(points: int, radius: float, turn: float = -pi / 2) -> str:
    return _polygon(
        [
            (radius * cos(turn + 2 * pi * place / points), radius * sin(turn + 2 * pi * place / points))
            for place in range(points)
        ]
    )


def _polygon(corners: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{number(x)},{number(y)}" for x, y in corners) + "Z"


def _circle(r: float) -> str:
    return f"M{number(r)},0A{number(r)},{number(r)} 0 1,1 0,{number(-r)}A{number(r)},{number(r)} 0 0,1 {number(r)},0Z"


def _cross(r: float, turn: float = 0) -> str:
    long, thin = r * 1.2, r * 0.4
    corners = [(long, thin), (thin, thin), (thin, long), (-thin, long), (-thin, thin), (-long, thin), (-long, -thin), (-thin, -thin),
               (-thin, -long), (thin, -long), (thin, -thin), (long, -thin)]  # fmt: skip
    return _polygon([(x * cos(turn) - y * sin(turn), x * sin(turn) + y * cos(turn)) for x, y in corners])


def _strokes(*pairs: tuple[float, float, float, float]) -> str:
    return "".join(f"M{number(a)},{number(b)}L{number(c)},{number(d)}" for a, b, c, d in pairs)


SHAPES = {  # by name the outline about (0, 0) for a radius
    "circle": _circle,
    "square": lambda r: _polygon([(r, r), (-r, r), (-r, -r), (r, -r)]),
    "diamond": lambda r: _polygon([(r * 1.3, 0), (0, r * 1.3), (-r * 1.3, 0), (0, -r * 1.3)]),
    "cross": _cross,
    "x": lambda r: _cross(r, pi / 4),
    "triangle-up": lambda r: _polygon([(-r * 1.155, r / 2), (r * 1.155, r / 2), (0, -r)]),
    "triangle-down": lambda r: _polygon([(-r * 1.155, -r / 2), (r * 1.155, -r / 2), (0, r)]),
    "triangle-left": lambda r: _polygon([(r / 2, -r * 1.155), (r / 2, r * 1.155), (-r, 0)]),
    "triangle-right": lambda r: _polygon([(-r / 2, -r * 1.155), (-r / 2, r * 1.155), (r, 0)]),
    "pentagon": lambda r: _regular(5, r),
    "hexagon": lambda r: _regular(6, r),
    "star": lambda r: _star(5, r * 1.4, r * 0.55),
    "star-square": lambda r: _star(4, r * 1.4, r * 0.75),
    "hourglass": lambda r: _polygon([(r, r), (-r, r), (r, -r), (-r, -r)]),
    "bowtie": lambda r: _polygon([(r, r), (r, -r), (-r, r), (-r, -r)]),
    "circle-x": lambda r: (
        _circle(r) + _strokes((-r * 0.7, -r * 0.7, r * 0.7, r * 0.7), (-r * 0.7, r * 0.7, r * 0.7, -r * 0.7))
    ),
    "x-thin": lambda r: _strokes((-r, -r, r, r), (-r, r, r, -r)),
}
LINES_ONLY = ("x-thin",)  # nothing to fill


@lru_cache(maxsize=1024)
def symbol(name: str, size: float) -> tuple[str, bool]:
    """The path of a Plotly symbol of a size, and whether it is filled."""
    base = name.removesuffix("-open")
    if base not in SHAPES:
        raise UnknownMark(f"symbol {name}")
    return SHAPES[base](size / 2), base == name and base not in LINES_ONLY


HATCHES = {  # by shape, the strokes or dots of one tile of side `s`
    "/": lambda s: f"M0,{s}L{s},0M{-s / 4},{s / 4}L{s / 4},{-s / 4}M{s * 0.75},{s * 1.25}L{s * 1.25},{s * 0.75}",
    "x": lambda s: f"M0,{s}L{s},0M0,0L{s},{s}",
    ".": lambda s: _circle(s * 0.22),
}


def hatch(key: str, shape: str, size: float, colour: str, ground: str | None) -> str:
    """A <pattern> of a hatching."""
    if shape not in HATCHES:
        raise UnknownMark(f"hatching {shape}")
    path = HATCHES[shape](size)
    solid, alpha = paint(colour)
    behind = element("rect", width=float(size), height=float(size), **filled(ground)) if ground else ""
    if shape == ".":
        drawn = element(
            "path",
            d=path,
            transform=f"translate({number(size / 2)},{number(size / 2)})",
            fill=solid,
            fill_opacity=alpha,
        )
    else:
        drawn = element("path", d=path, stroke=solid, stroke_opacity=alpha, stroke_width=1.0, fill="none")
    return element(
        "pattern", behind + drawn, id=key, patternUnits="userSpaceOnUse", width=float(size), height=float(size)
    )
