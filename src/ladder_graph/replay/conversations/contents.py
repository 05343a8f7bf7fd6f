"""What stands in recorded messages and spans, each read in one way whatever it was recorded in.

What can't be read is None: a call whose arguments are broken has none, and nothing is put in their place.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ladder_graph.replay.documents import parsed

_MILLISECONDS, _MICROSECONDS, _NANOSECONDS = 1e11, 1e14, 1e17
"""From where on a number of the epoch counts these: in seconds it would lie thousands of years ahead."""
_FIRST = 946_684_800
"""Seconds of the epoch in 2000: what is less counts from some beginning of its own, and tells no moment."""
_SHOWN = 80
"""Characters of what can't be read that are shown."""


class Unreadable(ValueError):
    """Something that was recorded, and can't be used; the message says why."""


def arguments_of(value: object) -> dict[str, Any]:
    """The arguments of a call.

    Args:
        value: As they were recorded: a mapping, or its JSON text.

    Returns:
        They.

    Raises:
        Unreadable: They weren't recorded, or are no JSON object.

    Example:
        >>> arguments_of('{"to": "ana"}')
        {'to': 'ana'}
        >>> arguments_of('{"to": "an')
        Traceback (most recent call last):
        ladder_graph.replay.conversations.contents.Unreadable: its arguments are no JSON: EOF while parsing a string ...
    """
    if isinstance(value, str):
        try:
            value = parsed(value)
        except ValueError as wrong:
            raise Unreadable(f"its arguments are no JSON: {str(wrong)[:_SHOWN]}") from None
    if value is None:
        raise Unreadable("its arguments aren't recorded")
    if not isinstance(value, Mapping):
        raise Unreadable(f"its arguments are no JSON object, but {json.dumps(value, default=str)[:_SHOWN]}")
    return dict(value)


def text_of(content: object) -> str | None:
    """The text of a message, or of what a tool answered; None where nothing is recorded.

    Args:
        content: A text, the blocks of a message of which those of text count, or another JSON value, whose text is its
            JSON.

    Example:
        >>> text_of([{"type": "text", "text": "It is "}, {"type": "image"}, "done."])
        'It is done.'
        >>> text_of({"b": 1, "a": None})
        '{"a": null, "b": 1}'
    """
    if content is None or isinstance(content, str):
        return content
    if isinstance(content, list) and content:
        texts = [one if isinstance(one, str) else _of_block(one) for one in content]
        if any(text is not None for text in texts) or all(map(_is_block, content)):
            return "".join(text for text in texts if text)
    return json.dumps(content, ensure_ascii=False, sort_keys=True, default=str)


def words_of(content: object) -> str:
    """What somebody wrote in a message: its text alone, as the live gate reads it.

    Args:
        content: A text, or the blocks of a message; whatever else there is, such as a file or a picture, is no words.

    Example:
        >>> words_of([{"type": "text", "text": "Look: "}, {"type": "image_url", "image_url": {"url": "https://x.org"}}])
        'Look: '
    """
    if isinstance(content, list):
        texts = (one if isinstance(one, str) else _of_block(one) for one in content)
        return "".join(text for text in texts if text)
    return content if isinstance(content, str) else ""


_BLOCKS = frozenset({
    *("audio", "custom_tool_call_output", "document", "file", "image", "image_url", "input_audio", "input_file"),
    *("input_image", "json", "refusal", "search_result", "video"),
})  # fmt: skip
"""Types of blocks that a message may hold beside text; what any other list holds is a value by itself."""


def _is_block(block: object) -> bool:
    return isinstance(block, Mapping) and first(block, "type") in _BLOCKS


def _of_block(block: object) -> str | None:
    """The text of a block: of OpenAI's, LangChain's, Anthropic's, or of a part of OpenTelemetry."""
    if not isinstance(block, Mapping) or first(block, "type") not in {"text", "input_text", "output_text"}:
        return None
    text = block.get("text", block.get("content"))
    return text if isinstance(text, str) else None


def moment_of(value: object, zone: dt.tzinfo | None = None) -> dt.datetime | None:
    """A moment, aware; None where there is none, or it can't be told.

    Args:
        value: A text as in ISO 8601, or a number since the epoch: seconds, milliseconds, microseconds or nanoseconds,
            by its size.
        zone: What a text without a zone means; without it, such a text tells no moment.

    Example:
        >>> moment_of("2026-11-23T10:00:00Z") == moment_of(1795428000) == moment_of("1795428000000000000")
        True
        >>> moment_of("2026-11-23T10:00:00") is None
        True
    """
    try:
        if isinstance(value, str) and not value.isdecimal():
            at = dt.datetime.fromisoformat(value)
            return at if at.tzinfo is not None else at.replace(tzinfo=zone) if zone else None
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        return _since_the_epoch(float(value))
    except (ValueError, OverflowError):
        return None


def _since_the_epoch(number: float) -> dt.datetime | None:
    for least, each in ((_NANOSECONDS, 1e9), (_MICROSECONDS, 1e6), (_MILLISECONDS, 1e3)):
        if number >= least:
            number /= each
            break
    if not number >= _FIRST:
        return None  # 0 is how those write it who know none
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=number)


def tokens_of(given: object, spent: object) -> tuple[int, int] | None:
    """Tokens in and out; None unless both are known.

    Args:
        given: Tokens in.
        spent: Tokens out.
    """
    counts = [int(one) for one in (given, spent) if isinstance(one, int | float | str) and str(one).isdecimal()]
    return (counts[0], counts[1]) if len(counts) == 2 else None  # noqa: PLR2004  # both


def mapping(value: object) -> Mapping[str, Any]:
    """A mapping, also one that is written as a JSON text, as exports of tables do; empty where there is none.

    Args:
        value: What was recorded.
    """
    if isinstance(value, str):
        value = json_of(value)
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> list[Mapping[str, Any]]:
    """The mappings of a list; none where there is no list.

    Args:
        value: What was recorded.
    """
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def json_of(value: object) -> Any:
    """A value that may be written as a JSON text; as it is where it isn't.

    Args:
        value: What was recorded.
    """
    if not isinstance(value, str):
        return value
    try:
        return parsed(value)
    except ValueError:
        return value


def first(values: Mapping[str, Any], *keys: str) -> str:
    """The first text that stands under one of some keys; empty where there is none.

    Args:
        values: Where to look.
        keys: In the order in which they count.
    """
    for key in keys:
        one = values.get(key)
        if isinstance(one, str) and one:
            return one
    return ""


def mistakes(wrong: ValidationError) -> str:
    """What is wrong with a value, each mistake with its place in it.

    Args:
        wrong: What the validation raised.
    """
    return "; ".join(
        f"{'.'.join(map(str, one['loc']))}: {one['msg']}" if one["loc"] else one["msg"]
        for one in wrong.errors(include_url=False, include_input=False, include_context=False)
    )
