"""A turn of a conversation as clients send it: the parts of a form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TurnForm:
    """What is said, and what comes with it: text that was pasted, and `files`, each under the limit of uploads.

    `input_type` (file | paste | page_capture), `source_url` and `observed_at` say where evidence is from; `intent_data` is a
    JSON object in a text.
    """

    query: str = ""
    pasted_content: str = ""
    input_type: str = ""
    source_url: str = ""
    observed_at: datetime | None = None
    intent_type: str = ""
    intent_data: str = ""
    files: tuple[bytes, ...] = ()
