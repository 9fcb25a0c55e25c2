"""A record without secrets and personal data, for everything that leaves the house.

The claims of a redacted record can still be verified: citations name bytes and digests of the evidence, and the verifier
takes a placeholder only where the cited bytes hold a secret of that kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from faultmaven_core.analysis.redaction.redactor import Redactor

STRUCTURE = frozenset(
    {
        "schema", "case_id", "document_id", "id", "file", "sha256", "text_sha256", "kind", "status", "verdict", "category",
        "severity",
    }
)  # fmt: skip
"""Fields that join the parts of a record or come from a closed list: masking them would break it and hide nothing."""

Told = TypeVar("Told")


def redact_record(record: Told, redactor: Redactor) -> Told:
    """The record, or what is told beside it, with placeholders.

    The whole of it is learned first, so that a secret known from one sentence is masked in all.
    """
    _each(record, redactor.learn)
    masked: Told = _mapped(record, redactor.mask)
    return masked


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """The same kind of value with every text in it changed."""
    if is_dataclass(value) and not isinstance(value, type):
        texts = {f.name: _mapped(getattr(value, f.name), change) for f in fields(value) if f.name not in STRUCTURE}
        return replace(value, **texts)
    if isinstance(value, tuple):
        return tuple(_mapped(part, change) for part in value)
    return change(value) if type(value) is str else value


def _each(value: object, visit: Callable[[str], None]) -> None:
    def seen(text: str) -> str:
        visit(text)
        return text

    _mapped(value, seen)
