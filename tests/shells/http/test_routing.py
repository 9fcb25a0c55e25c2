"""Addresses lead to what answers there, however many there are."""

from __future__ import annotations

from itertools import chain

import pytest
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from faultmaven_http.routing import Tree
from faultmaven_http.services.table import EVERYWHERE, SERVICES

PATHS = sorted({endpoint.path for endpoint in (*EVERYWHERE, *chain.from_iterable(SERVICES.values()))})
NOWHERE = "nowhere"


class Told:
    """Remembers which address was asked for, and with what in its places."""

    def __init__(self) -> None:
        self.found: list[tuple[str, dict[str, str]]] = []

    def at(self, path: str) -> Noting:
        """What stands behind an address."""
        return Noting(self, path)


class Noting:
    """An application that only says that it was asked."""

    def __init__(self, told: Told, path: str) -> None:
        self._told, self._path = told, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note it."""
        self._told.found.append((self._path, dict(scope.get("path_params", {}))))


async def asked(path: str, *offered: str) -> tuple[str, dict[str, str]]:
    """Which of the offered addresses answers, and with what in its places."""
    told = Told()
    tree = Tree([Route(each, told.at(each)) for each in offered], told.at(NOWHERE))
    scope: Scope = {"type": "http", "method": "GET", "path": path, "root_path": ""}

    async def receive() -> dict[str, str]:
        raise AssertionError

    async def send(_message: object) -> None:
        raise AssertionError

    await tree(scope, receive, send)
    (found,) = told.found
    return found


@pytest.mark.parametrize("path", PATHS)
async def test_every_address_that_is_offered_is_found_with_its_ids(path: str) -> None:
    """Among all others, also where those have ids in the same place."""
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    ids = {name: f"id-of-{name}" for name in names}
    assert await asked(path.format(**ids), *PATHS) == (path, ids)


async def test_a_fixed_part_is_preferred_to_an_id() -> None:
    """Whichever was offered first."""
    offered = ("/cases/{case_id}", "/cases/search")
    assert await asked("/cases/search", *offered) == ("/cases/search", {})
    assert await asked("/cases/search", *reversed(offered)) == ("/cases/search", {})


async def test_an_id_may_be_called_like_a_fixed_part() -> None:
    """Where that has nothing behind it, the id is meant."""
    offered = ("/cases/search", "/cases/{case_id}/title")
    assert await asked("/cases/search/title", *offered) == ("/cases/{case_id}/title", {"case_id": "search"})


@pytest.mark.parametrize("path", ["/", "/cases", "/cases/", "/cases/one/", "/cases//title", "/cases/one/title/more"])
async def test_any_other_address_is_nowhere(path: str) -> None:
    """A part that is empty, missing or too much is another address."""
    assert (await asked(path, "/cases/{case_id}", "/cases/{case_id}/title"))[0] == NOWHERE
