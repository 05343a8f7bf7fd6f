"""Going on with threads that a LangGraph server keeps, through its API."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ladder_graph.errors import LadderError
from ladder_graph.resuming.heads import ABSENT, Head, calls_asked

if TYPE_CHECKING:
    from langgraph_sdk.client import SyncLangGraphClient
    from langgraph_sdk.schema import Config

LOOK = 0.25
"""Seconds between two looks at a run that goes on."""

_ENDED = frozenset({"success", "interrupted"})
"""How a run ends that went well."""


class RunFailed(LadderError):
    """A server's run didn't end well."""


class Server:
    """Goes on with an agent's threads by asking the LangGraph server that keeps them.

    The server runs one run of a thread at a time and refuses a second one, so nobody can go on with a thread twice.

    Args:
        url: Where the server is.
        assistant: The assistant, or the graph by its name in `langgraph.json`.
        agent: The name that the graph acts under, where it isn't the policy's.
        headers: What the server wants to see, such as an authorization.
        key_env: The variable of the environment that holds the server's API key.
        config: What a run needs beside its thread.

    Raises:
        LadderError: The variable isn't set.
    """

    lasting = True

    def __init__(
        self, url: str, assistant: str = "agent", *, agent: str | None = None, headers: Mapping[str, str] | None = None,
        key_env: str | None = None, config: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        from langgraph_sdk import get_sync_client

        key = None if key_env is None else os.environ.get(key_env)
        if key_env is not None and not key:
            raise LadderError(f"the server's API key should be in {key_env}, which isn't set")
        self.agent, self.how = agent, f"by the server at {url}"
        self._assistant, self._config = assistant, config
        # No key that happens to lie in the environment goes to a server that nobody named it for.
        self._client: SyncLangGraphClient = get_sync_client(url=url, api_key=key, headers=dict(headers or {}))

    def look(self, thread: str) -> Head:
        """Where a thread stands, by what the server says of it."""
        import httpx

        try:
            if self._client.threads.get(thread)["status"] == "busy":
                return Head(busy=True)
            state = self._client.threads.get_state(thread)
        except httpx.HTTPStatusError as wrong:
            if wrong.response.status_code in _NOWHERE:
                return ABSENT
            raise
        asked = (interrupt for task in state["tasks"] for interrupt in task.get("interrupts") or [])
        return Head(calls_asked(interrupt.get("value") for interrupt in asked))

    def resume(self, thread: str) -> None:
        """Let the server run the thread, and wait for the run's end.

        Raises:
            RunFailed: It ended otherwise than well.
        """
        config = None if self._config is None else cast("Config", dict(self._config))
        run = self._client.runs.create(
            thread, self._assistant, input=None, multitask_strategy="reject", config=config
        )  # fmt: skip
        while (status := self._client.runs.get(thread, run["run_id"])["status"]) in {"pending", "running"}:
            time.sleep(LOOK)
        if status not in _ENDED:
            raise RunFailed(f"run {run['run_id']} of the server ended: {status}")

    def close(self) -> None:
        """Close the connections to the server."""
        self._client.close()


_NOWHERE = frozenset({404, 422})
"""What a server says of a thread that isn't there, or whose id can't be one of its own."""
