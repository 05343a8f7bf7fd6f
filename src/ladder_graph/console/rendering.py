"""Templates, in which nothing that somebody else wrote acts or hides."""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ladder_graph.calls import normalise
from ladder_graph.console.addresses import segment
from ladder_graph.console.passages import short
from ladder_graph.ledger.actions.questions import moment as instant
from ladder_graph.policy.units import spell_dollars
from ladder_graph.scale import Rung
from ladder_graph.wording import inert, show

KEPT = "\n\t"
"""Control characters that a browser shows as what they are."""


def _shown(value: Any) -> Any:
    """What is written into a page: our own markup as it is, everything else with nothing in it hidden."""
    return value if isinstance(value, Markup) else inert(str(value), KEPT) if value is not None else ""


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
    )
    found.globals.update(rungs=tuple(Rung), asset=asset)
    return found


def render(template: str, **context: Any) -> str:
    """A page."""
    return environment().get_template(template).render(**context)


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
