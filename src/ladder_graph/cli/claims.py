"""What a rule claims of one tool, held against what is there: functions, arguments, and what the tool says itself."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Collection, Iterator
from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ladder_graph.cli.findings import Point
from ladder_graph.errors import PolicyError
from ladder_graph.policy import Policy, Rule
from ladder_graph.policy.checks import Python
from ladder_graph.scale import Rung
from ladder_graph.tools import NOTHING, Declaration, declared_at

if TYPE_CHECKING:
    from ladder_graph.inventory.finding import Known


def untrue(rule: Rule, known: Known | None) -> Iterator[Point]:
    """What a rule claims and that can't be so. Functions are loaded for this, and none is called.

    Args:
        rule: The tool's rule, or one for several.
        known: What the tool says of itself; None where it isn't known.
    """
    yield from _functions(rule)
    if rule.undo is not None and isinstance(problem := undo_of(rule), str):
        yield Point(problem, "without it nothing can be undone; mend the import path")
    if known is not None:
        yield from _arguments(rule, known)
        yield from _reading(rule, known)


def doubtful(rule: Rule, known: Known | None) -> Iterator[Point]:
    """What a rule allows although the tool's server says something against it, and what else decides about it."""
    if known is not None and known.review is not None and known.review.asks:
        yield Point(
            "LangChain's human-in-the-loop middleware asks about it, too: where the policy asks, a person is asked "
            "twice, and behind the gate what is edited there is refused here",
            "take the middleware out, and let the policy ask",
        )
    if known is None or min(rule.rung, rule.ceiling) < Rung.BOUNDED:
        return
    if known.hints.destructive and not rule.read_only:
        yield Point(
            "it runs unasked, and its server says that what it changes may be lost (destructiveHint)",
            'ceiling = "confirm" lets a person decide each time',
        )
    if known.hints.open_world and rule.read_only:
        yield Point(
            "it is read-only, and its server says that it reaches beyond (openWorldHint)",
            "a bound on its arguments holds what it carries out",
        )


def undo_of(rule: Rule) -> Declaration | str:
    """The undo that a rule names, nothing where it names none; or why it can't be had, in words."""
    if rule.undo is None:
        return NOTHING
    try:
        return declared_at(rule.undo)
    except PolicyError as wrong:
        return wrong.problems[0]
    except (Exception, SystemExit) as wrong:  # noqa: BLE001  # somebody's module; whatever it raises is said
        return f"undo = {rule.undo!r}: {type(wrong).__name__}: {wrong}"


def nobody(policy: Policy, rule: Rule) -> Iterator[Point]:
    """Names of people that the policy doesn't know, where it knows any. They can answer; a typing mistake can't."""
    named = [one for one in rule.confirm.by if not one.startswith("role:")]
    for name in named if policy.people else ():
        if name not in policy.people:
            near = difflib.get_close_matches(name, policy.people, 1)
            hint = f"did you mean {near[0]}?" if near else f"add [people.{name}], or take the name out"
            yield Point(f"confirm.by names {name}, who isn't among the people", hint)


def sources(rule: Rule, names: Collection[str]) -> Iterator[Point]:
    """Tools whose outputs a bound on the origin trusts, and that nobody has.

    Args:
        rule: The tool's rule.
        names: Every tool there is; none where that isn't known.
    """
    trusted = [source.partition(":")[0] for bound in rule.bounds if bound.kind == "origin" for source in bound.tools]
    for name in dict.fromkeys(trusted) if names else ():
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean {near[0]}?" if near else "take it out; what only it could have said asks"
            yield Point(f"the bound origin trusts {name}, and no graph has such a tool", hint)


def _functions(rule: Rule) -> Iterator[Point]:
    for bound in rule.bounds:
        if bound.kind == "predicate" and (problem := _unusable(bound.function)):
            yield Point(f"the predicate {bound.function} {problem}", "until that is mended, every call asks")
    for check in rule.checks:
        if isinstance(check, Python) and (problem := _unusable(check.function)):
            yield Point(f"the health check {check.function} {problem}", "every action would be undone")


def _unusable(path: str) -> str | None:
    """Why the gate could not use a function, in words."""
    module, _, name = path.partition(":")
    try:
        function = attrgetter(name)(import_module(module))
    except (Exception, SystemExit) as wrong:  # noqa: BLE001  # somebody's module; whatever it raises is said
        return f"can't be loaded: {type(wrong).__name__}: {wrong}"
    if not callable(function):
        return f"is no function, but {type(function).__name__!r}"
    called: Any = function if inspect.isroutine(function) else getattr(function, "__call__", None)  # noqa: B004  # the method itself
    if inspect.iscoroutinefunction(called) or inspect.isasyncgenfunction(called):
        return "is async, and nobody waits for what it says"
    return None


def _arguments(rule: Rule, known: Known) -> Iterator[Point]:
    """Arguments that the rule is about, and that the tool doesn't have."""
    if known.arguments is None:
        return
    wanted: list[tuple[str, str, str]] = []
    for bound in rule.bounds:
        fields = ("argument", "sql", "each_value_of")
        wanted += [(f"the bound {bound.kind}", getattr(bound, name, None) or "", "every call asks") for name in fields]
    if rule.confirm.type is not None:
        wanted.append(("confirm.type", rule.confirm.type, "nobody can approve a call"))
    for what, argument, effect in wanted:
        first = argument.partition(".")[0]
        if first and first not in known.arguments:
            near = difflib.get_close_matches(first, known.arguments, 1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known.arguments) or 'none'}"
            yield Point(f"{what} is about {argument}, which the tool doesn't have, so {effect}", hint)


def _reading(rule: Rule, known: Known) -> Iterator[Point]:
    """What is against a tool that the policy calls read-only."""
    if not rule.read_only:
        return
    if known.declaration.reversible:
        yield Point("the policy says read_only, and the tool declares an undo", "what only reads has nothing to undo")
    if known.hints.destructive or known.hints.read_only is False:
        said = "destructiveHint = true" if known.hints.destructive else "readOnlyHint = false"
        yield Point(f"the policy says read_only, and its server says {said}", "take read_only out, and bound it")
