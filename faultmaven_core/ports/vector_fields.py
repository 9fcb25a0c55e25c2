"""What a record's declared fields may hold: what every backend keeps apart and gives back unchanged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeAlias

from faultmaven_core.shared.errors import InvalidInputError, TooLargeError
from faultmaven_core.shared.text import checked

MOST_TEXT_BYTES = 1024
MOST_FIELD_BYTES = 30_000
LARGEST_INTEGER = 2**53 - 1

_VALUE_BYTES = 8

Scalar: TypeAlias = str | int | float | bool
FieldValue: TypeAlias = Scalar | tuple[str, ...]


class FieldType(StrEnum):
    """What a field holds. Text has at most 1 KiB as UTF-8; numbers are finite; an integer is within 2^53 - 1."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    STRINGS = "strings"


def checked_scalar(name: str, kind: FieldType, value: object) -> Scalar:
    """The value as a field of this kind holds it; a NUMBER as float. Raises InvalidInputError for what it cannot hold."""
    match kind:
        case FieldType.STRING | FieldType.STRINGS if isinstance(value, str):
            if len(checked(name, value, most=MOST_TEXT_BYTES).encode()) > MOST_TEXT_BYTES:
                raise InvalidInputError(f"The {name} has more than {MOST_TEXT_BYTES} bytes.", fields={name: "too long"})
            return value
        case FieldType.BOOLEAN if isinstance(value, bool):
            return value
        case FieldType.INTEGER if isinstance(value, int) and not isinstance(value, bool):
            if abs(value) <= LARGEST_INTEGER:
                return value
        case FieldType.NUMBER if isinstance(value, int | float) and not isinstance(value, bool):
            if isinstance(value, float) and math.isfinite(value):
                return value
            if isinstance(value, int) and abs(value) <= LARGEST_INTEGER:
                return float(value)
        case _:
            pass
    raise InvalidInputError(f"The field {name} holds {kind}, and {value!r:.80} is none.", fields={name: f"no {kind}"})


def checked_fields(kinds: Mapping[str, FieldType], given: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
    """A record's fields as they are stored. Raises InvalidInputError for what is not declared so, TooLargeError over 30 KB."""
    fields: dict[str, FieldValue] = {}
    for name, value in given.items():
        kind = kinds.get(name)
        if kind is None:
            raise InvalidInputError(f"The collection has no field {name!r:.80}.", fields={"fields": "unknown field"})
        fields[name] = _checked_texts(name, value) if kind is FieldType.STRINGS else checked_scalar(name, kind, value)
    if field_bytes(fields) > MOST_FIELD_BYTES:
        raise TooLargeError(f"The fields of a record have at most {MOST_FIELD_BYTES} bytes.")
    return fields


def restored(kinds: Mapping[str, FieldType], kept: Mapping[str, Any]) -> dict[str, FieldValue]:
    """A record's fields from what a backend gives back: JSON has no tuples, and tells whole numbers from others or not."""
    return {name: _restored(kinds[name], value) for name, value in kept.items()}


def _restored(kind: FieldType, value: Any) -> FieldValue:
    match kind:
        case FieldType.INTEGER:
            return int(value)
        case FieldType.NUMBER:
            return float(value)
        case FieldType.STRINGS:
            return tuple(value)
        case FieldType.STRING | FieldType.BOOLEAN:
            return value  # type: ignore[no-any-return]  # as it was stored


def field_bytes(fields: Mapping[str, FieldValue]) -> int:
    """About how much a record's fields take on their way."""
    total = 0
    for name, value in fields.items():
        texts = value if isinstance(value, tuple) else (value,)
        total += len(name) + sum(len(text.encode()) if isinstance(text, str) else _VALUE_BYTES for text in texts)
    return total


def _checked_texts(name: str, value: FieldValue) -> tuple[str, ...]:
    if not isinstance(value, tuple) or not value:
        raise InvalidInputError(
            f"The field {name} holds a tuple of texts, one at least.", fields={name: "no tuple of texts"}
        )
    for text in value:
        checked_scalar(name, FieldType.STRINGS, text)
    return value
