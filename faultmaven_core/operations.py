"""The operation table: all that every shell offers, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from faultmaven_core.application import Application
from faultmaven_core.cases.operations import OPERATIONS as CASES
from faultmaven_core.evidence.operations import OPERATIONS as EVIDENCE
from faultmaven_core.investigation.operations import OPERATIONS as INVESTIGATION
from faultmaven_core.shared.operation import Operation

AnyOperation = Operation[Application, Any, Any]


def _table() -> dict[str, AnyOperation]:
    every: list[AnyOperation] = [operation.within(lambda app: app.cases) for operation in CASES]
    every += [operation.within(lambda app: app.evidence) for operation in EVIDENCE]
    every += [operation.within(lambda app: app.investigation) for operation in INVESTIGATION]
    return {operation.name: operation for operation in every}


OPERATIONS: Mapping[str, AnyOperation] = MappingProxyType(_table())
