"""Which of the README's snippets a test takes, as its source tells."""

import ast
from collections.abc import Iterator, Mapping
from itertools import product

from tests.support.readme import Snippet, snippet

_Names = Mapping[str, frozenset[str]]
"""What a name may stand for."""


def taken(source: str, name: str) -> list[Snippet]:
    """Return the blocks that a function takes with `snippet`, itself or by one that it calls.

    Args:
        source: of its module.
        name: of the function.

    Raises:
        LookupError: the README has no such block, or several.
    """
    tree = ast.parse(source)
    functions = {
        node.name: node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    return list(_taken(functions, name, _assigned(tree.body, {})))


def _taken(
    functions: Mapping[str, ast.FunctionDef | ast.AsyncFunctionDef], name: str, known: _Names
) -> Iterator[Snippet]:
    function = functions[name]
    known = {**known, **_parametrized(function)}
    known = {**known, **_assigned(function.body, known)}
    for node in ast.walk(function):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        words = [_texts(each, known) for each in node.args]
        if node.func.id == "snippet":
            yield from (snippet(*each) for each in product(*words))
        elif node.func.id in functions and node.func.id != name:
            called = functions[node.func.id].args.args
            given = {each.arg: texts for each, texts in zip(called, words, strict=False)}
            yield from _taken(functions, node.func.id, {**known, **given})


def _texts(node: ast.expr, known: _Names) -> frozenset[str]:
    """Return what an expression may be; nothing where only a run would tell."""
    match node:
        case ast.Constant(value=str(text)):
            return frozenset({text})
        case ast.Name(id=name):
            return known.get(name, frozenset())
        case ast.FormattedValue(value=value):
            return _texts(value, known)
        case ast.JoinedStr(values=parts):
            return frozenset(map("".join, product(*(_texts(part, known) for part in parts))))
        case _:
            return frozenset()


def _assigned(body: list[ast.stmt], known: _Names) -> _Names:
    return {
        name: _texts(value, known) for statement in body for name, value in _assignment(statement)
    }


def _assignment(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value


def _parametrized(function: ast.FunctionDef | ast.AsyncFunctionDef) -> _Names:
    found: dict[str, frozenset[str]] = {}
    for each in function.decorator_list:
        match each:
            case ast.Call(
                func=ast.Attribute(attr="parametrize"),
                args=[ast.Tuple(elts=names), ast.List(elts=rows), *_],
            ):
                columns = zip(
                    *(row.elts for row in rows if isinstance(row, ast.Tuple)), strict=True
                )
                for name, column in zip(names, columns, strict=True):
                    (text,) = _texts(name, {})
                    found[text] = frozenset().union(*(_texts(cell, {}) for cell in column))
    return found
