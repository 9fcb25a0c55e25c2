"""The engines for pattern scanning keep the port's contract."""

from __future__ import annotations

import pytest

from faultmaven_adapters.scanning.hyperscan import HyperscanPatternScanner
from faultmaven_adapters.scanning.re2 import Re2PatternScanner
from faultmaven_contract_tests.pattern_scanner import PatternScannerContract
from faultmaven_core.ports.pattern_scanner import PatternScanner


class TestPatternScanner(PatternScannerContract):
    """Hyperscan and google-re2."""

    @pytest.fixture(params=[HyperscanPatternScanner, Re2PatternScanner], ids=["hyperscan", "re2"])
    def scanner(self, request: pytest.FixtureRequest) -> PatternScanner:
        """Either engine."""
        chosen: PatternScanner = request.param()
        return chosen
