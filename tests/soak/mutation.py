"""Mutants: a module with one small mistake each, of the kinds that people make."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

_FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_SWAPPED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
}
_LOGIC = {"comparison", "and / or", "negated condition"}
_LOGS = {"_log", "logging"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one mistake; `what` says which and where, `place` is its number among all that there are."""

    module: str
    original: str
    what: str
    place: int

    def source(self) -> str:
        """The module's text with the mistake."""
        tree = ast.parse(self.original)
        *_, change = next(islice(_places(tree), self.place, None))
        change()
        return ast.unparse(ast.fix_missing_locations(tree))


def mutants(module: str, source: str) -> list[Mutant]:
    """All mutants of a module, in the order of its text."""
    return [
        Mutant(module, source, f"line {getattr(node, 'lineno', 0)}: {kind}: {_first_line(node)}", place)
        for place, (node, kind, _) in enumerate(_places(ast.parse(source)))
    ]


def _first_line(node: ast.AST) -> str:
    return ast.unparse(node).partition("\n")[0][:80]


_Place = tuple[ast.AST, str, Callable[[], None]]
"""A node, the kind of mistake, and what makes it."""


def _places(tree: ast.Module) -> Iterator[_Place]:
    for function in _functions(tree):
        for node in _inside(function.body):
            yield from _of_expression(node)
        yield from _of_statements(function.body)
    # Of what a module makes once (statements to run), only the logic: its sizes and times are settings, not code.
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            for node in _inside([statement.value]):
                yield from (place for place in _of_expression(node) if place[1] in _LOGIC)


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions with a body of their own: neither abstract ones nor those inside others, which are part of them."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from _functions(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not _is_abstract(node):
            yield node


def _is_abstract(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(decorator) == "abstractmethod" for decorator in function.decorator_list)


def _inside(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """All nodes but annotations, docstrings, logging, and the words of errors: nobody depends on those."""
    for node in body:
        if isinstance(node, ast.Raise) or _is_talk(node):
            continue
        yield node
        children = [
            child
            for name, child in ast.iter_fields(node)
            if name not in {"annotation", "returns", "decorator_list", "type_comment"}
        ]
        for child in children:
            yield from _inside(
                [one for one in (child if isinstance(child, list) else [child]) if isinstance(one, ast.AST)]
            )


def _is_talk(node: ast.AST) -> bool:
    if not isinstance(node, ast.Expr):
        return False
    if isinstance(node.value, ast.Constant):
        return True
    call = node.value
    return isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[0] in _LOGS


def _of_expression(node: ast.AST) -> Iterator[_Place]:
    yield from _of_operator(node)
    match node:
        case ast.Constant(value=bool() as truth):
            yield node, "constant", lambda: setattr(node, "value", not truth)
        case ast.Constant(value=int() | float() as number):
            yield node, "constant", lambda: setattr(node, "value", number + 1)
        case ast.Call(keywords=keywords):
            for keyword in keywords:
                if keyword.arg is not None:
                    yield keyword, "dropped keyword", partial(keywords.remove, keyword)
        case ast.If() | ast.IfExp() | ast.While():
            yield node.test, "negated condition", lambda: setattr(node, "test", _not(node.test))
        case ast.comprehension(ifs=[first, *_]):
            yield first, "negated condition", lambda: node.ifs.__setitem__(0, _not(first))
        case _:
            pass


def _of_operator(node: ast.AST) -> Iterator[_Place]:
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _FLIPPED:
            yield node, "comparison", lambda: node.ops.__setitem__(0, _FLIPPED[type(operator)]())
        case ast.BoolOp():
            other = ast.Or if isinstance(node.op, ast.And) else ast.And
            yield node, "and / or", lambda: setattr(node, "op", other())
        case ast.BinOp() if type(node.op) in _SWAPPED:
            swapped = _SWAPPED[type(node.op)]
            yield node, "arithmetic", lambda: setattr(node, "op", swapped())
        case _:
            pass


def _not(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), test)


def _of_statements(body: list[ast.stmt]) -> Iterator[_Place]:
    for index, statement in enumerate(body):
        yield from _of_statement(body, index, statement)
        for name in ("body", "orelse", "finalbody"):
            yield from _of_statements(getattr(statement, name, []))
        for handler in getattr(statement, "handlers", []):
            yield from _of_statements(handler.body)


def _of_statement(body: list[ast.stmt], index: int, statement: ast.stmt) -> Iterator[_Place]:
    def gone() -> None:
        body[index] = ast.Pass()

    match statement:
        case ast.Expr(value=ast.Await(value=call)):
            yield statement, "removed statement", gone
            yield statement, "lost await", lambda: setattr(statement, "value", call)
        case ast.Expr(value=ast.Call()) if not _is_talk(statement):
            yield statement, "removed statement", gone
        case ast.Raise():
            yield statement, "removed raise", gone
        case ast.AugAssign() | ast.Delete():
            yield statement, "removed statement", gone
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield statement, "removed statement", gone
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield statement, "returned None", lambda: setattr(statement, "value", None)
        case _:
            pass


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None
