"""Names that people give to files: data that is shown and offered for saving, never a path here or at the reader's."""

from __future__ import annotations

import re
import unicodedata

UNNAMED = "unnamed"

MOST_BYTES = 255
"""What every file system takes as one name."""

_SEPARATORS = re.compile(r"[/\\]")
_LOOKALIKES = "\u2044\u2215\u29f5\u29f8\u29f9\ufe68\uff0f\uff3c\u2216\u1735"
"""Characters that are drawn as a separator."""
_FORBIDDEN = '<>:"|?*'
_DEVICE = re.compile(
    r"(?:CON|PRN|AUX|NUL|CLOCK\$|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9\u00b9\u00b2\u00b3])(?:$|[. ])", re.IGNORECASE
)
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Controls, directions, halves of pairs, what has no meaning of its own, and breaks of lines."""

_REPLACED = str.maketrans(dict.fromkeys(_LOOKALIKES + _FORBIDDEN, "_"))


def file_name(given: str) -> str:
    """A name of one part that is safe to show and to save under: NFC, 1 to 255 bytes of UTF-8, never a path or a device.

    Of a path it is the last part. A name that holds nothing to keep is `unnamed`. A name that was made here stays as it is.
    """
    last = _SEPARATORS.split(given.rstrip("/\\"))[-1]
    seen = "".join(
        " " if unicodedata.category(char) == "Zs" else char
        for char in last
        if unicodedata.category(char) not in _UNSEEN
    )
    # Unified after the removal: what stood between two characters no longer keeps them apart.
    name = unicodedata.normalize("NFC", seen).translate(_REPLACED).strip().rstrip(". ")
    if _DEVICE.match(name):
        name = f"_{name}"
    return _short(name) or UNNAMED


def _short(name: str) -> str:
    """The name in MOST_BYTES, with its ending where that is short."""
    if len(name.encode()) <= MOST_BYTES:
        return name
    stem, dot, ending = name.rpartition(".")
    tail = f"{dot}{ending}" if stem and len(ending.encode()) <= 16 else ""
    head = (stem if tail else name).encode()[: MOST_BYTES - len(tail.encode())].decode(errors="ignore")
    return head.rstrip(". ") + tail
