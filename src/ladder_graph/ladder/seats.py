"""What a mount knows of a tool that it has taken under the ladder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ladder_graph.calls import digest_of
from ladder_graph.policy import Rule
from ladder_graph.routing import Footing
from ladder_graph.scale import Rung
from ladder_graph.tools import NOTHING, Declaration
from ladder_graph.turns.deciding import Fitting, unchecked
from ladder_graph.turns.hosting import Host


# The gate asks for it at each call, and a process knows few tools.
@lru_cache(maxsize=1024)
def _edition(tool: str, version: str, declared: str) -> str:
    return digest_of("tool", tool, version, declared)


@dataclass(slots=True)
class Seat:
    """One tool under the ladder, as a mount knows it."""

    declaration: Declaration = NOTHING
    can_ask: bool = False
    host: Callable[[], Host] | None = None
    """Makes a host that runs the tool outside its graph, for accepted drafts; None where that can't be done."""
    version: str = ""
    """The tool's own code and schema, as a digest; empty where the tool isn't known."""
    fitted: Fitting = unchecked
    """Types arguments by the tool's schema."""
    outward: tuple[str, ...] = ()
    """The arguments that could carry something out, by that schema."""
    schema: Mapping[str, Any] = field(default_factory=dict)
    """That schema as JSON Schema; empty where it isn't known."""
    hands_over: bool = False
    """It is known to hand over to another agent and to do nothing else; where no entry is for it, it runs unasked."""
    elsewhere: str = ""
    """What it runs where no gate can be put, in words, such as an agent on a server; empty where nothing is known."""

    def edition(self, tool: str) -> str:
        """What the tool is: its code, schema and declared version, as a digest."""
        return _edition(tool, self.version, self.declaration.version)

    def footing(self, reader: str | None) -> Footing:
        """What is in place around the tool.

        Args:
            reader: Who reads its reports.
        """
        said = self.declaration
        unportable = said.unportable if said.reversible else ""
        return Footing(
            self.can_ask, said.reversible, reader, self.outward, unportable, said.ttl, said.canary is not None
        )

    def trouble(self, rule: Rule) -> str:
        """Why the tool has no undo that holds, where its rule wants one; empty where all is well.

        Args:
            rule: The tool's rule.
        """
        if rule.rung < Rung.ROLLBACK or rule.read_only:
            return ""
        if not self.declaration.reversible:
            return "it declares no undo, so it counts as irreversible"
        return self.declaration.unportable if rule.watch.window else ""
