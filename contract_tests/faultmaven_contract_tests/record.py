"""What a run has proven: the clauses that held, by port and backend, and the servers that they held on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypedDict

import pytest

from faultmaven_contract_tests import servers


class Held(StrEnum):
    """How a clause came out; FAILED wins over everything else, for a clause may be run with many values."""

    PASSED = "clauses"
    INVERTED = "inverted"
    KNOWN_GAP = "known_gaps"
    FAILED = "failed"


class Proof(TypedDict):
    """Names of clauses, sorted, and what they ran on."""

    clauses: list[str]
    inverted: list[str]
    """Not offered, and refused as it should be."""
    known_gaps: list[str]
    """Bugs of others that still are as written down."""
    server: str
    """Product and version; empty where there is none."""


@dataclass(slots=True)
class Record:
    """Outcomes, as they come in."""

    outcomes: dict[tuple[str, str], dict[str, Held]] = field(default_factory=dict)
    products: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, port: str, backend: str, clause: str, held: Held) -> None:
        """One run of one clause."""
        clauses = self.outcomes.setdefault((port, backend), {})
        if clauses.get(clause) is not Held.FAILED:
            clauses[clause] = held

    def add_servers(self, port: str, backend: str, names: Iterable[str]) -> None:
        """What a backend ran on. Servers that did not start proved nothing."""
        if names and (port, backend) not in self.products:
            found = [servers.shared(name) for name in names]
            self.products[port, backend] = ", ".join(f"{server.product} {server.version}".strip() for server in found)

    def proofs(self) -> dict[str, dict[str, Proof]]:
        """By port and backend."""
        found: dict[str, dict[str, Proof]] = {}
        for (port, backend), clauses in sorted(self.outcomes.items()):
            names = {held: sorted(name for name in clauses if clauses[name] is held) for held in Held}
            found.setdefault(port, {})[backend] = Proof(
                clauses=names[Held.PASSED],
                inverted=names[Held.INVERTED],
                known_gaps=names[Held.KNOWN_GAP],
                server=self.products.get((port, backend), ""),
            )
        return found

    def write(self, path: Path) -> None:
        """The same text for the same outcomes."""
        path.write_text(json.dumps(self.proofs(), indent=1, sort_keys=True) + "\n")


RECORD = pytest.StashKey[Record]()
"""Of the whole run."""
INVERTED = pytest.StashKey[bool]()
"""Of one test: its capability is not declared."""
OUTCOME = pytest.StashKey[str]()
"""Of every test that ran: the worst of its set-up, call and tear-down."""
RECORD_VARIABLE = "FM_CONTRACT_RECORD"
"""Names the file that a run writes its record to."""


def passed_clauses(config: pytest.Config) -> dict[str, dict[str, Proof]]:
    """What this run has proven so far."""
    return config.stash[RECORD].proofs()
