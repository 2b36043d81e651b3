"""What the benchmarks of packets share: packets made of rows as the screen has them, and the peer, the same panels plotted the usual way.

typst keeps what it has set before, so that no day is asked for twice.
"""

import io
import os
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from pathlib import Path

from dashboard import data, strip
from dashboard.data import packets, worklist
from dashboard.reports import packet, pdf

PEER = "plots alone: pyplot, a subplot for each panel, default settings, savefig as PDF"


@dataclass
class Agenda:
    """The patients of a store; `runs` counts what was made, and every time the as-of day is another."""

    store: Path
    patients: list[str]
    runs: count
    pages: dict[str, dict]

    def as_of(self, page: dict) -> date:
        """A day near the end of the record, each time one earlier."""
        days = strip.recorded_days(page)
        return days[-1 - next(self.runs) % max(1, len(days) // 2)]


def agenda(store: Path, patients: list[str] | None = None) -> Agenda:
    os.environ["MDA5_STORE"] = str(store)
    chosen = patients or worklist.order()
    found = Agenda(store, chosen, count(), {})
    found.pages = packets.pages(chosen)
    return found


def made(state: Agenda, pages: dict[str, dict]) -> bytes:
    """The PDF of pages, from their rows on."""
    days = {one: state.as_of(page) for one, page in pages.items()}
    records = packets.evidence([(page, days[one]) for one, page in pages.items()])
    shared, lines = (data.provenance(), packets.rules_used()), data.thresholds()
    week = timedelta(days=7)
    return pdf.document(
        [
            packet.packet(one, page, days[one], *shared, records=records, since=days[one] - week, thresholds=lines)
            for one, page in pages.items()
        ]
    )


def plots(state: Agenda) -> None:
    """The series of every panel of every patient with pyplot."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    lines = data.thresholds()
    for page in state.pages.values():
        drawn = packet.chart(page, strip.recorded_days(page)[-1], lines)
        figure, axes = pyplot.subplots(len(drawn.panels), 1, sharex=True, figsize=(8, 11), squeeze=False)
        for panel, axis in zip(drawn.panels, axes[:, 0], strict=True):
            for trace in panel.traces:
                if trace["type"] == "scatter" and trace["x"]:
                    axis.plot(*_known(trace), "o-")
                elif trace.get("orientation") == "h":
                    starts = [date.fromisoformat(base[:10]) for base in trace["base"]]
                    axis.barh(trace["y"], [timedelta(milliseconds=long) for long in trace["x"]], left=starts)
            axis.set_ylabel(panel.title)
        pyplot.savefig(io.BytesIO(), format="pdf")
        pyplot.close(figure)


def _known(trace: dict) -> tuple[list[date], list[float]]:
    pairs = [(x, y) for x, y in zip(trace["x"], trace["y"], strict=True) if x is not None and y is not None]
    return [date.fromisoformat(x[:10]) for x, _ in pairs], [y for _, y in pairs]
