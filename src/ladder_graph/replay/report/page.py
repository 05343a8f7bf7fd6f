"""What was found, as one page that needs nothing besides itself: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from ladder_graph.errors import LadderError
from ladder_graph.replay.coverage import SAID
from ladder_graph.replay.report.columns import GROUPS, divided, percent, shown, unnamed, unseen
from ladder_graph.replay.report.findings import Findings
from ladder_graph.replay.report.phrases import (
    HEADS,
    NEWLY,
    PREFIX,
    SOURCES,
    attacks,
    many,
    minutes,
    risk,
    source,
    summed,
)
from ladder_graph.telling import cut
from ladder_graph.wording import given, inert

if TYPE_CHECKING:
    from jinja2 import Environment

_LONGEST = 600
"""Characters of a call's arguments that a page shows."""


def page(found: Findings, compared: str = "") -> str:
    """The whole page.

    Args:
        found: What was found.
        compared: What a comparison with a ledger found, as text; empty without one.

    Raises:
        LadderError: jinja2 isn't installed.
    """
    return templates().get_template("replay.html").render(found=found, compared=compared, style=_style())


@cache
def templates() -> Environment:
    """The templates, with everything that they use.

    Raises:
        LadderError: jinja2 isn't installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError:
        raise LadderError("a page is made with jinja2: pip install 'ladder-graph[replay]'") from None
    from ladder_graph.replay.report import drawing

    made = Environment(
        loader=PackageLoader("ladder_graph.replay.report"), autoescape=True, undefined=StrictUndefined, finalize=_shown,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters.update(percent=percent, given=_given, source=source)
    made.globals.update(
        groups=GROUPS, divided=divided, heads=HEADS, prefix=PREFIX, newly=NEWLY, said=SAID, shown=shown,
        unnamed=unnamed, unseen=unseen, attacks=attacks, many=many, minutes=minutes, risk=risk, summed=summed,
        sources=SOURCES, bar=drawing.bar, whisker=drawing.whisker, end_of_axis=drawing.end_of_axis,
        scatter=drawing.scatter,
    )  # fmt: skip
    return made


def _shown(value: Any) -> Any:
    """What is written into the page: our own markup as it is, everything else with nothing in it hidden."""
    return value if hasattr(value, "__html__") else inert(str(value))


def _given(arguments: dict[str, Any] | None) -> str:
    if arguments is None:
        return "?"
    return cut(given(arguments), _LONGEST)


def _style() -> Any:
    """The console's look, so that there is one, and what only this page has."""
    from markupsafe import Markup

    package = resources.files("ladder_graph")
    own = package.joinpath("replay", "report", "templates", "replay.css").read_text(encoding="utf-8")
    console = package.joinpath("console", "static", "console.css").read_text(encoding="utf-8")
    return Markup(f"{console}\n{own}")  # noqa: S704  # our own files
