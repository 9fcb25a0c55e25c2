"""On whose behalf something happens."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.ids import OrganizationId, UserId

_ORGANIZATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""What may also stand in a key of a blob."""

_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}")
_REQUEST_KEY = re.compile(r"[!-~]{0,256}")


@dataclass(frozen=True, slots=True)
class Caller:
    """A user within an organization; everything that is stored belongs to the organization.

    With a `request_key`, a command that changes something does so once: the same command from the same user under the same
    key, for seven days, changes nothing more and gives the same answer. Another command under it raises ConflictError.

    Raises InvalidInputError where a name is not 1 to 128 letters, digits and `._-` (for a user also `@+`), starting with a
    letter or digit, or the key is over 256 characters or holds others than visible ASCII.
    """

    organization: OrganizationId
    user: UserId
    request_key: str = ""

    def __post_init__(self) -> None:
        for field, value, allowed in (("organization", self.organization, _ORGANIZATION), ("user", self.user, _USER)):
            if not allowed.fullmatch(value):
                raise InvalidInputError(
                    f"{value[:140]!r} is no name of a {field}: use 1 to 128 letters, digits and . _ -.",
                    fields={field: "not allowed"},
                )
        if not _REQUEST_KEY.fullmatch(self.request_key):
            raise InvalidInputError(
                "The request key is not usable: use up to 256 visible ASCII characters.",
                fields={"request_key": "not allowed"},
            )

    def step(self, name: str) -> Caller:
        """The same caller for one of the several commands that make up one: each has a key of its own."""
        return replace(self, request_key=f"{self.request_key}/{name}") if self.request_key else self
