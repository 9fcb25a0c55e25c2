"""What is known already, as reports show it."""

from __future__ import annotations

from typing import Any

import pytest

from faultmaven_adapters.reports.jinja import JinjaReportRenderer
from faultmaven_core import codec
from faultmaven_core.analysis.record import CheckView
from faultmaven_core.investigation.commands import CitedRemedy, Guidance, KnowledgeCitation, SimilarCase
from faultmaven_core.ports.report_renderer import Exhibits, ReportForm

HOSTILE = "<script>alert(1)</script>{{7*7}}"

FORMS = pytest.mark.parametrize("form", list(ReportForm))


def passage(title: str, text: str, warning: str = "") -> KnowledgeCitation:
    """A citation."""
    headings = ("Mitigation", f"Raise the limit {HOSTILE}")
    return KnowledgeCitation(
        "doc_0123456789ab", title, "oom.md", "global", headings, 10, 90, text, warning, "it names oomkilled"
    )


def guidance(record: dict[str, Any]) -> dict[str, Any]:
    """Something in every part; the texts are hostile."""
    past = SimilarCase(
        "case_aaaaaaaaaaaa",
        "Checkout restarts",
        f"Checkout ran out of connections {HOSTILE}",
        "resolved",
        ("the same mechanism (database.pool_exhausted)",),
        (CheckView("kubectl get pods -n shop", f"all of them wait {HOSTILE}"),),
        ("connections stood at the limit",),
        ("Raise the pool of checkout.",),
    )
    cited = (passage(f"Pool exhausted {HOSTILE}", f"Look at pg_stat_activity. {HOSTILE}", "This is stale."),)
    remedies = (CitedRemedy(record["actions"][0]["text"], (passage("How to raise a pool", "Set max_connections."),)),)
    known = Guidance(cited, remedies, (past,), 12, 3, ("3 of 12 documents are not embedded yet.",))
    told: dict[str, Any] = codec.to_builtins(known)
    return told


@FORMS
def test_reports_tell_what_is_known_already(record: dict[str, Any], exhibits: Exhibits, form: ReportForm) -> None:
    """Passages for the cause and for a remedy, past cases with the checks they needed, and what could not be asked."""
    text = JinjaReportRenderer().render(record, exhibits, form, guidance(record))
    for part in (
        "Pool exhausted",
        "pg_stat_activity",
        "This is stale",
        "How to raise a pool",
        "Checkout ran out of connections",
        "kubectl get pods -n shop",
        "connections stood at the limit",
        "Raise the pool of checkout",
        "3 of 12 documents are not embedded yet",
    ):
        assert part in text.replace("\\", ""), part


@FORMS
def test_knowledge_is_text_and_no_markup(record: dict[str, Any], exhibits: Exhibits, form: ReportForm) -> None:
    """Whoever may add a document may not change the page."""
    text = JinjaReportRenderer().render(record, exhibits, form, guidance(record))
    outside = "".join(part for number, part in enumerate(text.split("```")) if number % 2 == 0)
    assert "<script>" not in outside
    assert "49" not in text.partition("Pool exhausted")[2][:40]


@FORMS
def test_without_guidance_the_report_is_the_same(record: dict[str, Any], exhibits: Exhibits, form: ReportForm) -> None:
    """An installation without knowledge has no empty sections."""
    bare = JinjaReportRenderer().render(record, exhibits, form)
    assert JinjaReportRenderer().render(record, exhibits, form, codec.to_builtins(Guidance(documents=0))) == bare
    assert "From your knowledge" not in bare
    assert "Similar confirmed cases" not in bare
