"""Investigations and what they found: asked for, read as a report, judged by a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.cases import commands as c
from faultmaven_core.investigation import commands as i
from faultmaven_http.endpoint import Answer, Asked, Endpoint, bound
from faultmaven_http.services.job import accepted
from faultmaven_http.shapes import investigations as s
from faultmaven_http.shapes.case_rows import row_of
from faultmaven_http.shapes.cases import CaseRow
from faultmaven_http.shapes.jobs import JobRow

ONE = "/api/v1/cases/{case_id}"
MEDIA = {"md": b"text/markdown; charset=utf-8", "html": b"text/html; charset=utf-8", "json": b"application/json"}
REPORTS = tuple(media.decode().partition(";")[0] for media in MEDIA.values())
SANDBOX = b"sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
REPORT_SECONDS = 60.0


def _wish(asked: Asked) -> i.Investigate:
    body: s.InvestigationWish = asked.body
    return i.Investigate(
        asked.path["case_id"], body.question, _epoch(body.since), _epoch(body.until), _epoch(body.around), body.fast
    )


def _epoch(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _render(asked: Asked) -> i.RenderReport:
    return i.RenderReport(asked.path["case_id"], asked.query.format, redact=asked.query.redact)


def _rendered(report: i.RenderedReport, asked: Asked) -> Answer:
    """HTML of a report is ours, but what it quotes is not: a browser may show it, and run nothing."""
    name = f'inline; filename="{asked.path["case_id"]}.{report.form}"'.encode()
    headers = (
        (b"content-type", MEDIA[report.form]),
        (b"content-disposition", name),
        (b"content-security-policy", SANDBOX),
    )
    return Answer(report.text.encode(), headers=headers)


def _journal(asked: Asked) -> c.ReadJournal:
    return c.ReadJournal(asked.path["case_id"], asked.query.after, asked.query.limit)


ENDPOINTS: Sequence[Endpoint] = (
    bound(
        "POST",
        f"{ONE}/investigations",
        "investigation.start",
        _wish,
        accepted,
        JobRow,
        body=s.InvestigationWish,
        status=202,
        failures=(404, 409),
        cost=10,
    ),
    bound(
        "GET",
        f"{ONE}/report",
        "investigation.render",
        _render,
        _rendered,
        str,
        media=REPORTS,
        query=s.ReportFilter,
        failures=(404,),
        seconds=REPORT_SECONDS,
        cost=5,
    ),
    bound(
        "GET",
        f"{ONE}/record",
        "investigation.report",
        lambda asked: c.ReadReport(asked.path["case_id"]),
        lambda record, _: record,
        RcaRecord,
        failures=(404,),
    ),
    bound(
        "GET",
        f"{ONE}/guidance",
        "investigation.guidance",
        lambda asked: i.ReadGuidance(asked.path["case_id"]),
        lambda guidance, _: guidance,
        i.Guidance,
        failures=(404,),
        seconds=REPORT_SECONDS,
        cost=5,
    ),
    bound(
        "POST",
        f"{ONE}/confirm",
        "case.confirm",
        lambda asked: c.ConfirmCause(asked.path["case_id"], asked.body.note),
        row_of,
        CaseRow,
        body=s.Verdict,
        failures=(404, 409),
        cost=2,
    ),
    bound(
        "POST",
        f"{ONE}/reject",
        "case.reject",
        lambda asked: c.RejectCause(asked.path["case_id"], asked.body.cause, asked.body.note),
        row_of,
        CaseRow,
        body=s.Verdict,
        failures=(404, 409),
        cost=2,
    ),
    bound(
        "POST",
        f"{ONE}/close",
        "case.close",
        lambda asked: c.CloseCase(asked.path["case_id"], asked.body.reason, asked.body.note),
        row_of,
        CaseRow,
        body=s.Closing,
        failures=(404, 409),
        cost=2,
    ),
    bound(
        "POST",
        f"{ONE}/restore",
        "case.restore",
        lambda asked: c.RestoreCase(asked.path["case_id"]),
        row_of,
        CaseRow,
        failures=(404,),
        cost=2,
    ),
    bound(
        "GET",
        f"{ONE}/journal",
        "case.journal",
        _journal,
        lambda page, _: page,
        c.JournalPage,
        query=s.JournalFilter,
        failures=(404,),
    ),
)
