"""The README of the example: its code runs as it stands there, and its commands are those that the tests start."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

from tests.servers.running import EXAMPLE, KEY, PLAIN

TEXT = (EXAMPLE / "README.md").read_text(encoding="utf-8")


def blocks(language):
    """The code of all blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def commands(program):
    """The commands of a program, without what stands before it in its line."""
    lines = [line.removeprefix("$ ") for block in blocks("console") for line in block.splitlines()]
    return [shlex.split(line[line.index(program) :]) for line in lines if program in line]


def test_its_code_runs(langgraph):
    """Somebody asks, somebody else says yes, and it is said what came of it."""
    number = langgraph.order()
    code = "\n".join(blocks("python")).replace("http://127.0.0.1:2024", langgraph.url).replace("1042", str(number))
    done = subprocess.run([sys.executable, "-c", code], env=PLAIN, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert langgraph.refunds(number) == 1


def test_its_servers_are_started_as_here(langgraph, aegra):
    """What the README types is what these tests start, but for the port."""
    (dev,) = commands("../../.venv-servers/bin/langgraph")
    assert set(dev[1:]) <= set(map(str, langgraph.command(2024)))
    for words in commands("../../.venv-servers/bin/uvicorn"):
        assert set(words[1:]) <= set(map(str, aegra.command(words[-1])))
    said = set(re.findall(r"\b([A-Z][A-Z_]+)=", "\n".join(blocks("console"))))
    known = {"SHOP_SERVER", "SHOP_LEDGER", "SHOP_CONSOLE_KEY", "LANGSMITH_TRACING", "LANGGRAPH_CLI_NO_ANALYTICS"}
    assert said == known | aegra.environment().keys()


def test_its_link_signs_in(langgraph):
    """The command prints a link to the console in the server."""
    (words,) = commands("../../.venv-servers/bin/ladder")
    words = [langgraph.programs / "ladder", *words[1:-1], f"{langgraph.url}/ladder"]
    env = {**PLAIN, "SHOP_CONSOLE_KEY": KEY}
    done = subprocess.run(words, cwd=langgraph.folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{langgraph.url}/ladder/signin/" in done.stdout
