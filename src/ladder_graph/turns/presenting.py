"""Taking down what a tool and a conversation say of a call, at the moment when it is asked about.

Whatever a tool's author declared is called here, in a thread that nobody waits for longer than a few seconds. What it
raises is said to whoever is asked, and keeps no question from being asked.
"""

from __future__ import annotations

import copy
import functools
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ladder_graph.calls import Call
from ladder_graph.facts import Route
from ladder_graph.policy import Rule
from ladder_graph.policy.bounds import Bound, Breach, Predicate, weigh
from ladder_graph.policy.bounds.shape import QuotaBound
from ladder_graph.policy.scene import Scene
from ladder_graph.policy.sources import sources
from ladder_graph.telling import LONGEST, MOST, MOST_WORDS, Change, Check, Reach, Telling, Undoing, cut
from ladder_graph.tools import NOTHING, Arguments, Declaration, Worded, worded

MOST_SCHEMA = 20_000
"""Characters of a tool's schema that are taken down with a question."""

TIMEOUT = 5.0
"""Seconds for all that a tool's author wants to say about one call."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a host knows of how a call was proposed."""

    words: str = ""
    """What the model wrote beside the call."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """What the tool takes for arguments that the call leaves out."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """What the tool's schema says of each argument, as JSON Schema."""


def tell(
    call: Call, route: Route, rule: Rule, declaration: Declaration, scene: Scene, proposed: Proposed,
    timeout: float = TIMEOUT,
) -> Telling:  # fmt: skip
    """Take down everything about a call that can't be found out later.

    Args:
        call: What is asked about.
        route: Why it is.
        rule: The tool's rule.
        declaration: What the tool declares.
        scene: The circumstances, with the conversation.
        proposed: How the host saw it proposed.
        timeout: Seconds for what the tool's author wants to say.
    """
    said = _said(declaration, call.arguments, timeout)
    changes, by = said.get("preview", ()), _by(declaration)
    return Telling(
        title=said.get("title", ""), deed=said.get("deed", ""), words=proposed.words[:MOST_WORDS],
        length=len(proposed.words), order=tuple(list(call.arguments)[:MOST]), sources=_sources(call, scene),
        defaults=dict(list(proposed.defaults.items())[:MOST]), fields=_fields(proposed),
        checks=tuple(_checks(call, route, rule, scene)[:MOST]), changes=changes, changes_by=by if changes else "",
        trouble=said.get("trouble", ()), reach=said.get("reach", Reach()), remedy=said.get("remedy", ""),
        undoing=_undoing(declaration),
    )  # fmt: skip


def _fields(proposed: Proposed) -> Mapping[str, Any]:
    """The schema, unless it is too large to be written down with every question."""
    return proposed.fields if len(json.dumps(proposed.fields, default=str)) <= MOST_SCHEMA else {}


def _sources(call: Call, scene: Scene) -> dict[str, Any]:
    few = dict(list(call.arguments.items())[:MOST])
    try:
        return dict(sources(few, scene.said))
    except Exception:  # noqa: BLE001  # a conversation that can't be read tells nothing, and keeps nobody from asking
        return {}


def _by(declaration: Declaration) -> Literal["tool", "undo"]:
    return "undo" if declaration.preview is None else "tool"


def _undoing(declaration: Declaration) -> Undoing:
    nature = declaration.nature
    said = declaration.kind is not None or nature != "irreversible"
    return Undoing(nature if said else "", declaration.undo_reference, declaration.ttl)


# --- bounds -------------------------------------------------------------------------------------------------------


def _checks(call: Call, route: Route, rule: Rule, scene: Scene) -> list[Check]:
    """What each bound says. A predicate has been asked already, and isn't asked a second time."""
    found = [Check("warn", one.text) for one in route.reasons if one.code == "outside_predicate"]
    for bound in rule.bounds:
        if isinstance(bound, Predicate | QuotaBound):
            continue  # What is counted is told with how far it reaches, as it is at the moment of the look.
        found += _check(bound, call, scene)
    return found


