"""Going on with threads that a LangGraph server keeps, through its API."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from ladder_graph.errors import LadderError
from ladder_graph.resuming.heads import ABSENT, Head, calls_asked

if TYPE_CHECKING:
    from langgraph_sdk.client import SyncLangGraphClient
    from langgraph_sdk.schema import Config, Run

LOOK = 0.25
"""Seconds between two looks at a run that goes on."""

Headers = Mapping[str, str] | Callable[[str], Mapping[str, str]]
"""Headers of each request, or a function of the thread's id that tells them."""
Configs = Mapping[str, Any] | Callable[[str], Mapping[str, Any]]
"""The config of each run, or a function of the thread's id that tells it."""

_ENDED = frozenset({"success", "interrupted"})
"""How a run ends that may have gone well. One that asks again is `interrupted` on some servers, and on others one that
was cancelled; which it was is seen by where its thread stands."""


class RunFailed(LadderError):
    """A server's run didn't end well."""


class Server:
    """Goes on with an agent's threads by asking the LangGraph server that keeps them.

    The server runs one run of a thread at a time and refuses a second one, so nobody can go on with a thread twice.

    Args:
        url: Where the server is.
        assistant: The assistant, or the graph by its name in `langgraph.json`.
        agent: The name that the graph acts under, where it isn't the policy's.
        headers: What the server wants to see, such as an authorization; or a function of the thread's id that tells it.
        key_env: The variable of the environment that holds the server's API key.
        config: What a run needs beside its thread; or a function of the thread's id that tells it.

    Raises:
        LadderError: The variable isn't set.
    """

    lasting = True

    def __init__(
        self, url: str, assistant: str = "agent", *, agent: str | None = None, headers: Headers | None = None,
        key_env: str | None = None, config: Configs | None = None,
    ) -> None:  # fmt: skip
        from langgraph_sdk import get_sync_client

        key = None if key_env is None else os.environ.get(key_env)
        if key_env is not None and not key:
            raise LadderError(f"the server's API key should be in {key_env}, which isn't set")
        self.agent, self.how = agent, f"by the server at {url}"
        self._assistant = assistant
        self._config = config if callable(config) else lambda _: config
        # No key that happens to lie in the environment goes to a server that nobody named it for.
        self._client: SyncLangGraphClient = get_sync_client(url=url, api_key=key)
        self._headers = headers if callable(headers) else lambda _: headers or {}

    def look(self, thread: str) -> Head:
        """Where a thread stands, by what the server says of it."""
        import httpx

        try:
            if self._client.threads.get(thread, headers=self._headers(thread))["status"] == "busy":
                return Head(busy=True)
            found = self._client.threads.get_state(thread, headers=self._headers(thread))
        except httpx.HTTPStatusError as wrong:
            if wrong.response.status_code in _NOWHERE:
                return ABSENT
            raise
        state = cast("Mapping[str, Any]", found)  # whatever the server says, which isn't always all of it
        asked = [interrupt for task in state["tasks"] for interrupt in task.get("interrupts") or []]
        # Not every server says where a thread stands; then nobody knows that it has come to its end.
        over = state.get("next") == [] and not asked
        ended = str((state.get("checkpoint") or {}).get("checkpoint_id") or "") if over else ""
        return Head(calls_asked(interrupt.get("value") for interrupt in asked), ended=ended)

    def resume(self, thread: str) -> None:
        """Let the server run the thread, and wait for the run's end.

        Raises:
            RunFailed: It ended otherwise than well.
        """
        headers = self._headers(thread)
        run = self._begun(thread, headers)
        status = run["status"]
        while status in {"pending", "running"}:
            time.sleep(LOOK)
            status = self._client.runs.get(thread, run["run_id"], headers=headers)["status"]
        if status not in _ENDED:
            raise RunFailed(f"run {run['run_id']} of the server ended: {status}")

    def _begun(self, thread: str, headers: Mapping[str, str]) -> Run:
        """A run of the thread from where it stands."""
        from langgraph_sdk.errors import UnprocessableEntityError

        config = self._config(thread)
        begin = partial(
            self._client.runs.create, thread, self._assistant, multitask_strategy="reject", headers=headers,
            config=None if config is None else cast("Config", dict(config)),
        )  # fmt: skip
        try:
            return begin(input=None)
        except UnprocessableEntityError:
            # aegra takes no run without an input. An answer to none of the thread's questions goes on just so.
            return begin(command={"resume": {}})

    def close(self) -> None:
        """Close the connections to the server."""
        self._client.close()


_NOWHERE = frozenset({404, 422})
"""What a server says of a thread that isn't there, or whose id can't be one of its own."""
