"""A draft as a drafter drew it: pieces of text, each as it is now and as it would become. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, get_args, runtime_checkable

from ladder_graph.calls import digest_of
from ladder_graph.errors import DraftRefused

Style = Literal["prose", "code", "keys", "headers"]
"""How a piece is cut into changes: by paragraphs, by lines of code, by `key = value`, or by `Name: value`."""

_STYLES: dict[str, Style] = {style: style for style in get_args(Style)}

LARGEST = 5_000_000
"""Characters that all pieces of a draft may hold together."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One text of a draft: a file, a body, a set of keys."""

    name: str
    """What it is called: a file's path, or a word such as `body`."""
    base: str | None
    """What is there now, as it was captured; None where nothing is."""
    text: str | None
    """What it would become; None where it would go."""
    style: Style = "prose"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A draft: what it would become, what it starts from, and how a part of it goes back into arguments."""

    kind: str
    """Which drafter drew it, in a word: `text`, `email`, `patch`, …"""
    pieces: tuple[Piece, ...]
    artifact: str
    """The whole artifact, as its file in the workspace holds it."""
    suffix: str = ".md"
    """The suffix of that file."""
    title: str = ""
    """What it is, in a line; empty where only the tool's name says it."""
    source: str = ""
    """What the base is, in words, such as `the reply template`; empty where there is none."""
    facts: tuple[tuple[str, str], ...] = ()
    """What goes with it whatever is taken, such as recipients that no template names: labels and values."""
    notes: tuple[str, ...] = ()
    """What a person must know beside the changes."""
    target: str = ""
    """What it is about; a later draft of the same target takes its place. Empty: only the very same call does."""
    across: bool = False
    """The target is the same in every thread of the agent, such as a file."""
    labels: tuple[str, ...] = ()
    """Access labels of this very artifact, beside those of the tool's rule."""
    will: str = ""
    """What accepting does, in words; empty where it simply calls the tool."""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """How texts go back into arguments (`ladder_graph.drafting.mapping`); empty where they can't."""
    whole: bool = False
    """It can't be taken in part."""
    confined: str = ""
    """Why its call runs nowhere but in the graph, so that nobody can accept it; empty where it can run elsewhere."""

    def __post_init__(self) -> None:
        size = len(self.artifact) + sum(len(piece.base or "") + len(piece.text or "") for piece in self.pieces)
        if size > 2 * LARGEST:
            raise DraftRefused(f"a draft of {size} characters is too large to be looked at; the most is {2 * LARGEST}")

    @property
    def digest(self) -> str:
        """SHA-256 of everything that a person is shown and that accepting rests on."""
        return digest_of("draft", self.to_json())

    @property
    def bases(self) -> dict[str, str | None]:
        """What is there now, by the pieces' names."""
        return {piece.name: piece.base for piece in self.pieces}

    def moved(self, now: Drawn) -> list[str]:
        """The pieces that start from something else by now, by name.

        Args:
            now: The same call, drawn anew.
        """
        before, after = self.bases, now.bases
        return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))

    def edited(self, texts: Mapping[str, str | None]) -> Drawn:
        """The draft with other texts in its pieces.

        Raises:
            DraftRefused: It has no such piece.
        """
        if unknown := sorted(texts.keys() - self.bases.keys()):
            raise DraftRefused(f"the draft has no piece {unknown[0]!r}; it has {', '.join(sorted(self.bases))}")
        return replace(self, pieces=tuple(replace(one, text=texts.get(one.name, one.text)) for one in self.pieces))

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "kind": self.kind, "artifact": self.artifact, "suffix": self.suffix, "title": self.title,
            "pieces": [[one.name, one.base, one.text, one.style] for one in self.pieces], "source": self.source,
            "facts": [list(one) for one in self.facts], "notes": list(self.notes), "target": self.target,
            "across": self.across, "labels": list(self.labels), "will": self.will, "recipe": dict(self.recipe),
            "whole": self.whole, **({"confined": self.confined} if self.confined else {}),
        }  # fmt: skip

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Drawn:
        """A draft from what was kept of it.

        Raises:
            DraftRefused: Somebody made something else of it.
        """
        try:
            pieces = tuple(Piece(name, base, text, _STYLES[style]) for name, base, text, style in kept["pieces"])
            return cls(
                kind=kept["kind"], pieces=pieces, artifact=kept["artifact"], suffix=kept["suffix"],
                title=kept["title"], source=kept["source"], facts=tuple((str(a), str(b)) for a, b in kept["facts"]),
                notes=tuple(kept["notes"]), target=kept["target"], across=kept["across"],
                labels=tuple(kept["labels"]), will=kept["will"], recipe=kept["recipe"], whole=kept["whole"],
                confined=kept.get("confined", ""),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as wrong:
            raise DraftRefused(f"what was kept of the draft can't be read ({wrong!r})") from wrong


@runtime_checkable
class Drafter(Protocol):
    """What draws the drafts of a tool.

    Example:
        >>> class Shout:
        ...     def draw(self, arguments):
        ...         said = arguments["text"].upper()
        ...         return Drawn("text", (Piece("text", "", said),), said, recipe={"form": "text", "argument": "text"})
        >>> isinstance(Shout(), Drafter)
        True
    """

    def draw(self, arguments: Mapping[str, Any]) -> Drawn:
        """Draw a call's draft: read what is there now, and send or apply nothing.

        Args:
            arguments: The call's own, in a copy.

        Raises:
            DraftRefused: The arguments would lead somewhere they must not. The call is refused.
        """


def argument(arguments: Mapping[str, Any], name: str) -> str:
    """A text among the arguments; empty where it isn't there.

    Raises:
        DraftRefused: It is no text.
    """
    value = arguments.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DraftRefused(f"the argument {name} is a {type(value).__name__}, and its draft needs a text")
    if len(value) > LARGEST:
        raise DraftRefused(f"the argument {name} has {len(value)} characters; a draft holds {LARGEST} at most")
    return value
