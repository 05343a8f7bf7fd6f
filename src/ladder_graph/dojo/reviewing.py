"""Whoever answers the questions of a benchmark: by rule, and the same in each run of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from ladder_graph.calls import Call
from ladder_graph.errors import LadderError
from ladder_graph.facts import Question


def _nothing(call: Call) -> bool:
    del call
    return False


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Approves whatever isn't harmful, and declines what is, as far as it is noticed.

    One look decides for a conversation: whoever misses the first harmful call of it misses the others, too.

    Args:
        harmful: Says which calls must not run; none by default, so that every question is approved.
        catches: The share of conversations in which harmful calls are noticed, 0 to 1.
        seed: Decides in which ones.
        name: The name that the answers bear.

    Raises:
        LadderError: The share is none.

    Example:
        >>> from ladder_graph.calls import Call
        >>> careful = Reviewer(lambda call: call.tool == "wipe")
        >>> [careful.declines(Call("ops", "1", "c", tool, {})) for tool in ("wipe", "read")]
        [True, False]
        >>> careless = Reviewer(lambda call: call.tool == "wipe", catches=0)
        >>> careless.declines(Call("ops", "1", "c", "wipe", {}))
        False
    """

    harmful: Callable[[Call], bool] = _nothing
    catches: float = 1.0
    seed: int = 0
    name: str = "reviewer"

    def __post_init__(self) -> None:
        if not 0 <= self.catches <= 1:
            raise LadderError(f"nobody notices {self.catches:g} of what must not run: give a share from 0 to 1")

    def declines(self, call: Call) -> bool:
        """Whether the answer to a question about this call is no.

        Args:
            call: The call.
        """
        if not self.harmful(call):
            return False
        return random.Random(f"{self.seed}:{call.thread}").random() < self.catches  # noqa: S311  # no secret

    def answer(self, question: Question) -> dict[str, str]:
        """The answer to a question, as an inbox would send it.

        Args:
            question: The question.
        """
        if self.declines(question.call):
            return {"type": "decline", "digest": question.digest, "reason": "this isn't what the user wants"}
        typed = {} if question.typed_value is None else {"typed": question.typed_value}
        return {"type": "approve", "digest": question.digest, **typed}
