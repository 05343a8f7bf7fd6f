"""The fields that a policy is made of, each strict: what is odd is refused with a sentence, never bent into shape."""

from __future__ import annotations

import datetime as dt
import ipaddress
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from ladder_graph.prompts import template_of
from ladder_graph.scale import Rung

T = TypeVar("T")
_SHORT = 60
"""Characters of a value that a message still shows."""
_LONGEST_HOST = 253
_LAST_PORT = 65535
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
_NETLOC = re.compile(r"([^\[\]:/?#@\\]+|\[([0-9a-f:.]*)\])(?::([1-9][0-9]{0,4}))?")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")


class Strict(BaseModel):
    """The parent of everything in a policy: unknown keys, coercion, NaN and later changes are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values; what was worked out from the old ones is forgotten."""
        copied = super().model_copy(update=update, deep=deep)
        for name in set(copied.__dict__) - set(type(self).model_fields):
            del copied.__dict__[name]
        return copied


def describe(value: object) -> str:
    """What was found, for a sentence: the kind of thing, and the thing itself where it is small.

    Example:
        >>> describe("3"), describe(True), describe([1])
        ("the text '3'", 'true', 'a list')
    """
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return f"the text {value!r}" if len(value) <= _SHORT else f"a text of {len(value)} characters"
        case int():
            return f"the integer {value}" if abs(value) < 10**_SHORT else "a huge integer"
        case float():
            return f"the number {value}"
        case Mapping():
            return "a table"
        case list() | tuple():
            return "a list" if value else "an empty list"
        case dt.datetime() | dt.date() | dt.time():
            return "a date or time"
        case _:
            return f"a {type(value).__name__}"


def _listed(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Many = Annotated[tuple[T, ...], BeforeValidator(_listed)]
"""A list in TOML and JSON, a tuple here."""
Some = Annotated[tuple[T, ...], BeforeValidator(_listed), Field(min_length=1)]
"""A list of at least one."""


def _name(text: str) -> str:
    if not text or not text.isprintable() or text != text.strip():
        raise ValueError(f"{text!r} is no name: it must hold something, and no line breaks or spaces around it")
    return text


Name = Annotated[str, AfterValidator(_name)]
"""A name that a person can read whole."""


def _template(text: str) -> str:
    try:
        template_of(text)
    except ValueError as wrong:
        raise ValueError(f"is no template: it {wrong}; a brace that is meant as one is written twice") from None
    return text


Template = Annotated[str, AfterValidator(_template)]
"""A text with `{slots}`."""


def _argument(text: str) -> str:
    if not all(text.split(".")):
        raise ValueError(f'{text!r} names no argument; write "to", or "message.to" for a nested one')
    return _name(text)


Argument = Annotated[str, AfterValidator(_argument)]
"""The name of a tool's argument; dots lead into nested ones, as in `message.to`."""


def _place(text: str) -> str:
    if not text or "\0" in text or text.startswith("~"):
        raise ValueError(f"{text!r} is no path here; write it out, without a leading ~, which is each user's own")
    return text


Place = Annotated[str, AfterValidator(_place)]
"""A file or directory."""


def placed(place: str, folder: Path) -> str:
    """A relative path taken from a folder; an absolute one as it is written."""
    return place if Path(place).is_absolute() else str(folder / place)


def _function(text: str) -> str:
    module, _, function = text.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), *function.split("."))):
        raise ValueError(f'{text!r} is no import path; write "module:function", as in "shop.undo:refund"')
    return text


ImportPath = Annotated[str, AfterValidator(_function)]
"""A function by import path, `module:function`."""


def _scalar(value: object) -> object:
    if not isinstance(value, str | bool | int | float):
        raise ValueError(  # noqa: TRY004  # pydantic collects no other kind
            f"expected text, a number, true or false, found {describe(value)}"
        )
    return value


Scalar = Annotated[str | bool | int | float, BeforeValidator(_scalar)]
"""Text, a number, true or false, compared with its type."""


def _number(value: object) -> object:
    odd = isinstance(value, bool) or not isinstance(value, int | float)
    if odd or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"expected a finite number, found {describe(value)}")
    return value


Number = Annotated[int | float, BeforeValidator(_number)]
"""A finite number; true and false are none."""


def _domain(text: str) -> str:
    lower = text.lower()
    if not (text.isascii() and len(text) <= _LONGEST_HOST and _HOST.fullmatch(lower)):
        raise ValueError(
            f'{text!r} is no host name; write it whole, as in "api.example.com": '
            "no scheme, path or wildcard, the xn-- form for other scripts, IPv6 in brackets"
        )
    return lower


Domain = Annotated[str, AfterValidator(_domain)]
"""A host name in lower case."""


def _netloc(text: str) -> str:
    found = _NETLOC.fullmatch(text.lower())
    if found is None:
        return _domain(text)
    if found[3] and int(found[3]) > _LAST_PORT:
        raise ValueError(f"{text!r} has no port from 1 to 65535 after its colon")
    if found[2]:
        _bracketed(found[2], text)
    else:
        _domain(found[1])
    return text.lower()


def _bracketed(address: str, text: str) -> None:
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        raise ValueError(f'{text!r} holds no IPv6 address in brackets, as in "[::1]"') from None


Netloc = Annotated[str, AfterValidator(_netloc)]
"""A host name in lower case, with a port where it isn't the scheme's own."""


def _target(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        if "/" in text or ":" in text:
            raise ValueError(
                f'{text!r} is no network, as in "10.0.0.0/8" or "fd00::/8", with no bits after it'
            ) from None
    return _domain(text)


Target = Annotated[str, AfterValidator(_target)]
"""A network, a single address, or a host name in lower case."""


def _scheme(text: str) -> str:
    if not _SCHEME.fullmatch(text):
        raise ValueError(f'{text!r} is no URL scheme; write "https", without "://"')
    return text


Scheme = Annotated[str, AfterValidator(_scheme)]
"""A URL scheme in lower case."""


def _web(text: str) -> str:
    try:
        url = urlsplit(text if text.isprintable() and not set(text) & {" ", "\\"} else "")
        whole = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        whole = False
    if not whole:
        raise ValueError(f'{text!r} is no http or https URL, as in "https://api.example.com/health"')
    if "@" in text.split("/")[2]:
        raise ValueError("this URL carries a name or a password, which would be written down with the policy")
    return text


WebUrl = Annotated[str, AfterValidator(_web)]
"""An http or https URL without credentials."""

RungField = Annotated[
    Rung,
    BeforeValidator(Rung.parse),
    PlainSerializer(lambda rung: rung.word, return_type=str),
    WithJsonSchema({"enum": [*(r.word for r in Rung), *(int(r) for r in Rung)]}),
]
"""A rung in a policy, by its word or number."""
