"""What a document says of itself: title, tags, status and review, under the keys that runbooks use for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from faultmaven_core.knowledge.model import Document, Status
from faultmaven_core.ports.document_reader import ReadDocument

MOST_TITLE = 300
MOST_TAG = 64
MOST_TAGS = 50
MOST_PROBLEM = 1000

STALE_AFTER_DAYS = 183
"""For a document that tells when it was reviewed and not for how long that holds: half a year."""

_REVIEWED = ("reviewed_on", "last_reviewed", "reviewed", "last_updated", "updated", "date")
_STALE_AFTER = ("stale_after_days", "review_after_days", "stale_after")
_DAY = re.compile(r"\d{4}-\d\d-\d\d(?=$|[T ])")


def titled(name: str) -> str:
    """The title of a document of which only the name is known yet: the last part, without its ending."""
    last = name.rstrip("/").rpartition("/")[2]
    return (last.rpartition(".")[0] or last)[:MOST_TITLE]


def described(document: Document, found: ReadDocument) -> Document:
    """The document with what it says of itself; what of that is not understood stands in its `problem`."""
    about = _About(found.about)
    reviewed_on = about.day(_REVIEWED)
    days = about.days(_STALE_AFTER)
    status = about.status()
    notes = (*found.notes, *about.notes)
    return replace(
        document,
        title=(document.details.get("title") or about.text("title") or _first_title(found) or titled(document.name))[
            :MOST_TITLE
        ],
        tags=tuple(dict.fromkeys((*document.tags, *about.tags())))[:MOST_TAGS],
        status=status,
        reviewed_on=reviewed_on,
        stale_after_days=(STALE_AFTER_DAYS if days is None else days) if reviewed_on else 0,
        problem=" ".join(notes)[:MOST_PROBLEM],
    )


def _first_title(found: ReadDocument) -> str:
    """The first of the highest headings."""
    return min(found.headings, key=lambda heading: heading.level).title if found.headings else ""


class _About:
    """Reads values, and takes down what it does not understand."""

    def __init__(self, values: Mapping[str, tuple[str, ...]]) -> None:
        self._values = values
        self.notes: list[str] = []

    def text(self, key: str) -> str:
        return " ".join(" ".join(self._values.get(key, ())).split())

    def tags(self) -> tuple[str, ...]:
        given = (part for value in self._values.get("tags", ()) for part in value.split(","))
        return tuple(" ".join(tag.split())[:MOST_TAG] for tag in given if tag.strip())

    def status(self) -> Status:
        text = self.text("status").lower().replace(" ", "-").replace("_", "-")
        try:
            return Status(text)
        except ValueError:
            allowed = ", ".join(filter(None, Status))
            self.notes.append(f"Its status `{text[:40]}` is none of {allowed}.")
            return Status.UNSTATED

    def day(self, keys: tuple[str, ...]) -> date | None:
        text = self._first(keys)
        found = _DAY.match(text)
        try:
            if found:
                return date.fromisoformat(found[0])
        except ValueError:
            pass  # a 31st of April: told below like everything else that is no date
        if text:
            self.notes.append(f"`{text[:40]}` is no date: write it as 2026-01-31.")
        return None

    def days(self, keys: tuple[str, ...]) -> int | None:
        text = self._first(keys).removesuffix("d").removesuffix("days").strip()
        if text.isascii() and text.isdigit() and len(text) <= 5:
            return int(text)
        if text:
            self.notes.append(f"`{text[:40]}` is no number of days.")
        return None

    def _first(self, keys: tuple[str, ...]) -> str:
        return next((text for key in keys if (text := self.text(key))), "")
