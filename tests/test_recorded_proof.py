"""What the recorded proof says of tests that are in no suite is what has just run."""

from __future__ import annotations

import pytest

from recorded_proof import STALE, files_recorded, files_that_passed


def test_the_files_that_the_proof_names_passed_in_this_run(request: pytest.FixtureRequest) -> None:
    """Runs last; judges a run of all tests that are in no suite. One of everything is judged with the suites."""
    if request.config.args == ["tests"]:
        assert files_that_passed(request) == files_recorded("tests/"), STALE
