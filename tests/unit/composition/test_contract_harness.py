"""The rules of the contract suites are themselves proven: a capability must be declared, and what is missing fails."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import ClassVar

import pytest

from faultmaven_contract_tests.harness import Contract, KnownGap, Opener, weaknesses
from faultmaven_contract_tests.record import Held, Record

SUITE = '''
from contextlib import asynccontextmanager
import pytest
from faultmaven_contract_tests.harness import Contract, KnownGap, requires
from faultmaven_core.shared.errors import UnsupportedError

class Backend:
    def __init__(self, capabilities, able):
        self.capabilities, self.able = capabilities, able
    def fly(self):
        if not self.able:
            raise UnsupportedError("flying")
    def swim(self):
        if not self.able:
            raise ValueError

class Suite(Contract):
    @requires("flying")
    async def test_it_flies(self, subject):
        """Where declared."""
        subject.fly()
    async def test_it_swims(self, subject):
        """Always."""
        subject.swim()

def opener(capabilities, able):
    @asynccontextmanager
    async def opened(folder):
        yield Backend(capabilities, able)
    return opened

class TestOne(Suite):
    port = "birds"
    openers = {openers}
    known_gaps = {gaps}
    @pytest.fixture
    async def subject(self, backend, tmp_path):
        async with self.openers[backend](tmp_path) as opened:
            yield opened
'''


def run(folder: Path, openers: str, gaps: str = "()", *arguments: str) -> tuple[dict[str, int], str]:
    """The outcomes of such a suite, run by pytest with our hooks."""
    (folder / "test_suite.py").write_text(SUITE.replace("{openers}", openers).replace("{gaps}", gaps))
    plugins = ["-p", "no:cacheprovider", "-p", "faultmaven_contract_tests.harness"]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, "--asyncio-mode=auto", str(folder)]
    done = subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
    words = last.replace(",", "").split()
    outcomes = ("passed", "failed", "xfailed", "xpassed")
    return {
        word: int(words[place - 1]) for place, word in enumerate(words) if word in outcomes
    }, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("opener", "outcomes", "said"),
    [
        ('opener({"flying"}, True)', {"passed": 2}, ""),
        ("opener(set(), True)", {"passed": 1, "failed": 1}, "add flying to the backend's capabilities"),
        ('opener({"flying"}, False)', {"failed": 2}, "UnsupportedError"),
        ("opener(set(), False)", {"passed": 1, "failed": 1}, "ValueError"),
    ],
)
def test_a_capability_is_proven_both_ways(tmp_path: Path, opener: str, outcomes: dict[str, int], said: str) -> None:
    """Declared and absent, or present and undeclared: both fail."""
    found, text = run(tmp_path, f'{{"bird": {opener}}}')
    assert found == outcomes
    assert said in text


def test_a_known_gap_is_strict(tmp_path: Path) -> None:
    """Named clause and backend only, and it fails as soon as the bug is mended."""
    gap = '[KnownGap("bird", "test_it_swims", ValueError, "cannot", "https://example.org/1")]'
    openers = '{"bird": opener(set(), False), "fish": opener({"flying"}, True)}'
    assert run(tmp_path, openers, gap)[0] == {"passed": 3, "xfailed": 1}
    assert run(tmp_path, '{"bird": opener({"flying"}, True)}', gap)[0] == {"passed": 1, "failed": 1}


def test_backends_are_chosen_by_name_and_unknown_names_are_refused(tmp_path: Path) -> None:
    """A misspelt one must not mean: nothing to run."""
    openers = '{"bird": opener({"flying"}, True), "fish": opener({"flying"}, True)}'
    assert run(tmp_path, openers, "()", "--backends=fish")[0] == {"passed": 2}
    found, text = run(tmp_path, openers, "()", "--backends=fish,bat")
    assert found == {}
    assert "No table has these backends: bat" in text


class Birds(Contract):
    """What third parties bind."""

    port = "birds"
    openers: ClassVar[Mapping[str, Opener]] = {"bird": nullcontext}

    def test_it_swims(self) -> None:
        """Always."""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, []),
        ({"openers": {}}, ["Bound has no backend."]),
        ({"test_it_swims": None}, ["Bound overrides test_it_swims: a gap of a backend is declared in known_gaps."]),
        ({"known_gaps": [KnownGap("bird", "test_it_swims", ValueError, "", "")]}, []),
        (
            {"known_gaps": [KnownGap("bat", "test_it_swims", ValueError, "", "")]},
            ["Bound knows a gap of bat in test_it_swims, which do not both exist."],
        ),
        (
            {"known_gaps": [KnownGap("bird", "test_it_sinks", ValueError, "", "")]},
            ["Bound knows a gap of bird in test_it_sinks, which do not both exist."],
        ),
    ],
)
def test_a_binding_cannot_weaken_its_suite(body: dict[str, object], said: list[str]) -> None:
    """No table without a backend, no clause replaced or taken away, no gap that is not there."""
    assert list(weaknesses(type("Bound", (Birds,), body))) == said


def test_a_weakened_suite_is_not_run(tmp_path: Path) -> None:
    """Nothing of that run is."""
    found, text = run(tmp_path, '{"bird": opener(set(), False)}', "()\n    test_it_swims = None")
    assert found == {}
    assert "TestOne overrides test_it_swims" in text


def test_what_held_is_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passed, inverted and known gaps apart; what failed on one value of many has not held."""
    monkeypatch.setenv("FM_CONTRACT_RECORD", str(tmp_path / "record.json"))
    gap = '[KnownGap("bird", "test_it_swims", ValueError, "cannot", "https://example.org/1")]'
    openers = '{"bird": opener(set(), False), "fish": opener({"flying"}, True), "stone": opener({"flying"}, False)}'
    run(tmp_path, openers, gap)
    nothing: dict[str, object] = {"clauses": [], "inverted": [], "known_gaps": [], "server": ""}
    assert json.loads((tmp_path / "record.json").read_text()) == {
        "birds": {
            "bird": nothing | {"inverted": ["test_it_flies"], "known_gaps": ["test_it_swims"]},
            "fish": nothing | {"clauses": ["test_it_flies", "test_it_swims"]},
            "stone": nothing,
        }
    }


def test_a_clause_that_failed_once_has_not_held() -> None:
    """Whatever came before and after."""
    record = Record()
    for held in (Held.PASSED, Held.FAILED, Held.PASSED):
        record.add("birds", "bird", "test_it_swims", held)
    assert record.proofs()["birds"]["bird"]["clauses"] == []
