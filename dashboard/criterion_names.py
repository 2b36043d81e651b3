"""What a flag is called in few words: its id as words, but where these are a programmer's and not the ward's."""

from dashboard import style

CRITERIA = {
    "beta_d_glucan_positive": "β-D-glucan positive",
    "cmv_reactivation": "CMV reactivation",
    "cmv_rising": "CMV rising",
    "cni_level_missing": "CNI level missing",
    "cni_level_out_of_range": "CNI level out of range",
    "ecmo_consideration": "ECMO to be considered",
    "exchange_after_ivig": "exchange after IVIG",
    "flair_score": "FLAIR score",
    "hbv_screen_missing": "hepatitis B screen missing",
    "inbuild_fvc_decline": "FVC decline (INBUILD)",
    "jaki_stop_counts": "JAK inhibitor: counts to stop",
    "kurasawa_triad": "Kurasawa triad",
    "listing_decline": "listing: decline",
    "listing_events": "listing: respiratory event",
    "listing_walk": "listing: 6-minute walk",
    "mck_score": "MCK score",
    "omeract_progression": "OMERACT progression",
    "pjp_prophylaxis_gap": "PJP prophylaxis gap",
    "ppf_physiology": "PPF physiology",
    "stale_data": "no recent data",
    "tb_screen_missing": "tuberculosis screen missing",
}
ITEMS = {
    "bmi": "BMI",
    "cmv_pcr": "CMV PCR",
    "crp": "CRP",
    "ecmo": "ECMO",
    "egfr": "eGFR",
    "fungitell": "Fungitell",
    "igg": "IgG",
    "kl6": "KL-6",
    "ldh": "LDH",
    "wako": "Wako",
}


def criterion(name: str) -> str:
    """'urgent transfer', 'CMV reactivation'."""
    return CRITERIA.get(name) or style.words(name)


def item(name: str | None) -> str:
    """'CRP', 'combination'; '' where a rule judges one thing."""
    return ITEMS.get(name or "") or style.words(name)
