"""Lists in parts: each page tells where the next one begins, as `next_cursor` and by a Link header (RFC 8288)."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode

from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_http.endpoint import Asked

Headers = tuple[tuple[bytes, bytes], ...]

COUNTED = frozenset({"offset", "page"})
"""How clients may say where a page begins instead; a place in the list takes their stead."""


def following(asked: Asked, cursor: str | None, parameter: str = "cursor") -> Headers:
    """The header that leads to the next page: the same request, going on where this page ends. None at the end."""
    if cursor is None:
        return ()
    given = parse_qsl(asked.scope["query_string"].decode("ascii"), keep_blank_values=True)
    kept = [(name, value) for name, value in given if name not in COUNTED and name != parameter]
    query = urlencode([*kept, (parameter, cursor)])
    return ((b"link", f'<{quote(asked.scope["path"])}?{query}>; rel="next"'.encode("ascii")),)


def number_of(cursor: str) -> int:
    """The place in a list whose places are numbers; 0 for its beginning. Raises InvalidInputError."""
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 16):
        raise InvalidInputError("This is not the cursor of an earlier page.", fields={"cursor": "unknown"})
    return int(cursor)
