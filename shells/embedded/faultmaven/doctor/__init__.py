"""Tries what the settings name, for real, and says what is wrong and how to mend it."""

from __future__ import annotations

from faultmaven.doctor.examination import examine
from faultmaven.doctor.findings import Finding, Outcome

__all__ = ["Finding", "Outcome", "examine"]
