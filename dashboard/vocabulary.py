"""The words that may be shown while the de-identification switch is on: those of the dictionary, of the rules, and plain numbers.

A text field of a record may hold anything. A text passes where it is made of known words alone; a name, a place, a sentence of a person
has a word that is none of them.
"""

import re
from functools import cache, lru_cache
from itertools import chain

from pipelines import alert_rules, dictionary
from pipelines.catalog import GROUP_TITLES, STATUS_WORDS, catalog
from pipelines.dictionary.units import normal_unit

# What is printed for organisms, specimens and sites of infection, beside the words of the dictionary.
_PRINTED = """aspergillus fumigatus flavus niger terreus candida albicans glabrata parapsilosis tropicalis krusei auris pneumocystis
    jirovecii cryptococcus neoformans mucor rhizopus fusarium cytomegalovirus epstein barr ebv hsv vzv varicella zoster herpes simplex
    adenovirus influenza parainfluenza rsv metapneumovirus coronavirus covid sars rhinovirus jc bk virus streptococcus pneumoniae
    staphylococcus aureus mrsa mssa epidermidis enterococcus faecalis faecium vre escherichia coli klebsiella enterobacter cloacae
    serratia marcescens proteus pseudomonas aeruginosa acinetobacter baumannii stenotrophomonas maltophilia haemophilus influenzae
    legionella pneumophila nocardia mycobacterium tuberculosis avium complex abscessus listeria clostridioides difficile toxoplasma
    gondii strongyloides bacteria bacterial fungal fungus yeast mould viral culture pcr antigen serology histology biopsy bal lavage
    sputum aspirate tracheal bronchial wash swab blood urine stool csf pleural fluid tissue wound catheter line lung lungs skin soft
    bone alpha beta gamma haemolytic joint sinus brain liver gut bowel colon eye retina throat mouth oesophagus urinary tract
    bloodstream abdomen not named and or with of in the no none mixed flora"""
# What the programme says of alerts, changes and decisions, in sentences that it makes beside those of the rules.
_SAID = """ceased on over when it has been not met for days project default cannot be told since would settle it nothing that is named the
    acknowledgement ran out urgent and acknowledged as a warning of higher grade than new evidence more no record next was expected within
    last arrival a before latest this store oxygen support recorded received dated records corrected read first waiting time there such rule
    any checked now patient answer by then going yes met from not any longer without between after decision day stood missing but effect
    already itself which reads"""
_WORD = re.compile(r"[^\W\d_]+(?:['’][a-z]+)?", re.UNICODE)
_TOKEN = re.compile(r"[^\s,;:()\[\]{}<>≤≥=+/|*%°²³⁹·–—\"“”!?→&]+")
_LITERAL = re.compile(r"'([^'\n]+)'")
_NUMBER = re.compile(r"(?:[<>≤≥=~]{1,2}\s?)?[-+−]?(?:\d{1,7}(?:[.,]\d{1,6})?|\d{1,3}(?:,\d{3})+(?:\.\d+)?)\s?%?")
_SIGNS = re.compile(r"[+\-−±]{1,4}")
_DATE_LIKE = re.compile(
    r"(?<!\d)\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{2,4}(?!\d)|(?<![\d.,])(?:19|20)\d\d[/-]\d{1,2}(?!\d)|\d{8,}"
)
LONGEST = 5  # digits of a whole number in a text; one that is longer numbers a thing or a person


def plain(identifier: str) -> str:
    """An id as words."""
    return identifier.replace("_", " ")


def is_number(text: str) -> bool:
    """'5', '>1650', '0.80', '12 %'."""
    return bool(_NUMBER.fullmatch(text.strip()))


def is_unit(text: str) -> bool:
    """Whether the dictionary knows the spelling."""
    return not text.strip() or normal_unit(text) in _units()


def is_citation(text: str) -> bool:
    """Whether it is a paper that the dictionary cites, as it is printed."""
    return text in _citations()


def is_name(text: str) -> bool:
    """Whether it is an assay or a reference set of the dictionary, by id or by title."""
    return dictionary.normal_name(text) in _names()


@lru_cache(maxsize=4096)
def is_code(text: str) -> bool:
    """Whether it is one of the dictionary's or the rules' own ids, titles and values, or a sign as '++'."""
    return text in _codes() or bool(_SIGNS.fullmatch(text.strip())) or (is_number(text) and len(text) <= LONGEST)


