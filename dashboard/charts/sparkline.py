"""A trajectory the size of a word, as SVG: drawn from numbers only, so that no text from data can be in it."""

from dashboard import style


def sparkline(points: list[dict], lines: list[float], colour: str, width: int = 150, height: int = 30) -> str:
    """SVG of points (dicts with day, value, low, high; in order of day) and dotted threshold lines within reach of them.

    Censored results are open triangles at their bound; a single result is a dot. Nothing at all: an empty string.
    """
    placed = [
        (point["day"].toordinal(), _bound(point), point["value"] is None, point["high"] is None) for point in points
    ]
    if not placed:
        return ""
    first, last = placed[0][0], placed[-1][0]
    highest = max(value for _, value, _, _ in placed)
    near = [line for line in lines if line <= highest * 1.6] or lines[:1]
    top = max([highest, *near]) * 1.08 or 1.0

    def x(day: int) -> float:
        return round(5 + (width - 10) * ((day - first) / (last - first) if last > first else 0.5), 1)

    def y(value: float) -> float:
        return round(height - 4 - (height - 8) * value / top, 1)

    drawn = [
        f'<line x1="0" x2="{width}" y1="{y(line)}" y2="{y(line)}" stroke="{style.VERMILION}" stroke-width="0.8" stroke-dasharray="2 2"/>'
        for line in near
    ]
    path = " ".join(f"{x(day)},{y(value)}" for day, value, censored, _ in placed if not censored)
    drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
    for day, value, censored, above in placed:
        if censored:
            tip = -4 if above else 4
            left, right, base = x(day) - 3.5, x(day) + 3.5, y(value) - tip / 2
            corners = f"M{left} {base} L{right} {base} L{x(day)} {y(value) + tip}Z"
            drawn.append(f'<path d="{corners}" fill="#fff" stroke="{colour}"/>')
    day, value, censored, _ = placed[-1]
    if not censored:
        drawn.append(f'<circle cx="{x(day)}" cy="{y(value)}" r="2.8" fill="{colour}"/>')
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(drawn)}</svg>'


def _bound(point: dict) -> float:
    if point["value"] is not None:
        return point["value"]
    return point["low"] if point["high"] is None else point["high"]
