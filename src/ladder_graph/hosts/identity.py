"""Who answered: what the host knows of the person behind a resume."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime, get_runtime

from ladder_graph.answers import Answer
from ladder_graph.facts import Person

STUDIO = "langgraph-studio-user"
"""The identity that a development server gives to anybody who says it is the studio; never an approver."""

ANONYMOUS = "anonymous"
"""The identity that aegra gives to anybody where it authenticates nobody; never an approver."""

RUNTIME = "__pregel_runtime"
"""Where LangGraph's config keeps what a run's tasks and edges share; LangGraph puts it there for each run anew."""

SEND = "__pregel_send"
"""Stands in the config of whatever LangGraph runs in a graph, and in a state's update."""


def answering(answer: Answer, config: RunnableConfig) -> Person | None:
    """The person who gave an answer: the server's authenticated user, or else the name that the answer claims.

    Args:
        answer: The answer.
        config: The task's own config.

    Returns:
        None where there is no name, or only one that a server gives to anybody.
    """
    user = _user_of(_server(config))
    if user is not None:
        return _person(user)
    return Person(answer.by, "unverified") if answer.by else None


REQUESTER = "ladder_requester"
"""Where a program that runs an agent by itself says in `config["configurable"]` for whom it does."""


def _fields_of(user: Any) -> Mapping[str, Any]:
    """What a server's user object holds; nothing where it isn't one that can be read."""
    try:
        plain = user.to_dict() if hasattr(user, "to_dict") else user
        return {} if plain is None else {key: plain[key] for key in plain}
    except Exception:  # noqa: BLE001  # somebody's authentication made it; what isn't known asks
        return {}


AEGRA = "aegra_api.core.auth_ctx"
"""The module in which aegra says for whom a run goes on; only its server loads it."""

NOBODY = object()
"""A server that knows nobody."""


def requesting(config: RunnableConfig) -> Person | None:
    """Whose run this is: the server's authenticated user, or whom the embedding program vouches for.

    Returns:
        None where nobody knows. On a server, what a client writes into the config counts for nothing.
    """
    server = _server(config)
    if server is not None:
        return _person(_user_of(server))
    named = config.get("configurable", {}).get(REQUESTER)
    return Person(named.strip(), "code") if isinstance(named, str) and named.strip() else None


def facts(config: RunnableConfig) -> Mapping[str, Any]:
    """What is known of the run that no model could have said.

    On a server what its authentication says of the user, and nothing that a client wrote. Elsewhere the run's
    `configurable` and its context, which the embedding program sets.
    """
    server = _server(config)
    if server is not None:
        return _fields_of(getattr(server, "user", None))
    runtime = _runtime(config)
    context: Any = None if runtime is None else runtime.context
    said = context if isinstance(context, Mapping) else getattr(context, "__dict__", None) or {}
    configurable = {key: value for key, value in config.get("configurable", {}).items() if not key.startswith("__")}
    return {**configurable, **said}


def _server(config: RunnableConfig) -> Any:
    """What a server knows of a run; None outside one. A caller's config can't forge it."""
    aegra = sys.modules.get(AEGRA)
    if aegra is None:
        return _langgraph(config)
    # In the config, where it says who it is, too, a client's word may stand; and it may run what nobody signed in for.
    return aegra.get_auth_ctx() or _langgraph(config) or NOBODY


def _langgraph(config: RunnableConfig) -> Any:
    """What LangGraph's server injects into a run."""
    runtime = _runtime(config)
    # An update of the state has none, on a server or not: then nobody is known, whatever its config says.
    return NOBODY if runtime is None else runtime.server_info


def _runtime(config: RunnableConfig) -> Runtime[Any] | None:
    """What LangGraph knows of a run; an empty one outside a graph, None in one of which it knows nothing.

    The config at hand comes first: an edge has no other. What a client sends is JSON, and so never a `Runtime`; while a
    server has a graph made, something else stands there.
    """
    configurable = config.get("configurable", {})
    if RUNTIME in configurable or SEND in configurable:
        found = configurable.get(RUNTIME)
    else:
        try:
            found = get_runtime()
        except (RuntimeError, KeyError):
            return Runtime()
    return found if isinstance(found, Runtime) else None


def _user_of(server: Any) -> str | None:
    identity = getattr(getattr(server, "user", None), "identity", None)
    return str(identity) if identity else None


def _person(user: str | None) -> Person | None:
    return None if user in {None, STUDIO, ANONYMOUS} else Person(str(user), "server")
