"""The views of the patient page's figure: which panels stand under each other for one question of a meeting, and in which order."""

from typing import NamedTuple


class Preset(NamedTuple):
    """A view: its title, the names of its panels in order (None: those drawn by default), and a sentence saying what it shows."""

    title: str
    panels: tuple[str, ...] | None
    said: str


PRESETS: dict[str, Preset] = {
    "overview": Preset(
        "Overview", None, "Course, treatment and flags on one axis: what is recorded, with no verdict on the patient."
    ),
    "infection": Preset(
        "Flare or infection",
        (
            "oxygen_support",
            "fever",
            "crp",
            "procalcitonin",
            "beta_d_glucan",
            "cmv",
            "cmv_copies",
            "cmv_pp65",
            "infection",
            "ferritin",
            "kl6",
            "imaging",
            "immunosuppression",
            "glucocorticoid",
            "prophylaxis",
            "lymphocytes",
            "neutrophils",
            "igg",
            "infection_flags",
        ),
        "Signs of infection above, signs of disease activity below them, then how much immunosuppression acts and what covers it: the "
        "same days side by side, with no verdict on which of the two it is.",
    ),
    "lungs": Preset(
        "Lungs",
        (
            "oxygen_support",
            "oxygenation",
            "spo2",
            "lung_function",
            "lung_function_litres",
            "fvc_litres",
            "dlco_units",
            "imaging",
            "glucocorticoid",
            "course_of_events",
        ),
        "Oxygen, gas exchange, lung function and imaging beside the events of those days, with no verdict on their cause.",
    ),
    "treatment": Preset(
        "Treatment and its risks",
        (
            "oxygen_support",
            "ferritin",
            "immunosuppression",
            "glucocorticoid",
            "treatment",
            "trough",
            "ciclosporin_level",
            "ciclosporin_c2",
            "prophylaxis",
            "neutrophils",
            "lymphocytes",
            "igg",
            "infection",
        ),
        "What was given, drug levels, blood counts and IgG under it, and infections, with no verdict on what caused what.",
    ),
}
