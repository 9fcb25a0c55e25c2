"""What happened, in the past tense: for the journal and for other contexts."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

_WORD = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. Its fields are plain values; a subclass's name is its kind."""

    @property
    def kind(self) -> str:
        """The class's name in small letters: CauseConfirmed is `cause_confirmed`."""
        return _WORD.sub("_", type(self).__name__).lower()

    def detail(self) -> dict[str, str]:
        """The fields as text."""
        return {field.name: str(getattr(self, field.name)) for field in fields(self)}
