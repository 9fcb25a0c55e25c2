"""N-6, whole: each place that keeps organizations apart is removed in turn, and tests fail."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.sabotage.tenancy_suites import Suite, failed_anyway, noticed, population
from tests.sabotage.tenant_predicates import Predicate


@pytest.mark.soak
def test_no_tenant_predicate_can_go_unnoticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever survives is a clause to write. First, the tests pass on each module as it is."""
    found = population()
    modules = list({predicate.module: (predicate, suites) for predicate, suites in found}.values())
    with ThreadPoolExecutor(2) as pool:
        controls = list(pool.map(partial(_failed_anyway, folder=tmp_path), *zip(*modules, strict=True)))
        assert {predicate.module: names for (predicate, _), names in zip(modules, controls, strict=True) if names} == {}
        survived = list(pool.map(partial(_survives, folder=tmp_path), range(len(found)), *zip(*found, strict=True)))
    survivors = [str(predicate) for (predicate, _), alive in zip(found, survived, strict=True) if alive]
    with capsys.disabled():
        sys.stdout.write(f"\n{len(found) - len(survivors)} of {len(found)} removed tenant predicates were noticed.\n")
    assert survivors == []


def _failed_anyway(predicate: Predicate, suites: Sequence[Suite], folder: Path) -> Sequence[str]:
    place = folder / predicate.module
    place.mkdir()
    return failed_anyway(predicate, suites, place)


def _survives(number: int, predicate: Predicate, suites: Sequence[Suite], folder: Path) -> bool:
    place = folder / str(number)
    place.mkdir()
    return not noticed(predicate, suites, place)
