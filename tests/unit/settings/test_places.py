"""Places of servers that know keys and no users."""

from __future__ import annotations

import pytest

from faultmaven.places import PLACES
from faultmaven_core.shared.errors import MisconfiguredError


@pytest.mark.parametrize(
    "text",
    [
        "milvus://root:hunter2@h:19530",
        "chroma+http://bob:hunter2@h:8000",
        "openai+https://hunter2@h/v1?model=m&dimension=8",
        "pinecone://:hunter2@h",
    ],
)
def test_a_user_where_none_is_known_is_refused_without_telling_the_password(text: str) -> None:
    """It would take the place of the key, or be lost, and the server would only say that it knows nobody."""
    with pytest.raises(MisconfiguredError, match="by its own variable") as raised:
        PLACES[text.partition(":")[0]](text)
    assert "hunter2" not in str(raised.value)
