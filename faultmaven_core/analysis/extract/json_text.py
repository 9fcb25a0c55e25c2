"""JSON to trees whose every node knows the lines it stands on."""

from __future__ import annotations

import math
import re
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]  # in CPython, left out of typeshed

from faultmaven_core.ports.structured_text import Node
from faultmaven_core.shared.errors import InvalidInputError

MAX_NODES = 1_000_000
"""A document with more values is refused: a node takes some 150 bytes."""

MAX_DEPTH = 100

_BLANK = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"(-?(?:0|[1-9]\d*))(\.\d+)?([eE][-+]?\d+)?")
_WORD = re.compile(r"true|false|null")
_WORDS = {"true": True, "false": False, "null": None}
_ESCAPED_SURROGATE = re.compile(r"[\ud800-\udfff]")
_EXACT_DIGITS = 18
"""Longer whole numbers become floats: nobody counts beyond 64 bits, and a hostile one may have a million digits."""


def parse_json(text: str) -> Node:
    """The one document that a text holds. An entry's first line is its key's.

    Of equal keys the last wins; numbers beyond a float's range become None; half a surrogate pair becomes U+FFFD.
    Raises InvalidInputError that names the line where the text is not JSON, or that says how it exceeds the limits.
    """
    reader = _Reader(text.removeprefix("\ufeff"))
    node = reader.value(0)
    reader.blank()
    if reader.at != len(reader.text):
        raise reader.error("more text follows the document")
    return node


class _Reader:
    """A recursive descent that counts lines as it goes: outside of white space JSON has no line feed."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.line, self.count = text, 0, 0, 0

    def error(self, what: str) -> InvalidInputError:
        return InvalidInputError(f"Not JSON: {what} on line {self.line + 1}.")

    def blank(self) -> None:
        match = _BLANK.match(self.text, self.at)
        if match and match.end() > self.at:
            self.line += self.text.count("\n", self.at, match.end())
            self.at = match.end()

    def peek(self) -> str:
        self.blank()
        return self.text[self.at : self.at + 1]

    def value(self, depth: int) -> Node:
        self.count += 1
        if self.count > MAX_NODES or depth > MAX_DEPTH:
            raise InvalidInputError(f"This JSON holds over {MAX_NODES} values or {MAX_DEPTH} levels.")
        char = self.peek()
        if char == "{":
            return self.mapping(depth)
        if char == "[":
            return self.sequence(depth)
        if char == '"':
            return Node(self.string(), self.line, self.line)
        return Node(self.scalar(), self.line, self.line)

    def mapping(self, depth: int) -> Node:
        first, entries = self.line, {}
        self.at += 1
        if self.peek() != "}":
            while True:
                if self.peek() != '"':
                    raise self.error("a key was expected")
                line, key = self.line, self.string()
                self.expect(":")
                child = self.value(depth + 1)
                entries[key] = Node(child.value, line, child.last)
                if self.peek() != ",":
                    break
                self.at += 1
        self.expect("}")
        return Node(entries, first, self.line)

    def sequence(self, depth: int) -> Node:
        first, items = self.line, []
        self.at += 1
        if self.peek() != "]":
            while True:
                items.append(self.value(depth + 1))
                if self.peek() != ",":
                    break
                self.at += 1
        self.expect("]")
        return Node(tuple(items), first, self.line)

    def expect(self, char: str) -> None:
        if self.peek() != char:
            raise self.error(f"{char!r} was expected")
        self.at += 1

    def string(self) -> str:
        try:
            found, self.at = scanstring(self.text, self.at + 1, True)
        except JSONDecodeError as error:
            raise self.error(error.msg) from error
        return _ESCAPED_SURROGATE.sub("\ufffd", found)

    def scalar(self) -> int | float | bool | None:
        if match := _NUMBER.match(self.text, self.at):
            self.at = match.end()
            whole, fraction, exponent = match.groups()
            if not fraction and not exponent and len(whole) <= _EXACT_DIGITS:
                return int(whole)
            number = float(match[0])
            return number if math.isfinite(number) else None
        if match := _WORD.match(self.text, self.at):
            self.at = match.end()
            return _WORDS[match[0]]
        raise self.error("a value was expected")
