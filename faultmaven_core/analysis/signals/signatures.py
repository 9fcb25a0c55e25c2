"""Signatures: a text in a line that says something about the entity that wrote it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from faultmaven_core.analysis.catalogs import catalog, check_keys
from faultmaven_core.analysis.model import Entity, Fact, Mode, Span
from faultmaven_core.ports.pattern_scanner import PatternScanner, Scan
from faultmaven_core.shared.errors import InvalidInputError

_KEYS = {"id", "pattern", "means", "captures"}

MAX_QUOTE = 400
"""Characters of a line kept as a fact's value; the span cites all of it."""


@dataclass(frozen=True, slots=True)
class Signature:
    """`pattern` finds lines (RE2 syntax); `captures` are Python patterns whose named groups become parameters."""

    id: str
    pattern: str
    means: str
    captures: tuple[re.Pattern[str], ...] = ()

    def parameters(self, line: str) -> tuple[tuple[str, str], ...]:
        """What the captures find in the line, by name; of captures with the same name the first that matches wins."""
        found: dict[str, str] = {}
        for capture in self.captures:
            match = capture.search(line)
            for name, value in (match.groupdict() if match else {}).items():
                if value and name not in found:
                    found[name] = _bare(value)
        return tuple(sorted(found.items()))


def _bare(value: str) -> str:
    """A captured value without the punctuation around it; a quote that has its twin inside belongs to the value."""
    value = value.strip().rstrip(".,;")
    while len(value) > 1 and value[0] == value[-1] and value[0] in "\"'`":
        value = value[1:-1]
    for quote in "\"'`":
        if value.count(quote) == 1:
            value = value.strip(quote)
    return value


@cache
def signatures() -> tuple[Signature, ...]:
    """Those that come with the product, by id."""
    found = [signature for name, text in catalog("signals") for signature in load(text, name)]
    return tuple(sorted(found, key=lambda signature: signature.id))


def load(text: str, name: str) -> list[Signature]:
    """Signatures of a TOML file. Raises InvalidInputError that names the file and the entry."""
    found = []
    for entry in tomllib.loads(text).get("signature", []):
        try:
            check_keys(entry, _KEYS)
            captures = tuple(re.compile(pattern) for pattern in entry.get("captures", []))
            found.append(Signature(entry["id"], entry["pattern"], entry["means"], captures))
        except (KeyError, ValueError, re.error) as error:
            raise InvalidInputError(f"{name}: signature {entry.get('id', '?')}: {error!r}.") from error
    return found


class SignatureScan:
    """All signatures, compiled once per process."""

    def __init__(self, scanner: PatternScanner, known: Sequence[Signature] | None = None) -> None:
        self._by_id = {signature.id: signature for signature in (signatures() if known is None else known)}
        self.scan: Scan = scanner.compile({name: signature.pattern for name, signature in self._by_id.items()})

    def parameters(self, name: str, line: str) -> tuple[tuple[str, str], ...]:
        """What a signature captures in a line that it matches."""
        return self._by_id[name].parameters(line)

    def facts(
        self, entity: Entity, line: str, span: Span, mode: Mode, *, when: float | None = None, count: int = 1
    ) -> Iterable[Fact]:
        """A fact per signature that the line matches."""
        for name, _ in self.scan.hits(line.replace("\n", " ").encode()):
            yield Fact(
                entity,
                f"signature.{name}",
                line.strip()[:MAX_QUOTE],
                mode,
                (span,),
                when,
                count=count,
                params=self._by_id[name].parameters(line),
            )
