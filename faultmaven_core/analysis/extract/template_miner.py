"""Every line of a log to the number of its signature: the masked message, without header and values.

Lines that differ only in words with digits share a key, which is computed for a whole block at once; only the first line
of each key is looked at closely. That is what makes it fast: a gigabyte of logs has few keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from faultmaven_core.analysis.extract.log_format import LogFormat
from faultmaven_core.analysis.extract.severity import guessed, severity
from faultmaven_core.analysis.extract.template_mask import mask_words
from faultmaven_core.analysis.extract.template_text import MASK, masked

MAX_SIGNATURES = 4096
"""Per miner; beyond, messages are told apart by their first two words only, which bounds memory on hostile input."""
MAX_KEYS = 60_000
MAX_KEY_BYTES = 12 << 20
MAX_LINE = 4096
"""Bytes of a line that tell its template."""

_CONTINUES = re.compile(
    r"\s|Caused by: |Traceback \(most recent call last\)|goroutine \d+ \[|\.\.\. \d+ more|[)}\]]+\s*\Z"
)
_FIELD = re.compile(r'(?:^|\s)(?P<key>[A-Za-z_][\w.\-]*)=(?P<value>"(?:[^"\\]|\\.)*"|[^\s"]*)')
_MESSAGE_KEYS = ("msg", "message", "@m", "@mt", "log", "event", "error", "err", "text", "body")
_LEVEL_KEYS = ("level", "lvl", "severity", "levelname", "log.level", "@l", "loglevel", "s")


@dataclass(frozen=True, slots=True)
class Line:
    """What a line is, apart from its values: the message after the header, its severity, and whether it continues the record before."""

    message: str
    severity: str
    continues: bool


class TemplateMiner:
    """Numbers the signatures of one source in the order in which they are met; `signatures[n]` is the text of number n."""

    def __init__(self, log_format: LogFormat) -> None:
        self.format = log_format
        self.signatures: list[str] = []
        self.severities: list[str] = []
        self.continues: list[bool] = []
        self._numbers: dict[tuple[str, str, bool], int] = {}
        self._memory: dict[bytes, int] = {}
        self._memory_bytes = 0

    def mine(self, block: bytes, lines: Sequence[bytes]) -> list[int]:
        """The signature number of each line; `lines` are the block's, without an empty one after its last line feed."""
        keys = mask_words(block).split(b"\n")
        del keys[len(lines) :]
        found = list(map(self._memory.get, keys))
        if None not in found:
            return found  # type: ignore[return-value]  # no None is left
        return [
            number if number is not None else self._learn(key, line)
            for number, key, line in zip(found, keys, lines, strict=True)
        ]

    def _learn(self, key: bytes, raw: bytes) -> int:
        number = self._memory.get(key)
        if number is not None:
            return number
        line = self.read(raw[:MAX_LINE].decode("utf-8", "replace").rstrip("\r"))
        number = self._number(masked(line.message), line)
        if len(self._memory) >= MAX_KEYS or self._memory_bytes >= MAX_KEY_BYTES:
            self._memory.clear()
            self._memory_bytes = 0
        self._memory[key] = number
        self._memory_bytes += len(key) + 100
        return number

    def _number(self, signature: str, line: Line) -> int:
        if (signature, line.severity, line.continues) not in self._numbers and len(self.signatures) >= MAX_SIGNATURES:
            signature = (
                " ".join([*signature.split(" ", 2)[:2], MASK]) if len(self.signatures) < 2 * MAX_SIGNATURES else MASK
            )
        entry = (signature, line.severity, line.continues)
        number = self._numbers.get(entry)
        if number is None:
            number = self._numbers[entry] = len(self.signatures)
            self.signatures.append(signature)
            self.severities.append(line.severity)
            self.continues.append(line.continues)
        return number

    def read(self, text: str) -> Line:
        """A line without its header."""
        if self.format.kind == "json" and text.startswith("{"):
            return _of_json(text)
        if self.format.kind == "logfmt":
            return _of_pairs(text)
        for layout in self.format.layouts:
            match = layout.pattern.match(text)
            if match:
                message = text[match.end() :]
                stated = match.groupdict().get("level")
                return Line(message, severity(stated) if stated else guessed(message), continues=False)
        follows = bool(self.format.layouts) and _CONTINUES.match(text) is not None
        return Line(text, "" if follows else guessed(text), follows)


def _of_json(text: str) -> Line:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Line(text, guessed(text), continues=False)
    # What begins with a brace and is JSON is an object.
    return _of_fields(value, text)


def _of_pairs(text: str) -> Line:
    return _of_fields({match["key"]: match["value"].strip('"') for match in _FIELD.finditer(text)}, text)


def _of_fields(fields: dict[str, object], text: str) -> Line:
    named = {key.lower(): value for key, value in fields.items()}
    message = next((value for key in _MESSAGE_KEYS if isinstance(value := named.get(key), str) and value), text)
    stated = next((str(named[key]) for key in _LEVEL_KEYS if named.get(key)), "")
    return Line(message, severity(stated) or guessed(message), continues=False)
