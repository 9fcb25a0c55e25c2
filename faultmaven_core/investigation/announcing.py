"""What is said in a conversation of an investigation that ran beside it."""

from __future__ import annotations

from faultmaven_core.analysis.model import Verdict
from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.analysis.redaction.redact_record import redact_record
from faultmaven_core.analysis.redaction.redactor import Redactor
from faultmaven_core.investigation.markdown import cited, many


def announcement(record: RcaRecord) -> str:
    """One paragraph, without secrets."""
    told = redact_record(record, Redactor())
    read = f"The evidence was read ({many(len(told.coverage), 'source')})."
    if told.root_cause is None:
        nothing = told.verdict is Verdict.HEALTHY
        return f"{read} {'Nothing abnormal stands in it.' if nothing else 'It does not decide what broke.'}"
    leading = next((one for one in told.hypotheses if one.status == "leading"), None)
    names = set(leading.claims if leading else ())
    places = [citation for claim in told.claims if claim.id in names for citation in claim.citations]
    return f"{read} Root cause ({told.verdict}): {cited(told.root_cause.statement, places)}"
