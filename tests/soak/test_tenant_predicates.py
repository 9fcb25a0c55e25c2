"""N-6, whole: each place that keeps organizations apart is removed in turn, and tests fail."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.sabotage.tenancy_suites import Suite, noticed, population
from tests.sabotage.tenant_predicates import Predicate


@pytest.mark.soak
def test_no_tenant_predicate_can_go_unnoticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever survives is a clause to write."""
    found = population()
    with ThreadPoolExecutor(2) as pool:
        survived = list(pool.map(partial(_survives, folder=tmp_path), range(len(found)), *zip(*found, strict=True)))
    survivors = [str(predicate) for (predicate, _), alive in zip(found, survived, strict=True) if alive]
    with capsys.disabled():
        sys.stdout.write(f"\n{len(found) - len(survivors)} of {len(found)} removed tenant predicates were noticed.\n")
    assert survivors == []


def _survives(number: int, predicate: Predicate, suites: Sequence[Suite], folder: Path) -> bool:
    place = folder / str(number)
    place.mkdir()
    return not noticed(predicate, suites, place)
