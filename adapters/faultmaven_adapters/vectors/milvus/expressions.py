"""Filters as Milvus' expressions over one JSON column, in words that every version of the server and Lite take.

A leaf is false where the field is missing. What its complement is there, no two versions agree about: it is written out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from faultmaven_core.ports.vector_fields import Scalar
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

_SIGNS: dict[type[Eq | Gt | Gte | Lt | Lte], str] = {Eq: "==", Gt: ">", Gte: ">=", Lt: "<", Lte: "<="}
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


def compiled(where: Filter, *, json_in: bool) -> str:
    """The expression of a simplified filter. Without `json_in`, membership is a chain of comparisons: slow, but known."""
    match where:
        case And(parts) | Or(parts):
            word = "and" if isinstance(where, And) else "or"
            return _joined([compiled(part, json_in=json_in) for part in parts], word)
        case Ne(field, value):
            return _complement(Eq(field, value), json_in=json_in)
        case NotIn(field, values):
            return _complement(In(field, values), json_in=json_in)
        case Not(part):
            return _complement(part, json_in=json_in)
        case In(field, values):
            if json_in:
                return f"{_path(field)} in {listed(values)}"
            return _joined([f"{_path(field)} == {literal(value)}" for value in values], "or")
        case _:
            return _leaf(where)


def _joined(parts: Sequence[str], word: str) -> str:
    """In pairs of pairs: the server reads a chain as a tree as deep as the chain is long, and gives up below 50."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({_joined(parts[:middle], word)}) {word} ({_joined(parts[middle:], word)})"


def _complement(leaf: Filter, *, json_in: bool) -> str:
    if isinstance(leaf, And | Or | Not | Exists):
        return f"not ({compiled(leaf, json_in=json_in)})"
    return f"not (exists {_path(leaf.field)}) or not ({compiled(leaf, json_in=json_in)})"


def _leaf(where: Eq | Gt | Gte | Lt | Lte | Has | Exists) -> str:
    path = _path(where.field)
    match where:
        case Exists():
            return f"exists {path}"
        case Has(_, item):
            return f"array_contains({path}, {literal(item)})"
        case _:
            return f"{path} {_SIGNS[type(where)]} {literal(where.value)}"


def literal(value: Scalar) -> str:
    """The value as the grammar has it: no more is escaped than all versions know, everything else stands as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value.translate(_ESCAPES)}"' if isinstance(value, str) else repr(value)


def listed(values: Iterable[Scalar]) -> str:
    """Values in brackets."""
    return f"[{', '.join(map(literal, values))}]"


def _path(field: str) -> str:
    return f'fields["{field}"]'
