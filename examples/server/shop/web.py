"""The console in the same server, below `/ladder`, and what goes on with threads after an answer there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ladder_graph.console import create_app
from ladder_graph.resuming import Server
from shop.auth import BEHALF, WORKER, tokens
from shop.desk import ladder

try:
    from fastapi import FastAPI as App  # aegra takes nothing else
except ImportError:
    from starlette.applications import Starlette as App


def worker_headers(thread: str) -> dict[str, str]:
    """What the worker shows to the server: its token, and in whose name it goes on with this thread."""
    asked = ladder.requester(thread)
    behalf = {} if asked is None else {BEHALF: asked.name}
    return {"authorization": f"Bearer {tokens()[WORKER]}", **behalf}


@asynccontextmanager
async def living(_: Any) -> AsyncIterator[None]:
    """While the server runs, people are told what waits, and threads go on once their questions are answered."""
    ladder.keep_telling()
    if url := os.environ.get("SHOP_SERVER"):
        ladder.attach(Server(url, "shop", headers=worker_headers))
    yield
    await asyncio.to_thread(ladder.close)


app = App(lifespan=living)
app.mount("/ladder", create_app(ladder))
