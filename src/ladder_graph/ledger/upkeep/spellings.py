"""Whom texts name, however a name is spelt in them, and however they are packed."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

NESTED = 8
"""So many times over a JSON text is read that lies in another one; each time is a pass over the text."""

STAFF = frozenset({"by", "auth", "given", "requester", "actor", "to", "told", "passed_to"})
"""Fields that name whoever judged or asked. They are answerable for it, and being named there erases nothing."""

_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be erased: what is older than a moment, what names a person, or what does both."""

    before_us: int | None = None
    """Microseconds since the epoch; what happened last before it. None where age doesn't matter."""
    names: tuple[str, ...] = ()
    """Spellings of a person, such as a name and an address; any of them will do."""

    def old(self, at_us: int) -> bool:
        """Whether something of this moment is old enough."""
        return self.before_us is None or at_us < self.before_us

    def named(self, *texts: object) -> bool:
        """Whether any of these texts, or of the texts in these JSON values, names the person."""
        if not self.names:
            return True
        wanted = [plain(name) for name in self.names]
        return any(
            name in text
            for one in texts
            for packed in texts_of(one)
            for text in map(plain, readings(packed))
            for name in wanted
        )

    def said(self, body: Mapping[str, object]) -> bool:
        """Whether what an entry says names the person as somebody whom it is about."""
        return self.named({name: value for name, value in body.items() if name not in STAFF})


def plain(text: str) -> str:
    """A text as it is compared: compatible and composed forms, case and spaces make no difference."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def texts_of(value: object) -> Iterator[str]:
    """The texts in a JSON value, the names of its fields among them; of bytes, what can be read of them."""
    if isinstance(value, bytes | bytearray | memoryview):
        yield from texts_of(unpacked(bytes(value).decode("utf-8", "replace")))
    elif isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for pair in value.items() for one in pair for text in texts_of(one))
    elif isinstance(value, Sequence):
        yield from (text for one in value for text in texts_of(one))
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def readings(text: str) -> Iterator[str]:
    r"""A text, and what it says once the escapes of JSON in it are resolved, as often as it lies in another JSON text.

    A part of a JSON text, or one with words around it, can't be parsed, so escapes are looked for wherever they stand.

    Example:
        >>> list(readings(r'{"to": "J\u00fcrgen"}'))
        ['{"to": "J\\u00fcrgen"}', '{"to": "Jürgen"}']
    """
    yield text
    for _ in range(NESTED):
        if "\\" not in text:
            return
        text, found = _ESCAPE.subn(_resolved, text)
        if not found:
            return
        if _HALF.search(text):  # Half a pair each, as JSON spells what lies beyond the first plane.
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        yield text


def _resolved(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    return _SHORT.get(found[2], found[2])


def unpacked(text: str | None) -> object:
    """What a JSON text holds; the text itself where it is none."""
    try:
        return json.loads(text or "null")
    except ValueError:
        return text