def _check(bound: Bound, call: Call, scene: Scene) -> list[Check]:
    about = str(getattr(bound, "argument", None) or getattr(bound, "sql", None) or "")
    try:
        breaches, _ = weigh((bound,), call, scene)
    except Exception as wrong:  # noqa: BLE001  # a bound that can't be held against it is no reason not to ask
        return [Check("warn", f"its bound can't be checked: {type(wrong).__name__}", about)]
    if breaches:
        return [Check("warn", _outside(one, about), about) for one in breaches]
    return [Check("ok", f"inside its bound ({bound.kind.replace('_', ' ')})", about)]


def _outside(breach: Breach, argument: str) -> str:
    """Why it is outside; the value itself stands beside it already."""
    _, found, wanted = breach.text.partition(", and the bound ")
    return f"outside its bound: it {wanted}" if found and argument and wanted else f"outside its bound: {breach.text}"


# --- the tool's author ---------------------------------------------------------------------------------------------


def _said(declaration: Declaration, arguments: Arguments, timeout: float) -> dict[str, Any]:
    """What the declared functions gave in time, with the trouble that there was."""
    wanted = _wanted(declaration)
    if not wanted:
        return {}
    found, trouble = dict[str, Any](), list[str]()

    def work() -> None:
        for name, make in wanted.items():
            try:
                found[name] = make(copy.deepcopy(arguments))
            except BaseException as wrong:  # noqa: BLE001  # any tool author's code
                trouble.append(cut(f"{_NAMED[name]} can't be told: {type(wrong).__name__}: {wrong}"))
                found[name] = _NOTHING[name]

    thread = threading.Thread(target=work, name="ladder-preview", daemon=True)
    thread.start()
    thread.join(timeout)
    given = dict(found)
    late = [f"{_NAMED[name]} can't be told: it took longer than {timeout:g}s" for name in wanted if name not in given]
    return {**given, "trouble": (*tuple(trouble), *late)}


def _wanted(declaration: Declaration) -> dict[str, Callable[[Arguments], Any]]:
    """What there is to be asked of a tool's author, by name."""
    wanted: dict[str, Callable[[Arguments], Any]] = {}
    for name in ("title", "deed", "remedy"):
        text = getattr(declaration, name)
        if text:
            wanted[name] = functools.partial(_line_of, text)
    preview, reach = declaration.preview or declaration.foresee, declaration.reach
    if preview is not None:
        wanted["preview"] = lambda arguments: _changes(preview(arguments))
    if reach is not None:
        wanted["reach"] = lambda arguments: _reach(reach(arguments) if callable(reach) else reach)
    return wanted


_NAMED = {
    "title": "the question in the tool's own words", "deed": "what a yes does", "remedy": "what to do if it goes wrong",
    "preview": "what changes", "reach": "how far it reaches",
}  # fmt: skip
_NOTHING: dict[str, Any] = {
    "title": NOTHING.title, "deed": NOTHING.deed, "remedy": NOTHING.remedy, "preview": (),
    "reach": Reach(),
}  # fmt: skip


def _line_of(text: Worded, arguments: Arguments) -> str:
    return _one_line(worded(text, arguments))


def _one_line(text: str) -> str:
    return cut(" ".join(text.split()), 300)


def _changes(given: Sequence[Any]) -> tuple[Change, ...]:
    found = []
    for one in list(given)[:MOST]:
        if not isinstance(one, Change):
            raise TypeError(f"a preview gives a list of Change, and this one held a {type(one).__name__}")
        found.append(Change(cut(str(one.thing)), _text(one.before), _text(one.after)))
    if len(given) > MOST:
        found.append(Change(f"{len(given) - MOST} more things"))
    return tuple(found)


def _text(value: object) -> str | None:
    return None if value is None else cut(str(value), LONGEST)


def _reach(given: object) -> Reach:
    if not isinstance(given, Reach):
        raise TypeError(f"reach gives a Reach, and not a {type(given).__name__}")
    return Reach(*(_one_line(str(text)) for text in (given.people, given.money, given.outside, given.undone)))
