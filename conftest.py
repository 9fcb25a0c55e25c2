"""The rules for every test of the repository: what was not run has not passed, and what was started has ended."""

from __future__ import annotations

from collections.abc import Generator

import hypothesis
import pytest

hypothesis.settings.register_profile("untimed", deadline=None)  # how long an example takes is a matter for benchmarks
hypothesis.settings.load_profile("untimed")

pytest.register_assert_rewrite("faultmaven_contract_tests")

pytest_plugins = [
    "faultmaven_contract_tests.connections",
    "faultmaven_contract_tests.harness",
    "faultmaven_contract_tests.servers.plugin",
]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skips itself fails: what was not run has not passed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Skipped, which counts as failed here: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that skips itself fails."""
    report = yield
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"Skipped, which counts as failed here: {report.longrepr}"
    return report
