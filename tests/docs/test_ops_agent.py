"""The example world is real, and the story told in it runs from end to end."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.error import URLError

import pytest
from langchain_core.tools import BaseTool

from examples.ops_agent.evidence import compare
from examples.ops_agent.tools import toolset
from examples.ops_agent.world import CONFIGS, ORDERS, World, fetch, look, sha256, tables
from ladder_graph import DefiniteFailure, Rung, State
from ladder_graph.ledger import Action
from ladder_graph.tools import declaration_of

ROOT = Path(__file__).parents[2]
HELD = """
import pathlib, sys
from examples.ops_agent.world import World
with World(pathlib.Path(sys.argv[1])) as world:
    print(world.url, flush=True)
    input()
"""


@pytest.fixture
def world() -> Iterator[World]:
    """A world with its service running, gone after the test."""
    with World() as world:
        yield world


def hand(world: World, name: str) -> BaseTool:
    """One of the world's tools."""
    return next(tool for tool in toolset(world) if tool.name == name)


def test_the_service_breaks_and_heals_with_its_config(world: World) -> None:
    """The same process answers 200, then 503 with the reason, then 200 again, as the file says."""
    apply = hand(world, "apply_config")
    before = look(world)
    apply.invoke({"name": "service.toml", "text": "workers = 4\nmax_connections = 0\n"})
    broken = look(world)
    apply.invoke({"name": "service.toml", "text": CONFIGS["service.toml"]})
    healed = look(world)
    assert (before.health, broken.health[0], healed.health) == ((200, None), 503, (200, None))
    assert "max_connections is 0" in str(broken.health[1])
    assert before.pid == broken.pid == healed.pid
    assert before.configs == healed.configs != broken.configs


@pytest.mark.parametrize("text", ["workers = ", "workers = true\nmax_connections = 5", "max_connections = 5", "\x00"])
def test_a_config_that_cannot_be_worked_with_is_unhealthy(world: World, text: str) -> None:
    """Half a line, a wrong type, a missing setting and a stray byte all answer 503 and never kill the service."""
    hand(world, "apply_config").invoke({"name": "service.toml", "text": text})
    assert look(world).health[0] == 503


def test_the_declared_undo_puts_the_bytes_back(world: World) -> None:
    """What was prepared before the action restores the file exactly, once or twice."""
    apply = hand(world, "apply_config")
    said = declaration_of(apply)
    assert said.prepare is not None
    assert said.undo is not None
    assert said.fingerprint is not None
    file = world.conf / "service.toml"
    was = file.read_bytes()
    artifact = said.prepare({"name": "service.toml", "text": "workers = 9"})
    assert file.read_bytes() == was
    assert said.fingerprint(artifact) == sha256(file)
    apply.invoke({"name": "service.toml", "text": "workers = 9"})
    said.undo(artifact)
    said.undo(artifact)
    assert file.read_bytes() == was
    assert sorted(path.name for path in world.root.iterdir()) == ["conf", "postmortems", "service.log", "shop.db"]


@pytest.mark.parametrize("name", ["../shop.db", "/etc/passwd", "new.toml", ""])
def test_only_config_files_that_exist_are_written(world: World, name: str) -> None:
    """A path that leads elsewhere is refused by the tool itself, whatever a policy says."""
    with pytest.raises(DefiniteFailure):
        hand(world, "apply_config").invoke({"name": name, "text": "x = 1"})


def test_one_table_is_dropped_and_no_other(world: World) -> None:
    """The named table is gone and the others keep their rows; a name that is no table drops nothing."""
    drop = hand(world, "drop_table")
    for wrong in ('orders_2019"; DROP TABLE orders_2026; --', "orders_2018", "sqlite_master"):
        with pytest.raises(DefiniteFailure):
            drop.invoke({"table": wrong})
    assert look(world).rows == {"outbox": 0, "orders_2019": ORDERS, "orders_2026": ORDERS}
    drop.invoke({"table": "orders_2019"})
    assert look(world).rows == {"outbox": 0, "orders_2026": ORDERS}


def test_reads_mails_postmortems_and_restarts_show_outside(world: World) -> None:
    """A read is in the service's log, an e-mail is a row, a postmortem is a file, a restart is another process."""
    before = look(world)
    hand(world, "read_status").invoke({})
    hand(world, "send_email").invoke({"to": "bo@shop.example", "subject": "It's fixed", "body": "'"})
    hand(world, "write_postmortem").invoke({"title": "../Too many / few", "summary": "Zero."})
    hand(world, "restart_service").invoke({"reason": "it was time"})
    after = look(world)
    assert after.mails == [("bo@shop.example", "It's fixed")]
    assert after.postmortems == ["too-many-few.md"]
    assert before.pid != after.pid
    assert after.requests == [("/status", "200")]


def test_the_world_leaves_nothing_behind() -> None:
    """After the world is left its directory is gone and nothing listens; a directory one named is kept."""
    with World() as world:
        assert fetch(f"{world.url}/nowhere")[0] == 404
    assert not world.root.exists()
    with pytest.raises(URLError):
        fetch(f"{world.url}/health")


