"""The example world is real, and the story told in it runs from end to end."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest
from langchain_core.tools import BaseTool

from examples.ops_agent.tools import toolset
from examples.ops_agent.world import CONFIGS, ORDERS, World, fetch, look, sha256
from ladder_graph.errors import DefiniteFailure
from ladder_graph.tools import declaration_of

ROOT = Path(__file__).parents[2]
HELD = """
import pathlib, sys
from examples.ops_agent.world import World, look
with World(pathlib.Path(sys.argv[1])) as world:
    print(look(world).pid, flush=True)
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


def test_the_service_dies_with_its_parent(tmp_path: Path) -> None:
    """When the process that started the service is killed, the service ends by itself."""
    command = [sys.executable, "-c", HELD, str(tmp_path / "world")]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        service = int(holder.stdout.readline())
        holder.kill()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{service}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{service}").exists()
