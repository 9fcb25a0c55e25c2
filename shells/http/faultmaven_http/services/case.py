"""The case service: cases, their messages and their header."""

from __future__ import annotations

from collections.abc import Sequence

from faultmaven_core.cases import commands as c
from faultmaven_http.endpoint import Asked, Endpoint, bound
from faultmaven_http.shapes import cases as s


def _open(asked: Asked) -> c.OpenCase:
    body: s.NewCase = asked.body
    return c.OpenCase(question=body.initial_message or "", title=body.title or "")


def _row(view: c.CaseView) -> s.CaseRow:
    return s.CaseRow(view.case_id, view.title, view.status, view.status, view.created_at, view.updated_at)


def _list(asked: Asked) -> c.ListCases:
    return c.ListCases(status=asked.query.status, limit=asked.query.limit)


def _rows(page: c.CasePage) -> s.CaseRows:
    return s.CaseRows(tuple(_row(view) for view in page.items), len(page.items))


ENDPOINTS: Sequence[Endpoint] = (
    bound("POST", "/api/v1/cases", "case.open", _open, _row, s.CaseRow, body=s.NewCase, status=201),
    bound("GET", "/api/v1/cases", "case.list", _list, _rows, s.CaseRows, query=s.CaseFilter),
)
