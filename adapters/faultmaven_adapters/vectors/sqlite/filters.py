"""Filters as SQL over the table of field values: every leaf is a set of keys, found by its index."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from faultmaven_core.ports.vector_fields import FieldValue, Scalar
from faultmaven_core.ports.vector_filters import (
    And,
    Eq,
    Exists,
    Filter,
    Gt,
    Gte,
    Has,
    In,
    Leaf,
    Lt,
    Lte,
    Ne,
    Not,
    NotIn,
    Or,
)

Stored: TypeAlias = str | int
Parameters: TypeAlias = list[Stored]

_HALF = 1 << 63
_COMPARED = {Eq: "=", Ne: "=", Gt: ">", Gte: ">=", Lt: "<", Lte: "<="}


def stored(value: Scalar) -> Stored:
    """The value as the table of field values has it: text, or an integer of 64 bits.

    A float becomes the integer that is in the same order: SQLite reads decimals that come in JSON a little off.
    """
    if not isinstance(value, float):
        return value
    # Adding zero makes one of the two zeros.
    bits = int.from_bytes(struct.pack(">d", value + 0.0), signed=True)
    return bits if bits >= 0 else -_HALF - bits - 1


def stored_values(value: FieldValue) -> Iterator[Stored]:
    """What a field of a record holds; of a list each text once."""
    if isinstance(value, tuple):
        yield from dict.fromkeys(value)
    else:
        yield stored(value)


def condition(where: Filter, scope: int) -> tuple[str, Parameters]:
    """A condition on the column `key`, and its parameters."""
    match where:
        case And(parts):
            return _joined(" AND ", parts, scope)
        case Or(parts):
            return _joined(" OR ", parts, scope)
        case Not(part):
            text, parameters = condition(part, scope)
            return f"NOT {text}", parameters
        case _:
            text, parameters = _leaf(where)
            absent = "NOT " if isinstance(where, Ne | NotIn) else ""
            keys = f"SELECT key FROM field_values WHERE scope = ? AND field = ?{text}"  # noqa: S608 - words of ours only
            return f"(key {absent}IN ({keys}))", [scope, where.field, *parameters]


def _joined(word: str, parts: Sequence[Filter], scope: int) -> tuple[str, Parameters]:
    compiled = [condition(part, scope) for part in parts]
    parameters = [parameter for _, several in compiled for parameter in several]
    return f"({word.join(text for text, _ in compiled)})", parameters


def _leaf(where: Leaf) -> tuple[str, Parameters]:
    match where:
        case Exists():
            return "", []
        case In(_, values) | NotIn(_, values):
            several = json.dumps([stored(value) for value in values], ensure_ascii=False)
            return " AND value IN (SELECT value FROM json_each(?))", [several]
        case Has(_, item):
            return " AND value = ?", [item]
        case _:
            return f" AND value {_COMPARED[type(where)]} ?", [stored(where.value)]
