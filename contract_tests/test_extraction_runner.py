"""Both runners keep the port's contract."""

from __future__ import annotations

import pytest

from faultmaven.composition.compute import tools
from faultmaven_adapters.extraction.in_process import InProcessExtractionRunner
from faultmaven_adapters.extraction.processes import ProcessExtractionRunner
from faultmaven_contract_tests.extraction_runner import ExtractionRunnerContract
from faultmaven_core.ports.extraction_runner import ExtractionRunner


class TestExtractionRunner(ExtractionRunnerContract):
    """In this process, in one child, in three."""

    @pytest.fixture(params=["in_process", "one_child", "three_children"])
    def runner(self, request: pytest.FixtureRequest) -> ExtractionRunner:
        """A runner."""
        if request.param == "in_process":
            return InProcessExtractionRunner(tools())
        return ProcessExtractionRunner("faultmaven.composition.compute:tools", 1 if request.param == "one_child" else 3)
