"""The bindings of identity: who signs, who counts passwords, who carries letters. Nothing is touched before its first use."""

from __future__ import annotations

from datetime import timedelta

from injector import Module, provider, singleton

from faultmaven.composition.lifecycle import Lifecycle
from faultmaven.composition.select import backend
from faultmaven.composition.stores import Storage
from faultmaven.tree import Settings
from faultmaven_adapters.passwords.argon2 import Argon2Passwords
from faultmaven_adapters.passwords.common import CommonPasswords
from faultmaven_adapters.resilience.policy import resilient
from faultmaven_adapters.telemetry.calls import traced
from faultmaven_adapters.tokens.jose import JoseTokens
from faultmaven_adapters.tokens.key_folder import KeyFolder
from faultmaven_core.identity.policy import AuthMode, IdentityPolicy
from faultmaven_core.identity.service import IdentityService
from faultmaven_core.ports.mail import Mailer
from faultmaven_core.ports.policy import MAIL
from faultmaven_core.ports.rate_limit import RateLimiter
from faultmaven_core.ports.telemetry import Telemetry
from faultmaven_core.sessions.expiry import SessionLimits
from faultmaven_core.sessions.ports import SessionStore
from faultmaven_core.sessions.service import SessionService
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.ids import Ids


class IdentityModule(Module):
    """People, and the sessions of their clients."""

    @singleton
    @provider
    def mailer(self, settings: Settings, clock: Clock, telemetry: Telemetry, lifecycle: Lifecycle) -> Mailer:
        url = settings.identity.mail
        module = backend("mail", url.scheme)
        if url.scheme == "none":
            mailer: Mailer = module.NoMailer()
        else:
            sender = module.SmtpMailer(url.place, settings.identity.mail_from, clock, password=url.password)
            mailer = resilient(sender, MAIL, "The mail server")
        lifecycle.on_close(mailer.aclose)
        return traced(mailer, "mail", url.scheme, telemetry)

    @singleton
    @provider
    def identity(
        self,
        settings: Settings,
        storage: Storage,
        sessions: SessionStore,
        limiter: RateLimiter,
        mailer: Mailer,
        clock: Clock,
        ids: Ids,
        lifecycle: Lifecycle,
    ) -> IdentityService:
        keys = KeyFolder(settings.identity.keys, clock)
        lifecycle.on_close(keys.aclose)
        hasher = Argon2Passwords()
        lifecycle.on_close(hasher.aclose)
        service = IdentityService(
            units=storage.identity,
            directory=storage.accounts,
            sessions=sessions,
            hasher=hasher,
            tokens=JoseTokens(keys, settings.http.public_url, clock),
            keys=keys,
            limiter=limiter,
            mailer=mailer,
            clock=clock,
            ids=ids,
            policy=policy(settings),
            common=CommonPasswords(),
        )
        lifecycle.on_close(service.aclose)
        return service

    @singleton
    @provider
    def client_sessions(self, sessions: SessionStore) -> SessionService:
        return SessionService(sessions)


def policy(settings: Settings) -> IdentityPolicy:
    """How this installation lets people in."""
    chosen = settings.identity
    return IdentityPolicy(
        settings.caller.organization,
        AuthMode(chosen.mode),
        registration=chosen.registration == "open",
        dev_login=chosen.dev_login == "on" or (chosen.dev_login == "loopback" and settings.http.only_here),
        access_ttl=timedelta(seconds=chosen.access_ttl),
        dev_access_ttl=timedelta(seconds=chosen.dev_access_ttl),
        refresh_idle=timedelta(seconds=chosen.refresh_idle),
        refresh_absolute=timedelta(seconds=chosen.refresh_absolute),
        session=SessionLimits(timedelta(seconds=chosen.session_idle), timedelta(seconds=chosen.session_absolute)),
        public_url=settings.http.public_url,
    )
