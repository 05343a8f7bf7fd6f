"""What a policy says of the console: where it is, who may do what there, and who is believed about who somebody is."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from enum import IntEnum
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from ladder_graph.policy.fields import Many, Name, Strict
from ladder_graph.policy.units import SomeSeconds


class Access(IntEnum):
    """What somebody may do in the console; each may do what those before it may."""

    NONE = 0
    """Nothing; not even look."""
    VIEWER = 1
    """Looks, at what their labels let them see."""
    REVIEWER = 2
    """Answers questions, decides about drafts, reads reports, reports mistakes, lowers a rung."""
    PROMOTER = 3
    """Signs that a tool goes up, and that a changed agent keeps its standing."""
    ADMIN = 4
    """Lets others in, and sends them away."""

    @property
    def word(self) -> str:
        """Its name in lower case, as policies and pages have it."""
        return self.name.lower()

    @classmethod
    def parse(cls, value: object) -> Access:
        """Read an access from its word.

        Raises:
            ValueError: It is none; the message names all of them.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str) and value.isascii() and value.upper() in cls.__members__:
            return cls[value.upper()]
        raise ValueError(f"{value!r} is no access; it is one of {', '.join(one.word for one in cls)}")


_WORDS = [access.word for access in Access]


def _accesses(value: object) -> Access | dict[str, Access]:
    if not isinstance(value, Mapping):
        return Access.parse(value)
    return {str(agent): Access.parse(access) for agent, access in value.items()}


def _plain(value: Access | dict[str, Access]) -> str | dict[str, str]:
    return value.word if isinstance(value, Access) else {agent: access.word for agent, access in value.items()}


Accesses = Annotated[
    Access | dict[str, Access],
    PlainValidator(_accesses),
    PlainSerializer(_plain),
    WithJsonSchema({
        "anyOf": [{"enum": _WORDS}, {"type": "object", "additionalProperties": {"enum": _WORDS}}], "default": "viewer",
    }),
]  # fmt: skip
"""What somebody may do in the console, by its word; or that for each agent by name."""


def _place(text: object) -> object:
    if not isinstance(text, str):
        return text  # Its type is reported by the field itself.
    scheme, apart, rest = text.partition("://")
    if scheme not in {"http", "https"} or not apart or not rest or any(mark in rest for mark in "?#@\\ "):
        raise ValueError(f'{text!r} is no address of a console; write it as "https://ladder.example.com/ladder"')
    return text.rstrip("/")


Address = Annotated[str, BeforeValidator(_place)]
"""Where the console is reached, without a query, credentials or a slash at its end."""


class Console(Strict):
    """The pages on which people answer, decide and read."""

    url: Address | None = None
    """Where it is reached from outside, as `"https://ladder.example.com"`: links lead there, and no other host's forms
    are taken. Unsaid, it answers on this machine alone."""
    key_env: Name | None = None
    """The environment variable with the key that sessions are signed with; unsaid, a file beside the ledger."""
    session: SomeSeconds = 43200.0
    """Seconds after which somebody must sign in again, as `"12h"`."""
    link: SomeSeconds = 600.0
    """Seconds for which a sign-in link is good, as `"10m"`."""
    again: SomeSeconds = 300.0
    """Seconds after a fresh sign-in in which a rung may be raised."""
    proxy_header: Name | None = None
    """The header in which a proxy that signs people in names them, as `"X-Forwarded-User"`."""
    proxies: Many[str] = Field(default=())
    """The addresses of that proxy, as `"127.0.0.1"` or `"10.0.0.0/8"`; anybody else's header counts for nothing."""

    @field_validator("proxies")
    @classmethod
    def _networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for one in proxies:
            try:
                ipaddress.ip_network(one)
            except ValueError as wrong:
                raise ValueError(f"{one!r} is no address and no network: {wrong}") from None
        return proxies

    @model_validator(mode="after")
    def _both_or_neither(self) -> Any:
        if bool(self.proxy_header) != bool(self.proxies):
            raise ValueError("name both: the header (proxy_header), and whose header it must be (proxies)")
        return self

    def trusts(self, address: str | None) -> bool:
        """Whether a header may come from this address.

        Args:
            address: The client's, as the server sees it.
        """
        try:
            found = ipaddress.ip_address(address or "")
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None)
        return any((mapped or found) in ipaddress.ip_network(one) for one in self.proxies)
