"""On whose behalf something happens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.ids import OrganizationId, UserId

_ORGANIZATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""What may also stand in a key of a blob."""

_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}")


@dataclass(frozen=True, slots=True)
class Caller:
    """A user within an organization; everything that is stored belongs to the organization.

    Raises InvalidInputError where a name is not 1 to 128 letters, digits and `._-` (for a user also `@+`), starting with a
    letter or digit.
    """

    organization: OrganizationId
    user: UserId

    def __post_init__(self) -> None:
        for field, value, allowed in (("organization", self.organization, _ORGANIZATION), ("user", self.user, _USER)):
            if not allowed.fullmatch(value):
                raise InvalidInputError(
                    f"{value[:140]!r} is no name of a {field}: use 1 to 128 letters, digits and . _ -.",
                    fields={field: "not allowed"},
                )
