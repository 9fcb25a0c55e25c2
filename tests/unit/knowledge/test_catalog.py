"""The whole catalog: every entry is complete, and refers to what exists."""

from __future__ import annotations

import fnmatch
import re
import string
from itertools import chain

import pytest

from faultmaven_core.analysis.checks.registry import REGISTRY
from faultmaven_core.analysis.checks.run import MODULES
from faultmaven_core.analysis.mechanisms.load import mechanisms
from faultmaven_core.analysis.mechanisms.mechanism import Clause, Mechanism
from faultmaven_core.analysis.signals.signatures import load, signatures
from faultmaven_core.shared.errors import InvalidInputError

KNOWN = {signature.id for signature in signatures()}


def clauses(mechanism: Mechanism) -> list[Clause]:
    """Everything that a mechanism asks the graph."""
    return [*mechanism.triggers, *(p.clause for p in mechanism.predictions), *mechanism.resolved_by]


def test_the_catalog_is_as_large_as_promised() -> None:
    """Thirty checks, forty signatures, twenty-five mechanisms to start with."""
    assert MODULES
    assert len(REGISTRY) >= 30
    assert len(KNOWN) == len(signatures()) >= 40
    assert len({mechanism.id for mechanism in mechanisms()}) == len(mechanisms()) >= 25


@pytest.mark.parametrize("mechanism", mechanisms(), ids=lambda m: m.id)
def test_a_mechanism_says_what_confirms_what_refutes_and_what_mends(mechanism: Mechanism) -> None:
    """A cause without a next step helps nobody; an unknown signature would never fire."""
    assert mechanism.statement
    assert mechanism.mechanism
    assert mechanism.confirm.expect
    assert mechanism.refute.expect
    assert mechanism.remedies
    for clause in clauses(mechanism):
        kind, _, name = clause.attribute.partition(".")
        assert "*" in name or {
            "signature": name in KNOWN,
            "violation": name in REGISTRY,
            "possible": name in REGISTRY,
        }.get(kind, True), clause


PROGRAMS = re.compile(
    r"(aws|awk|cat|coredumpctl|curl|df|dmesg|docker|du|env|free|grep|iostat|journalctl|kafka-consumer-groups\.sh|kubectl|ls|namei|nc"
    r"|nslookup|openssl|pip|ps|psql|redis-cli|sed|smartctl|sh|ss|sysctl|systemctl|top)\b"
)


@pytest.mark.parametrize("mechanism", mechanisms(), ids=lambda m: m.id)
def test_what_confirms_and_what_is_missing_are_commands_that_can_be_typed(mechanism: Mechanism) -> None:
    """The first screen shows them as such. One of the confirming ones needs no slot but the entity's name."""
    assert mechanism.confirm.command
    for command in (*mechanism.confirm.command, *mechanism.needs):
        assert PROGRAMS.match(command), command
    assert not any(PROGRAMS.match(place) for place in mechanism.places)
    slots = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in mechanism.confirm.command]
    general = {"name", "kind", "namespace", "workload"} if "source" not in mechanism.subjects else {"workload"}
    assert any(names <= general for names in slots), mechanism.confirm.command


@pytest.mark.parametrize("mechanism", mechanisms(), ids=lambda m: m.id)
def test_a_mechanism_can_always_be_stated(mechanism: Mechanism) -> None:
    """The last of its statements needs nothing but the entity and what triggered it."""
    slots = {name for _, name, _, _ in string.Formatter().parse(mechanism.statement[-1]) if name}
    assert slots <= {"subject", "name", "kind", "workload", "quote"}


def test_what_a_mechanism_yields_to_exists() -> None:
    """A misspelt name or glob would silently never match. Checks can be candidates too."""
    ids = [*(mechanism.id for mechanism in mechanisms()), *(f"check.{name}" for name in REGISTRY)]
    named = set(chain.from_iterable(mechanism.yields_to for mechanism in mechanisms()))
    assert {name for name in named if not fnmatch.filter(ids, name)} == set()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("pattern = 'x'", "'means'"),
        ("pattern = 'x'\nmeans = 'm'\ncapture = ['(?P<a>x)']", "unknown key 'capture'"),
        ("pattern = 'x'\nmeans = 'm'\ncaptures = ['(?P<a>']", "unterminated"),
    ],
)
def test_a_signature_that_is_not_well_formed_is_refused_by_name(lines: str, said: str) -> None:
    """Whoever adds knowledge finds the slip at once."""
    with pytest.raises(InvalidInputError, match=rf"own\.toml: signature a\.b: .*{said}"):
        load(f"[[signature]]\nid = 'a.b'\n{lines}\n", "own.toml")
