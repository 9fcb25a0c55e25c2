"""How far this version runs anywhere: each finding of the public audit, beside the test runs that answer it."""

from __future__ import annotations

from faultmaven.neutrality.model import Proven, Row, Standing, Verdict
from faultmaven.neutrality.verdicts import verdicts

__all__ = ["Proven", "Row", "Standing", "Verdict", "verdicts"]
