"""Pytest's part: starts what the collected tests need, and sees that nothing is left when the run is over."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from faultmaven_contract_tests import servers
from faultmaven_contract_tests.harness import contract_of


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker."""
    config.addinivalue_line("markers", "servers(*names): shared servers that the test uses")


def pytest_collection_finish(session: pytest.Session) -> None:
    """All at once and in the background: tests that need no server run meanwhile."""
    if not session.config.option.collectonly:
        servers.request(name for item in session.items for name in needed_by(item))


def needed_by(item: pytest.Item) -> Iterator[str]:
    """The servers of a test's markers and of its backend's opener."""
    for marker in item.iter_markers("servers"):
        yield from marker.args
    suite = contract_of(item)
    if suite is not None and isinstance(item, pytest.Function) and "backend" in item.callspec.params:
        yield from servers.needed_by(suite.openers[str(item.callspec.params["backend"])])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Ends the servers. One that ended before, and a process that a test has left behind, make the run red."""
    import psutil

    complaints = servers.died()
    servers.end()
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            complaints.append(f"Left running by a test: {process.pid} {' '.join(process.cmdline())}")
    if complaints:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = session.config.pluginmanager.getplugin("terminalreporter")
        for complaint in complaints:
            reporter.write_line(complaint, red=True)
