"""Which tables an SQL text touches, and how; or why that can't be told.

Everything in the text must be known to be harmless: each part of the parse tree, each of its clauses and each function
is on a list here. What isn't, from a function that reads a file to a dialect's own extension, makes the text unclear.
So does whatever a database might cut into other pieces than the parser does: a backslash, a dollar quote, a nested
comment, a comment that is executed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

Dialect = Literal["postgres", "redshift", "mysql", "sqlite", "duckdb", "bigquery", "snowflake"]
"""Whose SQL it is. No dialect in which a statement may end without a semicolon."""
Verb = Literal["select", "insert", "update", "delete"]
"""What a statement does with a table."""

INSTALL = "pip install 'ladder-graph[sql]'"
"""What brings the parser."""
LONGEST = 20_000
"""Characters of an SQL text that are parsed."""

_ODD = {
    "a backslash, which not every database reads alike": re.compile(r"\\"),
    "a dollar quote": re.compile(r"\$(?![0-9])"),
    "a comment inside a comment": re.compile(r"/\*(?:(?!\*/).)*/\*", re.DOTALL),
    "a comment that some databases execute": re.compile(r"/\*(?:!|M!|\+)"),
}
"""What is refused before it is parsed, by its name."""
_NO_COMMENT = re.compile(r"--(?![ \t\n]|$)")
"""Two minus signs that MySQL takes for what they are, and the parser for a comment."""
_LINES = str.maketrans("\n\t", "  ")

_EXPRESSIONS = frozenset(
    """
    Add Alias All And Any Array AtTimeZone Between BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Boolean Bracket Column
    DPipe DataType DataTypeParam Distinct Div EQ Escape Except Fetch Filter GT GTE Group Having ILike Identifier
    IntDiv Intersect Interval Is JSONPath JSONPathKey JSONPathRoot JSONPathSubscript Join LT LTE Like Limit Literal
    Mod Mul NEQ Neg Not Null NullSafeEQ NullSafeNEQ Offset Or Order Ordered Parameter Paren Placeholder Qualify
    Returning Schema Star Sub Subquery TableAlias Tuple Union Values Var Where Window WindowSpec WithinGroup
    Abs AnyValue ArrayAgg Avg Case Cast Ceil Coalesce Concat ConcatWs Count CountIf CumeDist CurrentDate
    CurrentDatetime CurrentTime CurrentTimestamp Date DateAdd DateDiff DateSub DateTrunc Datetime Day DayOfMonth
    DayOfWeek DayOfYear DenseRank Exists Exp Extract First FirstValue Floor Greatest GroupConcat Hour If Initcap
    JSONBExtract JSONBExtractScalar JSONExtract JSONExtractScalar Lag Last LastDay LastValue Lead Least Left Length
    Ln Log LogicalAnd LogicalOr Lower MD5 Max Median Min Minute Month NthValue Ntile Nullif PercentRank
    PercentileCont PercentileDisc Pow Quarter Rank RegexpLike Replace Reverse Right Round RowNumber Second Sign
    SplitPart Sqrt StartsWith Stddev StddevPop StddevSamp StrPosition StrToDate Substring Sum Time TimeToStr
    Timestamp TimestampAdd TimestampDiff TimestampSub TimestampTrunc ToChar Trim Trunc TryCast Upper Variance
    VariancePop Week Year
    """.split()  # noqa: SIM905  # as a list it would be four pages long
)
"""Parts of a tree that touch nothing by themselves: operators, clauses, and functions of their arguments alone."""

_CLAUSES: dict[str, frozenset[str]] = {
    name: frozenset(clauses.split())
    for name, clauses in {
        "Select": "with_ distinct expressions from_ joins laterals where group having qualify windows order limit "
        "offset",
        "Insert": "with_ this expression returning",
        "Update": "with_ this expressions from_ where returning",
        "Delete": "with_ this using where returning",
        "Table": "this db catalog alias joins only",
        "From": "this",
        "With": "expressions recursive",
        "CTE": "this alias materialized",
        "Lateral": "this alias",
        "In": "this expressions query",  # What has no parentheses is a table to some databases.
    }.items()
}
"""Parts that may read or write, with their clauses that are known; any other, such as `into`, makes it unclear."""


class Unclear(Exception):
    """Carries why it can't be told what an SQL text touches."""


@dataclass(frozen=True, slots=True)
class Touched:
    """What a statement touches."""

    tables: frozenset[tuple[str, ...]]
    """The tables, each as its parts in one spelling: catalog and schema where they are written, and the name."""
    verbs: frozenset[Verb]
    """What it does."""


def installed() -> bool:
    """Whether the parser is there."""
    return find_spec("sqlglot") is not None


def touched(text: str, dialect: Dialect) -> Touched:
    """The tables and verbs of one SQL statement.

    Args:
        text: The statement.
        dialect: Whose SQL it is.

    Raises:
        Unclear: It can't be told, or what it does is never allowed unasked; why, in words.

    Example:
        >>> sorted(touched("SELECT * FROM Orders JOIN public.customers USING (id)", "postgres").tables)
        [('orders',), ('public', 'customers')]
    """
    text = text.replace("\r\n", "\n")
    if (odd := _odd(text, dialect)) is not None:
        raise Unclear(odd)
    tree = _parsed(text, dialect)
    tables, verbs = set(), set[Verb]()
    for node in tree.walk():
        _known(node)
        name = type(node).__name__
        if name in _VERBS:
            verbs.add(_VERBS[name])
        if name in {"Update", "Delete"}:
            _narrowed(node)
        if name == "Column" and dialect == "snowflake" and node.name.upper() == "NEXTVAL":
            raise Unclear("NEXTVAL would advance a sequence")
        if name == "Table" and not _is_cte(node):
            tables.add(tuple(folded(part.name, dialect, quoted=bool(part.args.get("quoted"))) for part in _parts(node)))
            if not _written(node):
                verbs.add("select")
    return Touched(frozenset(tables), frozenset(verbs))


