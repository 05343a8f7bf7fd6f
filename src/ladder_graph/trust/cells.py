"""Where trust is earned: one agent, with one tool, in one scope, made of one thing."""

from __future__ import annotations

from typing import NamedTuple

EVERY = "*"
"""Stands for all scopes, or all environments, of a tool."""


class CellKey(NamedTuple):
    """What a standing belongs to. Evidence in one cell says nothing about another."""

    agent: str
    """Who acts; an agent inside another has a name of its own, as `ops/research`."""
    tool: str
    """With which tool."""
    scope: str = ""
    """In which scope of it; empty where the tool has none."""
    env: str = ""
    """The environment key of what proposed the call (`Environment.key`)."""

    def __str__(self) -> str:
        scope = f" [{self.scope}]" if self.scope else ""
        env = f" ({self.env[:12]})" if self.env else ""
        return f"{self.agent}: {self.tool}{scope}{env}"

    def within(self, wide: CellKey) -> bool:
        """Whether a standing that may be for all scopes or environments is for this cell."""
        return (self.agent, self.tool) == (wide.agent, wide.tool) and all(
            said in {EVERY, mine} for said, mine in ((wide.scope, self.scope), (wide.env, self.env))
        )

    def meet(self, other: CellKey) -> CellKey | None:
        """What lies in both of two that may be for all scopes or environments; None where nothing does.

        Example:
            >>> CellKey("ops", "send", "staging", EVERY).meet(CellKey("ops", "send", EVERY, "e1"))
            CellKey(agent='ops', tool='send', scope='staging', env='e1')
        """
        scope = self.scope if other.scope in {EVERY, self.scope} else other.scope
        env = self.env if other.env in {EVERY, self.env} else other.env
        both = self._replace(scope=scope, env=env)
        return both if both.within(self) and both.within(other) else None