def test_a_directory_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    """A world is only built in a new or empty directory."""
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(FileExistsError, match="not empty"):
        World(tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / "thesis.tex"]


def deaf(url: str, *, deadline: float) -> None:
    """Ask until nobody answers. Whoever dies over an answer leaves half of one."""
    while time.monotonic() < deadline:
        with contextlib.suppress(http.client.HTTPException):
            fetch(f"{url}/health")


def test_the_service_dies_with_its_parent(tmp_path: Path) -> None:
    """When the process that started the service is killed, the service ends by itself."""
    command = [sys.executable, "-c", HELD, str(tmp_path / "world")]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        url = holder.stdout.readline().decode().strip()
        assert fetch(f"{url}/health")[0] == 200
        holder.kill()
    with pytest.raises(OSError, match=r"refused|reset|closed"):
        deaf(url, deadline=time.monotonic() + 60)


def action(tool: str, arguments: dict[str, str], state: State, rung: Rung = Rung.CONFIRM) -> Action:
    """A call as the ledger would have it."""
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return Action(
        key=tool, agent="ops", thread="t", tool=tool, arguments=arguments, rung=rung, state=state, why="", text="",
        at=now, updated=now, actor="", verdict="",
    )  # fmt: skip


CALLED = {
    "read_status": {},
    "apply_config": {"name": "service.toml", "text": "workers = 1\nmax_connections = 1\n"},
    "send_email": {"to": "bo@shop.example", "subject": "s", "body": "b"},
    "drop_table": {"table": "orders_2019"},
    "write_postmortem": {"title": "t", "summary": "s"},
    "restart_service": {"reason": "r"},
}


@pytest.mark.parametrize("tool", CALLED)
def test_a_ledger_that_lies_is_found_out(world: World, tool: str) -> None:
    """An effect that wasn't recorded as done differs, and so does one that was recorded and isn't there."""
    before = look(world)
    said_only = compare(before, before, [action(tool, CALLED[tool], State.DONE)])
    hand(world, tool).invoke(CALLED[tool])
    after = look(world)
    hidden = compare(before, after, [])
    denied = compare(before, after, [action(tool, CALLED[tool], State.DECLINED)])
    true = compare(before, after, [action(tool, CALLED[tool], State.DONE)])
    assert [all(finding.agrees for finding in view) for view in (said_only, hidden, denied, true)] == [
        False, False, False, True,
    ]  # fmt: skip


def tell(*options: str, answers: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the whole example as a process of its own, 100 columns wide."""
    env = {name: value for name, value in os.environ.items() if name != "LADDER_MODEL"} | {"COLUMNS": "100"}
    command = [sys.executable, "-W", "error::ResourceWarning", "-m", "examples.ops_agent", *options]
    return subprocess.run(
        command, cwd=ROOT, env=env, input=answers or "", capture_output=True, text=True, timeout=60, check=False
    )


def test_the_story_walks_all_six_rungs(tmp_path: Path) -> None:
    """Scripted, each rung does its job, the model switch demotes, and the world agrees with the ledger throughout."""
    told = tell("--world", str(tmp_path / "world"))
    assert (told.returncode, told.stderr) == (0, "")
    for rung in Rung:
        assert f"── rung {rung.value}, {rung.word} ──" in told.stdout
    for words in (
        "ROLLED BACK: apply_config ran and was undone",
        "DECLINED by ana: three are enough for today",
        "DRAFTED, NOT RUN",
        "SUGGESTED, NOT RUN",
        "read_status: the model changed from scripted-2026-06-01 to scripted-2026-11-01",
        "the chain is whole",
        "none disagree",
    ):
        assert words in told.stdout
    assert "DIFFERS" not in told.stdout
    lines = iter(told.stdout.splitlines())
    shown = (ROOT / "README.md").read_text(encoding="utf-8").partition("```text\n── rung")[2].partition("```")[0]
    for line in filter(None, shown.splitlines()):
        assert any(fnmatchcase(one, f"*{line.replace('…', '*')}") for one in lines), f"the README shows {line!r}"
    assert max(map(len, told.stdout.splitlines())) <= 100
    for table, rows in {"orders_2019": None, "orders_2026": ORDERS, "outbox": 4}.items():
        assert tables(tmp_path / "world" / "shop.db").get(table) == rows


def test_a_person_at_a_terminal_decides() -> None:
    """Only the exact words approve: anything else is asked again, and what was declined did not run."""
    answers = ["yes", "", "approve", "orders", "decline", "keep them", "approve", "decline", "not now", "approve"]
    told = tell("--answers", "terminal", answers="\n".join(answers) + "\n")
    assert (told.returncode, told.stderr) == (0, "")
    assert "outbox: 4 new rows" in told.stdout
    assert "The table orders_2019 is still there." in told.stdout
    assert "Not all of it was allowed." in told.stdout


def test_no_answer_is_no_yes() -> None:
    """When the input ends at a question the story stops, and says that the call did not run."""
    told = tell("--answers", "terminal")
    assert told.returncode == 1
    assert "nobody answered: the question stays open, and the call did not run" in told.stderr
