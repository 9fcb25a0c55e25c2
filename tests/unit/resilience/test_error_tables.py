"""Every error there is, and every table that makes ours of a driver's: what programs act on holds, and no text tells a secret."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import pytest

import faultmaven_adapters
import faultmaven_core
from faultmaven_adapters._support.translate import translated
from faultmaven_core.shared.errors import (
    AmbiguousError,
    BackendRefusedError,
    BackendUnavailableError,
    DeadlineExceededError,
    FaultMavenError,
    RateLimitedError,
)

CANARY = "hunter2-Tr0ub4dor"
PLACE = "The server at s.example:7777"
WORDS = f"could not log in at store://app:{CANARY}@s.example:7777/0?password={CANARY}"


@cache
def modules() -> dict[str, Any]:
    """All modules of the core and of the adapters by name."""
    names = [
        found.name
        for package in (faultmaven_core, faultmaven_adapters)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if ".migrations" not in found.name  # alembic runs those, nobody imports them
    ]
    return {name: importlib.import_module(name) for name in names}


def errors(root: type[FaultMavenError] = FaultMavenError) -> Iterator[type[FaultMavenError]]:
    """All classes of the tree that we define."""
    modules()
    if root.__module__.startswith("faultmaven_"):
        yield root
    for kind in root.__subclasses__():
        yield from errors(kind)


def tables() -> dict[str, Mapping[type[Exception], Any]]:
    """All tables from a driver's classes to rows, by the module that has them."""
    return {
        f"{module.__name__}.{name}": value
        for module in modules().values()
        for name, value in vars(module).items()
        if isinstance(value, Mapping) and value and all(_is_driver_error(key) for key in value)
    }


def _is_driver_error(key: object) -> bool:
    return isinstance(key, type) and issubclass(key, BaseException) and not issubclass(key, FaultMavenError)


MAKERS: tuple[Callable[[type[Any]], Exception], ...] = (
    lambda kind: kind({"Error": {"Code": "Odd", "Message": WORDS}}, "Odd"),
    lambda kind: kind(WORDS, WORDS, {"password": CANARY}, ValueError(WORDS)),
    lambda kind: kind(WORDS),
    lambda kind: kind(endpoint_url=WORDS, error=WORDS),
)
"""How drivers make their errors."""


def raised(kind: type[Exception]) -> Exception:
    """A driver's error with a password in all that it says."""
    for make in MAKERS:
        try:
            error = make(kind)
            said = str(error)
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
        if CANARY in said:
            return error
    return kind.__new__(kind, WORDS)


TABLES = {id(table): (name, table) for name, table in tables().items()}
ROWS = [pytest.param(table, kind, id=f"{name}-{kind.__name__}") for name, table in TABLES.values() for kind in table]


def test_there_are_tables_to_look_at() -> None:
    """One per library: databases, S3, Redis, brokers, and the network under them."""
    assert len(TABLES) >= 5


@pytest.mark.parametrize(("table", "kind"), ROWS)
def test_no_row_repeats_what_the_driver_said(
    table: Mapping[type[Exception], Any], kind: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in the message nor, unmasked, in the log."""
    caplog.set_level("DEBUG")
    ours = translated(raised(kind), table, PLACE)
    assert isinstance(ours, FaultMavenError)
    assert CANARY not in f"{ours} {ours!r} {vars(ours)}"
    assert "could not log in" not in str(ours)
    assert CANARY not in caplog.text


@pytest.mark.parametrize("kind", sorted(set(errors()), key=str))
def test_an_error_says_what_it_is(kind: type[FaultMavenError]) -> None:
    """A stable code in small letters, and a sentence in its documentation."""
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code)
    assert kind.__name__.endswith("Error")
    assert kind.__doc__
    assert kind.__doc__ != FaultMavenError.__doc__ or kind is FaultMavenError


def test_only_what_may_pass_by_itself_is_retryable() -> None:
    """An ambiguous change never is: repeated, it might happen twice."""
    passing = (BackendUnavailableError, DeadlineExceededError, RateLimitedError)
    assert {kind for kind in errors() if kind.retryable} == {kind for kind in errors() if issubclass(kind, passing)}
    assert not AmbiguousError.retryable
    assert BackendRefusedError.retryable
