"""Who answered: what the host knows of the person behind a resume."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import get_runtime

from ladder_graph.answers import Answer
from ladder_graph.steps import Person

STUDIO = "langgraph-studio-user"
"""The identity that a development server gives to anybody who says it is the studio; never an approver."""


def answering(answer: Answer) -> Person | None:
    """The person who gave an answer: the server's authenticated user, or else the name that the answer claims.

    Returns:
        None where there is no name, or only that of the studio.
    """
    user = _server_user()
    if user is not None:
        return None if user == STUDIO else Person(user, "server")
    return Person(answer.by, "unverified") if answer.by else None


def _server_user() -> str | None:
    """The user of the LangGraph server, from the runtime that it injects; a caller's config can't forge it."""
    try:
        info: Any = get_runtime().server_info
    except (RuntimeError, KeyError):
        return None
    user = getattr(info, "user", None)
    identity = getattr(user, "identity", None)
    return str(identity) if identity else None
