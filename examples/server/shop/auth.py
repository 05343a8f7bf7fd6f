"""Who is who on the server: an example, with tokens in a file. A real one asks an identity provider here.

The same handler serves both servers. LangGraph's own gives it the headers as bytes, aegra as text.
"""

from __future__ import annotations

import hmac
import os
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from langgraph_sdk import Auth

WORKER = "worker"
"""Goes on with threads whose questions were answered, in the name of whoever asked. It is nobody's approver."""
BEHALF = "x-on-behalf-of"
"""The header in which the worker says in whose name."""

auth = Auth()


@cache
def tokens() -> Mapping[str, str]:
    """Names and their tokens."""
    file = Path(os.environ.get("SHOP_TOKENS") or Path(__file__).parents[1] / "tokens.toml")
    return {str(name): str(token) for name, token in tomllib.loads(file.read_text()).items()}


@auth.authenticate
async def authenticate(headers: Mapping[str | bytes, str | bytes]) -> Auth.types.MinimalUserDict:
    """The user behind a request."""
    said = {_text(name).lower(): _text(value) for name, value in headers.items()}
    scheme, _, token = said.get("authorization", "").partition(" ")
    name = _named(token) if scheme.lower() == "bearer" else None
    if name == WORKER and BEHALF in said:
        name = said[BEHALF] if said[BEHALF] in tokens() else None
    if name is None:
        raise Auth.exceptions.HTTPException(status_code=401, detail="no such token")
    return {"identity": name}


@auth.on
async def colleagues(ctx: Auth.types.AuthContext, value: object) -> None:
    """Whoever works here may use everything on the server. Who may approve what is the ladder's to say."""


def _named(token: str) -> str | None:
    """Whose token it is; each is looked at, so that the time tells nothing."""
    given = token.encode()
    return next((name for name in [n for n, t in tokens().items() if hmac.compare_digest(given, t.encode())]), None)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
