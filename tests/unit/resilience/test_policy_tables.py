"""Every method of every port has been thought about."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from inspect import getmembers, isclass
from types import ModuleType
from typing import Any

import pytest

import faultmaven_core
from faultmaven_core.ports.policy import HEALTH, POLICIES, Policy, Retrier, Streaming

PURE = {"Decompression", "DocumentText", "PatternScanner", "ReportRenderer", "Scan", "StructuredText"}
"""Computation: it waits for nobody."""

LOCAL = {
    *("DocumentFiles", "DocumentReader", "DocumentReading", "EvidenceFiles", "ExtractionRun", "ExtractionRunner"),
    *("Journal", "Scratch", "Spool"),
    *("KeyRing", "PasswordHasher", "Tokens"),
}
"""Processes, files and computation of this machine: they have limits of their own."""

PARTS = {"AccountDirectory", "BlobReader", "Inspectable", "JobOutbox", "Pingable", "UnitOfWork", "UnitOfWorkFactory"}
"""Parts of other ports, and units of work with what is in them and what stands beside them in the same database."""

IN_UNITS = ("Repository", "UnitOfWork")

CONTEXTS = {"CaseBook", "CaseDirectory", "EvidenceReader", "KnowledgeSearch"}
"""What one context asks of another in the same process."""

STEPS = {"Cargo", "Tables"}
"""What a transfer moves, in steps that may be repeated: one that was interrupted goes on after the last step."""


TELLING = {"Span", "Telemetry"}
"""Nobody waits for what becomes of it."""


def modules() -> Iterator[ModuleType]:
    """All modules of the core that hold ports."""
    for module in pkgutil.walk_packages(faultmaven_core.__path__, "faultmaven_core."):
        if module.name.startswith("faultmaven_core.ports.") or module.name.endswith(".ports"):
            yield importlib.import_module(module.name)


def protocols() -> dict[str, type]:
    """All protocols that these modules define."""
    return {
        name: kind
        for module in modules()
        for name, kind in getmembers(module, isclass)
        if kind.__module__ == module.__name__ and getattr(kind, "_is_protocol", False)
    }


def methods(port: type) -> set[str]:
    """What an adapter has to implement."""
    return set(getattr(port, "__abstractmethods__", ()))


def test_every_port_has_a_table_or_a_reason_for_none() -> None:
    """A new port is a decision about its retries too."""
    without = {name for name in protocols() if name not in POLICIES and not name.endswith(IN_UNITS)}
    assert without == PURE | LOCAL | CONTEXTS | STEPS | TELLING | {
        name for name in PARTS if not name.endswith(IN_UNITS)
    }


@pytest.mark.parametrize("port", sorted(POLICIES.keys() & protocols().keys()))
def test_every_method_of_a_port_has_a_row(port: str) -> None:
    """And every row its method, but for those on health, which all adapters of servers may have."""
    found = methods(protocols()[port])
    assert found
    assert found <= POLICIES[port].keys()
    assert POLICIES[port].keys() - HEALTH.keys() <= found


def rows() -> list[Any]:
    """All rows of all tables."""
    return [
        pytest.param(policy, id=f"{port}.{name}") for port, table in POLICIES.items() for name, policy in table.items()
    ]


@pytest.mark.parametrize("policy", rows())
def test_what_is_retried_has_a_bound(policy: Policy) -> None:
    """A retried call without a deadline, or a stream that may stall for ever, would hang its caller."""
    if policy.retrier is Retrier.WRAPPER:
        assert policy.deadline is not None or policy.streaming is Streaming.TAKES
    if policy.streaming is Streaming.TAKES:
        assert policy.source
        assert policy.pieces is not None
    else:
        assert not policy.source
        assert not policy.kept
