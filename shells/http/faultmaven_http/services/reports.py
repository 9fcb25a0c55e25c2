"""The reports of cases, by type: listed, written, fetched, and advised."""

from __future__ import annotations

from collections.abc import Sequence

from faultmaven_core.investigation import report_commands as r
from faultmaven_core.shared.errors import UnsupportedError
from faultmaven_http.endpoint import Answer, Asked, Endpoint, bound
from faultmaven_http.services.investigation import MEDIA, REPORT_SECONDS, REPORTS, SANDBOX
from faultmaven_http.shapes import reports as s

ONE = "/api/v1/cases/{case_id}"
FORMS = {"markdown": "md"}
"""Forms by their longer names."""


def _rows(found: r.CaseReports, _: Asked) -> Sequence[r.ReportView]:
    """Without anything around them, as clients of it expect."""
    return found.reports


def _wish(asked: Asked) -> r.WriteReports:
    return r.WriteReports(asked.path["case_id"], asked.body.report_types)


def _read(asked: Asked) -> r.ReadCaseReport:
    form = asked.query.format
    if form == "pdf":
        raise UnsupportedError("reports as PDF: ask for html and print it")
    return r.ReadCaseReport(asked.path["case_id"], asked.path["report_id"], FORMS.get(form, form))


def _file(found: r.ReportText, _: Asked) -> Answer:
    """To be kept; where a browser shows it nonetheless, it runs nothing."""
    name = f'attachment; filename="{found.report.case_id}-{found.report.report_type}.{found.form}"'.encode()
    headers = (
        (b"content-type", MEDIA[found.form]),
        (b"content-disposition", name),
        (b"content-security-policy", SANDBOX),
    )
    return Answer(found.text.encode(), headers=headers)


def _as_it_is(view: r.ReportAdvice, _: Asked) -> r.ReportAdvice:
    return view


ENDPOINTS: Sequence[Endpoint] = (
    bound(
        "GET",
        f"{ONE}/reports",
        "report.list",
        lambda asked: r.ListReports(asked.path["case_id"]),
        _rows,
        list[r.ReportView],
        failures=(404,),
    ),
    bound(
        "POST",
        f"{ONE}/reports",
        "report.write",
        _wish,
        _rows,
        list[r.ReportView],
        body=s.ReportWish,
        status=201,
        failures=(404, 409),
        seconds=REPORT_SECONDS,
        cost=5,
    ),
    bound(
        "GET",
        f"{ONE}/reports/{{report_id}}/download",
        "report.read",
        _read,
        _file,
        str,
        media=REPORTS,
        query=s.DownloadForm,
        failures=(404, 501),
        seconds=REPORT_SECONDS,
        cost=5,
    ),
    bound(
        "GET",
        f"{ONE}/report-recommendations",
        "report.recommend",
        lambda asked: r.RecommendReports(asked.path["case_id"]),
        _as_it_is,
        r.ReportAdvice,
        failures=(404,),
        seconds=REPORT_SECONDS,
        cost=5,
    ),
)
