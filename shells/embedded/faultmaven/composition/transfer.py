"""Builds a transfer: both sides from URLs and settings, and the journal that outlives it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from faultmaven.composition.backends import Backends, open_backends
from faultmaven.composition.stores import sql_options
from faultmaven.places import Resource
from faultmaven.settings import load, read_setting_file
from faultmaven.transfer_places import SIDES, VARIABLES, Side, paired, side_environ
from faultmaven.tree import Settings
from faultmaven_adapters.transfer.journal import FileJournal
from faultmaven_core.ports.vectors import Scope
from faultmaven_core.shared.errors import InvalidInputError, MisconfiguredError
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_core.transfer.blobs import BlobCargo
from faultmaven_core.transfer.model import Kind, Progress
from faultmaven_core.transfer.ports import Cargo, Tables
from faultmaven_core.transfer.service import Transfer
from faultmaven_core.transfer.tables import TableCargo
from faultmaven_core.transfer.vectors import VectorCargo

ON_THIS_MACHINE = ("sqlite", "file", "chroma+file", "milvus+file")
"""Schemes whose place is a path."""


_NAME_DATABASE = " It tells which vectors there are: name it with FM_FROM_DATABASE_URL."


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """What to move. A URL may have its kind in front, as `vectors=sqlite:/path`; the side without URLs is what the settings name.

    No organization means all. Without `journal` one is found by the two places; `restart` forgets what it says. Who only
    means to `look`, by `plan` or `verify`, makes nothing: no journal, and no files of a target that is not there yet.
    """

    sources: Sequence[str]
    targets: Sequence[str]
    organizations: Sequence[str] = ()
    journal: Path | None = None
    restart: bool = False
    look: bool = False


@asynccontextmanager
async def open_transfer(
    request: TransferRequest,
    *,
    environ: Mapping[str, str] = os.environ,
    report: Callable[[Progress], None] = lambda _progress: None,
) -> AsyncIterator[Transfer]:
    """The transfer, nothing connected yet. Raises InvalidInputError or MisconfiguredError that names the side."""
    pairs = paired(request.sources, request.targets)
    source, target = (_settings(side, pairs, environ) for side in SIDES)
    places = {kind: (_shown(source, kind), _shown(target, kind)) for kind in pairs}
    for kind, (one, other) in places.items():
        if one == other:
            raise InvalidInputError(
                f"Source and target of the {kind} are the same: {one}.", fields={"to": "the source"}
            )
    for kind in pairs:
        _require(_resource(source, kind), kind)
    async with AsyncExitStack() as stack:
        if request.look:
            target = _elsewhere(target, pairs, Path(stack.enter_context(TemporaryDirectory(prefix="faultmaven-"))))
        backends = [await stack.enter_async_context(open_backends(settings)) for settings in (source, target)]
        tables = [_tables(settings) for settings in (source, target)]
        for opened in tables:
            stack.push_async_callback(opened.aclose)
        catalog = _Catalog(source, tables[0], [OrganizationId(name) for name in request.organizations])
        cargoes = [_cargo(kind, backends, tables, places[kind], catalog) for kind in Kind if kind in pairs]
        journal = FileJournal(
            _journal(request, source, places),
            {"places": _plain(places), "organizations": catalog.given},
            restart=request.restart,
            look=request.look,
        )
        stack.push_async_callback(journal.aclose)
        yield Transfer(cargoes, journal, report)


class _Catalog:
    """Whose things are moved, and which vectors they have: asked of the source's database, once."""

    def __init__(self, source: Settings, tables: Tables, given: Sequence[OrganizationId]) -> None:
        self.given = list(given)
        self._source, self._tables = source, tables
        self._found: Sequence[OrganizationId] = given

    async def organizations(self) -> Sequence[OrganizationId]:
        """Those that were named; all where none was."""
        if not self._found:
            self._found = await self._tables.organizations()
        return self._found

    async def scopes(self) -> Sequence[Scope]:
        """Where their documents have vectors."""
        _require(self._source.database.url, Kind.DATABASE, _NAME_DATABASE)
        await self._tables.start()
        return [
            Scope(collection, organization)
            for organization in await self.organizations()
            for collection in await self._tables.collections(organization)
        ]


def _settings(side: Side, pairs: Mapping[Kind, tuple[str, str]], environ: Mapping[str, str]) -> Settings:
    urls = {VARIABLES[kind]: pair[side.number] for kind, pair in pairs.items() if pair[side.number]}
    try:
        return load(side_environ(side, urls, environ), read_setting_file)
    except MisconfiguredError as error:
        raise MisconfiguredError(f"The {side.name} cannot be used:\n{error}") from error


def _cargo(
    kind: Kind, backends: Sequence[Backends], tables: Sequence[Tables], places: tuple[str, str], catalog: _Catalog
) -> Cargo:
    one, other = backends
    match kind:
        case Kind.DATABASE:
            return TableCargo((tables[0], tables[1]), places, catalog.organizations)
        case Kind.BLOBS:
            return BlobCargo((one.blobs, other.blobs), places, catalog.given)
        case Kind.VECTORS:
            return VectorCargo((one.vectors, other.vectors), places, catalog.scopes)


def _tables(settings: Settings) -> Tables:
    from faultmaven_adapters.sql.transfer import SqlTables

    return SqlTables(settings.database.url.place, sql_options(settings))


def _resource(settings: Settings, kind: Kind) -> Resource:
    return {
        Kind.DATABASE: settings.database.url,
        Kind.BLOBS: settings.blobs,
        Kind.VECTORS: settings.knowledge.vectors,
    }[kind]


def _elsewhere(target: Settings, pairs: Iterable[Kind], folder: Path) -> Settings:
    """The target with what is not there yet in a folder that goes afterwards: opening a place makes it."""
    for kind in pairs:
        place = _resource(target, kind)
        if place.scheme not in ON_THIS_MACHINE or Path(place.place).exists():
            continue
        empty = replace(place, place=str(folder / kind))
        match kind:
            case Kind.DATABASE:
                target = replace(target, database=replace(target.database, url=empty))
            case Kind.BLOBS:
                target = replace(target, blobs=empty)
            case Kind.VECTORS:
                target = replace(target, knowledge=replace(target.knowledge, vectors=empty))
    return target


def _shown(settings: Settings, kind: Kind) -> str:
    return next(value for name, value, _ in settings.show() if name == VARIABLES[kind])


def _require(place: Resource, kind: Kind, remedy: str = "") -> None:
    """What is read must be there: opening would make an empty one."""
    if place.scheme == "memory":
        raise InvalidInputError(f"The {kind}: memory ends with its program.{remedy}", fields={"from": "memory"})
    if place.scheme in ON_THIS_MACHINE and not Path(place.place).exists():
        raise InvalidInputError(f"The {kind}: there is nothing at {place.place}.{remedy}", fields={"from": "missing"})


def _journal(request: TransferRequest, source: Settings, places: Mapping[Kind, tuple[str, str]]) -> Path:
    told = json.dumps([_plain(places), list(request.organizations)], sort_keys=True)
    name = f"{hashlib.sha256(told.encode()).hexdigest()[:16]}.jsonl"
    return request.journal or source.home / "transfers" / name


def _plain(places: Mapping[Kind, tuple[str, str]]) -> dict[str, list[str]]:
    return {str(kind): list(pair) for kind, pair in places.items()}
