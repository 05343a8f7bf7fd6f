"""The system prompt as it was meant: the same text with another date in it is the same prompt.

A declared template is known again wherever its own words stand in their order; what fills its slots doesn't count, and
what stands around it does. Of any other text, dates, times, ids, mail addresses and declared values of the run are
masked. What a mask hides is kept beside it, since an edit can hide there too: `before 2024-01-01` that became
`before 2025-01-01` is the same prompt by its hash, and another rule.
"""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ladder_graph.calls import digest_of

NO_PROMPT = "none"
"""The prompt component of a request without any system text: known, and empty."""

DYNAMIC = "dynamic"
"""The prompt component of an agent whose prompt is another one again and again: known to be nothing fixed."""

WINDOW = 50
"""Answers over which different prompts are counted."""

MANY = 5
"""Different prompts in a window that are still taken for edits; with one more the prompt counts as dynamic."""

TEMPLATE = "template"
"""The kind of a slot that stands for a whole declared template, whose text is its value."""

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_NTH = r"\d{1,2}(?:st|nd|rd|th)?"
_YEAR = r"(?:19|20)\d{2}"
_ZONE = r"(?:\s?(?:Z|UTC|GMT|CES?T|[ECMP][SD]T)\b|\s?[+-]\d{2}:?\d{2}\b)?"
_CLOCK = rf"\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:[.,]\d+)?)?(?:\s?[AaPp]\.?[Mm]\b\.?)?{_ZONE}"
_KINDS = {
    "uuid": r"\b[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}\b",
    "mail": r"\b[\w.+%-]+@[\w-]+(?:\.[\w-]+)+\b",
    "moment": rf"\b{_YEAR}-\d{{2}}-\d{{2}}[T ]{_CLOCK}",
    "date": (
        rf"(?:\b{_WEEKDAY},?\s+)?(?:(?:the\s+)?\b{_NTH}(?:\s+of)?\s+{_MONTH},?\s+{_YEAR}\b|\b{_MONTH}\s+{_NTH},?\s+{_YEAR}\b"
        rf"|\b{_YEAR}[-/.]\d{{1,2}}[-/.]\d{{1,2}}\b|\b\d{{1,2}}[-/.]\d{{1,2}}[-/.]{_YEAR}\b)|\b{_WEEKDAY}\b"
    ),
    "time": rf"\b{_CLOCK}",
    "epoch": r"\b1[5-9]\d{8}(?:\d{3})?\b",
}
"""What is masked, the first that fits. A bare year isn't: `before 2024` is more often a rule than the present."""
# Each begins a word, which most places in a text don't; that is asked first, and once for all of them.
_MASKED = re.compile(rf"(?<!\w)(?=\w)(?:{'|'.join(f'(?P<{kind}>{pattern})' for kind, pattern in _KINDS.items())})")


@dataclass(frozen=True, slots=True)
class Render:
    """A system prompt as it was sent, taken apart.

    Args:
        literals: The text between the masks: one more than there are masks.
        kinds: What each mask stands for.
        values: What each mask hides.

    Example:
        >>> render("It is 2026-01-01. Be careful.").component == render("It is 2026-01-02. Be careful.").component
        True
        >>> render("Pay bills before 2024.").component == render("Pay bills before 2025.").component
        False
    """

    literals: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    @property
    def component(self) -> str:
        """The prompt component of an environment: equal ones, the same prompt."""
        if self.literals == ("",):
            return NO_PROMPT
        templates = [value for kind, value in zip(self.kinds, self.values, strict=True) if kind == TEMPLATE]
        return digest_of("prompt", list(self.literals), list(self.kinds), templates)

    @property
    def text(self) -> str:
        """The text, with its masks filled."""
        parts = [part for pair in zip(self.literals, (*self.values, ""), strict=True) for part in pair]
        return "".join(parts)

    def around(self, mask: int) -> str:
        """What stands around a mask, for people: the ends of a line, with `…` in its place."""
        before, after = self.literals[mask][-30:].rpartition("\n")[2], self.literals[mask + 1][:30].partition("\n")[0]
        return f"{before}…{after}".strip()


def render(text: str, templates: Iterable[str] = (), values: Iterable[tuple[str, str]] = ()) -> Render:
    """Take a system prompt apart.

    Args:
        text: All system text of a request, as it was sent.
        templates: Declared templates; the first one that is found in the text counts.
        values: Names and values of the run that are masked wherever they stand as words of their own.
    """
    return _render(text, tuple(templates), tuple(sorted(values)))


