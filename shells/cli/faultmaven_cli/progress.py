"""What one sees while work goes on: how far it is, and first findings as they come. On a terminal only."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from faultmaven_cli.output import colours, printable

if TYPE_CHECKING:
    from faultmaven_core.analysis.model import Extraction, Fact

FINDINGS = 8
"""Findings announced while reading; the rest waits for the conclusion, which knows what matters."""

PER_SOURCE = 2

MOST_SENTENCE = 60
"""Characters beside a bar."""

_WEIGHTS = ("alert.", "violation.", "signature.", "error.", "anomaly.", "event.")
_HARMLESS = ("event.Scheduled", "event.Pulled", "event.Pulling", "event.Created", "event.Started", "event.Successful")


class Progress:
    """Progress on stderr. Where stderr is no terminal it says nothing: logs of scripts stay clean."""

    def __init__(self) -> None:
        self.sources = 0
        self._announced: set[str] = set()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        self._bar = bar()
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("looking at the evidence", total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, event: Any) -> None:
        """Take an event of the extraction runner."""
        if hasattr(event, "extraction"):
            self.sources += 1
            for fact in strongest(event.extraction):
                self._say(f"{event.extraction.source.name}:{fact.spans[0].first_line}  {fact.value}")
        elif self._bar is not None:
            if event.finding:
                self._say(event.finding)
            done = f"{event.files_done} of {event.files_total}"
            text = (
                f"opened {done}" if event.stage == "identify" else f"{done} sources, {event.bytes_done / 1e6:,.0f} MB"
            )
            self._bar.update(self._task, total=event.bytes_total or None, completed=event.bytes_done, description=text)

    def _say(self, text: str) -> None:
        line = printable(text)
        if self._bar is not None and line not in self._announced and len(self._announced) < FINDINGS:
            self._announced.add(line)
            self._bar.console.print(f"  {line}", markup=False, highlight=False, no_wrap=True, overflow="ellipsis")


class Steps:
    """How many of how many are done, on stderr and on a terminal only."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        self._bar = bar()
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("", total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: int, total: int, sentence: str) -> None:
        """Show how far it is, and what is at hand."""
        if self._bar is not None:
            text = printable(sentence)[:MOST_SENTENCE]
            self._bar.update(self._task, total=total or None, completed=done, description=text)


def bar() -> Any:
    """A bar that goes away when it stops; None where nobody watches."""
    if not sys.stderr.isatty():
        return None
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        console=Console(stderr=True, no_color=not colours(sys.stderr)),
        transient=True,
    )


def strongest(extraction: Extraction) -> list[Fact]:
    """The facts of a source that a person would want to hear of first."""
    told = [
        (weight, fact.when or 0.0, index)
        for index, fact in enumerate(extraction.facts)
        for weight, prefix in enumerate(_WEIGHTS)
        if fact.attribute.startswith(prefix)
        and not fact.attribute.startswith(_HARMLESS)
        and fact.spans
        and isinstance(fact.value, str)
        and " " in fact.value
    ]
    return [extraction.facts[index] for _, _, index in sorted(told)[:PER_SOURCE]]
