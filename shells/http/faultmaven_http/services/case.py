"""The case service: cases, their names and what was said about them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from faultmaven_core.cases import commands as c
from faultmaven_core.cases import turn_commands as t
from faultmaven_core.operations import OPERATIONS
from faultmaven_core.shared.errors import InvalidInputError, NotFoundError
from faultmaven_http.endpoint import Answer, Asked, Endpoint, bound
from faultmaven_http.paging import following, number_of
from faultmaven_http.shapes import cases as s
from faultmaven_http.shapes.case_rows import detail_of, made, row_of, rows_of

MOST_ROWS = 100
ONE = "/api/v1/cases/{case_id}"
ID = re.compile(r"case_[0-9a-f]{12}")
STATES = {"consulting": "inquiry"}
"""States by the names of older clients."""


def _open(asked: Asked) -> c.OpenCase:
    body: s.NewCase = asked.body
    return c.OpenCase(
        body.initial_message or "",
        body.title or "",
        body.description or "",
        body.priority or "medium",
        body.source or _client(asked),
        body.metadata or {},
    )


def _client(asked: Asked) -> str:
    """Which of the clients it is, by what it calls itself when it signs in, or as a page of an extension; else a program."""
    known = {"faultmaven-copilot": "copilot", "faultmaven-slack-agent": "slack"}
    page = asked.header(b"origin").startswith(("chrome-extension://", "moz-extension://"))
    return known.get(asked.who.client_id, "copilot" if page else "api")


def _browse(asked: Asked) -> c.BrowseCases:
    q: s.CaseFilter = asked.query
    limit = q.limit if q.page_size is None else q.page_size
    offset = (q.page or 0) * limit if q.offset is None else q.offset
    if not 1 <= limit <= MOST_ROWS:
        raise InvalidInputError(f"`limit` must be 1 to {MOST_ROWS}.", fields={"limit": "out of range"})
    state = q.state or q.status
    return c.BrowseCases(
        STATES.get(state, state),
        q.text,
        q.source,
        q.priority,
        q.date_from,
        q.date_to,
        q.include_empty,
        0 if q.cursor else offset,
        limit,
        cursor=q.cursor,
        team=q.team_id,
        include_archived=q.include_archived,
    )


async def change(asked: Asked) -> Answer:
    """Change what is given. Raises InvalidInputError where a team is none of the organization's."""
    body: s.CaseChange = asked.body
    teams = body.shared_team_ids
    if teams:
        known = {team.team_id for team in (await asked.application.identity.teams.list(asked.who)).teams}
        if not known.issuperset(teams):
            raise InvalidInputError("There is no such team.", fields={"shared_team_ids": "no team"})
    command = c.UpdateCase(
        asked.path["case_id"], body.title, body.description, body.priority, body.metadata, asked.if_match(), teams
    )
    return row_of(await CHANGING.call(asked.application, command, asked.caller), asked)


async def show(asked: Asked) -> Answer:
    """One case, and how far it is."""
    return detail_of(*await asked.application.archives.overview(c.ShowCase(asked.path["case_id"]), asked.caller), asked)


async def _delete(asked: Asked) -> Answer:
    try:
        await OPERATIONS["case.delete"].call(asked.application, c.DeleteCase(asked.path["case_id"]), asked.caller)
    except NotFoundError:
        """Gone is what was asked for, whoever did it; a foreign id looks the same."""
    return Answer(None)


def _archive(asked: Asked) -> c.ArchiveCase:
    return c.ArchiveCase(asked.path["case_id"])


def _unarchive(asked: Asked) -> c.UnarchiveCase:
    return c.UnarchiveCase(asked.path["case_id"])


def _title(asked: Asked) -> c.TitleCase:
    body: s.TitleWish = asked.body
    return c.TitleCase(asked.path["case_id"], body.max_words, body.hint or "")


def _titled(view: c.CaseTitled, _: Asked) -> Answer:
    return Answer(s.CaseTitle(view.title), headers=((b"x-title-source", view.source.encode()),))


