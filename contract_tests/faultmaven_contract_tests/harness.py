"""How contract suites are run: on every backend of a table, with capabilities proven both ways, and no silent green.

A binding subclasses a suite, names its `port` and `openers`, and runs pytest with `-p faultmaven_contract_tests.harness`
(or names this module in `pytest_plugins`).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest

from faultmaven_contract_tests import servers
from faultmaven_contract_tests.record import INVERTED, OUTCOME, RECORD, RECORD_VARIABLE, Held, Record
from faultmaven_core.shared.errors import UnsupportedError

Opener = Callable[[Path], AbstractAsyncContextManager[Any]]
"""Opens a fresh backend that keeps its files, if any, in the given folder."""

JUDGES = ("test_matrix", "test_neutrality", "test_recorded_proof")
"""Modules that judge the whole run, and so stand at its end."""

Test = TypeVar("Test", bound=Callable[..., Any])


class Contract:
    """What all suites share. `known_gaps` are bugs of others: strict expected failures of one clause on one backend."""

    port: ClassVar[str]
    openers: ClassVar[Mapping[str, Opener]]
    known_gaps: ClassVar[Sequence[KnownGap]] = ()


@dataclass(frozen=True, slots=True)
class KnownGap:
    """A clause that one backend cannot hold, why, what it raises instead, and where its makers were told."""

    backend: str
    clause: str
    raises: type[BaseException]
    reason: str
    link: str


def requires(capability: str) -> Callable[[Test], Test]:
    """Marks a clause that only backends with this capability hold; on the others it must raise UnsupportedError."""

    def mark(test: Test) -> Test:
        marked: Test = pytest.mark.requires(capability)(test)
        return marked

    return mark


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--backends`: which ones to run, all of every table by default."""
    parser.addoption("--backends", default="", help="Comma-separated names of backends; all by default.")


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker, and the record of what held."""
    config.addinivalue_line("markers", "requires(capability): the clause is inverted where it is not declared")
    config.stash[RECORD] = Record()


def chosen(suite: type[Contract], wanted: str) -> list[str]:
    """The backends of a table that `--backends` names. A name that no table has is refused when all are collected."""
    names = {name for name in wanted.split(",") if name}
    return [name for name in suite.openers if not names or name in names]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs every clause on every chosen backend."""
    suite = metafunc.cls
    if suite is None or not issubclass(suite, Contract) or "backend" not in metafunc.fixturenames:
        return
    gaps = {(gap.backend, gap.clause): gap for gap in suite.known_gaps}
    cases = []
    for name in chosen(suite, metafunc.config.getoption("--backends")):
        gap = gaps.get((name, metafunc.function.__name__))
        marks = []
        if gap:
            reason = f"{gap.reason} ({gap.link})"
            marks = [pytest.mark.xfail(raises=gap.raises, reason=reason, strict=True)]
        cases.append(pytest.param(name, marks=marks, id=name))
    metafunc.parametrize("backend", cases)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuses bindings that weaken their suite and backends that nobody knows; puts what judges the whole run at its end."""
    suites = {suite for item in items if (suite := contract_of(item)) is not None}
    if found := sorted(weakness for suite in suites for weakness in weaknesses(suite)):
        raise pytest.UsageError("\n".join(found))
    known = {name for suite in suites for name in suite.openers}
    wanted = {name for name in config.getoption("--backends").split(",") if name}
    if known and wanted - known:
        raise pytest.UsageError(f"No table has these backends: {', '.join(sorted(wanted - known))}")
    items[:] = [item for item in items if not _is_empty(item)]
    items.sort(key=lambda item: any(name in item.nodeid for name in JUDGES))


def weaknesses(suite: type[Contract]) -> Iterator[str]:
    """Ways in which a binding would pass without being held to its suite."""
    if not suite.openers:
        yield f"{suite.__name__} has no backend."
    clauses = Counter(name for part in suite.__mro__ for name in vars(part) if name.startswith("test_"))
    for name in sorted(name for name, times in clauses.items() if times > 1):
        yield f"{suite.__name__} overrides {name}: a gap of a backend is declared in known_gaps."
    for gap in suite.known_gaps:
        if gap.backend not in suite.openers or gap.clause not in clauses:
            yield f"{suite.__name__} knows a gap of {gap.backend} in {gap.clause}, which do not both exist."


def _is_empty(item: pytest.Item) -> bool:
    """The case that pytest makes where `--backends` names none of a suite's."""
    suite = contract_of(item)
    if suite is None or not isinstance(item, pytest.Function) or "backend" not in item.callspec.params:
        return False
    return item.callspec.params["backend"] not in suite.openers


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Turns a clause around where its capability is not declared."""
    marker = item.get_closest_marker("requires")
    if marker is None or contract_of(item) is None:
        return (yield)
    subject: Any = item.funcargs["subject"]  # type: ignore[attr-defined]  # `contract_of` has seen a function
    if marker.args[0] in subject.capabilities:
        return (yield)
    item.stash[INVERTED] = True
    try:
        yield
    except UnsupportedError:
        return None
    pytest.fail(f"The clause holds without being declared: add {marker.args[0]} to the backend's capabilities.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Notes how the clause came out on its backend, and on which servers."""
    report = yield
    if item.stash.get(OUTCOME, "passed") == "passed":
        item.stash[OUTCOME] = report.outcome
    suite = contract_of(item)
    if suite is None or not isinstance(item, pytest.Function) or "backend" not in item.callspec.params:
        return report
    backend, clause = str(item.callspec.params["backend"]), item.originalname
    record = item.config.stash[RECORD]
    if hasattr(report, "wasxfail"):
        record.add(suite.port, backend, clause, Held.KNOWN_GAP if report.skipped else Held.FAILED)
    elif not report.passed:
        record.add(suite.port, backend, clause, Held.FAILED)
    elif report.when == "call":
        held = Held.INVERTED if item.stash.get(INVERTED, False) else Held.PASSED
        record.add(suite.port, backend, clause, held)
        record.add_servers(suite.port, backend, servers.needed_by(suite.openers[backend]))
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Writes down what was proven, where that is asked for."""
    path = os.environ.get(RECORD_VARIABLE)
    if path:
        session.config.stash[RECORD].write(Path(path))


def contract_of(item: pytest.Item) -> type[Contract] | None:
    """The suite that a test belongs to."""
    suite = getattr(item, "cls", None)
    return suite if isinstance(item, pytest.Function) and suite is not None and issubclass(suite, Contract) else None
