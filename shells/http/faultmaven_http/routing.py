"""From an address to what answers there, in as many steps as the address has parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Route:
    """What answers at a path such as `/cases/{case_id}/title`."""

    path: str
    app: ASGIApp


@dataclass(slots=True)
class _Place:
    """What stands behind one part of an address: fixed parts by name, a parameter, and a route that ends here."""

    fixed: dict[str, _Place] = field(default_factory=dict)
    parameter: _Place | None = None
    app: ASGIApp | None = None
    names: tuple[str, ...] = ()

    def below(self, part: str) -> _Place:
        """Made where it is not there yet."""
        if not part.startswith("{"):
            return self.fixed.setdefault(part, _Place())
        self.parameter = self.parameter or _Place()
        return self.parameter


class Tree:
    """Routes by the parts of their paths. A router that tries one after the other takes longer with each that is added.

    A fixed part is preferred to a parameter, so that `/cases/search` is never the case `search`. Parameters are not empty.
    """

    def __init__(self, routes: Iterable[Route], nowhere: ASGIApp) -> None:
        self.routes = tuple(routes)
        self._root, self._nowhere = _Place(), nowhere
        for route in self.routes:
            place, parts = self._root, route.path.split("/")
            for part in parts:
                place = place.below(part)
            place.app, place.names = route.app, tuple(part[1:-1] for part in parts if part.startswith("{"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        values: list[str] = []
        place = _found(self._root, scope["path"].split("/"), 0, values)
        if place is None or place.app is None:
            await self._nowhere(scope, receive, send)
            return
        scope["path_params"] = dict(zip(place.names, values, strict=True))
        await place.app(scope, receive, send)


def _found(place: _Place, parts: list[str], at: int, values: list[str]) -> _Place | None:
    """Where the parts lead; what stands for the parameters on the way is then in `values`."""
    if at == len(parts):
        return place if place.app is not None else None
    part = parts[at]
    below = place.fixed.get(part)
    found = _found(below, parts, at + 1, values) if below is not None else None
    if found is None and place.parameter is not None and part:
        values.append(part)
        found = _found(place.parameter, parts, at + 1, values)
        if found is None:
            values.pop()
    return found
