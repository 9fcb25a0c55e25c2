"""What a search asks of a record's fields: a small algebra with two truth values, the same on every backend.

A field that a record lacks makes every positive leaf false, so `Ne`, `NotIn` and `Not` hold for it: they are plain
complements. Adapters compile what `simplified` returns and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from faultmaven_core.ports.vector_fields import FieldType, FieldValue, Scalar, checked_scalar
from faultmaven_core.shared.errors import InvalidInputError

MOST_DEPTH = 8
MOST_LEAVES = 100
MOST_VALUES = 1000


class InvalidFilterError(InvalidInputError):
    """The filter asks for what the collection's fields cannot answer, or is too large."""


@dataclass(frozen=True, slots=True)
class Eq:
    """The field is there and equals the value. A boolean never equals a number."""

    field: str
    value: Scalar


@dataclass(frozen=True, slots=True)
class Ne:
    """Not `Eq`: also where the field is missing."""

    field: str
    value: Scalar


@dataclass(frozen=True, slots=True)
class In:
    """The field is there and equals one of the values."""

    field: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class NotIn:
    """Not `In`: also where the field is missing."""

    field: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Gt:
    """The field is there and greater. Text, by code points, only where STRING_RANGE is declared; so for all ranges."""

    field: str
    value: str | float


@dataclass(frozen=True, slots=True)
class Gte:
    """The field is there and greater or equal."""

    field: str
    value: str | float


@dataclass(frozen=True, slots=True)
class Lt:
    """The field is there and less."""

    field: str
    value: str | float


@dataclass(frozen=True, slots=True)
class Lte:
    """The field is there and less or equal."""

    field: str
    value: str | float


@dataclass(frozen=True, slots=True)
class Has:
    """The field is there and the item is one of its texts."""

    field: str
    item: str


@dataclass(frozen=True, slots=True)
class Exists:
    """The field is there."""

    field: str


@dataclass(frozen=True, slots=True, init=False)
class And:
    """All parts hold; of none, everything."""

    parts: tuple[Filter, ...]

    def __init__(self, *parts: Filter) -> None:
        object.__setattr__(self, "parts", parts)


@dataclass(frozen=True, slots=True, init=False)
class Or:
    """One of the parts holds; of none, nothing."""

    parts: tuple[Filter, ...]

    def __init__(self, *parts: Filter) -> None:
        object.__setattr__(self, "parts", parts)


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Filter


