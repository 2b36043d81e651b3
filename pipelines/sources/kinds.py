"""Which kind of row an analyte comes in, for formats that do not say it: FHIR, HL7 and wide tables."""

import functools

from pipelines import dictionary

# The native columns of one blood gas or saturation, and the analyte each becomes.
OXYGEN = {
    "oxygen_device": "device",
    "oxygen_flow": "flow_l_min",
    "fio2": "fio2",
    "spo2": "spo2",
    "respiratory_rate": "respiratory_rate",
    "pao2": "pao2",
    "paco2": "paco2",
}
LUNG_FUNCTION = frozenset((
    "fvc", "fev1", "fev1_fvc", "fev3", "fev6", "fef25_75", "fef25_75_isovolume", "fef50", "pef", "fet", "fif50", "ivc", "vc", "tlc",
    "dlco", "dlco_adjusted", "dlco_va", "dlco_va_adjusted", "va",
))  # fmt: skip


def kind_of(analyte: str) -> str:
    """'oxygen', 'pft' or 'labs'."""
    if analyte in OXYGEN:
        return "oxygen"
    return "pft" if analyte.removesuffix("_percent") in LUNG_FUNCTION else "labs"


def analyte_of_code(loinc: str) -> str | None:
    """The analyte of a LOINC code, None when the dictionary has none."""
    return _by_loinc().get(loinc)


def analyte_of_name(printed: str) -> str | None:
    """The analyte of a printed name or synonym, None when the dictionary has none."""
    return _by_name().get(dictionary.normal_name(printed))


@functools.cache
def _by_loinc() -> dict[str, str]:
    return {code["code"]: analyte for analyte, block in dictionary.analytes().items() for code in block["loinc"]}


@functools.cache
def _by_name() -> dict[str, str]:
    return {
        dictionary.normal_name(name): analyte
        for analyte, block in dictionary.analytes().items()
        for name in (analyte, *block["synonyms"])
    }
