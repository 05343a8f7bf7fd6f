"""`ladder console`: it serves, says how to come in, and refuses what would be a mistake."""

from __future__ import annotations

import importlib.util
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing

import httpx
import pytest
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph import Ladder
from ladder_graph.testing import calls
from tests.hosts.graphs import GO, World, agent_of, on

POLICY = 'agent = "ops"\nledger = "ledger.db"\n'
LINK = re.compile(r"(http\S+)/signin/(\S+)")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a policy and no ledger yet, in which the test stands; writes another policy there."""
    monkeypatch.chdir(tmp_path)

    def write(text=POLICY):
        (tmp_path / "ladder.toml").write_text(text, encoding="utf-8")
        return tmp_path

    write()
    return write


@pytest.fixture
def serve(place):
    """Starts `ladder console` in a process of its own: the address it is at, and what it printed."""
    running = []

    def start(*options):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "ladder_graph.cli", "console", "--listen", f"127.0.0.1:{port}", *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        running.append(process)
        said = process.stdout.readline() + process.stdout.readline()
        for _ in range(200):
            try:
                httpx.get(f"http://127.0.0.1:{port}/signin")
                break
            except httpx.ConnectError:
                time.sleep(0.05)
        return f"http://127.0.0.1:{port}", said

    yield start
    for process in running:
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[0]
        assert "Traceback" not in said, said


def test_it_serves_and_its_link_signs_in(serve, place):
    """The first line is a link for whoever started it; the ledger and the key are made beside the policy."""
    at, said = serve()
    base, secret = LINK.search(said).groups()
    assert base == at
    with httpx.Client(base_url=at) as client:
        headers = {"origin": at, "content-type": "application/x-www-form-urlencoded"}
        assert client.post(f"/signin/{secret}", headers=headers).status_code == 303
        answer = client.get("/")
        assert (answer.status_code, "What waits for people" in answer.text) == (200, True)
        assert "server" not in answer.headers
    assert (place() / "console.key").exists()


def test_it_tells_people_what_waits(serve, place):
    """An agent in another process asks, and nobody watches or sweeps."""
    notify = '[questions]\nnotify = [{ kind = "file", path = "told.jsonl" }]\n'
    folder = place(f'watcher = "process"\n{POLICY}{notify}[tools.pay]\nrung = "confirm"\n')
    serve()
    with closing(Ladder(policy=folder / "ladder.toml")) as ladder:
        graph = ladder.wrap(
            agent_of([calls("pay", {"x": "1"}), "Done."], [World().tool("pay")]), checkpointer=InMemorySaver()
        )
        graph.invoke(GO, on("1"))
    until = time.monotonic() + 60
    while not (folder / "told.jsonl").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert '"title": "ops asks to run pay"' in (folder / "told.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize(("policy", "options"), [
    (POLICY, ["--root-path", "/ladder/"]),
    (POLICY + '[console]\nurl = "https://ladder.example.com/ladder"\n', []),
])  # fmt: skip
def test_behind_a_proxy_that_has_it_below_a_path(serve, place, policy, options):
    """What it prints and what its pages lead to is what the outside sees; the proxy takes the path off."""
    place(policy)
    at, said = serve(*options)
    base, secret = LINK.search(said).groups()
    assert base.endswith("/ladder")
    outside = base.removesuffix("/ladder")
    headers = {
        "origin": outside,
        "host": outside.partition("//")[2],
        "content-type": "application/x-www-form-urlencoded",
    }
    answer = httpx.post(f"{at}/signin/{secret}", headers=headers)
    assert answer.headers["location"] == "/ladder/"
    assert "path=/ladder;" in answer.headers["set-cookie"].lower()
    page = httpx.get(f"{at}/signin", headers=headers).text
    files = re.findall(r'(?:href|src)="/ladder(/static/[^"]+)"', page)
    assert len(files) == 3
    assert all(httpx.get(f"{at}{file}", headers=headers).status_code == 200 for file in files)


def test_a_port_that_somebody_has(ladder, place):
    """It says whose address it is, and ends."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = ladder("console", "--listen", f"127.0.0.1:{taken.getsockname()[1]}", code=2)
    assert "can't be listened at" in result.output


@pytest.mark.parametrize("listen", ["x", "127.0.0.1:x", "127.0.0.1:99999"])
def test_what_is_no_address(ladder, place, listen):
    """It says how one is written."""
    assert "names no port" in ladder("console", "--listen", listen, code=2).output


def test_others_reach_it_by_its_name_only(ladder, place):
    """Where it would be open to a network, the policy must say by which name it answers."""
    assert "[console] url" in ladder("console", "--listen", "0.0.0.0:0", code=2).output


@pytest.mark.parametrize("command", [["console"], ["console", "link", "ana"]])
def test_a_ledger_in_memory_is_nobody_elses(ladder, place, command):
    """A console in another process would show nothing of it, and a link would lead nowhere."""
    place('agent = "ops"\nledger = ":memory:"\n')
    assert "no other process can see it" in ladder(*command, code=2).output


@pytest.mark.parametrize("command", [["console"], ["console", "link"]])
def test_without_what_serves(ladder, place, command, monkeypatch):
    """It says which extra to install."""
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "jinja2" else found(name))
    assert "pip install 'ladder-graph[console]'" in ladder(*command, code=2).output


def test_without_a_policy(ladder, tmp_path, monkeypatch):
    """It says how one is written."""
    monkeypatch.chdir(tmp_path)
    for command in (["console"], ["console", "link"]):
        assert "ladder init" in ladder(*command, code=2).output


def test_a_link_for_somebody_whom_the_policy_does_not_name(ladder, place):
    """There is none; for whoever stands here and isn't named, it says what lets others in."""
    place(POLICY + '[people.ana]\nconsole = "admin"\n')
    assert "is no address of a console" in ladder("console", "link", "ana", "--at", "notaurl", code=2).stderr
    assert "doesn't know bo" in ladder("console", "link", "bo", code=2).output
    said = ladder("console", "link").output
    assert "ladder console link NAME" in said
    assert not LINK.search(said)
    assert LINK.search(ladder("console", "link", "ana").output)
    assert ladder("console", "link", "ana", "--at", "https://x.example/l/").output.startswith(
        "  https://x.example/l/signin/"
    )


def test_a_database_needs_a_key(ladder, place, postgres, monkeypatch):
    """All processes must know it; a link is made without it, for it signs nothing."""
    place(f'agent = "ops"\nledger = "{postgres}"\n')
    assert "key_env" in ladder("console", "--listen", "127.0.0.1:0", code=2).output
    assert LINK.search(ladder("console", "link", "ana").output)
    place(f'agent = "ops"\nledger = "{postgres}"\n[console]\nkey_env = "OUR_CONSOLE_KEY"\n')
    assert "is not set" in ladder("console", "--listen", "127.0.0.1:0", code=2).output
