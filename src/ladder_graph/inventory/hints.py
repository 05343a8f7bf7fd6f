"""What the server of an MCP tool says of it. The protocol calls these hints: nobody has checked them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

_NAMES = {
    "readOnlyHint": "read_only", "destructiveHint": "destructive", "idempotentHint": "idempotent",
    "openWorldHint": "open_world",
}  # fmt: skip
"""The annotations of the protocol that bear on a policy, and the fields they are kept in."""


@dataclass(frozen=True, slots=True)
class Hints:
    """The annotations of a tool; None where its server says nothing."""

    read_only: bool | None = None
    """It changes nothing."""
    destructive: bool | None = None
    """What it changes may be lost."""
    idempotent: bool | None = None
    """A second call with the same arguments has no second effect."""
    open_world: bool | None = None
    """It reaches beyond its own server."""

    @classmethod
    def of(cls, tool: Any) -> Self:
        """The hints in a tool's metadata, where langchain-mcp-adapters puts them. What is no truth value says nothing.

        Example:
            >>> from langchain_core.tools import StructuredTool
            >>> read = StructuredTool.from_function(lambda: "", name="read", description="x")
            >>> read.metadata = {"readOnlyHint": True, "destructiveHint": "no"}
            >>> Hints.of(read)
            Hints(read_only=True, destructive=None, idempotent=None, open_world=None)
        """
        said = getattr(tool, "metadata", None)
        said = said if isinstance(said, Mapping) else {}
        return cls(**{field: said[name] for name, field in _NAMES.items() if isinstance(said.get(name), bool)})

    @property
    def reads(self) -> bool:
        """Whether it is said only to read, and nothing else that is said is against it."""
        return bool(self.read_only) and not self.destructive

    @property
    def told(self) -> tuple[str, ...]:
        """What was said, each as it stands in the protocol and in words."""
        spoken = {
            "readOnlyHint": ("it changes nothing", "it changes something"),
            "destructiveHint": ("what it changes may be lost", "it only adds"),
            "idempotentHint": ("a second call changes nothing more", "a second call does it again"),
            "openWorldHint": ("it reaches beyond its server", "it stays within its server"),
        }
        said = ((name, getattr(self, field)) for name, field in _NAMES.items())
        return tuple(
            f"{name} = {str(value).lower()}: {spoken[name][not value]}" for name, value in said if value is not None
        )
