"""What the description of the interface says in words: for people, and for programs that show it to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

INTRODUCTION = """\
Finds the root cause of incidents from their evidence, and answers questions about it.

**Signing in.** All but a few addresses need `Authorization: Bearer TOKEN`, with an access token of `/api/v1/auth/login`, of
OAuth 2.1 (authorization code with PKCE), or an API key, which begins with `fmk_`. `x-permission` says which permission of the
user's roles an operation needs. What belongs to another organization looks like what never existed.

**Errors** are problems of RFC 9457: act on `status` and `error`, show `detail`, and quote `correlation_id` when you ask for help.

**Doing something once.** Where an `Idempotency-Key` is offered, a `POST` that is repeated under it within seven days changes
nothing more and gives the same answer. With `If-Match`, where that is offered, only what you last saw is changed.

**Limits.** `RateLimit` and `RateLimit-Policy` say what is left; `429` and `503` come with `Retry-After`.

**Pages** are followed by `next_cursor`, which the `Link` header repeats as an address.
"""

TAGS: Mapping[str, str] = {
    "api-key": "Keys of programs that act for a user",
    "audit": "What was done by whom, in a chain that shows changes",
    "auth": "Signing in and out, and who one is",
    "case": "Incidents, from the first question to the end",
    "evidence": "Files of a case: kept whole, read once, searched",
    "health": "Whether it lives, and whether it can work",
    "investigation": "Root causes from the evidence, by rules, with what supports them",
    "invitation": "Others who are asked into an organization",
    "job": "What goes on behind an answer",
    "knowledge": "Runbooks and other documents, found by words and by meaning",
    "member": "Who belongs to the organization",
    "meta": "What this installation offers",
    "metrics": "Numbers for Prometheus",
    "oauth": "OAuth 2.1 for clients of others",
    "organization": "One's own organization",
    "password": "Changing and resetting it",
    "report": "What is left to read of a case, by type",
    "role": "Sets of permissions",
    "session": "A client's sessions, which live as long as they are used",
    "sign-in": "Where one is signed in",
    "team": "Groups within an organization",
    "turn": "The conversation about a case",
    "upload": "Large files in parts, also by clients of tus",
    "user": "People of the organization",
}
"""What belongs together, by the first part of an operation's name; a test misses those that are not here."""

BEARER: Mapping[str, Any] = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An access token, ten minutes at most old, or an API key (`fmk_…`).",
}

FAILURES: Mapping[int, str] = {
    400: "The request cannot be understood",
    401: "Nobody is signed in, or not any more",
    402: "The organization or the user has no room left",
    403: "The roles of the user do not hold the permission",
    404: "There is no such thing, or it is another organization's",
    409: "Its state forbids that, or somebody else changed it: read it again; or the request key was used for something else",
    413: "Too large",
    415: "Of a type that is not taken here",
    416: "There is no such part of it",
    422: "A value is not allowed; `errors` names each field",
    429: "Too often; wait for the seconds of `Retry-After`",
    501: "What this installation stands on does not offer that",
    503: "Something that is needed does not answer now",
    504: "It took too long",
}
"""What a status means here."""

RETRY_AFTER: Mapping[str, Any] = {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1}}

PARAMETERS: Mapping[str, str] = {
    "action": "Only what was done so, as `user.disable`",
    "actor": "Only what this user did",
    "after": "`next` of an earlier page",
    "api_key_id": "Of the key, as lists show it; never its secret",
    "case_id": "Of the case, as `case_9f86d081884c`",
    "client_id": "Of the client, as it was registered",
    "code_challenge": "SHA-256 of the verifier, in base64url (RFC 7636)",
    "code_challenge_method": "Always `S256`",
    "cursor": "`next_cursor` of an earlier page",
    "date_from": "Not before this day or moment",
    "date_to": "Not after this day or moment",
    "document_id": "Of the document, as `doc_3a7bd3e2360a`",
    "document_type": "Only documents of this type",
    "evidence_id": "Of the evidence, as `ev_2c624232cc22`",
    "file_id": "Of the uploaded file; the same as its evidence's",
    "first_line": "The first line to show, from 1",
    "format": "`md`, `html` or `json`",
    "include_archived": "Also those that are archived",
    "include_debug": "Taken for older clients; nothing more is shown",
    "include_empty": "Also cases in which nothing was said yet",
    "invitation_id": "Of the invitation",
    "job_id": "Of the job, as the answer that began it names it",
    "limit": "How many at most",
    "lines": "How many lines to show",
    "name": "Of the role",
    "offset": "How many to pass over",
    "operation": "Only jobs of this operation, as `knowledge.ingest`",
    "page": "Which page, from 1",
    "page_size": "How many a page has",
    "priority": "`low`, `medium`, `high` or `critical`",
    "redact": "Whether secrets are replaced by placeholders",
    "redirect_uri": "Where the browser goes back to; one of the client's own",
    "report_id": "Of the report",
    "response_type": "Always `code`",
    "scope": "Of documents: `personal`, `global`, `team:NAME` or `case:CASE_ID`; in OAuth the permissions that a client asks for",
    "search": "The same as `text`",
    "session_id": "Of the session",
    "source": "Of cases: the client that opened them; of evidence: the file within it",
    "state": "Only those in this state; in OAuth given back as it is",
    "status": "`inquiry`, `investigating`, `resolved` or `closed`",
    "tags": "Only documents with all of these, between commas",
    "target": "Only what was done to this",
    "team_id": "Of the team",
    "text": "Only those with these words",
    "upload_id": "Of the upload, as its beginning named it",
    "user_id": "Of the user, as `usr_4e07408562be`",
}
"""What parameters of these names mean wherever they stand."""

BOUNDS: Mapping[str, Mapping[str, Any]] = {
    "limit": {"minimum": 1},
    "offset": {"minimum": 0},
    "page": {"minimum": 1},
    "page_size": {"minimum": 1},
}
"""What numbers of these names are at least."""

IDEMPOTENCY_KEY: Mapping[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The client's own name for this request; repeated with the same key it happens once. Empty is none.",
    "schema": {"type": "string", "pattern": "^([A-Za-z0-9_-]{8,255})?$"},
}

IF_MATCH: Mapping[str, Any] = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag that was last seen: nothing is changed where it is not the present one any more.",
    "schema": {"type": "string", "pattern": '^(\\*|(W/)?"[0-9]{1,18}")?$'},
}
