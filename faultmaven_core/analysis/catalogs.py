"""Knowledge that comes with the product as files: the TOML catalogs beside the modules that read them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from importlib import resources


def catalog(package: str) -> Iterator[tuple[str, str]]:
    """Name and text of every file in the catalog of a package under `faultmaven_core.analysis`, by name."""
    folder = resources.files(f"faultmaven_core.analysis.{package}") / "catalog"
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            yield entry.name, entry.read_text(encoding="utf-8")


def check_keys(entry: Mapping[str, object], allowed: Collection[str]) -> None:
    """Raise ValueError for a key that nothing reads: a misspelt one would silently do nothing."""
    if unknown := sorted(set(entry) - set(allowed)):
        raise ValueError(f"unknown key {unknown[0]!r}")
