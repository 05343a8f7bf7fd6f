"""Putting other arguments in at a terminal: one field after another, by the tool's schema, old beside new."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ladder_graph.cli.screen import QUIET, shortened, stacked, styled
from ladder_graph.errors import ArgumentsError
from ladder_graph.retyping import Misfit, typed, wanted
from ladder_graph.wording import show

if TYPE_CHECKING:
    from ladder_graph.calls import Call
    from ladder_graph.cli.screen import Screen


def edited(out: Screen, call: Call, fields: Mapping[str, Any], line: Callable[[str], str]) -> Call | None:
    """Ask for new values until the person is done, and show what becomes of what.

    Args:
        out: Where.
        call: What is asked about.
        fields: What the tool's schema says of each argument.
        line: Asks for one line.

    Returns:
        The call with the new arguments; None where nothing is changed.
    """
    known = dict.fromkeys((*call.arguments, *fields))
    if not known:
        out.note("It takes no arguments.")
        return None
    out.fields([(name, styled(_field(call, name, fields), QUIET)) for name in known])
    changes: dict[str, Any] = {}
    while (name := line("Which argument? Its name, or done: ")) != "done":
        if name not in known:
            out.line(f"It has no argument {name}.")
            continue
        try:
            schema = fields.get(name) if isinstance(fields.get(name), Mapping) else {}
            changes[name] = typed(line(f"{name} becomes: "), schema or {}, call.arguments.get(name))
        except Misfit as wrong:
            out.line(f"Not taken: {wrong}.")
    return _after(out, call, changes)


def _field(call: Call, name: str, fields: Mapping[str, Any]) -> str:
    schema = fields.get(name)
    says = wanted(schema if isinstance(schema, Mapping) else {}, call.arguments.get(name))
    return says if name in call.arguments else f"{says}; left out now"


def _after(out: Screen, call: Call, changes: Mapping[str, Any]) -> Call | None:
    try:
        after = replace(call, arguments={**call.arguments, **changes})
    except ArgumentsError as wrong:
        out.line(f"Not taken: {wrong}.")
        return None
    if after.digest == call.digest:
        return None
    out.heading("Instead")
    out.fields([
        (name, stacked(
            styled(f"was   {shortened(show(call.arguments[name])) if name in call.arguments else 'left out'}", QUIET),
            f"now   {shortened(show(value))}",
        ))
        for name, value in changes.items()
    ])  # fmt: skip
    out.fields([("digest", f"{after.digest[:16]}, before {call.digest[:16]}")])
    out.gap()
    return after
