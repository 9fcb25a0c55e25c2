"""As tests/shells/http/test_description_holds.py, with many requests of each kind, other ones in each run."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from schemathesis import GenerationMode

from tests.shells.http.described import serving, surprises

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

EXAMPLES = 20


def test_every_answer_is_one_that_is_described_whatever_is_sent(tmp_path: Path) -> None:
    """The chance is told, so that what it found can be found again."""
    chance = random.randrange(1 << 32)
    found: list[str] = []
    with serving(tmp_path) as place:
        for operation in place.operations():
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                found += surprises(place, operation, mode, examples=EXAMPLES, chance=chance)
    assert not found, f"by chance {chance}:\n" + "\n\n".join(found)
