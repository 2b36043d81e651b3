"""A criterion's SQL cut in two: the rows it judges, and what is said of a row.

Status and grade are asked of every judged date of everyone; evidence, missing, facts, notes and margin (lists and sentences,
the costly part) only of the few rows that end a run. So a criterion ends in a plain projection of one of its CTEs, and the
engine evaluates the two parts of that projection apart. What is said may be looked up by a LEFT JOIN of at most one row: in other
rules, or in a CTE written after that one, which then reads only the rows told.
"""

import re
from dataclasses import dataclass

import duckdb

LIGHT = ("patient_id", "on_date", "item", "status", "grade")
HEAVY = ("evidence", "missing", "facts", "notes", "margin")


@dataclass(frozen=True)
class FinalSelect:
    """`rows SELECT expressions FROM source joins`: `rows` are the CTEs up to the one that is projected, each expression has the name
    of its column. `ctes` are all CTEs by name.
    """

    rows: str
    ctes: dict[str, str]
    source: str
    joins: str
    expressions: dict[str, str]

    @property
    def lookups(self) -> list["Lookup"]:
        """Each LEFT JOIN of `joins`."""
        form = r"LEFT\s+JOIN\s+(\w+)(?:\s+AS\s+(\w+))?\s+ON\s+(.*?)(?=\s+LEFT\s+JOIN\s|\s*$)"
        found = re.findall(form, self.joins, re.DOTALL | re.IGNORECASE)
        return [Lookup(table, alias or table, condition) for table, alias, condition in found]

    def telling(self, rows: str) -> list[str]:
        """The CTEs that the joins need, with `rows`, a table, in the place of the one that is projected."""
        needed: set[str] = set()
        waiting = re.findall(r"\w+", self.joins)
        while waiting:
            name = waiting.pop()
            if name in self.ctes and name not in needed and name != self.source:
                needed.add(name)
                waiting += re.findall(r"\w+", self.ctes[name])
        if not needed:
            return []
        bodies = self.ctes | {self.source: f"SELECT * FROM {rows}"}
        return [f"{name} AS ({bodies[name]}\n)" for name in self.ctes if name in needed | {self.source}]


@dataclass(frozen=True)
class Lookup:
    """`LEFT JOIN table AS alias ON condition`."""

    table: str
    alias: str
    condition: str

    def on_rows(self, rows: str) -> str:
        """The condition asked of the rows of the looked up criterion before anything is said of them."""
        told = re.sub(rf"\b{self.alias}\.item\b", f"{rows}.answer_item", self.condition)
        return re.sub(rf"\b{self.alias}\.", f"{rows}.", told)


class NotOneProjection(ValueError):
    """The SQL does not end in `SELECT ... FROM one_cte`: says what else was found."""


def cut(sql: str) -> FinalSelect:
    """Cuts one criterion. Raises NotOneProjection."""
    tokens = _tokens(sql)
    outside = [(at, text.upper()) for at, text, depth in tokens if depth == 0]
    selects = [at for at, text in outside if text == "SELECT"]
    if len(selects) != 1:
        raise NotOneProjection(f"{len(selects)} SELECTs stand outside the CTEs")
    begin = selects[0]
    froms = [at for at, text in outside if text == "FROM" and at > begin]
    if len(froms) != 1:
        raise NotOneProjection("the last SELECT reads nothing, or more than one table")
    after = [token for token in tokens if token[0] > froms[0]]
    source, rest = after[0][1], after[1:]
    if not source.isidentifier() or not _are_lookups([text.upper() for _, text, depth in rest if depth == 0]):
        raise NotOneProjection(f"after FROM it has `{sql[froms[0] + 4 :].strip()[:60]}`, not one CTE and LEFT JOINs")
    joins = _without_comments(sql[rest[0][0] :]) if rest else ""
    listed = [token for token in tokens if begin < token[0] < froms[0]]
    expressions = dict(_named(sql, part, froms[0]) for part in _parts(listed))
    if tuple(expressions)[: len(LIGHT + HEAVY)] != LIGHT + HEAVY:
        raise NotOneProjection(f"its columns are {', '.join(expressions)}")
    for name in LIGHT[:2]:  # they are read from the CTE as they are
        if expressions[name] not in (name, f"{source}.{name}"):
            raise NotOneProjection(f"{name} is no plain column of {source}")
    ctes, end = _ctes(sql, [token for token in tokens if token[0] < begin], source)
    return FinalSelect(sql[:end], ctes, source, joins, expressions)


