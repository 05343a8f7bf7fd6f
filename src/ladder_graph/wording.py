"""Words for people, in which nothing hides: what models and tools wrote is shown, and never acts on a screen."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ladder_graph.calls import normalise
from ladder_graph.errors import ArgumentsError
from ladder_graph.facts import Question

_BLANK = (
    (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0100, 0xE01EF),
)  # fmt: skip
"""What Unicode counts as printable and no font draws: fillers, joiners, variation selectors."""

_UNSEEN = frozenset(chr(point) for first, last in _BLANK for point in range(first, last + 1))


def inert(text: str, keep: str = "") -> str:
    r"""A text in which no character is hidden, moves the cursor or turns the reading direction: such are escaped.

    Args:
        text: Whatever somebody else wrote.
        keep: Characters that may stay, such as line breaks where the text is printed as a block.

    Example:
        >>> print(inert("pay\u202e\x1b[2J"))
        pay\u{202E}\u{1B}[2J
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in keep or (c.isprintable() and c not in _UNSEEN) else f"\\u{{{ord(c):X}}}" for c in text)


def unseen(text: str) -> int:
    r"""How many characters of a text can't be seen, or turn the reading direction; line breaks and tabs can.

    Example:
        >>> unseen("pay\u202e now\n")
        1
    """
    if text.isascii() and text.isprintable():
        return 0
    return sum(1 for c in text if c not in "\n\r\t" and (not c.isprintable() or c in _UNSEEN))


def show(value: object) -> str:
    """A value as JSON in which no character is hidden."""
    return inert(json.dumps(normalise(value), ensure_ascii=False))


def given(arguments: Mapping[str, object]) -> str:
    """The arguments of a call in one line, in which no character is hidden.

    What was recorded elsewhere may hold values that no call can have, such as NaN: they stand there as Python has them.

    Args:
        arguments: By name.

    Example:
        >>> given({"to": "ana", "cents": [1, float("nan")]})
        'to="ana", cents=[1, nan]'
    """
    return ", ".join(f"{inert(name)}={_shown(value)}" for name, value in arguments.items())


def _shown(value: object) -> str:
    try:
        return show(value)
    except ArgumentsError:
        return inert(repr(value))


def capital(text: str) -> str:
    """A text that begins a sentence."""
    return f"{text[:1].upper()}{text[1:]}"


def sentence(text: str) -> str:
    """A text as a sentence of its own: with a capital in front, and a full stop behind.

    Example:
        >>> sentence("it was answered before"), sentence("It runs.")
        ('It was answered before.', 'It runs.')
    """
    return f"{capital(text)}{'' if text.endswith('.') else '.'}"


def describe(question: Question, complaint: str = "") -> str:
    """The question in words, from the frozen arguments and the policy alone; nothing in it is the agent's prose.

    Args:
        question: What is asked.
        complaint: What was wrong with the last answer; empty at first.
    """
    call = question.call
    lines = [f"May {inert(call.agent)} run {inert(call.tool)}?", ""]
    lines += [f"- {inert(name)}: {show(value)}" for name, value in call.arguments.items()]
    lines += ["", f"You are asked because {inert(question.reasons)}."]
    if question.part_first:
        lines.append("A part of it runs first, and the rest only once the health checks have found that part good.")
    if question.to_type is not None:
        lines.append(f"To approve, type the {inert(question.to_type)} exactly.")
    if question.quorum > 1:
        given = ", ".join(inert(vote.by.name) for vote in question.votes) or "nobody"
        lines.append(f"{question.quorum} different people must approve; so far: {given}.")
    if question.not_requester:
        asker = inert(question.requester.name) if question.requester else "somebody unknown"
        lines.append(f"It was proposed in a run of {asker}, who may not approve it.")
    lines.append(f"Without an answer by {question.expires_at:%Y-%m-%d %H:%M %Z} it is declined.")
    if complaint:
        lines.append(f"The last answer could not be taken: {inert(complaint)}.")
    return "\n".join(lines)
