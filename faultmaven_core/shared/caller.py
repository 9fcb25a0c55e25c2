"""On whose behalf something happens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.ids import OrganizationId, UserId

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}")


@dataclass(frozen=True, slots=True)
class Caller:
    """A user within an organization; everything that is stored belongs to the organization.

    Raises InvalidInputError where a name is not 1 to 128 letters, digits and `._@+-`, starting with a letter or digit.
    """

    organization: OrganizationId
    user: UserId

    def __post_init__(self) -> None:
        for field, value in (("organization", self.organization), ("user", self.user)):
            if not _NAME.fullmatch(value):
                raise InvalidInputError(
                    f"{value!r} is no name of a {field}: use 1 to 128 letters, digits and ._@+-.", fields={field: value}
                )
