"""Every place in a module that keeps organizations apart, and the module without it: found in its syntax, not by a list."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from typing import cast

_OWNER = frozenset({"organization", "_organization", "organization_id"})
_LOOKS_UP = frozenset({"get", "pop", "setdefault"})
_SWITCHED_ON = re.compile(r"(?<!NO )(?:ENABLE|FORCE) ROW LEVEL SECURITY")
_SQL = re.compile(
    r"\b(?:organization(?:_id)?|scope) *= *(?:\?|\$\d+|(?:new|old|NEW|OLD)\.\w+|current_setting\(.*?true\))"
)

EVERYBODY = "everybody"
"""An organization's name, where all have one."""

ANYBODYS = '''

def _anybodys(rows, key, place):
    """Somebody else's key that differs in nothing but its organization, else the key itself."""
    def rest(other):
        return () if place is None else (*other[:place], *other[place + 1:])
    return next((other for other in rows if other != key and rest(other) == rest(key)), key)


def _same_but_for(place, one, other):
    """Whether two tuples are the same, whoever owns them."""
    return (*one[:place], *one[place + 1:]) == (*other[:place], *other[place + 1:])
'''
"""What a module needs in which a predicate is gone. It stands at its end: nothing of it is needed while it is made."""

_Change = Callable[[ast.AST], ast.AST]


@dataclass(frozen=True, slots=True)
class Predicate:
    """One of a module's places; `place` is its number among them, `function` holds it, `what` tells it to people."""

    module: str
    function: str
    original: str
    kind: str
    what: str
    place: int

    def __str__(self) -> str:
        return f"{self.module} {self.place}: {self.kind}: {self.what}"

    @property
    def where(self) -> str:
        """The module and the function, which stay the same where lines are added."""
        return f"{self.module} {self.function}"

    def removed(self) -> str:
        """The module's text without it."""
        tree = ast.parse(self.original)
        node, _, change = next(islice(_places(tree), self.place, None))
        _Swap(node, change).visit(tree)
        return ast.unparse(ast.fix_missing_locations(tree)) + ANYBODYS

    def kept(self) -> str:
        """The module's text written in the same way, with it."""
        return ast.unparse(ast.parse(self.original)) + ANYBODYS


class _Swap(ast.NodeTransformer):
    """Puts another node into one node's place."""

    def __init__(self, node: ast.AST, change: _Change) -> None:
        self._node, self._change = node, change

    def visit(self, node: ast.AST) -> ast.AST:
        return self._change(node) if node is self._node else cast("ast.AST", super().visit(node))


def predicates(module: str, source: str) -> list[Predicate]:
    """All of a module, in the order of its syntax."""
    tree = ast.parse(source)
    found: list[Predicate] = []
    for place, (node, kind, _) in enumerate(_places(tree)):
        line = getattr(node, "lineno", 0)
        what = f"{_first_line(node)} (line {line})"
        found.append(Predicate(module, _function(tree, line), source, kind, what, place))
    return found


def _function(tree: ast.Module, line: int) -> str:
    around = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.lineno <= line <= (node.end_lineno or line)
    ]
    return ".".join(around)


def _first_line(node: ast.AST) -> str:
    return ast.unparse(node).replace("\n", " ").strip()[:100]


_Place = tuple[ast.AST, str, _Change]


def _places(tree: ast.Module) -> Iterator[_Place]:
    passed_on = {id(node) for node in _passed_on(tree)}
    for node in ast.walk(tree):
        for place in _of(node):
            if id(place[0]) not in passed_on:
                yield place
                # What is looked up by a key is one place, whatever the key is made of.
                passed_on |= {id(inner) for inner in ast.walk(place[0]) if isinstance(inner, ast.Tuple | ast.Compare)}
    if any("ROW LEVEL SECURITY" in str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)):
        yield from _of_row_security(tree)


