"""What random patients are made of: values at and around the thresholds, one step off and far off, as native cells."""

from datetime import date

FIRST = date(2024, 1, 1)  # the day before which nothing is dated

LABS = [
    (
        "ferritin",
        "ng/mL",
        ["200", "499.9", "500", "500.1", "635.9", "636", "1000", "1000.1", "1200", "1499.9", "1500", ">1650", "<400"],
    ),
    ("ldh", "U/L", ["354.9", "355", "600"]),
    ("crp", "mg/dL", ["0.79", "0.8", "1.09", "1.1", "5", "<1"]),
    ("kl6", "U/mL", ["999.9", "1000", "2048.6"]),
    ("cmv_dna", "[IU]/mL", ["<34.5", "150", "0", "detected", ">0"]),
    ("cmv_dna_copies", "copies/mL", ["<200", "900"]),
    ("cmv_dna_qualitative", "", ["positive", "negative"]),
    ("cmv_pp65", "cells", ["0", "1", "<2"]),
    ("ciclosporin_level", "ng/mL", ["120", "900"]),
    ("tacrolimus_level", "ng/mL", ["9.9", "12"]),
]
BIRTH_YEARS = ["1962", "1963", "1964", "1980"]  # in 2024 older than 60, 60 or 61, not older
BLOT = ("+", "++", "+++", "negative")
ANTIBODY = [
    {"value": "31.9", "unit": "index", "assay": "MBL"},
    {"value": "32", "unit": "index", "assay": "MBL"},
    {"value": ">100", "unit": "SI", "ref_high": "10"},
    {"value": "9.9", "unit": "SI", "ref_high": "10"},
    {"value": "50", "unit": "index"},
    *({"value": coded, "assay": "line blot"} for coded in BLOT),
    {"value": "positive"},
]
DRUGS = [
    ("prednisolone", "oral", ["14.9", "15", "19.9", "20", "25", "30", "31", "60", "1 T"], "mg"),
    ("hydrocortisone", "oral", ["20", "100", "1 T"], "mg"),
    ("methylprednisolone", "iv", ["40", "62.5", "500", "1000"], "mg"),
    ("dexamethasone", "oral", ["3", "6"], "mg"),
    ("ciclosporin", "oral", ["100", "150"], "mg"),
    ("tacrolimus", "oral", ["3", "4", "1 T"], "mg"),
    ("cyclophosphamide", "iv", ["750", "750 mg/BSA"], "mg"),
    ("azathioprine", "oral", ["25", "50"], "mg"),
    ("methotrexate", "oral", ["10"], "mg"),
    ("infliximab", "iv", ["300"], "mg"),
    ("nintedanib", "oral", ["150"], "mg"),
    ("rituximab", "iv", ["1000"], "mg"),
    ("tofacitinib", "oral", ["10"], "mg"),
    ("ivig", "iv", ["20"], "g"),
    ("tmp_smx", "oral", ["480"], "mg"),
    ("pentamidine", "inhaled", ["300"], "mg"),
    ("atovaquone", "oral", ["1500"], "mg"),
]
INFUSED = ("cyclophosphamide", "infliximab", "rituximab", "pentamidine")
RESPONSES = [  # how the patient does on treatment
    ("symptom", "dyspnoea", ["better", "same", "worse"]),
    ("measure", "mmrc", ["1", "2", "3"]),
    ("imaging", "chest_ct", ["improved", "stable", "worse", "not_comparable", "blank"]),
    ("imaging", "chest_xray", ["stable", "worse"]),
    ("impression", "worse_on_therapy", [""]),
    ("impression", "not_worse", [""]),
]
EVENTS = [
    *RESPONSES,
    ("diagnosis", "ild", ["present", "present", "absent"]),
    ("diagnosis", "rp_ild", ["present", "present", "absent"]),
    ("measure", "weight_kg", ["40", "60", "62"]),
    ("imaging", "hrct_score", ["132", "133"]),
    ("procedure", "plasma_exchange", [""]),
    ("procedure", "ecmo", [""]),
    ("drug_stopped", "drug", ["cyclophosphamide"]),
]
OXYGEN = [
    {"device": "room_air", "spo2": "95"},
    {"device": "room_air", "spo2": "93", "pao2": "70", "paco2": "36"},
    {"flow_l_min": "2", "spo2": "94"},
    {"flow_l_min": "4"},
    {"flow_l_min": "1", "activity": "sleep"},
    {"spo2": "89"},
    {"device": "nasal_cannula", "flow_l_min": "3", "spo2": "92", "activity": "rest"},
    {"device": "nasal_cannula", "flow_l_min": "5", "spo2": "90", "activity": "exertion"},
    {"device": "nasal_cannula", "flow_l_min": "3", "spo2": "92", "pao2": "61", "paco2": "38"},
    {"device": "nasal_cannula", "flow_l_min": "3", "spo2": "88", "pao2": "50", "paco2": "38"},
    {"device": "reservoir_mask", "flow_l_min": "8", "spo2": "90"},
    {"device": "hfnc", "flow_l_min": "40", "fio2": "0.5", "spo2": "92", "respiratory_rate": "28"},
    {"device": "hfnc", "flow_l_min": "50", "fio2": "0.6", "spo2": "90", "respiratory_rate": "30"},
    {"device": "invasive_ventilation", "fio2": "0.8", "pao2": "70", "paco2": "40"},
]
PFT = [{"measure": "FVC", "value": "1.8", "unit": "L"}, {"measure": "DLCO", "value": "9", "unit": "mL/min/mmHg"}]
HFNC = {"device": "hfnc", "flow_l_min": "40"}
SUPPORT = [  # before treatment, and what can follow on the same level: at the size that counts as worse, and a step beside it
    (HFNC | {"fio2": "0.5"}, [HFNC | {"fio2": fio2} for fio2 in ("0.59", "0.6", "0.61")]),
    ({"flow_l_min": "2"}, [{"flow_l_min": flow} for flow in ("3.9", "4", "4.1")]),
    (
        HFNC | {"fio2": "0.5", "pao2": "80", "paco2": "40"},
        [HFNC | {"fio2": "0.5", "pao2": pao2, "paco2": "40"} for pao2 in ("70.5", "70", "69.5")],
    ),
    (
        HFNC | {"fio2": "0.4", "pao2": "40"},
        [HFNC | {"fio2": "0.4", "pao2": pao2} for pao2 in ("32.2", "32", "31.8")],
    ),
]
