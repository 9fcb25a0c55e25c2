"""What a collector's list says of a source."""

from __future__ import annotations

from faultmaven_core.analysis.intake.provenance import Entry, command_of, pairs_for

POD = (("params.command", "kubectl logs web-0"), ("tool", "kubectl"))


def test_an_entry_speaks_of_sources_whose_name_ends_with_its_whole_path_parts() -> None:
    """In folders and in archives; `web.log` is not the end of `myweb.log`."""
    entries = [Entry("logs/web.log", POD), Entry("web.log", (("tool", "other"),))]
    assert pairs_for("bundle.tgz!./logs/web.log", entries) == POD
    assert pairs_for("evidence/logs/web.log", entries) == POD
    assert pairs_for("web.log", entries) == (("tool", "other"),)
    assert pairs_for("myweb.log", entries) == ()
    assert pairs_for("x", []) == ()


def test_the_answer_does_not_depend_on_the_order_of_entries() -> None:
    """Two lists may name one file."""
    entries = [Entry("a.log", (("tool", "x"),)), Entry("a.log", (("tool", "y"),))]
    assert pairs_for("a.log", entries) == pairs_for("a.log", entries[::-1])


def test_the_command_line_is_preferred_to_the_tool_s_name() -> None:
    """Both are hints on what was printed."""
    assert command_of(POD) == "kubectl logs web-0"
    assert command_of((("tool", "kubectl_describe"),)) == "kubectl_describe"
    assert command_of(()) == ""


def test_a_list_inside_an_archive_speaks_of_this_archive_alone() -> None:
    """Two bundles may hold files of one name."""
    entries = [Entry("web.log", (("tool", "a"),), "one.tgz!"), Entry("web.log", (("tool", "b"),), "two.tgz!")]
    assert pairs_for("one.tgz!web.log", entries) == (("tool", "a"),)
    assert pairs_for("two.tgz!web.log", entries) == (("tool", "b"),)
    assert pairs_for("web.log", entries) == ()
