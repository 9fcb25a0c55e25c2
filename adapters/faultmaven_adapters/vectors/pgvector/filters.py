"""Filters as conditions on a record's fields, which are one JSON object. Names and values are parameters, never text."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

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

_SIGNS = {Gt: ">", Gte: ">=", Lt: "<", Lte: "<="}


@dataclass(slots=True)
class Parameters:
    """What a statement's `$1`, `$2` ... stand for."""

    values: list[object] = field(default_factory=list)

    def add(self, value: object) -> str:
        """The sign that stands for the value."""
        self.values.append(value)
        return f"${len(self.values)}"


def condition(where: Filter, parameters: Parameters) -> str:
    """The filter, as `simplified` returns it: true or false for every record, never unknown."""
    match where:
        case And(parts) | Or(parts):
            word = " AND " if isinstance(where, And) else " OR "
            return f"({word.join(condition(part, parameters) for part in parts)})"
        case Not(part):
            return f"NOT {condition(part, parameters)}"
        case Ne(name, value):
            return f"NOT {condition(Eq(name, value), parameters)}"
        case NotIn(name, values):
            return f"NOT {condition(In(name, values), parameters)}"
        case Eq(name, value):
            return _contains(name, value, parameters)
        case Has(name, item):
            return _contains(name, [item], parameters)
        case Exists(name):
            return f"jsonb_exists(fields, {parameters.add(name)}::text)"
        case In(name, values):
            several = parameters.add([json.dumps(value) for value in values])
            return f"coalesce(fields -> {parameters.add(name)}::text = ANY({several}::text[]::jsonb[]), false)"
        case Gt(name, value) | Gte(name, value) | Lt(name, value) | Lte(name, value):
            found, bound = f"fields ->> {parameters.add(name)}::text", parameters.add(value)
            sides = (
                # By code points, as everywhere: the database's own order of letters is another in each country.
                (f'({found}) COLLATE "C"', f"{bound}::text")
                if isinstance(value, str)
                else (f"({found})::float8", f"{bound}::float8")
            )
            return f"coalesce({sides[0]} {_SIGNS[type(where)]} {sides[1]}, false)"


def _contains(name: str, value: Scalar | list[str], parameters: Parameters) -> str:
    return f"fields @> {parameters.add(json.dumps({name: value}))}::text::jsonb"
