"""The slow, plain twin of every criterion, written from the rulebook alone: it looks at one patient and one day.

`answer` gives what stands on the day, from what is dated on or before it, in plain loops: what comes later cannot matter.
"""

from collections.abc import Callable
from datetime import date
from functools import partial

from tests.properties.reference import (
    barriers,
    counts,
    infection,
    listing,
    monitoring,
    oxygen,
    prognosis,
    progression,
    refractory,
    response,
    screening,
    therapy,
    transplant,
)
from tests.properties.reference.records import MET, NOT_MET, STATUS, Answer, Patient, any_of, read_patients

__all__ = ["CRITERIA", "Answer", "Patient", "answer", "read_patients"]

Answers = dict[str | None, Answer]


def _component(name: str, patient: Patient, day: date) -> Answers:
    return refractory.per_clock(patient, day, lambda clock: refractory.component(patient, name, clock, day).status)


def _composite(name: str, patient: Patient, day: date) -> Answers:
    return refractory.per_clock(patient, day, lambda clock: refractory.composite(patient, name, clock, day))


def transplant_listing(patient: Patient, day: date) -> Answers:
    """Any of the conditions for listing."""
    known = {MET: True, NOT_MET: False}
    conditions = (CRITERIA[name](patient, day)[None].status for name in LISTING)
    return {None: Answer(STATUS[any_of(known.get(status) for status in conditions)])}


LISTING = ("listing_decline", "listing_walk", "listing_events")
CRITERIA: dict[str, Callable[[Patient, date], Answers]] = {
    **{name: partial(_component, name) for name in refractory.COMPONENTS},
    **{name: partial(_composite, name) for name in refractory.COMPOSITES},
    "high_ferritin": prognosis.high_ferritin,
    "flair_score": prognosis.flair_score,
    "mck_score": prognosis.mck_score,
    "omeract_progression": progression.omeract_progression,
    "ppf_physiology": progression.ppf_physiology,
    "inbuild_fvc_decline": progression.inbuild_fvc_decline,
    "lung_function_improved": progression.lung_function_improved,
    "listing_decline": progression.listing_decline,
    "risk_factors": prognosis.risk_factors,
    "titre_rise": prognosis.titre_rise,
    "kurasawa_triad": prognosis.kurasawa_triad,
    "off_oxygen": response.off_oxygen,
    "ferritin_halved": response.ferritin_halved,
    "transplant_early_referral": transplant.transplant_early_referral,
    "referral_lung_function": transplant.referral_lung_function,
    "referral_decline": transplant.referral_decline,
    "referral_oxygen": oxygen.referral_oxygen,
    "referral_refractory": transplant.referral_refractory,
    "transplant_referral": transplant.transplant_referral,
    "urgent_transfer": oxygen.urgent_transfer,
    "listing_walk": listing.listing_walk,
    "listing_events": listing.listing_events,
    "transplant_listing": transplant_listing,
    "transplant_barriers": barriers.transplant_barriers,
    "ecmo_consideration": listing.ecmo_consideration,
    "pjp_prophylaxis_gap": infection.pjp_prophylaxis_gap,
    "cmv_reactivation": infection.cmv_reactivation,
    "lymphopenia": counts.lymphopenia,
    "neutropenia": counts.neutropenia,
    "hypogammaglobulinaemia": counts.hypogammaglobulinaemia,
    "cmv_rising": counts.cmv_rising,
    "beta_d_glucan_positive": counts.beta_d_glucan_positive,
    "jaki_stop_counts": counts.jaki_stop_counts,
    "active_infection": screening.active_infection,
    "intense_immunosuppression": screening.intense_immunosuppression,
    "hbv_screen_missing": screening.hbv_screen_missing,
    "tb_screen_missing": screening.tb_screen_missing,
    "cyclophosphamide_hold": screening.cyclophosphamide_hold,
    "step_up_pattern": therapy.step_up_pattern,
    "not_recommended_agent": therapy.not_recommended_agent,
    "cni_level_missing": therapy.cni_level_missing,
    "exchange_after_ivig": therapy.exchange_after_ivig,
    "cyclophosphamide_interval": therapy.cyclophosphamide_interval,
    "early_exchange_window": therapy.early_exchange_window,
    "cni_level_out_of_range": monitoring.cni_level_out_of_range,
    "exchange_after_rituximab": monitoring.exchange_after_rituximab,
    "overdue_tests": monitoring.overdue_tests,
}


def answer(criterion: str, patient: Patient, day: date) -> Answers:
    """The answers of one criterion that stand on a day, by item (None where it judges one thing)."""
    return CRITERIA[criterion](patient, day)
