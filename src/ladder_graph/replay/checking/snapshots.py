"""Decisions of a policy about recorded calls as a text file, to be committed, and what has changed since.

One line a call, below the run that it belongs to, so that a change of the policy is a change of lines that a person
reads in a review:

    run office/1
    0 get_status 8f14e45f free 3 -
    1 send_email c9f0f895 asked 2 outside_domain
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ladder_graph.errors import LadderError
from ladder_graph.replay.checking.limits import SHOWN, Decision
from ladder_graph.replay.decider import Verdict
from ladder_graph.wording import inert

HEAD = "# ladder decisions 1: what a policy makes of recorded calls, written by pytest --ladder-update"
"""The first line of each file. Its number is that of the form."""

_ORDER: dict[Verdict, int] = {"held": 0, "asked": 1, "undecidable": 2, "free": 3}
"""How loose a verdict is. What can't be decided may run unasked, so it is looser than a question."""
_PLAIN = re.compile(r"[!#-~][!-~]*", re.ASCII)
"""A word that is written as it is; any other one is a JSON string without spaces."""


def written(decisions: Iterable[Decision]) -> str:
    r"""The file's text: the same bytes for the same decisions.

    Args:
        decisions: What the policy makes of each call, run by run.

    Example:
        >>> one = Decision("r 1", 0, "send", "c9f0f895", "asked", 2, ("outside_domain",))
        >>> print(written([one]), end="")
        # ladder decisions 1: ...
        run "r\u00201"
        0 send c9f0f895 asked 2 outside_domain
    """
    return "".join(f"{line}\n" for line in _lines(decisions))


def _lines(decisions: Iterable[Decision]) -> Iterator[str]:
    yield HEAD
    run = None
    for one in decisions:
        if one.run != run:
            run = one.run
            yield f"run {_word(run)}"
        rung, codes = "-" if one.rung is None else str(one.rung), ",".join(one.codes) or "-"
        yield " ".join((str(one.place), _word(one.tool), one.digest, one.verdict, rung, codes))


def _word(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text).replace(" ", "\\u0020")


def read(text: str, where: str) -> list[Decision]:
    """What `written` wrote.

    Args:
        text: The file's text.
        where: Its name, for the message.

    Raises:
        LadderError: It is no such file.
    """
    head, _, rest_of = text.partition("\n")
    if head != HEAD:
        raise LadderError(f"{where}:1: is no file of decisions of this form; write it anew with pytest --ladder-update")
    found, run = list[Decision](), ""
    for number, line in enumerate(rest_of.splitlines(), 2):
        try:
            first, *rest = line.split(" ")
            if first == "run":
                run = _unworded(rest[0])
            else:
                found.append(_read(run, int(first), *rest))
        except (ValueError, IndexError, TypeError, KeyError):
            raise LadderError(
                f"{where}:{number}: can't be read; was it merged by hand? pytest --ladder-update"
            ) from None
    return found


def _read(run: str, place: int, tool: str, digest: str, verdict: str, rung: str, codes: str) -> Decision:
    known: dict[str, Verdict] = {one: one for one in _ORDER}
    at = None if rung == "-" else int(rung)
    return Decision(
        run, place, _unworded(tool), digest, known[verdict], at, () if codes == "-" else tuple(codes.split(","))
    )


def _unworded(word: str) -> str:
    return str(json.loads(word)) if word.startswith('"') else word


@dataclass(frozen=True, slots=True)
class Changes:
    """What a policy now decides otherwise than when a file was written."""

    loosened: tuple[tuple[Decision, Decision], ...]
    """Before and after: newly free, a question where it was held, nothing known where it asked, or a higher rung."""
    tightened: tuple[tuple[Decision, Decision], ...]
    """The other way round."""
    new: tuple[Decision, ...]
    """Calls that the file doesn't have."""
    missing: tuple[Decision, ...]
    """Calls that only the file has."""

    @property
    def traces(self) -> bool:
        """Whether the recorded runs are others than those that the file was written of."""
        return bool(self.new or self.missing)

    def text(self) -> str:
        """All of it in words: what is looser first, each with its first calls."""
        blocks = [
            _moved("loosened, and nobody has reviewed that", self.loosened),
            _moved("tightened", self.tightened),
            _others("calls that the file doesn't have", self.new),
            _others("calls that are no longer in the traces", self.missing),
        ]
        return "\n".join(block for block in blocks if block)


def compared(before: Iterable[Decision], after: Iterable[Decision]) -> Changes:
    """Hold today's decisions against those of a file. A reason that is another one is no change.

    Args:
        before: Those of the file.
        after: Today's.
    """
    old = {_call(one): one for one in before}
    now = {_call(one): one for one in after}
    both = [(old[which], now[which]) for which in now if which in old]
    return Changes(
        tuple(pair for pair in both if _loose(pair[1]) > _loose(pair[0])),
        tuple(pair for pair in both if _loose(pair[1]) < _loose(pair[0])),
        tuple(one for which, one in now.items() if which not in old),
        tuple(one for which, one in old.items() if which not in now),
    )


def _call(one: Decision) -> tuple[str, int, str, str]:
    return one.run, one.place, one.tool, one.digest


def _loose(one: Decision) -> tuple[int, int]:
    return _ORDER[one.verdict], -1 if one.rung is None else one.rung


def _moved(what: str, pairs: tuple[tuple[Decision, Decision], ...]) -> str:
    found = [f"    {_way(before)} -> {_way(after)}  {after.text}" for before, after in pairs[:SHOWN]]
    return _block(what, len(pairs), found)


def _way(one: Decision) -> str:
    return one.verdict if one.rung is None else f"{one.verdict} ({one.rung})"


def _others(what: str, found: tuple[Decision, ...]) -> str:
    lines = [f"    run {inert(one.run)}, call {one.place}: {inert(one.tool)}, {one.verdict}" for one in found[:SHOWN]]
    return _block(what, len(found), lines)


def _block(what: str, count: int, lines: list[str]) -> str:
    if not count:
        return ""
    more = [f"    and {count - SHOWN} more"] * (count > SHOWN)
    return "\n".join([f"{what}: {count}", *lines, *more])
