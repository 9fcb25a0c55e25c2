"""What `fm transfer` is told: which URL is a database, which are blobs, which vectors, and which settings belong to which side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from faultmaven.declared import VARIABLES as VARIABLES_OF_ALL
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.transfer.model import Kind

SCHEMES: Mapping[Kind, tuple[str, ...]] = {
    Kind.DATABASE: ("sqlite", "postgresql"),
    Kind.BLOBS: ("file", "s3"),
    Kind.VECTORS: (
        "sqlite", "chroma+file", "chroma+http", "chroma+https", "milvus", "milvus+https", "milvus+file", "pinecone", "pgvector"
    ),
}  # fmt: skip
VARIABLES: Mapping[Kind, str] = {
    Kind.DATABASE: "FM_DATABASE_URL",
    Kind.BLOBS: "FM_BLOBS_URL",
    Kind.VECTORS: "FM_VECTORS_URL",
}
_SECRETS = {"FM_DATABASE_URL": "FM_DATABASE_PASSWORD", "FM_VECTORS_URL": "FM_VECTORS_API_KEY"}
_SERVERS_ONLY: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "FM_DATABASE_URL": (("FM_DATABASE_PASSWORD", "FM_DATABASE_POOLER"), ("sqlite",)),
    "FM_VECTORS_URL": (("FM_VECTORS_API_KEY",), ("sqlite", "chroma+file", "milvus+file")),
}
"""Settings of a server, and the schemes of places that have none: where one side is such, they are meant for the other."""
_ALIASES = {variable.name: variable.aliases for variable in VARIABLES_OF_ALL}
_USED = ("FM_HOME", "FM_STARTUP_WAIT", "FM_DATABASE_", "FM_BLOBS_", "FM_S3_", "FM_VECTORS_")
"""What begins so belongs to the places; other settings say how FaultMaven runs, and it does not run now."""
_NOT_USED = ("FM_DATABASE_READ_", "FM_DATABASE_MIGRATION_")
"""A replica may lag, and nothing is migrated."""


@dataclass(frozen=True, slots=True)
class Side:
    """`FM_<prefix>X` stands for FM_X of this side alone."""

    number: int
    name: str
    prefix: str


SIDES = (Side(0, "source", "FROM_"), Side(1, "target", "TO_"))


def paired(sources: Sequence[str], targets: Sequence[str]) -> Mapping[Kind, tuple[str, str]]:
    """Kind to (source, target), empty for what the settings name; the first source belongs to the first target, and so on.

    Raises InvalidInputError where a URL's kind is not clear, or two do not belong together.
    """
    if sources and targets and len(sources) != len(targets):
        raise InvalidInputError(
            f"There are {len(sources)} --from and {len(targets)} --to: give as many of each, or one side alone.",
            fields={"to": "not as many as --from"},
        )
    if not sources and not targets:
        raise InvalidInputError("Say where to, or where from: --from URL, --to URL.", fields={"to": "missing"})
    found: dict[Kind, tuple[str, str]] = {}
    for source, target in zip(sources or [""] * len(targets), targets or [""] * len(sources), strict=True):
        kind = _kind(source, target)
        if kind in found:
            raise InvalidInputError(f"The {kind} are named twice.", fields={"from": "named twice"})
        found[kind] = (_bare(source), _bare(target))
    return found


def side_environ(side: Side, urls: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that describe one side: those of all, then its own, then the URLs."""
    own = {
        f"FM_{name.removeprefix(f'FM_{side.prefix}')}": value
        for name, value in environ.items()
        if name.startswith(f"FM_{side.prefix}")
    }
    found = {
        name: value
        for name, value in environ.items()
        if not name.startswith("FM_") or (name.startswith(_USED) and not name.startswith(_NOT_USED))
    }
    for variable, url in urls.items():
        own[variable] = url
        if secret := _SECRETS.get(variable):
            # A password that stands in the URL wins over one that is set for another place.
            user = url.partition("://")[2].rpartition("@")[0]
            if ":" in user:
                _without(found, secret)
    for variable, (settings, schemes) in _SERVERS_ONLY.items():
        if _scheme(own.get(variable, "")) in schemes:
            for setting in settings:
                _without(found, setting)
    for name in own:
        _without(found, name.removesuffix("_FILE"))
    return {**found, **own}


def _without(environ: dict[str, str], name: str) -> None:
    for other in (name, *_ALIASES.get(name, ())):
        environ.pop(other, None)
        environ.pop(f"{other}_FILE", None)


def _kind(source: str, target: str) -> Kind:
    possible = [kind for kind in Kind if all(kind in _possible(url) for url in (source, target) if url)]
    if len(possible) == 1:
        return possible[0]
    told = " and ".join(_scheme(url) for url in (source, target) if url)
    if possible:
        prefixes = " or ".join(f"{kind}=" for kind in possible)
        raise InvalidInputError(
            f"{told} may be {' or '.join(possible)}: write {prefixes} in front of the URL.",
            fields={"from": "ambiguous"},
        )
    raise InvalidInputError(
        f"Nothing can be moved between {told}: a database goes to a database, blobs to blobs, vectors to vectors.",
        fields={"to": "another kind"},
    )


def _possible(url: str) -> Sequence[Kind]:
    prefix, mark, rest = url.partition("=")
    if mark and prefix in tuple(Kind):
        return [Kind(prefix)] if _scheme(rest) in SCHEMES[Kind(prefix)] else []
    return [kind for kind, schemes in SCHEMES.items() if _scheme(url) in schemes]


def _bare(url: str) -> str:
    prefix, mark, rest = url.partition("=")
    return rest if mark and prefix in tuple(Kind) else url


def _scheme(url: str) -> str:
    """Never more of a URL than this: the rest may hold a password."""
    return _bare(url).partition(":")[0][:40]
