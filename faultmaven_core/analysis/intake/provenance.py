"""`sources.json`: what a collector wrote down about how files were obtained. It is provenance, not evidence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

FILE_NAME = "sources.json"
KIND = "provenance"
MAX_BYTES = 4 << 20
"""A larger file is evidence that happens to have the name."""

_MAX_VALUE = 2_000
_PART = re.compile(r"[/!]")

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of the sources whose name ends with `file`: sorted pairs like ("tool", ...), ("params.pod", ...).

    A list inside an archive speaks of this archive alone: of sources whose name begins with `within`.
    """

    file: str
    pairs: Pairs
    within: str = ""


def entries_of(name: str, data: bytes) -> tuple[Entry, ...] | None:
    """The entries of a collector's list; None where the file is something else."""
    if _PART.split(name)[-1] != FILE_NAME or len(data) > MAX_BYTES:
        return None
    try:
        listed = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(listed, list) or not all(
        isinstance(item, dict) and isinstance(item.get("file"), str) for item in listed
    ):
        return None
    within = name[: name.rfind("!") + 1]
    return tuple(Entry(_tidy(item["file"]), _pairs(item), within) for item in listed)


def _pairs(item: dict[str, object]) -> Pairs:
    params = item.get("params")
    flat = {f"params.{key}": value for key, value in params.items()} if isinstance(params, dict) else {}
    flat |= {"tool": item.get("tool")}
    known = {key: value for key, value in flat.items() if isinstance(value, str | int | float) and str(value)}
    return tuple(
        sorted((key, str(value)[:_MAX_VALUE].encode("utf-8", "replace").decode()) for key, value in known.items())
    )


def pairs_for(name: str, entries: Iterable[Entry]) -> Pairs:
    """What the entries say of a source; of several the one with the longest file name counts."""
    parts = _PART.split(_tidy(name))
    fitting = [
        entry
        for entry in entries
        if name.startswith(entry.within) and parts[-len(_PART.split(entry.file)) :] == _PART.split(entry.file)
    ]
    return max(fitting, key=lambda entry: (len(entry.file), entry.pairs)).pairs if fitting else ()


def command_of(pairs: Pairs) -> str:
    """The command line that printed the source, else the name of the tool that recorded it."""
    known = dict(pairs)
    return known.get("params.command") or known.get("tool", "")


def _tidy(path: str) -> str:
    return "/".join(part for part in path.replace("!./", "!").split("/") if part not in ("", "."))
