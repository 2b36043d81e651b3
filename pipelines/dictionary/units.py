"""Factors from every printed unit that an analyte allows to its canonical unit.

Only codes that an analyte's block lists are converted. That a code parses is no proof: `mL/min/1.73.m2` parses as 73 m2*mL/min
and a D-dimer in FEU has the dimension of one in DDU. Factors are computed once per distinct pair of codes, as y = factor * x +
offset, and rounded to 12 significant digits so that no binary noise reaches a comparison (ng/mL to ug/L is exactly 1).
"""

import functools
from decimal import Context, Decimal

IDENTITY = (Decimal(1), Decimal(0))


class NotConvertible(Exception):
    """Two codes of the dictionary do not have the same dimension: a fault of the dictionary, never of the data."""


def normal_unit(printed: str) -> str:
    """The form in which printed units are compared: no blanks, µ, μ and mc written u, lower case."""
    joined = "".join(printed.split()).replace("µ", "u").replace("μ", "u").lower()
    return joined.replace("mc", "u")


def unit_sql(column: str) -> str:
    """The same normal form as a DuckDB expression over a text column."""
    blank_free = f"regexp_replace({column}, '\\s', '', 'g')"
    return f"replace(lower(replace(replace({blank_free}, 'µ', 'u'), 'μ', 'u')), 'mc', 'u')"


def conversion(code: str, canonical: str) -> tuple[Decimal, Decimal]:
    """(factor, offset) from one UCUM code to another. Raises NotConvertible where the dimensions differ."""
    if code == canonical:
        return IDENTITY
    if _annotations(code) != _annotations(canonical):
        raise NotConvertible(f"{code} and {canonical} differ in what the braces say")
    return _probe(code, canonical)


def _annotations(code: str) -> list[str]:
    """What stands in braces: UCUM drops it, medicine does not."""
    return [part.split("}")[0] for part in code.split("{")[1:]]


@functools.cache
def _registry():
    from ucumvert import PintUcumRegistry  # slow to import, and only conversions need it

    return PintUcumRegistry()


@functools.cache
def _parsed(code: str):
    return _registry().from_ucum(code)


@functools.cache
def _probe(code: str, canonical: str) -> tuple[Decimal, Decimal]:
    import pint

    registry = _registry()
    try:
        source, target = _parsed(code), _parsed(canonical)
        at_zero, at_one = (_magnitude(registry, source, target, x) for x in (0.0, 1.0))
    except pint.DimensionalityError as error:
        raise NotConvertible(f"{code} to {canonical}: {error}") from error
    return _exact(at_one - at_zero), _exact(at_zero)


def _magnitude(registry, source, target, x: float) -> float:
    """x of the source unit, in the target unit; a code such as 10*3/uL carries its number as a magnitude."""
    return registry.Quantity(x * source.magnitude, source.units).to(target.units).magnitude / target.magnitude


def _exact(number: float) -> Decimal:
    rounded = Context(prec=12).create_decimal(repr(number)).quantize(Decimal("1e-12")).normalize()
    return Decimal(format(rounded, "f"))
