"""What a form sends: read whole or not at all, of a bounded length, with line breaks as they were typed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from ladder_graph.console.answers import Refusal

LARGEST = 4 * 1024 * 1024
"""Bytes of a form: an argument of a megabyte can be edited, with everything in it escaped."""
SMALL = 16 * 1024
"""Bytes of a form that anybody may send, signed in or not."""
SLOWEST = 30.0
"""Seconds in which a form has come whole."""
NUL = "\0"
FIELDS = 25_000
"""Fields of a form: each of ten thousand arguments has two."""


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form, in their order."""

    fields: tuple[tuple[str, str], ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """The first value of a field, as it was typed; browsers send each line break as two characters."""
        return next((value for key, value in self.fields if key == name), default).replace("\r\n", "\n")

    def has(self, name: str) -> bool:
        """Whether it was sent at all."""
        return any(key == name for key, _ in self.fields)

    def all(self, name: str) -> list[str]:
        """Every value of a field."""
        return [value.replace("\r\n", "\n") for key, value in self.fields if key == name]

    def starting(self, prefix: str) -> Iterator[tuple[str, str]]:
        """The fields whose names begin so: the rest of the name, and the value."""
        for key, value in self.fields:
            if key.startswith(prefix):
                yield key.removeprefix(prefix), value.replace("\r\n", "\n")


async def read_form(request: Request, largest: int = LARGEST) -> Form:
    """Read a form.

    Args:
        request: What brings it.
        largest: Bytes that it may have.

    Raises:
        Refusal: It is longer than any of ours, takes too long to come, or is none.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Refusal(415, "This is no form of ours", "Send it as the page does.")
    body = bytearray()
    try:
        async with asyncio.timeout(SLOWEST):
            async for chunk in request.stream():
                body += chunk
                if len(body) > largest:
                    raise Refusal(413, "This is too long", f"A form here has at most {largest // 1024} KiB.")
    except TimeoutError:
        raise Refusal(408, "This came too slowly", "Nothing was done; send it once more.") from None
    # Megabytes take a while to read, and the loop has others to serve.
    return await run_in_threadpool(_parsed, bytes(body))


def _parsed(body: bytes) -> Form:
    try:
        found = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=FIELDS
        )
    except ValueError:
        raise Refusal(400, "This form can't be read", "Go back, and send it once more.") from None
    if any(NUL in text for field in found for text in field):
        raise Refusal(400, "This form can't be read", "It holds a NUL character, which no ledger keeps.")
    return Form(tuple(found))
