"""Records as Pinecone's documents, and filters as its expressions over their metadata."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from faultmaven_core.ports.vector_fields import FieldValue, Scalar, restored
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
    Range,
)
from faultmaven_core.ports.vectors import CollectionSpec, Embedding, VectorId, VectorRecord

# No declared field begins with a capital, so neither name can meet one.
VECTOR = "Vector"
KEY = "Key"
"""The id once more, as metadata: searches say how fresh they are and reads by id do not, so these ask by a filter."""

_DIGITS = 9
"""What a 32-bit float needs to come back to the last bit."""

Positive: TypeAlias = Eq | In | Range | Has | Exists

_RANGES = {Gt: "$gt", Gte: "$gte", Lt: "$lt", Lte: "$lte"}
_INVERSE = {Gt: "$lte", Gte: "$lt", Lt: "$gte", Lte: "$gt"}


def document(record: VectorRecord) -> dict[str, Any]:
    """The record as one document."""
    fields = {name: list(value) if isinstance(value, tuple) else value for name, value in record.fields.items()}
    return {"_id": record.id, KEY: record.id, VECTOR: numbers(record.vector), **fields}


def record_of(found: Mapping[str, Any], spec: CollectionSpec) -> VectorRecord:
    """The record that this document was made from."""
    vector = Embedding.of(array("f", found[VECTOR]))
    return VectorRecord(VectorId(found["_id"]), vector, fields_of(found, spec))


def fields_of(found: Mapping[str, Any], spec: CollectionSpec) -> dict[str, FieldValue]:
    """The declared fields that it has. Numbers come back as floats, whatever they were."""
    return restored(spec.fields, {name: found[name] for name in spec.fields if found.get(name) is not None})


def numbers(vector: Embedding) -> list[float]:
    """The numbers as they travel: with the digits that a 32-bit float has, half of what a longer one is written with."""
    values = np.frombuffer(vector.values, dtype=np.float32).astype(np.float64)
    sizes = np.where(values == 0, 1, np.abs(values))
    scale = 10.0 ** (_DIGITS - 1 - np.floor(np.log10(sizes)))
    return (np.round(values * scale) / scale).tolist()  # type: ignore[no-any-return]  # numpy does not say of what


def expression(where: Filter) -> dict[str, Any]:
    """The filter as an expression. What lacks a field is asked for by name: the operators say nothing about it."""
    match where:
        case And(parts):
            return {"$and": [expression(part) for part in parts]}
        case Or(parts):
            return {"$or": [expression(part) for part in parts]}
        case Not(part):
            return _complement(part)
        case Ne(field, value):
            return _complement(Eq(field, value))
        case NotIn(field, values):
            return _complement(_membership(field, values))
        case In(field, values):
            return _positive(_membership(field, values))
        case _:
            return _positive(where)


def _membership(field: str, values: tuple[Scalar, ...]) -> In | Eq | Exists:
    """Lists of booleans are not taken; one is a value, and two are all that there are."""
    if not isinstance(values[0], bool):
        return In(field, values)
    return Eq(field, values[0]) if len(values) == 1 else Exists(field)


def _positive(leaf: Positive) -> dict[str, Any]:
    match leaf:
        case Eq(field, value) | Has(field, value):
            return {field: {"$eq": value}}
        case In(field, values):
            return {field: {"$in": list(values)}}
        case Exists(field):
            return {field: {"$exists": True}}
        case _:
            return {leaf.field: {_RANGES[type(leaf)]: leaf.value}}


def _complement(leaf: Filter) -> dict[str, Any]:
    match leaf:
        case Eq(field, value) | Has(field, value):
            return _unless(field, "$ne", value)
        case In(field, values):
            return _unless(field, "$nin", list(values))
        case Exists(field):
            return {field: {"$exists": False}}
        case Gt(field, value) | Gte(field, value) | Lt(field, value) | Lte(field, value):
            return _unless(field, _INVERSE[type(leaf)], value)
        case _:
            raise AssertionError(leaf)  # `simplified` leaves no other below a `Not`


def _unless(field: str, operator: str, operand: object) -> dict[str, Any]:
    return {"$or": [{field: {"$exists": False}}, {field: {operator: operand}}]}
