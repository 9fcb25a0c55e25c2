"""Keys for programs: shown once, stored as digests, never wider than what their user may."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from datetime import timedelta

from faultmaven_core.identity import commands as c
from faultmaven_core.identity import views as v
from faultmaven_core.identity.audit_chain import Happening
from faultmaven_core.identity.credentials import ApiKey, api_key_id, digest, new_secret
from faultmaven_core.identity.model import ApiKeyId, Principal
from faultmaven_core.identity.parts import Parts
from faultmaven_core.identity.permissions import known
from faultmaven_core.identity.ports import IdentityUnitOfWork
from faultmaven_core.identity.rights import require_person
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import InvalidInputError, NotFoundError, PermissionDeniedError, QuotaExceededError
from faultmaven_core.shared.ids import UserId
from faultmaven_core.shared.text import checked

PREFIX = "fmk_"
MOST_DAYS = 365
MOST_LIVE = 100

_FORM = re.compile(rf"{PREFIX}([A-Za-z0-9_-]{{43}})([0-9a-f]{{8}})")
_HINT = 8


class ApiKeys:
    """Makes, lists and revokes API keys."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def create(self, command: c.CreateApiKey, principal: Principal) -> v.ApiKeyCreated:
        """Make a key. Raises PermissionDeniedError where it would be wider than the caller is, or he is a program."""
        require_person(principal)
        name = checked("name", command.name.strip(), most=100, least=1)
        if not 1 <= command.days <= MOST_DAYS:
            raise InvalidInputError(f"A key lives 1 to {MOST_DAYS} days.", fields={"days": "out of range"})
        asked = known(command.permissions) or principal.permissions
        if beyond := sorted(asked - principal.permissions):
            raise PermissionDeniedError(f"You cannot give a key what you may not do yourself: {', '.join(beyond)}.")
        parts, now, owner = self._parts, self._parts.clock.now(), principal.caller
        text = new_key()
        key = parts.ids.new()
        made = ApiKey(
            key,
            api_key_id(key),
            owner.organization,
            owner.user,
            name,
            digest(text),
            text[: len(PREFIX) + _HINT],
            tuple(sorted(asked)),
            now,
            now + timedelta(days=command.days),
        )

        async def work(unit: IdentityUnitOfWork) -> v.ApiKeyView:
            happening = Happening("api_key.created", owner.user, made.id, detail={"name": name})
            await parts.audit.note(unit, owner.organization, happening, principal.client)
            live = [each for each in await unit.api_keys.of_user(owner.user) if each.revoked_at is None]
            if len(live) >= MOST_LIVE:
                raise QuotaExceededError(f"You have {MOST_LIVE} keys; revoke one that you do not need.")
            await unit.api_keys.add(made)
            return _view(made)

        # Without the request key: what is answered under one is stored, and this answer holds a secret.
        view = await parts.write(command, Caller(owner.organization, owner.user), v.ApiKeyView, work)
        return v.ApiKeyCreated(view, text)

    async def list(self, command: c.ListApiKeys, principal: Principal) -> v.ApiKeyList:
        """A user's keys. Raises PermissionDeniedError for another's without `user:write`."""
        user = UserId(command.user_id) or principal.caller.user
        if user != principal.caller.user and not principal.may("user:write"):
            raise PermissionDeniedError("Other users' keys are for those who manage users.")
        async with self._parts.units(principal.caller.organization, read_only=True) as unit:
            await unit.users.get(user)
            return v.ApiKeyList(tuple(_view(key) for key in await unit.api_keys.of_user(user)))

    async def revoke(self, command: c.RevokeApiKey, principal: Principal) -> v.ApiKeyView:
        """Let nobody in by a key.

        Raises NotFoundError, for another's without `user:write` too; PermissionDeniedError for programs, which may only
        end themselves.
        """
        if command.api_key_id != principal.client_id:
            require_person(principal)
        parts, caller = self._parts, principal.caller

        async def work(unit: IdentityUnitOfWork) -> v.ApiKeyView:
            happening = Happening("api_key.revoked", caller.user, command.api_key_id)
            await parts.audit.note(unit, caller.organization, happening, principal.client)
            key = await unit.api_keys.get(ApiKeyId(command.api_key_id))
            if key.user != caller.user and not principal.may("user:write"):
                raise NotFoundError("There is no such API key.")  # the words of the repository
            if key.revoked_at is not None:
                return _view(key)
            revoked = replace(key, revoked_at=parts.clock.now())
            await unit.api_keys.save(revoked)
            return _view(revoked)

        view = await parts.write(command, caller, v.ApiKeyView, work)
        parts.standings.forget()
        return view


def new_key() -> str:
    """A key's text: prefix, 256 random bits and a check sum, so that scanners know one from its looks alone."""
    secret = new_secret()
    return f"{PREFIX}{secret}{_check_sum(secret)}"


def well_formed(text: str) -> bool:
    """Whether this looks like one of our keys; most garbage ends here, without a look at the database."""
    form = _FORM.fullmatch(text)
    return form is not None and _check_sum(form[1]) == form[2]


def _check_sum(secret: str) -> str:
    return f"{zlib.crc32(secret.encode()):08x}"


def _view(key: ApiKey) -> v.ApiKeyView:
    return v.ApiKeyView(
        key.id,
        key.user,
        key.name,
        key.hint,
        key.permissions,
        key.created_at,
        key.expires_at,
        key.last_used_at,
        key.revoked_at,
    )
