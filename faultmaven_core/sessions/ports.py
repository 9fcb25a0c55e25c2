"""What sessions need of a store."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Protocol
from uuid import UUID

from faultmaven_core.ports.health import Inspectable, Pingable
from faultmaven_core.sessions.expiry import SessionLimits
from faultmaven_core.sessions.model import Session, SessionId, SignIn
from faultmaven_core.shared.caller import Caller


class SessionStore(Pingable, Inspectable, Protocol):
    """The live sessions of all users. An outage is BackendUnavailableError, never "no session": that would sign people out.

    A failover may lose the last writes: a new session is gone, or one has its data of a moment before. What was ended
    stays ended.
    """

    @abstractmethod
    async def create(self, sign_in: SignIn, *, limits: SessionLimits) -> Session:
        """Begin a session; where its user has `limits.most` already, those that would expire first end for it.

        The same sign-in again is the same session, so a call whose answer was lost may be repeated. Raises
        AlreadyExistsError where the id was used for another sign-in, or its session ended within the last minute.
        """

    @abstractmethod
    async def get(self, sid: SessionId, *, slide: bool = True) -> Session | None:
        """The session; None where it is unknown, expired or ended. `slide` counts this as use: its idle time begins anew.

        One round trip.
        """

    @abstractmethod
    async def update(self, session: Session, *, change: UUID) -> None:
        """Keep the session's data; the stored version grows by one. This does not count as use.

        Raises StaleVersionError where `session.version` is not the stored one, NotFoundError where the session is over.
        The last change again is no error and changes nothing, so a call whose answer was lost may be repeated.
        """

    @abstractmethod
    async def end(self, sid: SessionId) -> None:
        """End a session; one that is over already is no error.

        Raises BackendUnavailableError where it ended here, but the replicas that must know did not say so in time: a
        failover could bring it back. Then repeat the call.
        """

    @abstractmethod
    async def end_all(self, owner: Caller, *, keep: SessionId | None = None) -> int:
        """End all sessions of a user, but for `keep`; how many. Sessions that begin meanwhile may stay. Raises as `end`."""

    @abstractmethod
    def list(self, owner: Caller) -> AsyncIterator[Session]:
        """The live sessions of a user in order of their creation. Not a use of them."""

    @abstractmethod
    async def aclose(self) -> None:
        """Use no more; using it afterwards is ConflictError. Closing twice is no error."""