def kind_of(text: str) -> str:
    """As what a text is masked as a whole; empty where it isn't.

    Example:
        >>> kind_of("2026-11-23T10:00:00Z"), kind_of("v2 of 2026-11-23")
        ('moment', '')
    """
    found = _MASKED.fullmatch(text)
    return (found.lastgroup or "") if found else ""


# An agent sends the same text at each of its turns.
@functools.lru_cache(maxsize=64)
def _render(text: str, templates: tuple[str, ...], values: tuple[tuple[str, str], ...]) -> Render:
    for template in templates:
        if (found := _found(text, template)) is not None:
            before, after = _masked(text[: found[0]], values), _masked(text[found[1] :], values)
            return Render(
                (*before.literals, *after.literals),
                (*before.kinds, TEMPLATE, *after.kinds),
                (*before.values, template, *after.values),
            )
    return _masked(text, values)


def _masked(text: str, values: tuple[tuple[str, str], ...]) -> Render:
    literals, kinds, hidden, end = [], [], [], 0
    named = {value: name for name, value in values}
    for match in _masks(tuple(named)).finditer(text):
        literals.append(text[end : match.start()])
        kinds.append(match.lastgroup or named[match.group()])
        hidden.append(match.group())
        end = match.end()
    return Render((*literals, text[end:]), tuple(kinds), tuple(hidden))


@functools.lru_cache(maxsize=64)
def _masks(values: tuple[str, ...]) -> re.Pattern[str]:
    """The masks, with the run's own values before all others, the longest first."""
    own = [rf"(?<!\w){re.escape(value)}(?!\w)" for value in sorted(values, key=len, reverse=True) if value.strip()]
    return re.compile("|".join([*own, _MASKED.pattern])) if own else _MASKED


# --- templates ---------------------------------------------------------------------------------------------------


LINES = "lines"
"""Says of a slot, as in `{documents:lines}`, that what fills it may go on over lines where nothing else ends it."""


@dataclass(frozen=True, slots=True)
class Template:
    """A declared template, taken apart.

    Args:
        words: What it says itself, slot by slot: one piece more than it has slots.
        opens: Whether a slot that it begins with may fill whole lines before its words.
        ends: The same of one that it ends with.
    """

    words: tuple[str, ...]
    opens: bool = False
    ends: bool = False


@functools.lru_cache(maxsize=64)
def template_of(text: str) -> Template:
    """Read a template.

    Raises:
        ValueError: Its braces don't fit, or it has no words of its own.

    Example:
        >>> template_of("Today is {date}. Answer as {{name}}.").words
        ('Today is ', '. Answer as {name}.')
    """
    pieces, said, specs = [], "", []
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as wrong:
        raise ValueError(f"has braces that don't fit ({wrong})") from None
    for literal, slot, spec, _ in parsed:
        said += literal
        if slot is not None:
            pieces.append(said)
            specs.append(spec)
            said = ""
    if not any(piece.strip() for piece in (*pieces, said)):
        raise ValueError("has no words of its own, so any prompt would be taken for it")
    return Template((*pieces, said), *(bool(specs) and specs[at] == LINES for at in (0, -1)))


def _found(text: str, template: str) -> tuple[int, int] | None:
    """From where to where a template reaches in a text; None where its words don't stand there in their order."""
    declared = template_of(template)
    first, *rest = declared.words
    start = text.find(first)
    if start < 0:
        return None
    end = start + len(first)
    for piece in rest:
        at = text.find(piece, end)
        if at < 0:
            return None
        end = at + len(piece)
    if not first:  # What fills an outermost slot ends with its line, unless more was said of it.
        start = 0 if declared.opens else text.rfind("\n", 0, text.find(next(filter(None, rest)))) + 1
    if rest and not rest[-1]:
        line = text.find("\n", end)
        end = len(text) if declared.ends or line < 0 else line
    return start, end


# --- what a mask hid, and what keeps changing --------------------------------------------------------------------


def hidden(before: Render, after: Render) -> Iterator[tuple[int, str, str]]:
    """Masks whose values differ in two renders of the same prompt, with both values; templates aside."""
    for nth, (kind, old, new) in enumerate(zip(after.kinds, before.values, after.values, strict=True)):
        if old != new and kind != TEMPLATE:
            yield nth, old, new


def is_dynamic(prompts: Iterable[str]) -> bool:
    """Whether these prompts, one for each of the last answers, are too many different ones to be edits."""
    return len(set(prompts)) > MANY


def chosen(values: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """The values of a run that can stand in a text: names and texts."""
    return tuple((name, str(value)) for name, value in values.items() if isinstance(value, str | int))