_VERBS: dict[str, Verb] = {
    "Select": "select",
    "Returning": "select",
    "Insert": "insert",
    "Update": "update",
    "Delete": "delete",
}


def folded(name: str, dialect: Dialect, *, quoted: bool) -> str:
    """One spelling for the names that a database takes for the same table; only ASCII letters have another case.

    Args:
        name: A part of a table's name.
        dialect: Whose rules.
        quoted: Whether it stands in quotation marks.
    """
    if not name.isascii():
        return name
    match dialect:
        case "sqlite" | "duckdb":
            return name.lower()
        case "postgres" | "redshift":
            return name if quoted else name.lower()
        case "snowflake":
            return name if quoted else name.upper()
        case _:  # It depends on the server, or on what the name is of.
            return name


def _odd(text: str, dialect: Dialect) -> str | None:
    """Why a text isn't parsed at all; None where it is."""
    if len(text) > LONGEST:
        return f"it has {len(text)} characters, and at most {LONGEST} are read"
    if not text.translate(_LINES).isprintable():
        return "it holds characters that don't show"
    if dialect == "mysql" and _NO_COMMENT.search(text):
        return "it holds -- without a space behind it"
    return next((f"it holds {what}" for what, pattern in _ODD.items() if pattern.search(text)), None)


def _parsed(text: str, dialect: Dialect) -> Expr:
    """The tree of the one statement in a text."""
    try:
        import sqlglot
    except ImportError:
        raise Unclear(f"reading SQL needs sqlglot: {INSTALL}") from None
    logger = logging.getLogger("sqlglot")
    logger.addFilter(_SILENT)  # What it can't read is our answer, and not for anybody's log.
    try:
        trees = [tree for tree in sqlglot.parse(text, dialect=dialect) if tree is not None]
    except Exception as wrong:  # noqa: BLE001  # whatever a parser raises over hostile text, it wasn't read
        raise Unclear(f"it can't be read as {dialect}: {type(wrong).__name__}") from None
    finally:
        logger.removeFilter(_SILENT)
    if len(trees) != 1:
        raise Unclear(f"it holds {len(trees)} statements, and one is read")
    if type(trees[0]).__name__ not in _STATEMENTS:
        raise Unclear(f"{_named(trees[0])} is no statement that may run unasked")
    return trees[0]


class _Silence(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Nothing passes."""
        del record
        return False


_SILENT = _Silence()
_STATEMENTS = frozenset({"Select", "Union", "Except", "Intersect", "Subquery", "Insert", "Update", "Delete"})


def _known(node: Expr) -> None:
    """Refuse what is on no list."""
    name = type(node).__name__
    if name in _EXPRESSIONS:
        return
    if name not in _CLAUSES:
        raise Unclear(f"it is not known what {_named(node)} does")
    if strange := sorted(clause for clause, value in node.args.items() if value and clause not in _CLAUSES[name]):
        raise Unclear(f"it is not known what {strange[0].strip('_').upper()} of a {name.upper()} does")
    if name == "Table" and any(type(part).__name__ != "Identifier" for part in _parts(node)):
        raise Unclear(f"it reads from {_named(node.this)}, and only tables are known")
    if name == "Lateral" and type(node.this).__name__ != "Subquery":
        raise Unclear(f"it reads from {_named(node.this)}, and only tables are known")


def _parts(node: Expr) -> Iterator[Expr]:
    """The identifiers of a table's name, from the outermost."""
    return (part for part in (node.args.get(name) for name in ("catalog", "db", "this")) if part is not None)


def _named(node: Expr) -> str:
    """What a part of a tree is called, for a sentence."""
    called = node.name if type(node).__name__ in {"Anonymous", "Command"} else ""
    return (called or node.key).upper()[:40]


def _narrowed(node: Expr) -> None:
    """Refuse a change of every row. A condition that names no column is none."""
    where = node.args.get("where")
    if where is None or not any(type(part).__name__ == "Column" for part in where.walk()):
        raise Unclear(f"{node.key.upper()} without a WHERE on a column would change every row")


def _written(table: Expr) -> bool:
    """Whether a table is what its statement writes to."""
    inner: Expr = table
    if type(inner.parent).__name__ == "Schema" and inner.arg_key == "this":  # INSERT INTO orders (id, …)
        inner = inner.parent  # type: ignore[assignment]  # it has just been looked at
    return type(inner.parent).__name__ in {"Insert", "Update", "Delete"} and inner.arg_key == "this"


def _is_cte(table: Expr) -> bool:
    """Whether a name stands for a query of the statement's own WITH, spelt the same, and no table behind it."""
    if len(list(_parts(table))) != 1 or _written(table):
        return False
    here: Expr = table
    while (above := here.parent) is not None:
        queries = above.args.get("with_")
        if queries is not None and queries is not here and table.this in _names(queries.expressions):
            return True
        if type(above).__name__ == "With" and table.this in _names(_before(above, here)):
            return True
        here = above
    return False


def _before(queries: Expr, this: Expr) -> list[Expr]:
    """The queries of a WITH that this one of them sees: those before it, and itself where it may be recursive."""
    place = next(at for at, query in enumerate(queries.expressions) if query is this)
    return list(queries.expressions[: place + bool(queries.args.get("recursive"))])


def _names(queries: list[Expr]) -> list[Expr]:
    """What queries are called; equal only to what is spelt and quoted the same way."""
    return [query.args["alias"].this for query in queries if query.args.get("alias") is not None]
