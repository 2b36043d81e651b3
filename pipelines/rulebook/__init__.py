"""The rulebook: every criterion with its numbers, their sources, its sentences, history and worked examples, and in how many patients
of a store it is met. The dashboard shows it; `documents` writes it for a committee, as Markdown or as PDF."""