def _passed_on(tree: ast.Module) -> Iterator[ast.AST]:
    """Tuples that are no keys: of an assignment to several names, of a return, of a statement's parameters; and errors."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Tuple()], value=value):
                yield value
            case ast.Return(value=ast.Tuple() as value):
                yield value
            case ast.Call(func=ast.Attribute(attr="execute" | "executemany"), args=args):
                yield from args[1:]
            case ast.Raise():
                yield from ast.walk(node)
            case _:
                pass


def _of(node: ast.AST) -> Iterator[_Place]:
    match node:
        case ast.Compare(ops=[ast.Eq() | ast.NotEq()]):
            yield from _of_comparison(node)
        case ast.Expr(value=ast.Call(func=called)) if ast.unparse(called).rpartition(".")[2] == "own":
            yield node, "guard", lambda _: ast.Pass()
        case ast.Constant(value=str(text)):
            yield from _of_sql(node, text)
        case ast.ClassDef(decorator_list=[ast.Call(keywords=told)]) if any(each.arg == "order" for each in told):
            yield from _of_key_class(node)
        case _:
            yield from _of_key(node)


def _of_key(node: ast.AST) -> Iterator[_Place]:
    """Where rows are looked up by a key, and where a key is made."""
    match node:
        case ast.Compare(left=key, ops=[ast.In() | ast.NotIn()], comparators=[rows]) if _is_key(key):
            yield key, "key", partial(_anybodys, rows)
        case ast.Subscript(value=rows, slice=key) if _is_key(key):
            yield key, "key", partial(_anybodys, rows)
        case ast.Call(func=ast.Attribute(value=rows, attr=name), args=[key, *_]) if name in _LOOKS_UP and _is_key(key):
            yield key, "key", partial(_anybodys, rows)
        case ast.Call(func=ast.Attribute(attr="key"), args=[part, *_]) if _is_owner(part):
            yield part, "part of a key", _nobodys
        case ast.Call(func=ast.Attribute(value=part, attr="encode"), args=[]) if _is_owner(part):
            yield part, "part of a key", _nobodys
        case ast.keyword(arg="namespace", value=part) if _is_owner(part):
            yield part, "part of a key", _nobodys
        case ast.Tuple(ctx=ast.Load()) if _is_key(node):
            yield node, "part of a key", _nobodys
        case ast.FormattedValue(value=value) if any(_is_owner(inner) for inner in ast.walk(value)):
            yield node, "part of a text", _nobodys
        case _:
            pass


def _is_owner(node: ast.AST) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name in _OWNER


def _is_key(node: ast.AST) -> bool:
    return _is_owner(node) or (isinstance(node, ast.Tuple) and any(map(_is_owner, node.elts)))


def _owner_at(key: ast.AST) -> int | None:
    """Where in a key its organization stands; None where it is the whole key."""
    return (
        next((at for at, part in enumerate(key.elts) if _is_owner(part)), None) if isinstance(key, ast.Tuple) else None
    )


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), [*arguments], [])


def _anybodys(rows: ast.expr, key: ast.AST) -> ast.AST:
    return _call("_anybodys", rows, cast("ast.expr", key), ast.Constant(_owner_at(key)))


def _nobodys(key: ast.AST) -> ast.AST:
    parts = key.elts if isinstance(key, ast.Tuple) else []
    kept = [ast.Constant(EVERYBODY) if _is_owner(part) else part for part in parts]
    return ast.Tuple(kept, ast.Load()) if kept else ast.Constant(EVERYBODY)


def _of_comparison(node: ast.Compare) -> Iterator[_Place]:
    """Of values or columns: always true. Of tuples: without the organizations in them."""
    left, right = node.left, node.comparators[0]
    equal = isinstance(node.ops[0], ast.Eq)
    tuples = [side for side in (left, right) if isinstance(side, ast.Tuple) and _is_key(side)]
    if tuples:
        same = _call("_same_but_for", ast.Constant(_owner_at(tuples[0])), left, right)
        yield node, "comparison", lambda _: same if equal else ast.UnaryOp(ast.Not(), same)
    elif _is_owner(left) or _is_owner(right):
        # Both ways, so that it is true or false in Python and in SQL alike, and a statement keeps its parameters.
        other = ast.Compare(left, [ast.NotEq() if equal else ast.Eq()], [right])
        both = ast.BinOp(node, ast.BitOr() if equal else ast.BitAnd(), other)
        yield node, "comparison", lambda _: both


def _of_sql(node: ast.Constant, text: str) -> Iterator[_Place]:
    for found in _SQL.finditer(text):
        changed = ast.Constant(f"{text[: found.start()]}({found[0]} OR 1 = 1){text[found.end() :]}")
        yield node, "SQL", partial(_to, changed)


def _to(changed: ast.AST, _: ast.AST) -> ast.AST:
    return changed


def _of_key_class(node: ast.ClassDef) -> Iterator[_Place]:
    """A field that counts no more when two keys are compared."""
    told = ast.parse("__import__('dataclasses').field(compare=False)", mode="eval").body
    for field in node.body:
        if isinstance(field, ast.AnnAssign) and _is_owner(field.target):
            yield field, "part of a key", partial(_to, ast.AnnAssign(field.target, field.annotation, told, simple=1))


def _of_row_security(tree: ast.Module) -> Iterator[_Place]:
    """Statements that switch it on, conditions of its policies, and each table of the loops in which they are made."""
    lists = dict(_lists(tree))
    for node in ast.walk(tree):
        text = _sql_of(node)
        if isinstance(node, ast.Expr) and _SWITCHED_ON.search(text):
            yield node, "row-level security", lambda _: ast.Pass()
        elif isinstance(node, ast.JoinedStr) and "CREATE POLICY organization" in text:
            for before, part in pairwise(node.values):
                if isinstance(before, ast.Constant) and str(before.value).endswith("("):
                    yield part, "policy", partial(_to, ast.Constant("true"))
        elif isinstance(node, ast.For) and "CREATE POLICY" in text:
            for number in range(_length(node.iter, lists)):
                yield node.iter, "row-level security of a table", partial(_without, number=number)


def _sql_of(node: ast.AST) -> str:
    """What it says of row-level security, be it a statement, a text, or a loop."""
    parts = ast.walk(node) if isinstance(node, ast.Expr | ast.For | ast.JoinedStr) else ()
    return " ".join(str(part.value) for part in parts if isinstance(part, ast.Constant))


def _lists(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case _:
                pass


def _length(items: ast.expr, lists: Mapping[str, ast.expr]) -> int:
    match items:
        case ast.Name(id=name):
            return _length(lists[name], lists)
        case ast.Starred(value=value):
            return _length(value, lists)
        case ast.Tuple(elts=parts):
            return sum(_length(part, lists) for part in parts)
        case _:
            return 1


def _without(items: ast.AST, number: int) -> ast.AST:
    text = f"[item for at, item in enumerate({ast.unparse(items)}) if at != {number}]"
    return ast.parse(text, mode="eval").body
