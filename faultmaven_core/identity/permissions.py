"""What may be done: `resource:action`, with `:org` where it reaches beyond what is one's own. A role is a set of these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from faultmaven_core.shared.errors import InvalidInputError

OWN = frozenset({"account:read", "account:write"})
"""One's own account, sessions and keys: every role has them."""

READING = OWN | {"case:read", "evidence:read", "knowledge:read", "report:read", "job:read"}

WORKING = READING | {
    "case:write",
    "case:delete",
    "evidence:write",
    "evidence:delete",
    "knowledge:write",
    "knowledge:delete",
    "investigation:run",
    "job:write",
    "user:read",
    "team:read",
}

ADMINISTERING = WORKING | {
    "case:delete:org",
    "knowledge:write:org",
    "knowledge:delete:org",
    "organization:read",
    "organization:write",
    "user:write",
    "role:read",
    "role:write",
    "team:write",
    "invitation:read",
    "invitation:write",
    "audit:read",
}

ALL = ADMINISTERING | {"organization:delete"}
"""All that there is; only an owner has them all, so nobody else can make an owner."""

OWNER = "owner"

BUILT_IN: Mapping[str, frozenset[str]] = {
    OWNER: frozenset(ALL),
    "admin": frozenset(ADMINISTERING),
    "member": frozenset(WORKING),
    "viewer": frozenset(READING),
}
"""The roles of every organization; none of its own may take their names."""

SCOPES: Mapping[str, frozenset[str]] = {
    "openid": OWN,
    "profile": frozenset(),
    "email": frozenset(),
    "cases:read": frozenset({"case:read", "evidence:read", "report:read", "job:read"}),
    "cases:write": frozenset(
        {
            "case:write",
            "case:delete",
            "evidence:write",
            "evidence:delete",
            "investigation:run",
            "job:write",
        }
    ),
    "knowledge:read": frozenset({"knowledge:read"}),
    "knowledge:write": frozenset({"knowledge:write", "knowledge:delete"}),
    "evidence:read": frozenset({"evidence:read"}),
}
"""What a client may ask for in OAuth, and what of the user's rights it then has."""


def known(permissions: Iterable[str]) -> frozenset[str]:
    """The permissions as a set. Raises InvalidInputError that names those which do not exist."""
    asked = frozenset(permissions)
    if unknown := sorted(asked - ALL):
        raise InvalidInputError(
            f"There is no permission {', '.join(unknown)[:200]}.", fields={"permissions": "unknown"}
        )
    return asked


def of_scope(scope: str) -> frozenset[str]:
    """The permissions within an OAuth scope; unknown words give none."""
    return frozenset().union(*(SCOPES.get(word, frozenset()) for word in scope.split()))
