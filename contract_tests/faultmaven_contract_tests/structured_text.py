"""The contract of `faultmaven_core.ports.structured_text`."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.ports.structured_text import Node, StructuredText
from faultmaven_core.shared.errors import InvalidInputError

TREES = st.recursive(
    st.one_of(st.integers(-(10**15), 10**15), st.booleans(), st.none(), st.text("ab \n:#-é\u4e16", max_size=12)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text("abc", min_size=1, max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


def plain(node: Node) -> object:
    """A tree without its lines."""
    if isinstance(node.value, Mapping):
        return {key: plain(child) for key, child in node.value.items()}
    return [plain(item) for item in node.value] if isinstance(node.value, tuple) else node.value


def written(tree: object, indent: int = 0) -> str:
    """A tree as block YAML with every string quoted."""
    pad = "  " * indent
    if isinstance(tree, dict) and tree:
        return "".join(f"\n{pad}{key}:{written(value, indent + 1)}" for key, value in tree.items())
    if isinstance(tree, list) and tree:
        return "".join(f"\n{pad}-{written(item, indent + 1)}" for item in tree)
    if isinstance(tree, str):
        return ' "' + tree.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return f" {'null' if tree is None else str(tree).lower() if isinstance(tree, bool) else tree}"


class StructuredTextContract:
    """Every parser gives the same trees, the same lines and the same refusals."""

    @pytest.fixture(scope="class")
    @classmethod
    def parser(cls) -> StructuredText:
        """The implementation under test. It has no state, so properties may share one."""
        raise NotImplementedError

    def test_scalars_are_what_the_core_schema_says_and_nothing_more(self, parser: StructuredText) -> None:
        """`no`, dates, octal-looking and huge numbers are text; quoting makes text of anything."""
        text = "a: 1\nb: -2.5e3\nc: true\nd: null\ne: ~\nf: no\ng: 2026-11-22\nh: '1'\ni: \"true\"\nj: 0o17\nk: 1_000\nl: 9999999999999999999999\nm:\n"
        (node,) = parser.parse(text)
        assert plain(node) == {
            "a": 1, "b": -2500.0, "c": True, "d": None, "e": None, "f": "no", "g": "2026-11-22", "h": "1", "i": "true",
            "j": "0o17", "k": "1_000", "l": 1e22, "m": None,
        }  # fmt: skip

    def test_every_node_knows_its_lines(self, parser: StructuredText) -> None:
        """An entry begins on its key's line; a collection ends with its last child, not where the next begins."""
        (node,) = parser.parse(
            "a: 1\nb:\n  - x\n  - y: 2\n    z: |\n      p\n      q\n\nc: [1,\n  2]\n# remark\nd: e\n"
        )
        lines = {key: (child.first, child.last) for key, child in node.entries()}
        assert lines["a"] == (0, 0)
        assert lines["b"][0] == 1
        assert lines["b"][1] in (6, 7)  # a literal block may count the blank line after it
        assert lines["c"] == (8, 9)
        assert lines["d"] == (11, 11)
        assert next((item.first, item.last) for item in node.items("b")) == (2, 2)

    def test_a_stream_gives_its_documents_without_the_empty_ones(self, parser: StructuredText) -> None:
        """As files of manifests are written."""
        nodes = parser.parse("---\na: 1\n---\n---\n# only a remark\n---\n- b\n...\n")
        assert [plain(node) for node in nodes] == [{"a": 1}, ["b"]]
        assert parser.parse("") == []

    def test_keys_that_are_not_text_keep_an_entry(self, parser: StructuredText) -> None:
        """Numbers and words are their text; of equal keys the last counts."""
        (node,) = parser.parse("1: a\ntrue: b\nnull: c\nx: 1\nx: 2\n")
        assert plain(node) == {"1": "a", "true": "b", "null": "c", "x": 2}

    def test_anchors_are_followed_and_cannot_explode(self, parser: StructuredText) -> None:
        """A billion laughs are refused quickly; a loop is refused."""
        (node,) = parser.parse("a: &x {n: 1}\nb: *x\n")
        assert plain(node) == {"a": {"n": 1}, "b": {"n": 1}}
        bomb = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 30))
        begun = time.perf_counter()
        for text in (bomb, "&a [*a]", "a: *nowhere\n"):
            with pytest.raises(InvalidInputError):
                parser.parse(text)
        assert time.perf_counter() - begun < 5

    @pytest.mark.parametrize(
        "text",
        ["[" * 100_000, "- " * 50_000 + "x", "{a: " * 20_000, "a: " * 3 + "b", "\t- x: [", '"open', "%YAML 9\n---\n"],
    )
    def test_nesting_and_nonsense_are_refused_with_a_sentence(self, parser: StructuredText, text: str) -> None:
        """No crash of the process, no exception that is not ours."""
        with pytest.raises(InvalidInputError, match=r"YAML"):
            parser.parse(text)

    def test_an_error_names_the_line(self, parser: StructuredText) -> None:
        """Counted as a person counts."""
        with pytest.raises(InvalidInputError, match="line 3"):
            parser.parse("a: 1\nb: 2\nc: ]\nd: 4\n")

    def test_tags_construct_nothing(self, parser: StructuredText) -> None:
        """They are not even an error: other people's tools write them."""
        (node,) = parser.parse("a: !!python/object/apply:os.system ['true']\nb: !Ref X\n")
        assert plain(node) == {"a": ["true"], "b": "X"}

    def test_signs_that_yaml_forbids_cost_a_sign_and_not_the_document(self, parser: StructuredText) -> None:
        """Terminal colours, form feeds, and line ends that only YAML takes for line ends."""
        (node,) = parser.parse("a: \x1b[31mred\nb: x\x0cy\nc: p\u2028q\rr\nd: 1\n")
        assert [(key, child.first) for key, child in node.entries()] == [("a", 0), ("b", 1), ("c", 2), ("d", 3)]

    @given(tree=TREES)
    def test_what_was_written_is_read(self, parser: StructuredText, tree: object) -> None:
        """Any tree, in block form."""
        expected = [] if tree is None else [tree]
        assert [plain(node) for node in parser.parse(written(tree).lstrip("\n"))] == expected

    @given(text=st.text(max_size=300))
    def test_any_text_is_read_or_refused(self, parser: StructuredText, text: str) -> None:
        """Bounded values and lines inside the text, or our error."""
        try:
            nodes = parser.parse(text)
        except InvalidInputError:
            return
        for node in nodes:
            self._check(node, text.count("\n") + 1)

    def _check(self, node: Node, lines: int) -> None:
        assert 0 <= node.first <= node.last <= lines
        assert not (isinstance(node.value, float) and math.isnan(node.value))
        children = node.value if isinstance(node.value, tuple) else [child for _, child in node.entries()]
        for child in children:
            self._check(child, lines)