REFUSED_AFTER = frozenset(
    ("WHERE", "GROUP", "HAVING", "QUALIFY", "WINDOW", "ORDER", "LIMIT", "OFFSET", "SAMPLE", "UNION", "EXCEPT", "INTERSECT", "USING", ",")
)  # fmt: skip


def _are_lookups(words: list[str]) -> bool:
    """Whether what follows the CTE, outside of brackets, is LEFT JOINs with ON, or nothing."""
    joins = [place for place, word in enumerate(words) if word == "JOIN"]
    left = all(place and words[place - 1] == "LEFT" for place in joins)
    asked = words.count("ON") == len(joins) == words.count("LEFT")
    return words[:2] in ([], ["LEFT", "JOIN"]) and left and asked and not REFUSED_AFTER & set(words)


def _without_comments(sql: str) -> str:
    """SQL that ends where it ends: a last comment would swallow what is written behind it."""
    kept = []
    for place, end in _pieces(sql):
        text = _text(sql[place:end])
        kept.append(text + COMMENT.sub("", sql[place + len(text) : end]))
    return "".join(kept).rstrip()


def _ctes(sql: str, tokens: list["Token"], source: str) -> tuple[dict[str, str], int]:
    """The body of each CTE, and where the one that is projected ends."""
    ctes, end = {}, 0
    for number, (place, text, depth) in enumerate(tokens):
        if depth == 0 and text == "(" and number >= 2 and tokens[number - 1][1].upper() == "AS":
            name = tokens[number - 2][1]
            close = next(at for at, other, level in tokens[number + 1 :] if other == ")" and level == 0)
            ctes[name] = sql[place + 1 : close]
            if name == source:
                end = close + 1
    if source not in ctes:
        raise NotOneProjection(f"`{source}` is none of its CTEs")
    return ctes, end


Token = tuple[int, str, int]  # place, text, depth of brackets around it


def _tokens(sql: str) -> list[Token]:
    found, depth = [], 0
    for place, end in _pieces(sql):
        text = _text(sql[place:end])
        depth -= text in (")", "]")
        found.append((place, text, depth))
        depth += text in ("(", "[")
    return found


def _pieces(sql: str) -> list[tuple[int, int]]:
    """From where to where each token reaches, with the blanks and comments that follow it: a comment is no token."""
    plain = sql.encode("ascii", "replace").decode()  # it counts bytes, and we letters
    places = [place for place, kind in duckdb.tokenize(plain) if kind != duckdb.token_type.comment]
    return list(zip(places, [*places[1:], len(sql)], strict=True))


QUOTED = re.compile(r"'(?:[^']|'')*'" + '|"(?:[^"]|"")*"')
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def _text(piece: str) -> str:
    """A token without the blanks and the comments that follow it."""
    quoted = QUOTED.match(piece)
    return quoted[0] if quoted else COMMENT.split(piece, maxsplit=1)[0].strip()


def _parts(tokens: list[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token[1] == "," and token[2] == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _named(sql: str, part: list[Token], end: int) -> tuple[str, str]:
    """The name of one column and the text of its expression."""
    names = [place for place, text, depth in part if depth == 0 and text.upper() == "AS"]
    name = part[-1][1].strip('"') if part else ""
    if not names and not re.fullmatch(r'(\w+ \. )?"?\w+"?', " ".join(text for _, text, _ in part)):
        raise NotOneProjection(f"the column `{' '.join(text for _, text, _ in part)[:60]}` has no name after AS")
    stop = names[-1] if names else part[-1][0] + len(part[-1][1])
    return name, sql[part[0][0] : min(stop, end)].strip()
