"""Names that stand for one thing are told from words."""

from __future__ import annotations

import pytest

from faultmaven_core.knowledge.names import LONGEST_NAME, MOST_NAMES, distinct, whole


@pytest.mark.parametrize(
    "name",
    [
        "KubePodCrashLooping",
        "etcdMembersDown",
        "node_filesystem_avail_bytes",
        "job:requests_total:rate5m",
        "ORA-01555",
        "E11000",
        "40P01",
        "ECONNREFUSED",
        "app.kubernetes.io/name",
        "com.acme.Pool",
        "MY_TIMEOUT",
        "SomeThing/x",
    ],
)
def test_a_name_in_a_sentence_is_found_folded(name: str) -> None:
    """Whatever stands around it."""
    if name == "SomeThing/x":
        assert distinct(f"It said `{name}`.") == ()
        return
    assert distinct(f"It said `{name}`, and again {name}.") == (name.casefold(),)


@pytest.mark.parametrize(
    "text", ["the pod restarts and/or fails", "e.g. at 10:30 on 2026-01-02", "NASA ERR JSON", "v2 85%", ""]
)
def test_plain_words_and_numbers_are_no_names(text: str) -> None:
    """A name that stands in every text would find every text."""
    assert distinct(text) == ()


def test_of_a_table_of_names_only_the_first_are_kept() -> None:
    """And no overlong ones."""
    text = " ".join(f"metric_{number}" for number in range(MOST_NAMES + 5)) + " x_" + "y" * LONGEST_NAME
    assert len(distinct(text)) == MOST_NAMES
    assert distinct("x_" + "y" * LONGEST_NAME) == ()


def test_a_title_that_is_one_name_bears_it() -> None:
    """A title with more words only mentions it."""
    assert whole(("KubeAPIDown", "Fix for NodeDown", "Runbook")) == {"kubeapidown"}
