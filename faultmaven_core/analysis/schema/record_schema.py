"""The JSON Schema of the RCA record, made from its classes, so that the two cannot drift apart.

Within `rca-record/1` fields are only added, and readers pass over fields that they do not know; anything else is
`rca-record/2`.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

from faultmaven_core.analysis.record import SCHEMA, RcaRecord

_DIGEST = {"pattern": "^(?:[0-9a-f]{64})?$"}
_NARROWER: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("RcaRecord", "schema"): {"const": SCHEMA},
    ("ClaimView", "kind"): {"enum": ["observed", "computed", "inferred"]},
    ("ClaimView", "status"): {"enum": ["verified", "unverified", "contradicted"]},
    ("PredictionView", "status"): {"enum": ["met", "failed", "unobserved"]},
    ("HypothesisView", "status"): {"enum": ["leading", "open", "consequence", "resolved", "ruled_out"]},
    ("HypothesisView", "confidence"): {"minimum": 0, "maximum": 1},
    ("HypothesisView", "rank"): {"minimum": 1},
    ("RootCause", "confidence"): {"minimum": 0, "maximum": 1},
    ("Finding", "severity"): {"enum": ["error", "warning", "info"]},
    ("Producer", "driver"): {"enum": ["analyst", "agent"]},
    ("SourceCoverage", "role"): {"enum": ["incident", "baseline"]},
    ("SourceCoverage", "sha256"): _DIGEST,
    ("Citation", "sha256"): _DIGEST,
    ("Citation", "text_sha256"): _DIGEST,
}
"""What a field's type does not say: closed lists and ranges."""

_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def record_schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) of a record as JSON."""
    definitions: dict[str, Any] = {}
    root = _schema_of(RcaRecord, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:faultmaven:{SCHEMA.replace('/', ':')}",
        "title": SCHEMA,
        "description": "A root cause analysis: verdict, cause, hypotheses, and claims with citations to the byte.",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def _schema_of(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if kind in _SCALARS:
        return {"type": _SCALARS[kind]}
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (types.UnionType, Union):
        return {"anyOf": [_schema_of(part, definitions) for part in arguments]}
    if origin is tuple:
        return _array(arguments, definitions)
    if not isinstance(kind, type) or not (issubclass(kind, StrEnum) or is_dataclass(kind)):
        raise TypeError(f"{kind!r} has no place in a record")
    name = kind.__name__
    if issubclass(kind, StrEnum):
        definitions[name] = {"description": kind.__doc__, "enum": [member.value for member in kind]}
    elif name not in definitions:
        definitions[name] = {}  # a class may hold itself
        definitions[name] = _object(kind, definitions)
    return {"$ref": f"#/$defs/{name}"}


def _array(arguments: tuple[Any, ...], definitions: dict[str, Any]) -> dict[str, Any]:
    if arguments[-1] is Ellipsis:
        return {"type": "array", "items": _schema_of(arguments[0], definitions)}
    items = [_schema_of(part, definitions) for part in arguments]
    return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}


def _object(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    properties = {
        field.name: {**_schema_of(hints[field.name], definitions), **_NARROWER.get((kind.__name__, field.name), {})}
        for field in fields(kind)
    }
    required = [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]
    return {
        "type": "object",
        "description": " ".join((kind.__doc__ or "").split()),
        "properties": properties,
        "required": required,
    }
