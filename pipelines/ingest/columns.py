"""Which native columns hold dates, numbers and words of a fixed choice."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Date:
    """A date column. `unreadable` is the reason given for a text that is no date."""

    needed: bool = False
    unreadable: str = "date_unreadable"
    may_be_planned: bool = False  # of an order, it may lie after receipt


DATES: dict[str, dict[str, Date]] = {
    "patients": {},
    "labs": {"at": Date(needed=True), "reported_at": Date()},
    "pft": {"at": Date(needed=True), "reported_at": Date()},
    "oxygen": {"at": Date(needed=True), "reported_at": Date()},
    "administrations": {
        "start": Date(needed=True),
        "stop": Date(unreadable="stop_unreadable", may_be_planned=True),
        "last_confirmed_on": Date(),
        "reported_at": Date(),
    },
    "events": {"at": Date(needed=True), "until": Date(unreadable="stop_unreadable"), "reported_at": Date()},
}
NUMBERS: dict[str, tuple[str, ...]] = {
    "patients": (),
    "labs": ("value", "ref_low", "ref_high"),
    "pft": ("value", "percent_predicted"),
    "oxygen": ("flow_l_min", "fio2", "spo2", "respiratory_rate", "pao2", "paco2", "device"),
    "administrations": ("dose",),
    "events": ("value",),
}
# Another word is a fault of its own, <column>_unknown in reasons.toml; only `per` is kept as printed.
WORDS: dict[str, tuple[str, ...]] = {
    "patients": ("sex",),
    "labs": ("status",),
    "pft": ("status", "phase"),
    "oxygen": ("activity", "status"),
    "administrations": ("per", "ongoing", "action", "purpose", "status"),
    "events": ("date_assumed", "status"),
}
YES, NO = ("y", "true", "1", "x"), ("n", "false", "0")
# field -> word stored -> how else it is printed. Compared as dictionary names are.
CHOICES: dict[str, dict[str, tuple[str, ...]]] = {
    "status": {
        "final": ("f",),
        "preliminary": ("p", "prelim", "provisional"),
        "corrected": ("c", "correction"),
        "amended": ("a", "amendment"),
        "entered_in_error": ("error",),
        "cancelled": ("canceled", "x"),
    },
    "sex": {"female": ("f", "w", "woman"), "male": ("m", "man"), "other": ("o", "diverse"), "unknown": ("u",)},
    "activity": {"rest": ("at rest", "resting"), "exertion": ("exercise", "effort", "walking"), "sleep": ("asleep", "night")},
    "phase": {"pre": ("pre bd", "prebronchodilator", "pre bronchodilator"),
              "post": ("post bd", "postbronchodilator", "post bronchodilator"), "challenge": ()},
    "per": {"day": ("d", "daily", "per day", "/day", "qd", "od"), "dose": ("once", "single", "per dose"),
            "week": ("w", "weekly", "per week", "/week", "qw")},
    "ongoing": {"yes": YES, "no": NO},
    "date_assumed": {"yes": YES, "no": NO},
    "action": {"given": ("administered",), "ordered": ("order", "planned"), "not_given": ("held", "omitted")},
    "purpose": {"treatment": ("therapeutic", "therapy"), "prophylaxis": ("prophylactic",)},
}  # fmt: skip
