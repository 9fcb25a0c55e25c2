"""Filters over metadata: what the service takes, and which documents meet them.

Where its documentation leaves a meaning open, `Missing` says which of the two is in force: a client must be right in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from faultmaven_contract_tests.servers.pinecone_emulator.refusals import require

MOST_VALUES = 10_000
_LOGICAL = ("$and", "$or")
_RANGES = ("$gt", "$gte", "$lt", "$lte")


class MetadataFilter:
    """A filter of a request. Refuses at once what is none; `data_fields` are those of the schema, which take none."""

    def __init__(self, raw: object, data_fields: frozenset[str], *, missing_is_unequal: bool) -> None:
        self._raw, self._data, self._unequal = raw, data_fields, missing_is_unequal
        self._check(raw)

    def meets(self, metadata: Mapping[str, Any]) -> bool:
        """Whether a document with this metadata is selected."""
        return self._meets(self._raw, metadata)

    def _check(self, raw: object) -> None:
        require(isinstance(raw, dict) and raw, "A filter must be a non-empty object.")
        assert isinstance(raw, dict)
        for key, value in raw.items():
            if key in _LOGICAL:
                require(isinstance(value, list) and value, f"{key} takes a non-empty list of filters.")
                for part in value:
                    self._check(part)
                continue
            require(not key.startswith("$"), f"{key} cannot stand at the top of a filter.")
            require(key not in self._data, f"The data field {key} takes no comparison.")
            require(isinstance(value, dict) and value, f"The field {key} needs an object of operators.")
            for operator, operand in value.items():
                _check_operand(operator, operand)

    def _meets(self, raw: Any, metadata: Mapping[str, Any]) -> bool:
        for key, value in raw.items():
            if key == "$and":
                held = all(self._meets(part, metadata) for part in value)
            elif key == "$or":
                held = any(self._meets(part, metadata) for part in value)
            else:
                held = all(self._holds(metadata.get(key), operator, operand) for operator, operand in value.items())
            if not held:
                return False
        return True

    def _holds(self, found: Any, operator: str, operand: Any) -> bool:
        if operator == "$exists":
            return (found is not None) is operand
        if found is None:
            return operator in {"$ne", "$nin"} and self._unequal
        wanted = operand if operator in {"$in", "$nin"} else [operand]
        several = found if isinstance(found, list) else [found]
        if operator in _RANGES:
            return any(_ranges(item, operator, operand) for item in several)
        equal = any(_same(item, value) for item in several for value in wanted)
        return equal is (operator in {"$eq", "$in"})


def _check_operand(operator: str, operand: object) -> None:
    if operator in {"$eq", "$ne"}:
        require(isinstance(operand, str | int | float | bool), f"{operator} takes a string, a number or a boolean.")
    elif operator in _RANGES:
        require(_is_number(operand), f"{operator} takes a number.")
    elif operator in {"$in", "$nin"}:
        require(isinstance(operand, list) and operand, f"{operator} takes a non-empty list.")
        assert isinstance(operand, list)
        require(len(operand) <= MOST_VALUES, f"{operator} takes at most {MOST_VALUES} values.")
        require(
            all(isinstance(item, str) or _is_number(item) for item in operand), f"{operator} takes strings or numbers."
        )
    elif operator == "$exists":
        require(isinstance(operand, bool), "$exists takes a boolean.")
    else:
        require(False, f"{operator} is no operator here.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(one: object, other: object) -> bool:
    return isinstance(one, bool) is isinstance(other, bool) and one == other


def _ranges(item: Any, operator: str, bound: float) -> bool:
    if not _is_number(item):
        return False
    holds = {"$gt": item > bound, "$gte": item >= bound, "$lt": item < bound, "$lte": item <= bound}
    return bool(holds[operator])
