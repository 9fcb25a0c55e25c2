"""A name within an organization: nothing that several share can be named without saying whose it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.ids import OrganizationId

_ORGANIZATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,199}")


def checked_organization(organization: OrganizationId) -> OrganizationId:
    """The name itself. Raises InvalidInputError where not every backend can hold it."""
    if not _ORGANIZATION.fullmatch(organization):
        raise InvalidInputError(
            f"{organization[:140]!r} is no name of an organization.", fields={"organization": "not allowed"}
        )
    return organization


@dataclass(frozen=True, slots=True, order=True)
class ScopedName:
    """An organization and 1 to 200 letters, digits and `._:@/-`, starting with a letter or digit."""

    organization: OrganizationId
    name: str

    def __post_init__(self) -> None:
        checked_organization(self.organization)
        if not _NAME.fullmatch(self.name):
            raise InvalidInputError(
                f"{self.name[:80]!r} is no name: use 1 to 200 letters, digits and . _ : @ / -.",
                fields={"name": "not allowed"},
            )

    def __str__(self) -> str:
        return f"{self.organization}:{self.name}"
