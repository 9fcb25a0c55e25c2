"""Records and filters in Chroma's terms.

Chroma has no "exists", and its `$ne`, `$nin` and `$not_contains` hold for a missing key; so each record names the fields
that it has in a list, and whatever is not plain is asked of that list.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from faultmaven_core.ports.vector_fields import FieldValue
from faultmaven_core.ports.vector_filters import (
    And,
    Eq,
    Exists,
    Filter,
    Gt,
    Gte,
    Has,
    In,
    Lt,
    Lte,
    Ne,
    Not,
    NotIn,
    Or,
)

PRESENT = "_present"
"""The list of the fields that a record has; no field of ours begins so."""
ALWAYS = "_"
"""In every such list: Chroma keeps no empty one."""

_OPERATORS: Mapping[type[Filter], str] = {
    Eq: "$eq", Ne: "$ne", In: "$in", NotIn: "$nin", Gt: "$gt", Gte: "$gte", Lt: "$lt", Lte: "$lte"
}  # fmt: skip
_OPPOSITES: Mapping[type[Filter], str] = {Gt: "$lte", Gte: "$lt", Lt: "$gte", Lte: "$gt"}


def metadata_of(values: Mapping[str, FieldValue], fields: Collection[str]) -> dict[str, Any]:
    """A record's fields. Those that it lacks are named too: Chroma merges by key, and removes what is written as None."""
    metadata: dict[str, Any] = dict.fromkeys(fields)
    for field, value in values.items():
        metadata[field] = list(value) if isinstance(value, tuple) else value
    return {**metadata, PRESENT: [ALWAYS, *values]}


def fields_of(metadata: Mapping[str, Any]) -> dict[str, FieldValue]:
    """The record's fields again."""
    return {
        field: tuple(metadata[field]) if isinstance(metadata[field], list) else metadata[field]
        for field in metadata.get(PRESENT, ())
        if field != ALWAYS
    }


def where_of(where: Filter) -> dict[str, Any]:
    """A simplified filter."""
    match where:
        case And(parts):
            return {"$and": [where_of(part) for part in parts]}
        case Or(parts):
            return {"$or": [where_of(part) for part in parts]}
        case Not(part):
            return _negated(part)
        case In(field, values) | NotIn(field, values):
            return {field: {_OPERATORS[type(where)]: list(values)}}
        case Has(field, item):
            return {field: {"$contains": item}}
        case Exists(field):
            return {PRESENT: {"$contains": field}}
        case _:
            return {where.field: {_OPERATORS[type(where)]: where.value}}


def _negated(part: Filter) -> dict[str, Any]:
    match part:
        case Has(field, item):
            return {field: {"$not_contains": item}}
        case Exists(field):
            return {PRESENT: {"$not_contains": field}}
        case Gt() | Gte() | Lt() | Lte():
            opposite = {part.field: {_OPPOSITES[type(part)]: part.value}}
            return {"$or": [{PRESENT: {"$not_contains": part.field}}, opposite]}
        case _:
            raise AssertionError(part)
