"""The kinds of documents that are taken, by the ending of their names."""

from __future__ import annotations

MARKDOWN = "text/markdown"
PLAIN = "text/plain"
HTML = "text/html"
PDF = "application/pdf"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_ENDINGS = {
    "md": MARKDOWN,
    "markdown": MARKDOWN,
    "txt": PLAIN,
    "text": PLAIN,
    "html": HTML,
    "htm": HTML,
    "pdf": PDF,
    "docx": WORD,
}

TAKEN = "Markdown (.md), text (.txt), HTML (.html), PDF (.pdf) and Word (.docx)"


def media_type(name: str) -> str:
    """The media type that a name's ending stands for; empty where such documents are not taken."""
    return _ENDINGS.get(name.rpartition(".")[2].lower(), "") if "." in name else ""
