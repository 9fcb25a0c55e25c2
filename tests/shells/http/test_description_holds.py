"""What the interface says of itself is so: whatever is sent, the answer is one that is described, and never a defect."""

from __future__ import annotations

from pathlib import Path

import schemathesis
from schemathesis import GenerationMode

from tests.shells.http.described import serving, surprises


def test_every_answer_is_one_that_is_described(tmp_path: Path) -> None:
    """Valid requests and forbidden ones, of all operations; `make soak` sends many more of them."""
    found: list[str] = []
    with serving(tmp_path) as place:
        operations = place.operations()
        assert len(operations) > 100
        for operation in operations:
            found += surprises(place, operation, GenerationMode.POSITIVE, examples=1)
            found += surprises(place, operation, GenerationMode.NEGATIVE, examples=1)
        schemathesis.openapi.from_dict(dict(place.document)).validate()
    assert not found, "\n\n".join(found)
