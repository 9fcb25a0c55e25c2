"""Fields come back as they were declared, whatever a backend made of them on the way."""

from __future__ import annotations

import json

from faultmaven_core.ports.vector_fields import FieldType, restored

KINDS = {
    "title": FieldType.STRING,
    "amount": FieldType.INTEGER,
    "weight": FieldType.NUMBER,
    "open": FieldType.BOOLEAN,
    "tags": FieldType.STRINGS,
}


def test_fields_come_back_with_their_types() -> None:
    """JSON has lists for tuples, and some servers one kind of number."""
    told = json.loads('{"title": "1", "amount": 2.0, "weight": 3, "open": true, "tags": ["a"]}')
    found = restored(KINDS, told)
    assert found == {"title": "1", "amount": 2, "weight": 3.0, "open": True, "tags": ("a",)}
    assert [type(value) for value in found.values()] == [str, int, float, bool, tuple]


def test_what_a_record_lacks_stays_away() -> None:
    """A field may be missing, never None."""
    assert restored(KINDS, {"amount": 1}) == {"amount": 1}
