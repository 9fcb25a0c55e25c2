"""Turns every failure into an answer, and the unexpected ones into a line of the log."""

from __future__ import annotations

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from faultmaven_http.bodies import ClientLeftError
from faultmaven_http.errors import MEDIA_TYPE, told
from faultmaven_http.exchange import exchange_of
from faultmaven_http.logs import saying

_log = logging.getLogger("faultmaven.http")


class Failures:
    """Answers in place of whoever raised, unless an answer has begun: then the connection breaks, never ends cleanly."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        # So that Starlette's router raises what it finds, instead of answering in a form of its own.
        scope["app"] = self
        try:
            await self._app(scope, receive, watched)
        except ClientLeftError:
            exchange_of(scope).failure = "client_left"
        except Exception as failure:
            exchange = exchange_of(scope)
            exchange.failure = str(getattr(failure, "code", type(failure).__name__))
            answer = told(failure, exchange.correlation.id, oauth=exchange.oauth)
            if answer.unexpected or answer.status >= 500:
                level = logging.ERROR if answer.unexpected else logging.WARNING
                _log.log(level, "failed", extra=saying(code=exchange.failure), exc_info=failure)
            if begun:
                raise
            headers = [
                (b"content-type", MEDIA_TYPE),
                (b"content-length", str(len(answer.body)).encode()),
                (b"cache-control", b"no-store"),
                *answer.headers,
            ]
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await send({"type": "http.response.body", "body": answer.body})