@dataclass(frozen=True, slots=True)
class Everything:
    """What a filter comes to that every record meets."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """What a filter comes to that no record meets."""


Range: TypeAlias = Gt | Gte | Lt | Lte
Leaf: TypeAlias = Eq | Ne | In | NotIn | Range | Has | Exists
Filter: TypeAlias = Leaf | And | Or | Not

_RANGED = {FieldType.INTEGER, FieldType.NUMBER, FieldType.STRING}


def simplified(where: Filter, fields: Mapping[str, FieldType]) -> Filter | Everything | Nothing:
    """The same filter as adapters compile it. Raises InvalidFilterError where the fields or the limits forbid it.

    `And` and `Or` have two parts or more, none of their own kind among them; `Not` stands only over a range, `Has` and
    `Exists`; `In` and `NotIn` have a value or more, none twice; values of a NUMBER field are floats. There are at most
    8 levels of `And`, `Or` and `Not`, 100 leaves, and 1,000 values in an `In`.
    """
    _measure(where)
    return _pushed(where, fields, positive=True)


def leaves(where: Filter) -> Iterator[Leaf]:
    """Every leaf, from left to right."""
    match where:
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case _:
            yield where


def matches(where: Filter, values: Mapping[str, FieldValue]) -> bool:
    """Whether a record with these fields meets the filter, which is valid: the meaning that every backend is held to."""
    match where:
        case And(parts):
            return all(matches(part, values) for part in parts)
        case Or(parts):
            return any(matches(part, values) for part in parts)
        case Not(part):
            return not matches(part, values)
        case Ne(field, value):
            return not matches(Eq(field, value), values)
        case NotIn(field, several):
            return not matches(In(field, several), values)
        case _:
            return where.field in values and _meets(where, values[where.field])


def _meets(where: Eq | In | Range | Has | Exists, found: FieldValue) -> bool:
    match where:
        case Exists():
            return True
        case Eq(_, value):
            return found == value
        case In(_, several):
            return found in several
        case Has(_, item):
            return isinstance(found, tuple) and item in found
        case _:
            return _in_range(where, found)


def _measure(where: Filter) -> None:
    count, waiting = 0, [(where, 0)]
    while waiting:
        part, depth = waiting.pop()
        if depth > MOST_DEPTH:
            raise InvalidFilterError(f"The filter has more than {MOST_DEPTH} levels.", fields={"where": "too deep"})
        match part:
            case And(parts) | Or(parts) if parts:
                waiting.extend((inner, depth + 1) for inner in parts)
            case Not(inner):
                waiting.append((inner, depth + 1))
            case _:
                count += 1
        if count > MOST_LEAVES:
            raise InvalidFilterError(f"The filter has more than {MOST_LEAVES} leaves.", fields={"where": "too large"})


def _pushed(where: Filter, fields: Mapping[str, FieldType], *, positive: bool) -> Filter | Everything | Nothing:
    match where:
        case Not(part):
            return _pushed(part, fields, positive=not positive)
        case And(parts) | Or(parts):
            inner = [_pushed(part, fields, positive=positive) for part in parts]
            return _joined(inner, conjunction=isinstance(where, And) == positive)
        case Eq(field, value) | Ne(field, value):
            kept = _value(field, value, fields)
            return Eq(field, kept) if isinstance(where, Eq) == positive else Ne(field, kept)
        case In(field, values) | NotIn(field, values):
            return _membership(field, values, fields, positive=isinstance(where, In) == positive)
        case _:
            leaf = _checked_leaf(where, fields)
            return leaf if positive else Not(leaf)


def _joined(parts: list[Filter | Everything | Nothing], *, conjunction: bool) -> Filter | Everything | Nothing:
    """`And` or `Or` of simplified parts: the neutral ones left out, the deciding one decides, its own kind dissolved."""
    kind: type[And | Or] = And if conjunction else Or
    neutral, deciding = (Everything, Nothing) if conjunction else (Nothing, Everything)
    kept: list[Filter] = []
    for part in parts:
        if isinstance(part, deciding):
            return part
        if isinstance(part, Everything | Nothing):
            continue
        kept.extend(part.parts if isinstance(part, And | Or) and isinstance(part, kind) else [part])
    if not kept:
        return neutral()
    return kept[0] if len(kept) == 1 else kind(*kept)


def _membership(
    field: str, values: tuple[Scalar, ...], fields: Mapping[str, FieldType], *, positive: bool
) -> Filter | Everything | Nothing:
    if len(values) > MOST_VALUES:
        raise InvalidFilterError(f"A filter names at most {MOST_VALUES} values.", fields={field: "too many values"})
    _kind(field, fields)
    kept = tuple(dict.fromkeys(_value(field, value, fields) for value in values))
    if not kept:
        return Nothing() if positive else Everything()
    return In(field, kept) if positive else NotIn(field, kept)


def _checked_leaf(where: Range | Has | Exists, fields: Mapping[str, FieldType]) -> Range | Has | Exists:
    kind = _kind(where.field, fields)
    match where:
        case Exists():
            return where
        case Has(field, item):
            if kind is not FieldType.STRINGS:
                raise InvalidFilterError(f"The field {field} is no list of texts.", fields={field: "no list"})
            if not isinstance(item, str):
                raise InvalidFilterError(f"The field {field} holds texts only.", fields={field: "no text"})
            _value(field, item, {field: FieldType.STRING})
            return where
        case _:
            if kind not in _RANGED:
                raise InvalidFilterError(f"{kind.capitalize()} has no order.", fields={where.field: "no order"})
            value = _value(where.field, where.value, fields)
            return type(where)(where.field, value)


def _kind(field: str, fields: Mapping[str, FieldType]) -> FieldType:
    kind = fields.get(field)
    if kind is None:
        raise InvalidFilterError(f"The collection has no field {field!r:.80}.", fields={"where": "unknown field"})
    return kind


def _value(field: str, value: object, fields: Mapping[str, FieldType]) -> Scalar:
    kind = _kind(field, fields)
    if kind is FieldType.STRINGS:
        raise InvalidFilterError(f"The field {field} is a list: ask it by Has.", fields={field: "is a list"})
    try:
        return checked_scalar(field, kind, value)
    except InvalidInputError as error:
        raise InvalidFilterError(str(error), fields=error.fields) from error


def _in_range(where: Range, found: FieldValue) -> bool:
    bound = where.value
    if not (_comparable(found, bound, str) or _comparable(found, bound, (int, float))):
        return False
    less, greater = found < bound, found > bound  # type: ignore[operator]  # both are texts, or both are numbers
    match where:
        case Gt():
            return greater
        case Gte():
            return not less
        case Lt():
            return less
        case Lte():
            return not greater


def _comparable(found: object, bound: object, kind: type | tuple[type, ...]) -> bool:
    return isinstance(found, kind) and isinstance(bound, kind)