def _messages(asked: Asked) -> t.ReadMessages:
    q: s.MessageFilter = asked.query
    return t.ReadMessages(asked.path["case_id"], number_of(q.cursor) if q.cursor else q.offset, q.limit)


def _conversation(page: t.MessagePage, asked: Asked) -> Answer:
    rows = tuple(
        s.MessageRow(m.message_id, m.role, m.content, m.created_at, m.turn_number, m.author_id or None, m.metadata)
        for m in page.messages
    )
    end = page.offset + len(rows)
    more = end < page.total
    after = str(end) if more else None
    listed = s.MessageList(rows, page.total, len(rows), more, end if more else None, after)
    return Answer(listed, headers=following(asked, after))


async def _search(asked: Asked) -> Answer:
    """Rows without anything around them, as clients of it expect."""
    body: s.CaseSearch = asked.body
    if body.page < 0 or not 1 <= body.page_size <= MOST_ROWS:
        raise InvalidInputError(f"`page_size` must be 1 to {MOST_ROWS}.", fields={"page_size": "out of range"})
    if ID.fullmatch(body.query.strip()):
        try:
            found = [await SHOWING.call(asked.application, c.ShowCase(body.query.strip()), asked.caller)]
        except NotFoundError:
            found = []
        return Answer([made(view, asked) for view in found])
    command = c.BrowseCases(text=body.query, offset=body.page * body.page_size, limit=body.page_size)
    page = await BROWSING.call(asked.application, command, asked.caller)
    rows = [made(view, asked) for view in page.items]
    return Answer(rows, headers=((b"x-total-count", str(page.total).encode()),))


DELETING, BROWSING, SHOWING, CHANGING = (OPERATIONS[f"case.{name}"] for name in ("delete", "browse", "show", "update"))

ENDPOINTS: Sequence[Endpoint] = (
    bound("POST", "/api/v1/cases", "case.open", _open, row_of, s.CaseRow, body=s.NewCase, status=201, cost=2),
    bound("GET", "/api/v1/cases", "case.browse", _browse, rows_of, s.CaseList, query=s.CaseFilter),
    Endpoint(
        method="POST",
        path="/api/v1/cases/search",
        name="case.search",
        summary="Find cases by words or by id",
        permission=BROWSING.permission,
        work=_search,
        answer=list[s.CaseRow],
        body=s.CaseSearch,
        cost=2,
    ),
    Endpoint(
        method="GET",
        path=ONE,
        name=SHOWING.name,
        summary=SHOWING.summary,
        permission=SHOWING.permission,
        work=show,
        answer=s.CaseDetail,
        failures=(404,),
    ),
    Endpoint(
        method="PUT",
        path=ONE,
        name=CHANGING.name,
        summary=CHANGING.summary,
        permission=CHANGING.permission,
        work=change,
        answer=s.CaseRow,
        body=s.CaseChange,
        conditional=True,
        failures=(404, 409),
        cost=2,
    ),
    bound("POST", f"{ONE}/archive", "case.archive", _archive, row_of, s.CaseRow, failures=(404,), cost=2),
    bound("POST", f"{ONE}/unarchive", "case.unarchive", _unarchive, row_of, s.CaseRow, failures=(404,), cost=2),
    bound(
        "POST", f"{ONE}/title", "case.title", _title, _titled, s.CaseTitle, body=s.TitleWish, failures=(404,), cost=2
    ),
    bound(
        "GET",
        f"{ONE}/messages",
        "case.messages",
        _messages,
        _conversation,
        s.MessageList,
        query=s.MessageFilter,
        failures=(404,),
    ),
    Endpoint(
        method="DELETE",
        path=ONE,
        name=DELETING.name,
        summary=DELETING.summary,
        permission=DELETING.permission,
        work=_delete,
        answer=None,
        status=204,
        cost=2,
    ),
)
