"""What LangChain's human-in-the-loop middleware does with a tool: its `interrupt_on`, in the words of a policy.

What maps: `True` and `allowed_decisions` (`reject` is `decline` here, which can't be left out), and a description that
is a text. What doesn't: a description that is a function, since a question is made from the frozen arguments alone;
`when`, since a call that nobody is asked about would need a bound; `interrupt_mode`, since both shapes are understood.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ladder_graph.errors import LadderError

_OURS = {"approve": "approve", "reject": "decline", "edit": "edit", "respond": "respond"}
"""LangChain's decisions, and what they are called here; in the order in which they are written."""
ALL = tuple(_OURS.values())
"""Every decision there is."""


@dataclass(frozen=True, slots=True)
class Review:
    """What becomes of a tool's calls there."""

    asks: bool
    """A person is asked, always or sometimes."""
    decisions: tuple[str, ...] = ALL
    """What may be answered here."""
    remarks: tuple[str, ...] = ()
    """What somebody should know about it."""

    def with_another(self, other: Review) -> Review:
        """What holds for a tool that two agents have: the stricter of both."""
        remarks = tuple(dict.fromkeys((*self.remarks, *other.remarks)))
        if self.asks != other.asks:
            return Review(asks=True, decisions=(self if self.asks else other).decisions, remarks=remarks)
        return Review(self.asks, tuple(one for one in self.decisions if one in other.decisions), remarks)


NAMED_NOWHERE = Review(
    asks=False, remarks=("interrupt_on doesn't name it, so it runs unasked there; that is no bound here",)
)
"""A tool beside a middleware that leaves it alone."""


def mapping_of(found: Any) -> Mapping[str, Any]:
    """The `interrupt_on` that a thing is, or that a middleware has.

    Raises:
        LadderError: It is neither.
    """
    held = found if isinstance(found, Mapping) else getattr(found, "interrupt_on", None)
    if not isinstance(held, Mapping):
        raise LadderError(f"{type(found).__name__!r} has no interrupt_on; name the dict or the middleware")
    return held


def reviews_of(interrupt_on: Mapping[str, Any]) -> dict[str, Review]:
    """Read an `interrupt_on`, tool by tool.

    Raises:
        LadderError: LangChain would refuse an entry, too.
    """
    return {name: _review(name, entry) for name, entry in interrupt_on.items()}


def strictest(found: Iterable[Mapping[str, Review]]) -> dict[str, Review]:
    """Several agents' reviews in one."""
    all_of_them: dict[str, Review] = {}
    for reviews in found:
        for name, review in reviews.items():
            before = all_of_them.get(name)
            all_of_them[name] = review if before is None else before.with_another(review)
    return all_of_them


def _review(name: str, entry: Any) -> Review:
    match entry:
        case False:
            return Review(asks=False, remarks=("interrupt_on = False: it runs unasked there; that is no bound here",))
        case True:
            return Review(asks=True, remarks=("interrupt_on = True: a person is asked there, too",))
        case {"allowed_decisions": [_, *_] | (_, *_) as allowed}:
            decisions = tuple(ours for theirs, ours in _OURS.items() if theirs in allowed or ours == "decline")
            return Review(True, decisions, tuple(_remarks(entry, allowed)))  # noqa: FBT003  # asks
    raise LadderError(
        f'interrupt_on[{name!r}] is {entry!r}; it is true, false, or has "allowed_decisions", as LangChain wants it'
    )


def _remarks(entry: Mapping[str, Any], allowed: Iterable[Any]) -> Iterable[str]:
    yield f"interrupt_on: a person is asked there, too, and may {', '.join(map(str, allowed))}"
    if "reject" not in allowed:
        yield "decline is added: whoever is asked can always say no"
    description = entry.get("description")
    if isinstance(description, str):
        yield f"it is described there as: {' '.join(description.split())}"
    elif description is not None:
        yield "its description is a function, and not taken over: a question shows the frozen arguments"
    if entry.get("when") is not None:
        yield "`when` is not taken over: here each call asks; a bound can say which ones needn't"
