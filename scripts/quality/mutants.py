"""Mutants of a source file: the file with one thing changed that somebody could have got wrong.

What is changed is one place of the syntax tree, put back into the text as it stood, so that all other lines keep their
numbers' order. Left alone are annotations, docstrings, decorators, `__all__`, f-strings, and the texts of errors.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
SUMS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
WIDTH = 120
"""How much of a change is shown."""
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|WHERE|ORDER BY|GROUP BY|SET|VALUES|JOIN)\b")
"""What a text holds that is a statement, or a piece of one."""
SQL_CHANGES = (
    (r"\bAND\b", "OR"), (r"\bOR\b", "AND"), (r"(?<![<>!])=", "<>"), (r"<(?![=>])", "<="), (r"<=", "<"), (r">=", ">"),
    (r"(?<!<)>(?!=)", ">="), (r"\bASC\b", "DESC"), (r"\bDESC\b", ""), (r"\bIS NULL\b", "IS NOT NULL"),
    (r"\bIS NOT NULL\b", "IS NULL"), (r"\bMAX\(", "MIN("), (r"\bMIN\(", "MAX("), (r" \+ ", " - "), (r" - ", " + "),
    (r"\bNOT EXISTS\b", "EXISTS"), (r"\bNOT IN\b", "IN"), (r"\bDISTINCT\b", ""),
)  # fmt: skip
"""What is changed in a statement: a pattern, and what stands in its place."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A file with one change."""

    path: str
    """The file, from the root of the repository."""
    line: int
    """Where the statement begins in which something is changed."""
    end: int
    """The last line of what is changed."""
    inside: str
    """The function or class around it, with dots; empty at the top of the file."""
    before: str
    """What stands there, on one line."""
    after: str
    """What stands there in the mutant."""
    names: tuple[str, ...]
    """For a change outside of all functions: what is made by the line, by name."""
    text: str
    """The whole file."""

    @property
    def known_as(self) -> str:
        """What it is called in the list of equivalents: no line number, so that it keeps its name."""
        return f"{self.path}::{self.inside}: {self.before} -> {self.after}"


def mutants(path: Path, root: Path) -> list[Mutant]:
    """Each mutant of a file, in the order of its lines."""
    return list(_File(path.read_text(encoding="utf-8"), str(path.relative_to(root))).mutants())


class _File:
    def __init__(self, text: str, path: str) -> None:
        self.text, self.path = text.encode(), path
        self.starts = [0]
        for line in self.text.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def mutants(self) -> Iterator[Mutant]:
        seen: set[str] = set()
        tree = ast.parse(self.text)
        asked = {id(node.test) for node in ast.walk(tree) if isinstance(node, ast.If | ast.While | ast.IfExp)}
        for node, place in _places(tree):
            for new in changes(node, asked=id(node) in asked):
                mutant = self._mutant(node, place, _written(node, new))
                if mutant.text not in seen:
                    seen.add(mutant.text)
                    yield mutant

    def _mutant(self, node: ast.expr | ast.stmt, place: _Place, new: str) -> Mutant:
        assert node.end_lineno is not None  # noqa: S101  # the parser sets both
        assert node.end_col_offset is not None  # noqa: S101
        start = self.starts[node.lineno - 1] + node.col_offset
        end = self.starts[node.end_lineno - 1] + node.end_col_offset
        text = self.text[:start] + new.encode() + self.text[end:]
        before, after = _on_one_line(self.text[start:end].decode(), new)
        names = () if place.function else place.names
        return Mutant(self.path, place.line, node.end_lineno, place.inside, before, after, names, text.decode())


def _on_one_line(before: str, after: str) -> tuple[str, str]:
    before, after = (" ".join(text.split()) for text in (before, after))
    if max(len(before), len(after)) <= WIDTH:
        return before, after
    same = next((at for at, (one, two) in enumerate(zip(before, after, strict=False)) if one != two), 0)
    return tuple(f"...{text[max(0, same - 50) : same + 50]}..." for text in (before, after))  # type: ignore[return-value]  # two


