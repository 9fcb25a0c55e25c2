"""The operations over cases."""

from __future__ import annotations

from typing import Any

from faultmaven_core.cases import commands as c
from faultmaven_core.cases import turn_commands as t
from faultmaven_core.cases.service import CaseService
from faultmaven_core.shared.operation import Operation

OPERATIONS: tuple[Operation[CaseService, Any, Any], ...] = (
    Operation("case.open", c.OpenCase, c.CaseView, CaseService.open, "Open a case", permission="case:write"),
    Operation(
        "case.list", c.ListCases, c.CasePage, CaseService.list, "List cases, newest first", permission="case:read"
    ),
    Operation(
        "case.browse",
        c.BrowseCases,
        c.CaseList,
        CaseService.browse,
        "List cases, the last active first",
        permission="case:read",
    ),
    Operation("case.show", c.ShowCase, c.CaseView, CaseService.show, "Show a case", permission="case:read"),
    Operation(
        "case.confirm",
        c.ConfirmCause,
        c.CaseView,
        CaseService.confirm,
        "Say that the cause is right",
        permission="case:write",
    ),
    Operation(
        "case.reject",
        c.RejectCause,
        c.CaseView,
        CaseService.reject,
        "Say that the cause is wrong",
        permission="case:write",
    ),
    Operation("case.close", c.CloseCase, c.CaseView, CaseService.close, "End a case", permission="case:write"),
    Operation(
        "case.update",
        c.UpdateCase,
        c.CaseView,
        CaseService.update,
        "Change what a case is called and said to be",
        permission="case:write",
    ),
    Operation(
        "case.title",
        c.TitleCase,
        c.CaseTitled,
        CaseService.title,
        "Name a case after what is known of it",
        permission="case:write",
    ),
    Operation(
        "case.archive",
        c.ArchiveCase,
        c.CaseView,
        CaseService.archive,
        "Leave a case out of lists",
        permission="case:write",
    ),
    Operation(
        "case.unarchive",
        c.UnarchiveCase,
        c.CaseView,
        CaseService.unarchive,
        "Have an archived case in lists again",
        permission="case:write",
    ),
    Operation(
        "case.messages",
        t.ReadMessages,
        t.MessagePage,
        CaseService.messages,
        "Show what was said about a case",
        permission="case:read",
    ),
    Operation(
        "case.restore",
        c.RestoreCase,
        c.CaseView,
        CaseService.restore,
        "Bring a deleted case back",
        permission="case:delete",
    ),
    Operation(
        "case.delete",
        c.DeleteCase,
        c.CaseDeleted,
        CaseService.delete,
        "Remove a case and its evidence copies",
        permission="case:delete",
    ),
    Operation(
        "case.prune",
        c.PruneCases,
        c.CasesPruned,
        CaseService.prune,
        "Remove cases that ended long ago",
        permission="case:delete:org",
    ),
    Operation(
        "case.journal",
        c.ReadJournal,
        c.JournalPage,
        CaseService.journal,
        "Show what happened to a case",
        permission="case:read",
    ),
    Operation(
        "case.purge",
        c.PurgeCase,
        c.CaseDeleted,
        CaseService.purge,
        "Remove a case that nobody restored",
        background=True,
    ),
    Operation("case.note", c.NoteEvent, c.Noted, CaseService.note, "Write an event into the journal", background=True),
)
