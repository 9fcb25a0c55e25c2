"""What the recorded proof says of tests that are in no suite is what has just run."""

from __future__ import annotations

import pytest

from recorded_proof import compare_or_keep, is_whole


def test_the_recorded_proof_of_the_other_tests_is_this_run(request: pytest.FixtureRequest) -> None:
    """Runs last; a run of all of them must equal the record."""
    if is_whole(request.config, "tests"):
        compare_or_keep(request, "tests")
