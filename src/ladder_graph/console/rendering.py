"""Templates, in which nothing that somebody else wrote acts or hides."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from ladder_graph.calls import normalise
from ladder_graph.console.addresses import segment
from ladder_graph.console.passages import CUT, short
from ladder_graph.ledger.actions.questions import moment as instant
from ladder_graph.policy.units import spell_dollars
from ladder_graph.scale import Rung
from ladder_graph.wording import inert, show

KEPT = "\n\t"
"""Control characters that a browser shows as what they are."""

_TURNS = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]")
"""A character that is written from right to left, or an Arabic digit: the blocks that Unicode keeps for them."""
_BEGINS, _ENDS = "\ufdd0", "\ufdd1"
"""Where text begins and ends that must stand apart: no characters, which `inert` leaves in nobody's text."""


def _shown(value: Any) -> Any:
    """What is written into a page: our own markup as it is, everything else with nothing in it hidden.

    Text from right to left is marked, as it would turn our own words and numbers beside it.
    """
    if isinstance(value, Markup):
        return value
    text = "" if value is None else inert(str(value), KEPT)
    if _TURNS.search(text) is None:
        return text
    cut = CUT.search(text)
    at = len(text) if cut is None else cut.start()
    return f"{_BEGINS}{text[:at]}{_ENDS}{text[at:]}"


def _piece(text: str) -> Markup:
    """A piece of a line: as `_shown`, and not apart from those beside it, in whose order it is read."""
    return escape(inert(text, KEPT))


def as_it_was(text: str, sent: str) -> str:
    r"""What somebody sends back of a text that a page showed: each line that they left is the line that it was.

    A page writes characters that can't be seen as `\u{…}`. In a line that was changed they are that, as text.

    Args:
        text: The text, before a page showed it.
        sent: What came back.

    Example:
        >>> as_it_was("pay\u202e\nnow", "pay\\u{202E}\nlater") == "pay\u202e\nlater"
        True
    """
    shown = {inert(line, KEPT): line for line in text.split("\n")}
    return "\n".join(shown.get(line, line) for line in sent.split("\n"))


@cache
def environment() -> Environment:
    """The templates, with everything that all of them use."""
    found = Environment(
        loader=PackageLoader("ladder_graph.console"), autoescape=True, undefined=StrictUndefined, finalize=_shown,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    found.filters.update(
        json=show,
        plain=normalise,
        moment=moment,
        day=day,
        span=span,
        iso=iso,
        dollars=spell_dollars,
        segment=segment,
        at=instant,
        short=short,
        piece=_piece,
    )
    found.globals.update(rungs=tuple(Rung), asset=asset)
    return found


def render(template: str, **context: Any) -> str:
    """A page."""
    page = environment().get_template(template).render(**context)
    return _apart(page) if _BEGINS in page else page


_PLAIN = ("title", "textarea", "option")
"""Elements in which nothing can be marked up."""
_PARTS = re.compile(f"<(/?)([a-z0-9]+)[^>]*>|[{_BEGINS}{_ENDS}]")


def _apart(page: str) -> str:
    """A page on which what is marked stands apart; in attributes, and where there can be no element, it can't."""
    plain = False

    def put(found: re.Match[str]) -> str:
        nonlocal plain
        part = found[0]
        if part not in _APART:
            plain = not found[1] if found[2] in _PLAIN else plain
            return part.replace(_BEGINS, "").replace(_ENDS, "")
        return "" if plain else _APART[part]

    return _PARTS.sub(put, page)


# From left to right as the page, or the first letter that an agent writes would choose how the others stand.
_APART = {_BEGINS: '<bdi dir="ltr">', _ENDS: "</bdi>"}


@cache
def asset(name: str) -> str:
    """The address of one of our own files, with its version, so that a browser may keep it."""
    data = resources.files("ladder_graph.console").joinpath("static", name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(data).hexdigest()[:12]}"


def moment(at: dt.datetime) -> str:
    """A moment as people say it, in UTC: the server's own zone is nobody's."""
    return f"{at.astimezone(dt.UTC):%-d %B %Y, %H:%M} UTC"


def day(at: dt.datetime) -> str:
    """A day as people say it."""
    return f"{at.astimezone(dt.UTC):%-d %b %Y}"


def iso(at: dt.datetime) -> str:
    """A moment as machines read it."""
    return at.astimezone(dt.UTC).isoformat(timespec="seconds")


def span(seconds: float) -> str:
    """A length of time in the largest unit that fits, with the next one where that is small.

    Example:
        >>> span(45), span(700), span(7200), span(100_000), span(900_000)
        ('45 s', '11 min', '2 h', '1 day 3 h', '10 days')
    """
    whole, few = int(max(0, seconds)), 10
    for size, unit, below, part in ((86_400, "day", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            count, rest = whole // size, whole % size // below
            plural = "s" if unit == "day" and count > 1 else ""
            return f"{count} {unit}{plural}" + (f" {rest} {part}" if rest and count < few else "")
    return f"{whole} s"
