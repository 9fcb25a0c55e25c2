"""Port for reports: a record and what is shown of its evidence, typeset."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol


class ReportForm(StrEnum):
    """What a report is written as."""

    MARKDOWN = "md"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class ExcerptLine:
    """A line of evidence. `claims` are the ids of the claims that cite it; lines without any are context."""

    number: int
    text: str
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Neighbouring lines of one source. Where they cannot be shown, `problem` is the sentence that says why."""

    file: str
    sha256: str
    lines: tuple[ExcerptLine, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A metric over time: (epoch seconds, value) in ascending time; `onset` is when it left its usual range."""

    title: str
    unit: str
    points: tuple[tuple[float, float], ...]
    onset: float | None = None
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Exhibits:
    """What a report shows of the evidence itself, kept with the record because evidence may move or vanish."""

    excerpts: tuple[Excerpt, ...] = ()
    charts: tuple[Chart, ...] = ()


class ReportRenderer(Protocol):
    """Typesets reports. A compute port: synchronous and pure; it reads no file of the user and asks no network."""

    @abstractmethod
    def render(
        self,
        record: Mapping[str, Any],
        exhibits: Exhibits,
        form: ReportForm,
        guidance: Mapping[str, Any] = MappingProxyType({}),
    ) -> str:
        """The whole report as one self-contained text.

        `record` is a record in its published JSON form (`rca-record/1`), `guidance` what is known about it already (the
        view of that name; empty for none), both redacted, as `exhibits` are. Every text in them is hostile: it stands in
        the result as text, never as markup. The same input gives the same bytes.
        """
