"""Which panels stand together for one question."""

PRESETS = {
    "overview": ("Overview", None, "Everything that was measured and given."),
    "lungs": (
        "Lungs",
        ("oxygen_support", "spo2", "oxygenation", "lung_function", "events"),
        "Oxygen and lung function.",
    ),
}
