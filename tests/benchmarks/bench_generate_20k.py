"""The generator of synthetic patients at its largest promised size. One run: it takes a minute or two."""

from pathlib import Path

from tests.benchmarks import cohort

SIZE = "20,000 patients, about 270 observations each, as native CSV"
PEER = "writing the same bytes to disk"
RUNS = 1
made: list[Path] = []


def prepare() -> None:
    cohort.generator()


def ours(state: None) -> None:
    target = cohort.folder()
    cohort.generator().generate(target, 20_000, seed=7)
    made.append(target)


def peer(state: None) -> None:
    target = cohort.folder()
    for path in made[-1].iterdir():
        if path.is_file():
            with path.open("rb") as source, (target / path.name).open("wb") as copy:
                while part := source.read(1 << 20):
                    copy.write(part)
