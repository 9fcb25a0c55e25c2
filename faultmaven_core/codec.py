"""Values to JSON and back. Strict: a wrong type, a missing or an unknown field is one error that names its path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from faultmaven_core.shared.errors import CorruptDataError, InvalidInputError

T = TypeVar("T")


def encode(value: object) -> bytes:
    """JSON in the order of the fields: equal values give equal bytes."""
    return msgspec.json.encode(value)


def canonical(value: object) -> bytes:
    """JSON with sorted keys, for digests."""
    return msgspec.json.encode(value, order="sorted")


def to_builtins(value: object) -> Any:
    """The value as dicts, lists, strings, numbers and None."""
    return msgspec.to_builtins(value)


def decode(kind: type[T], data: bytes) -> T:
    """A value of this type from somebody's JSON.

    Raises InvalidInputError whose `fields` map the path (`$.case_id`) to what is wrong with it.
    """
    try:
        raw = msgspec.json.decode(data)
    except msgspec.MsgspecError as error:
        raise InvalidInputError(f"This is not JSON: {error}.") from error
    return convert(kind, raw)


def convert(kind: type[T], raw: object) -> T:
    """As `decode`, from builtin values."""
    value = convert_known(kind, raw)
    unknown = _unknown(raw, msgspec.to_builtins(value), "$")
    if unknown:
        raise InvalidInputError(f"There is no field {unknown}.", fields={unknown: "unknown"})
    return value


def convert_known(kind: type[T], raw: object, *, texts: bool = False) -> T:
    """As `convert`, but fields that the type does not have are passed over; with `texts` numbers may stand in texts."""
    try:
        return msgspec.convert(raw, kind, strict=not texts)
    except msgspec.ValidationError as error:
        text = str(error)
        path = text.rpartition("`")[0].rpartition("`")[2] if " - at `" in text else "$"
        raise InvalidInputError(f"{text}.", fields={path: text.partition(" - at `")[0]}) from error


def schemas(kinds: Sequence[type], place: str) -> tuple[Sequence[Mapping[str, Any]], Mapping[str, Any]]:
    """The JSON Schemas of types, and those of the types that these refer to, at `place` (a pattern with `{name}`)."""
    found, components = msgspec.json.schema_components(kinds, ref_template=place)
    return found, components


def restore(kind: type[T], data: bytes) -> T:
    """A value that we stored, perhaps in an older or newer version: unknown fields are passed over.

    Raises CorruptDataError where the rest does not fit.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError as error:
        raise CorruptDataError(f"A stored {kind.__name__} cannot be read: {error}.") from error


def restored(kind: type[T], raw: object) -> T:
    """As `restore`, from builtin values."""
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise CorruptDataError(f"A stored value cannot be read: {error}.") from error


def _unknown(raw: object, known: object, path: str) -> str:
    """The path of the first field of `raw` that conversion dropped (msgspec refuses these for its own structs only)."""
    if isinstance(raw, Mapping) and isinstance(known, Mapping):
        for key, value in raw.items():
            found = f"{path}.{key}" if key not in known else _unknown(value, known[key], f"{path}.{key}")
            if found:
                return found
    elif isinstance(raw, Sequence) and isinstance(known, Sequence) and not isinstance(raw, str | bytes):
        for index, (value, kept) in enumerate(zip(raw, known, strict=False)):
            if found := _unknown(value, kept, f"{path}[{index}]"):
                return found
    return ""
