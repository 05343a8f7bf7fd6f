"""A real browser at a real server: the console over a ledger in a file, and people who are signed in to it.

One chromium serves all tests of a process. Each module talks to it through a playwright of its own, because
playwright's loop stays in the thread for as long as it lives, and other modules have loops of their own.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Error, sync_playwright

from ladder_graph.cli.serving import taken_at
from ladder_graph.console import create_app, sign_in_link
from tests.browser.people import Person
from tests.browser.world import World

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless=new", "--no-sandbox", "--remote-debugging-port=0", "--no-first-run", "--disable-gpu",
    "--hide-scrollbars", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "about:blank",
)  # fmt: skip


HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """All tests of this folder take a browser, and are run by themselves."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def _chromium(tmp_path_factory):
    """The address of a running chromium, and its process."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("the browser tests need chromium: scripts/chromium installs it")
        pytest.skip("there is no chromium here; on Debian: sudo apt-get install chromium")
    profile = tmp_path_factory.mktemp("profile")
    command = [program, f"--user-data-dir={profile}", *OPTIONS]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=_plain_environment()) as process:
        try:
            lines = iter(process.stderr.readline, "")
            found = next((one for line in lines if (one := re.search(r"listening on (ws://\S+)", line))), None)
            assert found, f"chromium ended with {process.wait()} before it listened"
            threading.Thread(target=process.stderr.read, daemon=True).start()  # or it waits for somebody to read
            yield found[1], process
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()


def _plain_environment():
    """Without a proxy: what is on this machine is reached directly."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


@pytest.fixture(scope="module")
def chromium(_chromium):
    """The browser, for one module."""
    with sync_playwright() as playwright:
        yield playwright.chromium.connect_over_cdp(_chromium[0])


class Site:
    """A console that is served, and the world behind it.

    Args:
        world: The agent, its tools and its ledger.
        chromium: The browser.
    """

    def __init__(self, world: World, chromium) -> None:
        self.world, self.ladder, self._chromium = world, world.ladder, chromium
        self._socket = taken_at("127.0.0.1:0")
        self.at = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(create_app(self.ladder), log_config=None, access_log=False, lifespan="off", ws="none")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        self._contexts = []

    def stranger(self, **options) -> Person:
        """A browser window in which nobody is signed in; options as for a browser context."""
        context = self._chromium.new_context(**{"base_url": self.at, "reduced_motion": "reduce", **options})
        context.set_default_timeout(10_000)
        self._contexts.append(context)
        return Person(context.new_page())

    def link(self, name: str) -> str:
        """A link that signs somebody in, once."""
        return sign_in_link(self.ladder, name, by="ada")

    def person(self, name: str = "ana", **options) -> Person:
        """A window in which somebody has just signed in, and looks at the first page."""
        person = self.stranger(**options)
        headers = {"origin": self.at, "content-type": "application/x-www-form-urlencoded"}
        answer = person.page.context.request.post(self.link(name), headers=headers, max_redirects=0)
        assert answer.status == 303, answer.text()
        person.go("/")
        return person

    def leave(self) -> None:
        """Close the windows; the server goes on."""
        while self._contexts:
            context = self._contexts.pop()
            for page in context.pages:
                with contextlib.suppress(Error):
                    page.goto("about:blank")  # The end of a page that is still on its way may never come.
            context.close()

    def end(self) -> None:
        """Stop everything."""
        self.leave()
        self._server.should_exit = True
        self._thread.join(20)
        self.world.close()


@pytest.fixture(scope="module")
def _site(chromium, tmp_path_factory):
    with contextlib.closing(World(tmp_path_factory.mktemp("world"))) as world:
        site = Site(world, chromium)
        yield site
        site.end()


PATIENCE = 180.0
"""Seconds after which a test has hung: playwright waits without end for some of what a browser should say."""


@pytest.fixture
def site(_site, _chromium):
    """The console of this module, with no window open. Where the browser hangs it is ended, and the test with it."""
    watch = threading.Timer(PATIENCE, _chromium[1].kill)
    watch.start()
    try:
        yield _site
        _site.leave()
    finally:
        watch.cancel()


@pytest.fixture(scope="session")
def screens():
    """Where pictures of the pages go, for a person to look at."""
    folder = Path(__file__).parents[2] / "build" / "screens"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
