"""`text`: the draft of a tool that writes a text, against the template or the text that it starts from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ladder_graph.calls import digest_of, normalise
from ladder_graph.drafting.drawn import Drawn, Piece, Style, argument
from ladder_graph.errors import DraftRefused

Base = str | Callable[[Mapping[str, Any]], str | None] | None
"""A text that is always the same, or a function of the arguments that reads it."""


@dataclass(frozen=True, slots=True)
class Text:
    """See `text`."""

    argument: str
    base: Base
    source: str
    title: Callable[[Mapping[str, Any]], str] | str
    suffix: str
    style: Style
    will: str
    labels: tuple[str, ...]

    def draw(self, arguments: Mapping[str, Any]) -> Drawn:
        """The text, held against its base."""
        written, base = argument(arguments, self.argument), based(self.base, arguments)
        others = {name: value for name, value in arguments.items() if name != self.argument}
        return Drawn(
            "text", (Piece(self.argument, base, written, self.style),), written, self.suffix,
            title=titled(self.title, arguments), source=self.source if base is not None else "",
            facts=tuple((name, shown(value)) for name, value in others.items()),
            target=digest_of("text", normalise(others)), labels=self.labels, will=self.will,
            recipe={"form": "text", "argument": self.argument},
        )  # fmt: skip


def text(
    argument: str,
    *,
    base: Base = None,
    source: str = "the text that it starts from",
    title: Callable[[Mapping[str, Any]], str] | str = "",
    suffix: str = ".md",
    style: Style = "prose",
    will: str = "",
    labels: tuple[str, ...] = (),
) -> Text:
    r"""The draft of a tool that writes a text.

    Args:
        argument: The argument that holds the text.
        base: What it starts from: a template, or a function of the arguments that reads what is there now. Without
            one the whole text is one change.
        source: What that is, in words.
        title: What the draft is, in a line, or a function of the arguments.
        suffix: The suffix of its file.
        style: `"prose"` names changes by section and paragraph, `"code"` by the line of code above.
        will: What accepting does, in words.
        labels: Access labels of these drafts, beside those of the rule.

    Example:
        >>> drawn = text("body", base="Hello,\n").draw({"to": "ana", "body": "Hello Ana,\n"})
        >>> drawn.pieces[0].base, drawn.facts
        ('Hello,\n', (('to', 'ana'),))
    """
    return Text(argument, base, source, title, suffix, style, will, labels)


def based(base: Base, arguments: Mapping[str, Any]) -> str | None:
    """What a draft starts from, now.

    Raises:
        DraftRefused: The function gave something else than a text.
    """
    found = base(arguments) if callable(base) else base
    if found is not None and not isinstance(found, str):
        raise DraftRefused(f"what the draft starts from is a {type(found).__name__}, and no text")
    return found


def titled(title: Callable[[Mapping[str, Any]], str] | str, arguments: Mapping[str, Any]) -> str:
    """A title on one line."""
    found = title(arguments) if callable(title) else title
    return " ".join(str(found).split())[:200]


def shown(value: object) -> str:
    """An argument as a fact beside a draft."""
    import json

    return value if isinstance(value, str) else json.dumps(normalise(value), ensure_ascii=False)
