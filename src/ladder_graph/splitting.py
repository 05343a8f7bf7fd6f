"""A call that goes by a part first: its part and its rest, each a frozen call with a key of its own.

The tool's author says how a call is split (`canary=` of a declaration). What that returns is checked here, once, before
anybody decides about the call; what is split is written down with the claim, and never worked out a second time.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ladder_graph.calls import Call, digest_of, normalise, restore

Role = Literal["part", "rest"]
"""What one of the two is of the whole."""


@dataclass(frozen=True, slots=True)
class Split:
    """The two calls that run in place of a whole one, in this order."""

    part: Call
    rest: Call

    def to_json(self) -> dict[str, Any]:
        """The arguments of both, as they are kept, with what a person reads of it."""
        return {
            "part": normalise(self.part.arguments),
            "rest": normalise(self.rest.arguments),
            "text": f"a part goes first (action {self.part.short}), and then the rest (action {self.rest.short})",
        }

    @classmethod
    def read(cls, whole: Call, kept: Mapping[str, Any]) -> Split:
        """What `to_json` wrote.

        Args:
            whole: The call that was split.
            kept: What was written.
        """
        return cls(child(whole, "part", restore(kept["part"])), child(whole, "rest", restore(kept["rest"])))


def child(whole: Call, role: Role, arguments: Mapping[str, Any]) -> Call:
    """A call in place of a part of another: its id is the whole's, since the model waits for one answer.

    Its key comes from the whole's, so that part and rest are two actions even where their arguments are the same, and
    none of them is what a model proposes under an id of its own.

    Raises:
        ArgumentsError: The arguments have no canonical form.
    """
    new = Call(whole.agent, whole.thread, whole.id, whole.tool, dict(arguments), whole.env)
    object.__setattr__(new, "key", digest_of("part", whole.key, role, new.digest))
    return new


def split(
    call: Call, canary: Callable[[Mapping[str, Any]], Any], fitted: Callable[[Call, Mapping[str, Any]], Call | str]
) -> Split | str | None:
    """Split a call as its tool's author says.

    Args:
        call: The whole call.
        canary: The author's function.
        fitted: Types arguments by the tool's schema, or says why they don't fit.

    Returns:
        Part and rest; None where the call has no part worth trying; or what is wrong with what the function gave, in
        words.

    Example:
        >>> def one_first(arguments):
        ...     hosts = arguments["hosts"]
        ...     return ({"hosts": hosts[:1]}, {"hosts": hosts[1:]}) if len(hosts) > 1 else None
        >>> call = Call("ops", "t1", "call_1", "deploy", {"hosts": ["a", "b", "c"]})
        >>> both = split(call, one_first, lambda call, arguments: child(call, "part", arguments))
        >>> both.part.arguments, both.rest.arguments
        ({'hosts': ['a']}, {'hosts': ['b', 'c']})
    """
    try:
        # A copy, since what runs is what was decided about, whatever the author does to it here.
        found = canary(copy.deepcopy(call.arguments))
    except Exception as wrong:  # noqa: BLE001  # any tool author's code; whatever it raises, nothing runs
        return f"{type(wrong).__name__}: {wrong}"
    if found is None:
        return None
    if not isinstance(found, tuple | list) or len(found) != 2:  # noqa: PLR2004  # part and rest
        return "it gave neither None nor the arguments of a part and of the rest"
    made = []
    for role, arguments in zip(("part", "rest"), found, strict=True):
        one = _typed(call, role, arguments, fitted)
        if isinstance(one, str):
            return f"its {role}: {one}"
        made.append(one)
    return Split(child(call, "part", made[0].arguments), child(call, "rest", made[1].arguments))


def _typed(
    call: Call, role: str, arguments: object, fitted: Callable[[Call, Mapping[str, Any]], Call | str]
) -> Call | str:
    if not isinstance(arguments, Mapping):
        return f"{type(arguments).__name__} is no mapping of arguments"
    one = fitted(call, arguments)
    if isinstance(one, Call) and one.digest == call.digest:
        return f"it is the whole call, and no {role} of it"
    return one


# --- steps of such a call's life, beside those of `ladder_graph.steps` ---------------------------------------------


@dataclass(frozen=True, slots=True)
class Divide:
    """Split a call, before anything is decided about it. Answer: `Split`, None, or what is wrong, in words."""

    call: Call


@dataclass(frozen=True, slots=True)
class Await:
    """Wait until the watch over a part has ended. Answer: empty where it is good, else what is wrong, in words."""

    call: Call


@dataclass(frozen=True, slots=True)
class Join:
    """Make one reply of those to a part and to the rest. Answer: the reply, in the host's own form."""

    split: Split
    first: Any
    """What the part gave: in the host's own form, or in bytes as the ledger kept it; None where it is lost."""
    last: Any
    """What the rest gave, likewise."""
