"""The meeting: its agenda, one page a patient, and what was decided."""
