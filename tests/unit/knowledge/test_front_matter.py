"""What a document says of itself becomes fields of its row, and what is not understood is said."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from faultmaven_core.knowledge.front_matter import STALE_AFTER_DAYS, described, titled
from faultmaven_core.knowledge.kinds import MARKDOWN
from faultmaven_core.knowledge.model import Document, KnowledgeScope, Status, Tier
from faultmaven_core.ports.document_reader import Heading, ReadDocument
from faultmaven_core.shared.ids import OrganizationId, UserId, document_id

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = UUID(int=7)


def document(*tags: str) -> Document:
    """A document of which only the name is known."""
    return Document(
        KEY,
        document_id(KEY),
        OrganizationId("acme"),
        KnowledgeScope(Tier.GLOBAL),
        "redis-full",
        "/srv/runbooks/redis-full.md",
        MARKDOWN,
        "acme/knowledge/1",
        "0" * 64,
        1,
        NOW,
        UserId("ann"),
        NOW,
        tags=tags,
    )


def about(**values: tuple[str, ...]) -> Document:
    """The document with a front matter of these values."""
    return described(document(), ReadDocument("text\n", about=values))


def test_all_that_a_runbook_says_of_itself_is_taken() -> None:
    """Under the keys that runbooks use."""
    found = about(
        title=("Redis  is full",),
        tags=("redis, memory", "cache"),
        status=("In Review",),
        last_updated=("2026-01-31T10:00:00Z",),
        stale_after=("90 days",),
    )
    assert (found.title, found.tags, found.status) == ("Redis is full", ("redis", "memory", "cache"), Status.IN_REVIEW)
    assert (found.reviewed_on, found.stale_after_days, found.problem) == (date(2026, 1, 31), 90, "")
    assert not found.is_stale(date(2026, 5, 1))
    assert found.is_stale(date(2026, 5, 2))


def test_a_review_without_a_term_holds_for_half_a_year_and_no_review_for_ever() -> None:
    """A document is not called stale for want of words."""
    assert about(reviewed=("2026-01-31",)).stale_after_days == STALE_AFTER_DAYS
    never = about(stale_after=("5",))
    assert (never.reviewed_on, never.stale_after_days) == (None, 0)
    assert not never.is_stale(date(2099, 1, 1))
    assert not about(reviewed=("9999-12-31",)).is_stale(date(2099, 1, 1)), "a usual way to write never"


def test_the_title_is_the_front_matters_or_the_highest_headings_or_the_names() -> None:
    """In that order."""
    headings = (Heading(0, 4, 2, "Meaning"), Heading(5, 9, 1, "RedisFull"), Heading(10, 14, 1, "Other"))
    assert described(document(), ReadDocument("text\n", headings)).title == "RedisFull"
    assert described(document(), ReadDocument("text\n", headings, {"title": ("Mine",)})).title == "Mine"
    assert described(document(), ReadDocument("text\n")).title == "redis-full"
    assert [titled(name) for name in ("a/b.c.md", "x", "/d/", ".md")] == ["b.c", "x", "d", ".md"]


def test_tags_of_the_command_and_of_the_document_stand_once_each() -> None:
    """The command's first."""
    assert described(document("ops", "redis"), ReadDocument("t\n", about={"tags": ("redis", "new")})).tags == (
        "ops",
        "redis",
        "new",
    )


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("status", "published", "Its status `published` is none of draft, in-review, verified, stale, deprecated."),
        ("reviewed", "last week", "`last week` is no date: write it as 2026-01-31."),
        ("reviewed", "2026-04-31", "`2026-04-31` is no date: write it as 2026-01-31."),
        ("stale_after_days", "soon", "`soon` is no number of days."),
    ],
)
def test_what_is_not_understood_is_said_and_the_rest_is_taken(key: str, value: str, words: str) -> None:
    """The document is read all the same."""
    found = about(title=("Redis",), **{key: (value,)})
    assert (found.title, found.status, found.reviewed_on, found.problem) == ("Redis", Status.UNSTATED, None, words)


def test_notes_of_the_reading_are_kept_with_ours() -> None:
    """One sentence after another."""
    found = described(document(), ReadDocument("t\n", about={"status": ("odd",)}, notes=("Its tables are missing.",)))
    assert found.problem.startswith("Its tables are missing. Its status `odd` is none of")
