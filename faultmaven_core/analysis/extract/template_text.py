"""A message with its values masked: what is left is what the program's author wrote.

Values are what no author writes into a format string: numbers and words with digits, hexadecimal runs, paths, addresses,
moments, quantities with their units, the right side of `key=value`. Words are judged later, among their like
(`template_merge`).
"""

from __future__ import annotations

import re

MASK = "\x01"
"""One value, or a run of values; shown as `<*>`."""

MAX_CHARACTERS = 1000
"""Of a message that count for its template; what follows is a value."""

_EDGE = r"\s=:,()\[\]{}\"'<>;|"
_QUERY = r"(?:\?[^\s\"'<>]*)?"
_UNIT = r"(?:[KMGTP]i?)?B|[kKMGT]?[Bb]ytes|[KMG]b|[mµun]?s|secs?|seconds?|mins?|minutes?|hours?|days?|%"
_STEPS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r'(?<==)"(?:[^"\\]|\\.)*"?', f'"{MASK}"'),
        (r"(?<![\w+.\-])[A-Za-z][\w+.\-]*://[^\s\"'<>)\]}|]+", MASK),
        (rf"(?:(?<![^\W_])[A-Za-z]:)?(?:[\\/]{{1,2}}[^{_EDGE}/\\?]+){{2,}}[\\/]*{_QUERY}", MASK),
        (rf"(?<![^{_EDGE}])\.{{0,2}}/[^{_EDGE}/?]*/?{_QUERY}(?=[{_EDGE}]|$)", MASK),
        (rf"(?<![^{_EDGE}])[\w.\-]+(?:/[\w.\-$%+~#]*){{2,}}{_QUERY}", MASK),
        (r"(?<![^\W_])(?:[0-9A-Fa-f]{2}[:\-]){3,}[0-9A-Fa-f]{2}(?![^\W_])", MASK),
        (rf"(?<![^{_EDGE}@/\\])[^{_EDGE}@/\\]*\d[^{_EDGE}@/\\]*", MASK),
        (r"(?<![^\W_])(?:[a-f]{8,}|[A-F]{8,})(?![^\W_])", MASK),
        (rf"(?<={MASK}):[0-9A-Fa-f]{{1,4}}(?=:{MASK})", f":{MASK}"),
        (r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +(?=(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b)", MASK + " "),
        (rf"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?= +{MASK})", MASK),
        (rf"(?<=[:.\s]){MASK} (?:UTC|GMT|[A-Z][SD]T)(?= {MASK})", MASK),
        (r"(?<=\s)\(\)(?=\s|$)", f"({MASK})"),
        (rf"(?<==)[A-Za-z]\w*[{{(\[]{MASK}[}})\]]", MASK),
        (rf"<(?={MASK}(?!>))", ""),
        (rf"(?<={MASK}) ?(?:{_UNIT})(?![^\W_])", ""),
        (rf"(?<={MASK}) \({MASK}\)", ""),
        (rf"{MASK}(?:[\s,:/.\-|;@\\]*{MASK})+", MASK),
    )
)


def masked(message: str) -> str:
    """The message with every value as `MASK`, runs of values as one."""
    text = message.replace(MASK, " ").strip()
    if len(text) > MAX_CHARACTERS:
        text = text[: text.rfind(" ", 1, MAX_CHARACTERS) + 1 or MAX_CHARACTERS] + MASK
    for pattern, replacement in _STEPS:
        text = pattern.sub(replacement, text)
    return text
