"""Reports as clients ask for them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReportWish:
    """Which reports: incident_report, resolution_summary, closure_summary."""

    report_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DownloadForm:
    """Which form: markdown, html or json."""

    format: str = "markdown"