@lru_cache(maxsize=16384)
def is_told(text: str) -> bool:
    """Whether every word is known and nothing in it is like a date, a long number, or a mark that mixes letters and digits."""
    if _DATE_LIKE.search(text):
        return False
    return all(_known(token.strip(".'’-−_@#$^~`\\")) for token in _TOKEN.findall(text))


@lru_cache(maxsize=8192)
def _known(token: str) -> bool:
    if not token:
        return True
    lower = token.casefold()
    if lower in _words():
        return True
    if re.fullmatch(r"[-−]?\d+(?:\.\d+)?", token):
        return len(token.partition(".")[0].strip("-−")) <= LONGEST
    parts = [part for part in re.split(r"[-−_'’.~]", lower) if part]
    return len(parts) > 1 and all(part in _words() or (part.isdigit() and len(part) <= 3) for part in parts)


def _blocks() -> tuple[dict[str, dict], ...]:
    """The parts of the dictionary whose things have a title and synonyms."""
    return (
        dictionary.analytes(),
        dictionary.drugs(),
        dictionary.oxygen_devices(),
        dictionary.assays(),
        dictionary.monitoring(),
    )


@cache
def _codes() -> frozenset[str]:
    found: set[str] = {
        "female",
        "male",
        "other",
        "final",
        "corrected",
        "amended",
        "preliminary",
        *STATUS_WORDS,
        *GROUP_TITLES,
        alert_rules.STALE,
        alert_rules.STALE_TITLE,
    }
    for block in (*_blocks(), dictionary.workup()):
        for name, told in block.items():
            found |= {name, str(told.get("title", name)), str(told.get("drug_class") or name)}
    for kind, told in dictionary.entries().items():
        found |= {kind, *told.get("codes", ())}
    for (kind, code), told in dictionary.events().items():
        found |= {kind, code, *told.get("choices", ())}
    for told in dictionary.analytes().values():
        found |= {*told["codes"], *(one for codes in told["codes"].values() for one in codes)}
    for rule in chain(catalog().criteria.values(), catalog().concepts.values()):
        found |= {rule.id, rule.title, *rule.notes}
    return frozenset(found)


@cache
def _words() -> frozenset[str]:
    """Every word of the dictionary (never of its citations), and of what rules say: titles, sentences, notes, the texts in their SQL."""
    said: list[str] = [
        _PRINTED,
        _SAID,
        "day days to from on of",
        *_codes(),
        *STATUS_WORDS.values(),
        *GROUP_TITLES.values(),
    ]
    for block in _blocks():
        said += [synonym for told in block.values() for synonym in told.get("synonyms", ())]
    for rule in chain(catalog().criteria.values(), catalog().concepts.values()):
        said += [rule.title, *rule.finding.values(), *rule.notes.values(), *rule.unknown, *_LITERAL.findall(rule.sql)]
        said += [part for threshold in rule.thresholds.values() for part in (threshold.name, threshold.unit)]
    said += [spelling for unit, spellings in dictionary.unit_spellings().items() for spelling in (unit, *spellings)]
    words = {word.casefold() for text in said for word in _WORD.findall(text.replace("_", " "))}
    whole = {token.casefold() for text in said for token in _TOKEN.findall(text.replace("_", " "))}
    return frozenset(words | {token for token in whole if not token.isdigit()})


@cache
def _units() -> frozenset[str]:
    known = {normal_unit(one) for unit, spellings in dictionary.unit_spellings().items() for one in (unit, *spellings)}
    for told in dictionary.analytes().values():
        known |= {normal_unit(one) for one in (told.get("unit"), *told.get("units", ())) if one}
    known |= {normal_unit(one) for units in dictionary.dose_units().values() for one in units}
    return frozenset(
        known | {normal_unit(told["dose_unit"]) for told in dictionary.drugs().values() if told.get("dose_unit")}
    )


@cache
def _citations() -> frozenset[str]:
    return frozenset(dictionary.citation_text(told) for told in dictionary.citations().values())


@cache
def _names() -> frozenset[str]:
    known = {"gli 2012", "gli 2017", "gli 2022 global"}
    for name, told in dictionary.assays().items():
        known |= {name, told.get("title", name), *told.get("synonyms", ())}
    return frozenset(dictionary.normal_name(one) for one in known)
