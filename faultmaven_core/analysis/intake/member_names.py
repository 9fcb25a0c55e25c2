"""Names of archive members: data to show, never paths to follow."""

from __future__ import annotations

import re
import unicodedata

MAX_NAME = 1024
"""Characters; longer names are cut in the middle when shown and refused in archives."""

_DRIVE = re.compile(r"[A-Za-z]:")


def shown(name: str) -> str:
    """The name as it can stand in a report: composed, without control, bidirectional or unpaired characters."""
    composed = unicodedata.normalize("NFC", name)
    clean = "".join(
        "\ufffd" if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") else char
        for char in composed
    )
    return clean if len(clean) <= MAX_NAME else f"{clean[: MAX_NAME // 2]}…{clean[-MAX_NAME // 4 :]}"


def objection(name: str) -> str:
    """Why a member's name is refused, as the end of a sentence; empty for an honest one."""
    if not name.strip("/. "):
        return "its name is empty"
    if len(name) > MAX_NAME:
        return f"its name has more than {MAX_NAME:,} characters"
    if name.startswith(("/", "\\")) or _DRIVE.match(name):
        return "its name is an absolute path"
    if ".." in re.split(r"[/\\]", name):
        return "its name points out of the archive (`..`)"
    return "its name holds a NUL character" if "\0" in name else ""
