"""Nobody gives what he lacks, and nobody has power over somebody who has more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from faultmaven_core.identity.model import Principal, Role, User, UserState, granted
from faultmaven_core.identity.permissions import BUILT_IN, OWNER
from faultmaven_core.identity.ports import IdentityUnitOfWork
from faultmaven_core.shared.errors import InvalidInputError, PermissionDeniedError, PreconditionFailedError

MOST_ROLES = 20

_PROGRAMS = ("api_key", "oauth")


def is_program(principal: Principal) -> bool:
    """Whether somebody's program calls, not he himself."""
    return principal.method in _PROGRAMS


def require_person(principal: Principal) -> None:
    """Raises PermissionDeniedError for programs: with what it was lent, none makes itself more or longer-lived rights."""
    if is_program(principal):
        raise PermissionDeniedError("This takes somebody who signed in himself, not a program that acts for him.")


def require_roles(roles: Sequence[str], custom: Iterable[Role], held: frozenset[str]) -> None:
    """Raises InvalidInputError for roles that do not exist, PermissionDeniedError for more than `held` allows."""
    own = tuple(custom)
    there = {*BUILT_IN, *(role.name for role in own)}
    if len(roles) > MOST_ROLES or (unknown := [name for name in roles if name not in there]):
        told = ", ".join(unknown)[:200] if len(roles) <= MOST_ROLES else f"more than {MOST_ROLES}"
        raise InvalidInputError(f"There is no role {told}.", fields={"roles": "unknown"})
    if not granted(roles, own) <= held:
        raise PermissionDeniedError("You cannot give somebody more than you may do yourself.")


def require_power(target: User, custom: Iterable[Role], held: frozenset[str]) -> None:
    """Raises PermissionDeniedError where the target may do what the caller may not."""
    if not granted(target.roles, custom) <= held:
        raise PermissionDeniedError("This user may do more than you; an owner can change him.")


async def require_other_owner(unit: IdentityUnitOfWork, leaving: User) -> None:
    """Raises PreconditionFailedError where nobody else would be left who owns the organization and may come in."""
    if OWNER not in leaving.roles or leaving.state is not UserState.ACTIVE:
        return
    owners = await unit.users.with_role(OWNER)
    if not any(owner.id != leaving.id and owner.state is UserState.ACTIVE for owner in owners):
        raise PreconditionFailedError("An organization keeps at least one owner: make somebody else one first.")
