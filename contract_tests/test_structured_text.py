"""PyYAML keeps the port's contract."""

from __future__ import annotations

import pytest

from faultmaven_adapters.structured.pyyaml import PyYamlStructuredText
from faultmaven_contract_tests.structured_text import StructuredTextContract
from faultmaven_core.ports.structured_text import StructuredText


class TestStructuredText(StructuredTextContract):
    """PyYAML over libyaml."""

    @pytest.fixture(scope="class")
    @classmethod
    def parser(cls) -> StructuredText:
        """It has no state."""
        return PyYamlStructuredText()
