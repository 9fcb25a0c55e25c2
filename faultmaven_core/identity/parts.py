"""What all parts of identity work with."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from faultmaven_core.identity.audit import AuditLog
from faultmaven_core.identity.guard import Guard
from faultmaven_core.identity.letters import Letters
from faultmaven_core.identity.policy import IdentityPolicy
from faultmaven_core.identity.ports import AccountDirectory, IdentityUnitOfWork, IdentityUnits
from faultmaven_core.identity.standing import Standings
from faultmaven_core.ports.passwords import PasswordHasher
from faultmaven_core.ports.tokens import Tokens
from faultmaven_core.ports.writes import Writes
from faultmaven_core.sessions.ports import SessionStore
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.ids import Ids


@dataclass(frozen=True, slots=True)
class Parts:
    """Ports, policy, and what several use cases share. `common` are the passwords that nobody may have."""

    units: IdentityUnits
    directory: AccountDirectory
    sessions: SessionStore
    hasher: PasswordHasher
    tokens: Tokens
    clock: Clock
    ids: Ids
    policy: IdentityPolicy
    common: Container[str]
    write: Writes[IdentityUnitOfWork]
    audit: AuditLog
    guard: Guard
    letters: Letters
    standings: Standings
