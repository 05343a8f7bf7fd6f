"""On an event loop nothing of the console waits for a disk: a server that watches for that finds nothing."""

from __future__ import annotations

import os
from contextlib import closing

import httpx
import pytest
from blockbuster import BlockBuster

import ladder_graph
from ladder_graph import Ladder
from ladder_graph.console import create_app, rendering, sign_in_link
from tests.console.conftest import FORM, HOST

POLICY = 'agent = "ops"\nledger = "ledger.db"\n'


@pytest.fixture
def watched():
    """Raises where this package waits on an event loop."""
    buster = BlockBuster(scanned_modules=[ladder_graph])
    buster.activate()
    yield
    buster.deactivate()


async def test_no_page_waits_on_the_loop(tmp_path, request):
    """Signing in, looking, being refused, and a policy that was edited meanwhile."""
    file = tmp_path / "ladder.toml"
    file.write_text(POLICY, encoding="utf-8")
    with closing(Ladder(policy=file)) as ladder:
        link, app = sign_in_link(ladder, "ana", by="ana"), create_app(ladder)
        rendering.environment.cache_clear()  # so that each template is read anew
        rendering.asset.cache_clear()
        request.getfixturevalue("watched")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOST) as client:
            found = [
                await client.get("/"), await client.get("/signin"), await client.get("/signin/wrong"),
                await client.get(link), await client.get("/nothing"), await client.post("/signin", headers=FORM),
                await client.get("/", headers={"sec-fetch-site": "cross-site"}), await client.get("/static/console.js"),
                await client.post(link, headers=FORM), await client.get("/"), await client.post("/", headers=FORM),
            ]  # fmt: skip
            edit(file)
            found += [await client.get("/"), await client.get("/signin")]
            edit(file)
            found += [await client.get("/signin"), await client.post("/signout", headers=FORM)]
    statuses = [answer.status_code for answer in found]
    assert statuses == [303, 200, 404, 200, 404, 403, 200, 200, 303, 200, 405, 200, 200, 200, 303]


def edit(file):
    """Write the policy anew, long enough ago that it is taken at the next look."""
    file.write_text(f"{file.read_text(encoding='utf-8')}\n", encoding="utf-8")
    before = file.stat().st_mtime_ns - 1_000_000_000
    os.utime(file, ns=(before, before))
