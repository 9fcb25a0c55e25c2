"""From an address to what answers there, in as many steps as the address has parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass(slots=True)
class _Place:
    """What stands behind one part of an address: fixed parts by name, a parameter, and a route that ends here."""

    fixed: dict[str, _Place] = field(default_factory=dict)
    parameter: _Place | None = None
    route: Route | None = None

    def below(self, part: str) -> _Place:
        """Made where it is not there yet."""
        if not part.startswith("{"):
            return self.fixed.setdefault(part, _Place())
        self.parameter = self.parameter or _Place()
        return self.parameter


class Tree:
    """Routes by the parts of their paths. A router that tries one after the other takes longer with each that is added.

    A fixed part is preferred to a parameter, so that `/cases/search` is never the case `search`.
    """

    def __init__(self, routes: Iterable[Route], nowhere: ASGIApp) -> None:
        self.routes = tuple(routes)
        self._root, self._nowhere = _Place(), nowhere
        for route in self.routes:
            place = self._root
            for part in route.path.split("/"):
                place = place.below(part)
            place.route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        route = _found(self._root, scope["path"].split("/"), 0)
        match, found = route.matches(scope) if route is not None else (Match.NONE, {})
        if route is None or match is Match.NONE:
            await self._nowhere(scope, receive, send)
            return
        scope.update(found)
        await route.handle(scope, receive, send)


def _found(place: _Place, parts: list[str], at: int) -> Route | None:
    if at == len(parts):
        return place.route
    below = place.fixed.get(parts[at])
    found = _found(below, parts, at + 1) if below is not None else None
    if found is None and place.parameter is not None:
        found = _found(place.parameter, parts, at + 1)
    return found