def _written(node: ast.expr | ast.stmt, new: ast.expr | ast.stmt) -> str:
    text = ast.unparse(new)
    return text if isinstance(node, ast.stmt) or isinstance(new, ast.Constant) else f"({text})"


# --- where something is changed ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a node stands."""

    line: int = 0
    inside: str = ""
    function: bool = False
    names: tuple[str, ...] = ()

    def below(self, name: str, *, function: bool = False) -> _Place:
        inside = f"{self.inside}.{name}" if self.inside else name
        return replace(self, inside=inside, function=self.function or function, names=(name, *self.names))


Found = Iterator[tuple[ast.expr | ast.stmt, _Place]]


def _places(tree: ast.Module) -> Found:
    for statement in tree.body:
        yield from _all_within([statement], _Place(names=_made(statement)))


def _within(node: ast.AST, place: _Place) -> Found:
    if isinstance(node, ast.stmt):
        place = replace(place, line=node.lineno)
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
                yield from _within(default, place.below(node.name))
            yield from _all_within(node.body, place.below(node.name, function=True))
        case ast.ClassDef():
            yield from _all_within(node.body, place.below(node.name))
        case ast.AnnAssign(value=ast.expr() as value):
            yield from _within(value, place)
        case ast.JoinedStr() | ast.Import() | ast.ImportFrom() | ast.AnnAssign():
            return
        case ast.Assign() if any(isinstance(one, ast.Name) and one.id == "__all__" for one in node.targets):
            return
        case ast.Raise():
            yield node, place
        case _:
            if isinstance(node, ast.expr | ast.stmt):
                yield node, place
            yield from _all_within(ast.iter_child_nodes(node), place)


def _all_within(nodes: Iterable[ast.AST], place: _Place) -> Found:
    for node in nodes:
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):  # docstrings, of attributes too
            yield from _within(node, place)


def _made(statement: ast.stmt) -> tuple[str, ...]:
    """The names that a statement at the top of a file makes."""
    match statement:
        case ast.Assign(targets=targets):
            return tuple(one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.ClassDef(name=name):
            return (name,)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return (name,)
    return ()


# --- what it is changed into ------------------------------------------------------------------------------------------


def changes(  # noqa: C901  # a list of cases
    node: ast.expr | ast.stmt, *, asked: bool = False
) -> Iterator[ast.expr | ast.stmt]:
    """What could stand there instead; `asked` says that a branch depends on it."""
    match node:
        case ast.Compare():
            for at, one in enumerate(node.ops):
                new = copy.deepcopy(node)
                new.ops[at] = COMPARISONS[type(one)]()
                yield new
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BinOp(left=left, op=op, right=right) if type(op) in SUMS:
            yield ast.BinOp(left, SUMS[type(op)](), right)
        case ast.AugAssign(target=target, op=op, value=value) if type(op) in SUMS:
            yield ast.AugAssign(target, SUMS[type(op)](), value)
        case ast.Constant():
            yield from _constants(node)
        case ast.Return(value=value) if value is not None and not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call()) | ast.Raise():
            yield ast.Pass()
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
        case ast.expr() if asked:
            yield ast.UnaryOp(ast.Not(), node)


def _constants(node: ast.Constant) -> Iterator[ast.Constant]:
    match node.value:
        case bool():
            yield ast.Constant(not node.value)
        case int() | float():
            yield ast.Constant(node.value + 1)
        case str() if SQL.search(node.value):
            yield from map(ast.Constant, _statements(node.value))
        case str() if node.value:
            yield ast.Constant(f"XX{node.value}")


def _statements(text: str) -> Iterator[str]:
    for pattern, new in SQL_CHANGES:
        for found in re.finditer(pattern, text):
            yield text[: found.start()] + new + text[found.end() :]
