"""One proposed tool call, in a form that can be compared, hashed and kept.

Arguments are compared by their canonical JSON (RFC 8785). What RFC 8785 refuses but JSON tools produce is
normalised first into tagged values, so that a snowflake id or a Decimal has one digest everywhere.
"""

from __future__ import annotations

import base64
import copy
import datetime as dt
import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson
import rfc8785

from ladder_graph.errors import ArgumentsError

LARGEST_EXACT_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (RFC 7493, section 2.2)."""

DEEPEST = 64
"""How deep arguments may nest; deeper ones are refused rather than overflow the stack."""

_ROOM = 8
"""Levels that a digest or a record may put around the arguments of a call."""


def normalise(value: object, path: str = "arguments", depth: int = 0) -> Any:
    """Turn arguments into plain JSON values that RFC 8785 accepts, without losing anything.

    Integers beyond 2**53-1 become `{"$int": "…"}`, bytes `{"$b64": "…"}`, Decimals and dates tagged strings. A key
    that starts with `$` gets a second one, so that no mapping can pass for a tagged value. `restore` is the way back.

    Args:
        value: Anything a tool call may carry.
        path: Where the value stands, for the message.
        depth: How deep it stands.

    Raises:
        ArgumentsError: NaN, infinity, a lone surrogate, a key that is no string, an object of some class.

    Example:
        >>> normalise({"id": 2**60, "$int": "1"})
        {'id': {'$int': '1152921504606846976'}, '$$int': '1'}
    """
    if depth > DEEPEST:
        raise ArgumentsError(f"{path[:80]}… nests deeper than {DEEPEST} levels")
    match value:
        case None | bool():
            return value
        case str():
            return _text(value, path)
        case int():
            return int(value) if abs(value) <= LARGEST_EXACT_INTEGER else {"$int": _digits(value, path)}
        case float():
            return _finite(value, path)
        case list() | tuple():
            inside = depth < DEEPEST
            return [
                v if inside and _is_plain(v) else normalise(v, f"{path}[{i}]", depth + 1) for i, v in enumerate(value)
            ]
        case dict() | Mapping():  # The abstract class is ten times slower to ask for.
            inside = depth < DEEPEST
            return {
                _key(k, path): v if inside and _is_plain(v) else normalise(v, f"{path}.{k}", depth + 1)
                for k, v in value.items()
            }
        case _:
            return _tagged(value, path)


def _is_plain(value: object) -> bool:
    """Whether a value is what it would become, as most are; the place of another one is worked out in words."""
    kind = type(value)
    if kind is str:
        return value.isascii()  # type: ignore[attr-defined, no-any-return]  # it is a str
    if kind is int:
        return -LARGEST_EXACT_INTEGER <= value <= LARGEST_EXACT_INTEGER  # type: ignore[operator]  # it is an int
    return kind is bool or value is None


def _text(value: str, path: str) -> str:
    plain = str.__str__(value)  # Of a subclass, the text that it holds, whatever it says that it is.
    if plain.isascii():
        return plain
    try:
        plain.encode()
    except UnicodeEncodeError:
        raise ArgumentsError(f"{path} holds half a surrogate pair, which is no text") from None
    return plain


def _digits(value: int, path: str) -> str:
    try:
        return str(int(value))
    except ValueError:
        raise ArgumentsError(f"{path} is an integer of {value.bit_length()} bits, which is too long to write") from None


def _finite(value: float, path: str) -> float:
    if not math.isfinite(value):
        raise ArgumentsError(f"{path} is {value}, which JSON has no form for")
    return value


def _key(key: object, path: str) -> str:
    if not isinstance(key, str):
        raise ArgumentsError(f"{path} has the key {key!r}, and keys must be text")
    return _text(f"${key}" if key.startswith("$") else key, path)


def _tagged(value: object, path: str) -> dict[str, str]:
    match value:
        case bytes():
            return {"$b64": base64.b64encode(value).decode()}
        case Decimal() if value.is_finite():
            return {"$decimal": str(value)}
        case dt.datetime() | dt.date() | dt.time():
            return {"$time": value.isoformat()}
        case _:
            raise ArgumentsError(f"{path} is a {type(value).__name__}, which JSON has no form for")


def restore(value: Any) -> Any:
    """Turn what was read from canonical JSON back into the arguments that `normalise` was given.

    A call built from them has the same digest. What JSON can't tell apart comes back as the simpler one: a tuple as
    a list, `1.0` as `1`, a named time zone as its offset.

    Example:
        >>> restore(normalise({"id": 2**60, "when": dt.date(2026, 11, 22), "$": [b"x"]}))
        {'id': 1152921504606846976, 'when': datetime.date(2026, 11, 22), '$': [b'x']}
    """
    if isinstance(value, list):
        return [restore(entry) for entry in value]
    if isinstance(value, dict):
        if len(value) == 1 and (read := _TAGS.get(next(iter(value)))):
            return read(next(iter(value.values())))
        return {key[1:] if key.startswith("$$") else key: restore(entry) for key, entry in value.items()}
    if isinstance(value, int) and abs(value) > LARGEST_EXACT_INTEGER:
        return float(value)  # An integer as large as this would carry a tag: it was a float, written without a point.
    return value


def _time(text: str) -> dt.datetime | dt.date | dt.time:
    if "T" in text:
        return dt.datetime.fromisoformat(text)
    return dt.date.fromisoformat(text) if text[4:5] == "-" else dt.time.fromisoformat(text)


_TAGS: dict[str, Callable[[str], Any]] = {
    "$int": int,
    "$b64": base64.b64decode,
    "$decimal": Decimal,
    "$time": _time,
}


def canonical(value: object) -> bytes:
    """The RFC 8785 form of a JSON value, after `normalise`.

    Raises:
        ArgumentsError: The value has no canonical form.
    """
    return _rfc8785(normalise(value, depth=-_ROOM))


def digest_of(*parts: object) -> str:
    """SHA-256 in hex over the canonical form of `["lg1", *parts]`; the tag keeps our digests apart from others."""
    return _sha256(normalise(parts, depth=-_ROOM))


def digest_of_call(tool: str, arguments: object) -> str:
    """What is being asked for, whoever asks: the digest of a tool's name and its arguments.

    Raises:
        ArgumentsError: The arguments have no canonical form.
    """
    if tool.isascii() and type(tool) is str and _is_canonical(arguments):
        return hashlib.sha256(orjson.dumps(["lg1", "call", tool, arguments], option=orjson.OPT_SORT_KEYS)).hexdigest()
    return digest_of("call", tool, arguments)


def _is_canonical(arguments: object) -> bool:
    """Whether arguments are a table of plain values, as most are, which RFC 8785 has no more to say of than orjson."""
    if type(arguments) is not dict:
        return False
    for key, value in arguments.items():
        if type(key) is not str or not key.isascii() or key[:1] == "$" or not _is_plain(value):
            return False
    return True


def _sha256(parts: list[Any]) -> str:
    return hashlib.sha256(_rfc8785(["lg1", *parts])).hexdigest()


def _rfc8785(plain: Any) -> bytes:
    """The RFC 8785 form of a normalised value. orjson writes it too, and much faster, but for what is special."""
    return rfc8785.dumps(plain) if _special(plain) else orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)


def _special(plain: Any) -> bool:
    """Whether RFC 8785 has rules of its own: for floats, and for the order of keys beyond ASCII."""
    if isinstance(plain, dict):
        if not all(map(str.isascii, plain)):
            return True
        plain = plain.values()
    elif not isinstance(plain, list):
        return isinstance(plain, float)
    for value in plain:  # noqa: SIM110  # a generator would cost more than what it goes through
        if type(value) not in _ORDINARY and _special(value):
            return True
    return False


_ORDINARY = frozenset({str, int, bool, type(None)})


def copied(value: Any) -> Any:
    """A copy of checked arguments, several times quicker than `copy.deepcopy`, which gets what is of no plain type."""
    kind = type(value)
    if kind in _UNCHANGING:
        return value
    if kind is dict:
        return {key: copied(entry) for key, entry in value.items()}
    return [copied(entry) for entry in value] if kind is list else copy.deepcopy(value)


_UNCHANGING = frozenset({str, int, float, bool, type(None)})


def _flat(arguments: dict[str, Any]) -> dict[str, Any] | None:
    """A copy of a table of plain ASCII values, as most calls have, which needs no other check; None for any other."""
    if type(arguments) is not dict:
        return None
    kept = arguments.copy()
    for key, value in kept.items():
        if type(key) is not str or not key.isascii() or not (_is_plain(value) or _is_finite(value)):
            return None
    return kept


def _is_finite(value: object) -> bool:
    return type(value) is float and math.isfinite(value)


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call as a model proposed it, frozen.

    Args:
        agent: Who acts; the ledger keeps one chain for each agent.
        thread: The LangGraph thread it belongs to.
        id: The tool call id the model gave.
        tool: The tool's name.
        arguments: A copy of the arguments, so that nobody changes them under us.
        env: The environment key of what proposed it, or None where that isn't known.

    Raises:
        ArgumentsError: The arguments have no canonical form.
    """

    agent: str
    thread: str
    id: str
    tool: str
    arguments: dict[str, Any]
    env: str | None = None
    digest: str = field(init=False)
    """SHA-256 over tool and canonical arguments: what is being asked for, whoever asks."""
    key: str = field(init=False)
    """SHA-256 over thread, tool call id and digest: this one call, across processes, resumes and forks. For an agent
    inside another one over its name there, too: in one thread, two of them may count their calls alike."""

    def __post_init__(self) -> None:
        self._freeze()
        # At once and not when they are asked for: nobody may change the arguments before they are known.
        object.__setattr__(self, "digest", digest_of_call(self.tool, self.arguments))
        _, inside, name = self.agent.partition("/")
        whose = [_text(name, "the agent of the call")] if inside else []
        object.__setattr__(self, "key", _sha256(["key", self.thread, self.id, self.digest, *whose]))

    def _freeze(self) -> None:
        for name in ("tool", "thread", "id"):
            if not (text := getattr(self, name)).isascii():
                _text(text, f"the {name} of the call")
        kept = _flat(self.arguments)
        if kept is None:
            # First the check, then the copy: it has no limit of its own on how deep it goes.
            normalise(self.arguments)
            kept = copied(self.arguments)
        object.__setattr__(self, "arguments", kept)

    @property
    def short(self) -> str:
        """The first twelve characters of the key: enough for a person to name the action."""
        return self.key[:12]


class WeighedCall(Call):
    """A call that is only weighed and never runs: digest and key, which are most of its cost, are left out."""

    __slots__ = ()

    def __post_init__(self) -> None:
        self._freeze()
