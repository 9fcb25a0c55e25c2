"""Contract suites on our own backends."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("faultmaven_contract_tests")

from faultmaven_contract_tests.harness import (  # noqa: E402 - assertions are rewritten only in what is imported later
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_generate_tests,
    pytest_runtest_call,
)

__all__ = [
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_runtest_call",
]
