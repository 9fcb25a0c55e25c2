"""What a team knows and accepts in its place: broken invariants that are no news."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from faultmaven_core.analysis.model import Violation
from faultmaven_core.shared.errors import InvalidInputError

_RULE = re.compile(r"[\w.*-]+( [a-z*]+ ([\w.*-]+/)?[\w.:*-]+)?")


def checked_rule(rule: str) -> str:
    """A rule in its one form: `check`, or `check kind name`, or `check kind namespace/name`; `*` stands for anything.

    Raises InvalidInputError where it is none of these.
    """
    told = " ".join(rule.split())
    if not _RULE.fullmatch(told):
        raise InvalidInputError(f"'{rule}' is no rule: write a check's id, and perhaps a kind and namespace/name.")
    return told


def news(found: Iterable[Violation], ignored: Sequence[str]) -> list[Violation]:
    """The violations that no rule speaks of, in their order."""
    rules = [checked_rule(rule).split(" ") for rule in ignored]
    return [one for one in found if not any(_spoken_of(one, *rule) for rule in rules)]


def _spoken_of(violation: Violation, check: str, kind: str = "*", name: str = "*") -> bool:
    subject = violation.subject
    full = f"{subject.namespace}/{subject.name}" if "/" in name else subject.name
    return fnmatchcase(violation.check, check) and fnmatchcase(subject.kind, kind) and fnmatchcase(full, name)
