"""A mechanism: one way in which one thing breaks another, what would follow, and what would tell it from look-alikes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from faultmaven_core.analysis.model import Category, Scalar


@dataclass(frozen=True, slots=True)
class Clause:
    """A question to the graph: does an entity in `scope` have a fact under `attribute` whose value passes the tests?

    Scope: `subject` = the entity itself, `near` = it and what is at most two relations away, `any` = everything.
    """

    attribute: str
    scope: str = "subject"
    equals: tuple[Scalar, ...] = ()
    above: float | None = None
    below: float | None = None
    matches: re.Pattern[str] | None = None

    def passes(self, value: Scalar) -> bool:
        """Whether a fact's value answers the question with yes."""
        if self.equals and value not in self.equals:
            return False
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        if self.above is not None and (number is None or number <= self.above):
            return False
        if self.below is not None and (number is None or number >= self.below):
            return False
        return self.matches is None or bool(self.matches.search(str(value)))


@dataclass(frozen=True, slots=True)
class Prediction:
    """What also holds if the mechanism is at work; a failed one counts against it. `absent`: nothing must pass."""

    text: str
    clause: Clause
    weight: float = 0.5
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """A command and what it shows: what would confirm, or refute. Of several commands the first that is bound is told."""

    command: tuple[str, ...] = ()
    expect: str = ""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One entry of a catalog.

    Texts may hold slots: {name}, {namespace}, {kind}, {subject}, {workload}, {log}, {state}, {quote}, the parameters of
    the facts that it rests on, {fact:<attribute glob>} and {range:<parameter>}. Of several texts for a place the first
    whose slots are all bound is used.

    `needs` are commands that get what is missing, `places` where to look for what no command gives. `resolved_by`:
    evidence that the condition is over. `yields_to`: mechanisms (globs) that, at work near the same subject, make this
    one their consequence.
    """

    id: str
    category: Category
    subjects: tuple[str, ...]
    triggers: tuple[Clause, ...]
    statement: tuple[str, ...]
    mechanism: tuple[str, ...]
    chain: tuple[str, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    strength: float = 1.0
    confirm: Check = field(default_factory=Check)
    refute: Check = field(default_factory=Check)
    remedies: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    yields_to: tuple[str, ...] = ()
    resolved_by: tuple[Clause, ...] = ()
