"""What tools do to the world, as far as the tables must know it: whether they write, and whether that can be undone."""

from __future__ import annotations

from dataclasses import dataclass

from ladder_graph.policy import Policy
from ladder_graph.scale import Rung


@dataclass(frozen=True, slots=True)
class Effect:
    """What one tool does to the world."""

    writes: bool
    """It changes something, or may."""
    irreversible: bool
    """Nothing takes back what it did, or nobody says what would."""


class Effects:
    """What each tool of each suite does, as the policies that are compared say: the first that has an entry for it.

    Only a tool that is declared read-only doesn't write. Only one that a policy puts on rollback or above can be
    undone, since only there an undo is made before the action.

    Args:
        policies: Policies of one suite, the most trusted one first.

    Example:
        >>> from ladder_graph.policy import Rule
        >>> effects = Effects([Policy(tools={"look": Rule(rung="bounded", read_only=True)})])
        >>> effects.of("look").writes, effects.of("send").irreversible
        (False, True)
    """

    def __init__(self, policies: list[Policy]) -> None:
        self._policies = policies
        self._known: dict[str, Effect] = {}

    def of(self, tool: str) -> Effect:
        """What a tool does.

        Args:
            tool: Its name.
        """
        if tool not in self._known:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[tool] = self._found(tool)
        return self._known[tool]

    def _found(self, tool: str) -> Effect:
        policy = next((one for one in self._policies if one.entry(tool) is not None), None)
        if policy is None:
            return Effect(writes=True, irreversible=True)
        rule = policy.rule(tool)
        writes = not rule.read_only
        return Effect(writes, writes and rule.rung < Rung.ROLLBACK)


_MOST = 10_000
"""Tools that are kept in mind: a trace may name any number of them."""
