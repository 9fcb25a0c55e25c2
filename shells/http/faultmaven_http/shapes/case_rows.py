"""A case of the core in the words of clients."""

from __future__ import annotations

from dataclasses import fields

from faultmaven_core.cases.commands import CaseList, CaseView
from faultmaven_core.cases.milestones import MILESTONES
from faultmaven_core.cases.model import TERMINAL, ClosureReason
from faultmaven_core.investigation.handshakes import next_states
from faultmaven_core.investigation.progress import stage
from faultmaven_http.endpoint import Answer, Asked
from faultmaven_http.paging import following
from faultmaven_http.shapes import cases as s


def row_of(view: CaseView, asked: Asked) -> Answer:
    """One case, with the tag that `If-Match` takes."""
    return Answer(made(view, asked), headers=tag_of(view))


def detail_of(view: CaseView, evidence: int, asked: Asked) -> Answer:
    """One case and how far it is, with the tag that `If-Match` takes."""
    row = made(view, asked)
    found = view.figures
    detail = s.CaseDetail(
        **{field.name: getattr(row, field.name) for field in fields(row)},
        milestones_completed=found.milestones,
        pending_milestones=tuple(name for name in MILESTONES if name not in found.milestones),
        current_stage=row.stage,
        evidence_count=evidence,
        hypothesis_count=found.hypotheses,
        solution_count=found.solutions,
        escalated=view.closure_reason == ClosureReason.ESCALATED,
    )
    return Answer(detail, headers=tag_of(view))


def tag_of(view: CaseView) -> tuple[tuple[bytes, bytes], ...]:
    """The header with the tag of a case as it is."""
    return ((b"etag", f'"{view.version}"'.encode()),)


def rows_of(page: CaseList, asked: Asked) -> Answer:
    """A page of cases."""
    rows = tuple(made(view, asked) for view in page.items)
    more = page.next is not None
    listed = s.CaseList(rows, page.total, page.total, page.limit, page.offset, more, page.next)
    return Answer(listed, headers=((b"x-total-count", str(page.total).encode()), *following(asked, page.next)))


def made(view: CaseView, asked: Asked) -> s.CaseRow:
    """The row of a case."""
    terminal = view.status in TERMINAL
    return s.CaseRow(
        view.case_id,
        view.title,
        view.status,
        view.status,
        view.created_at,
        view.updated_at,
        view.updated_at,
        view.priority,
        view.description,
        view.current_turn,
        view.message_count,
        view.owner,
        view.owner,
        asked.caller.organization,
        (view.closure_reason or None) if view.status == "closed" else None,
        view.closed_at,
        view.closed_at if view.status == "resolved" else None,
        terminal,
        view.source,
        None if terminal or view.status == "inquiry" else stage(view),
        view.dialogue.idle,
        next_states(view),
        view.teams,
        view.metadata,
        view.version,
        view.archived_at,
    )
