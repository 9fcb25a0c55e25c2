"""Files with a JSON object on each line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def json_lines(text: str) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Each line that is not blank: its number from 1 and its object, None where it is no JSON object."""
    # only line feeds end a line: the other separators of Unicode may stand unescaped inside of a JSON string
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        yield number, row if isinstance(row, dict) else None
