"""What the core imports, counted from the import graph: a list of what is forbidden would forget the next library."""

from __future__ import annotations

import sys

import grimp
import pytest

ALLOWED = {"msgspec": "faultmaven_core.codec", "numpy": "faultmaven_core.analysis"}
"""Library -> the module, or package, that alone may import it."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Every import of the core, also those inside functions and for type checkers."""
    return grimp.build_graph("faultmaven_core", include_external_packages=True, cache_dir=None)


def test_the_core_imports_the_standard_library_msgspec_and_numpy_only(graph: grimp.ImportGraph) -> None:
    """The core must run wherever Python runs, and be tested without anything installed."""
    foreign = {module for module in graph.modules if graph.is_module_squashed(module)}
    assert foreign, "the graph holds external packages"
    assert foreign - sys.stdlib_module_names - {"faultmaven_core"} <= set(ALLOWED)


@pytest.mark.parametrize("library", ALLOWED)
def test_a_library_is_imported_in_its_place_only(graph: grimp.ImportGraph, library: str) -> None:
    """One module knows the codec library, one package computes; the rest is plain Python."""
    importers = graph.find_modules_that_directly_import(library) if library in graph.modules else set()
    place = ALLOWED[library]
    assert {module for module in importers if module != place and not module.startswith(f"{place}.")} == set()


def test_the_core_never_asks_for_the_time_or_chance(graph: grimp.ImportGraph) -> None:
    """The same bytes give the same record; ids and the clock come in through `shared`, where callers can replace them."""
    for chance in ("random", "time", "uuid", "secrets"):
        importers = graph.find_modules_that_directly_import(chance) if chance in graph.modules else set()
        assert {module for module in importers if module.startswith("faultmaven_core.analysis")} == set()
