"""One run: everything is started, harmed for a while, left in peace until it has come to rest, and looked at."""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import tempfile
import time
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from langgraph.checkpoint.postgres import PostgresSaver

from ladder_graph import Ladder
from ladder_graph.errors import LadderError
from ladder_graph.states import State
from tests.programs import Program
from tests.soak.director import ACTS, Director, Role, free_port
from tests.soak.oracle import UNDER_WAY, Check, checked
from tests.soak.people import Somebody
from tests.soak.records import Records, boxed, tables, written
from tests.soak.rules import KEY, PEOPLE, POLICY, WORLD
from tests.soak.server import Server
from tests.soak.world import World

ROOT = Path(__file__).parents[2]
LOOKS_EVERY = 30.0
"""Seconds between two looks of a person at what is in doubt, once everything is alive again."""
log = logging.getLogger("soak")


@dataclass(frozen=True)
class Plan:
    """What a run is made of."""

    seconds: float
    """How long processes are harmed."""
    seed: int = 1
    workers: int = 8
    watchers: int = 2
    gap: float = 4.0
    """Seconds between two acts of the director, on average."""
    patience: float = 240.0
    """Seconds in which everything has come to rest, once nobody is harmed any more."""
    mutant: str = ""
    """A rule of the protocol that is left out in the workers; see `tests.faults.mutants`."""
    folder: Path | None = None
    """Where everything is kept; unsaid, a new one, which is removed where all is well."""


@dataclass
class Outcome:
    """What came of a run."""

    plan: Plan
    began: float
    """Seconds since 1970."""
    seconds: float
    """How long it took with workers at work, from the first of them to the drain."""
    drained: float
    """Seconds until everything had come to rest."""
    records: Records
    checks: list[Check]
    lives: dict[str, int]
    """How often each process was started."""

    @property
    def wrong(self) -> list[str]:
        """Everything that doesn't hold, in words."""
        return [f"{check.name} {wrong}" for check in self.checks for wrong in check.wrong]


def run(plan: Plan) -> Outcome:
    """Do it."""
    folder = plan.folder or Path(tempfile.mkdtemp(prefix="soak-"))
    for name in ("files", "outbox"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        server, world = opened.enter_context(closing(Server())), opened.enter_context(closing(World()))
        done = Soak(plan, folder, server, world).run()
    if plan.folder is None and not done.wrong:
        shutil.rmtree(folder)
    elif done.wrong:
        log.warning("everything is kept in %s", folder)
    return done


class Soak:
    """A run in its folder, on its server, in its world."""

    def __init__(self, plan: Plan, folder: Path, server: Server, world: World) -> None:
        self.plan, self.folder, self.server, self.world = plan, folder, server, world
        self.rulings: dict[str, bool] = {}
        (folder / "ladder.toml").write_text(POLICY.replace("LEDGER", server.ledger))
        (folder / "threads-url").write_text(server.threads)
        with PostgresSaver.from_conn_string(server.threads) as saver:
            saver.setup()
        Ladder(policy=folder / "ladder.toml").close()
        self.env = {
            **os.environ, KEY: secrets.token_hex(32), WORLD: world.url, "COLUMNS": "200", "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        os.environ[WORLD] = world.url
        port = free_port()
        self.director = Director(self._roles(port), server, plan.seed, plan.gap, ACTS)
        self.people = [Somebody(name, f"http://127.0.0.1:{port}", folder, self.env, plan.seed) for name in PEOPLE]

    def _roles(self, port: int) -> list[Role]:
        cli, more = ["-m", "ladder_graph.cli"], [self.plan.mutant] if self.plan.mutant else []
        agent = ["-m", "tests.soak.agent", str(self.folder)]
        return [
            Role("console", [*cli, "console", "--listen", f"127.0.0.1:{port}"], self.folder, self.env),
            *(Role(f"watcher {n}", [*cli, "watch"], self.folder, self.env) for n in range(self.plan.watchers)),
            *(Role(f"worker {n}", [*agent, str(n), *more], self.folder, self.env) for n in range(self.plan.workers)),
        ]

    def run(self) -> Outcome:
        """From the first process to the last look."""
        try:
            self.director.open(lambda: bool(self.world.happenings))
            began = time.time()
            for one in self.people:
                one.start()
            self.director.run(time.monotonic() + self.plan.seconds)
            at_work = time.time() - began
            (self.folder / "drain").touch()
            drained = self._drain()
            for one in self.people:
                one.stop()
            self._find_out()
            proofs = self._proofs()
        finally:
            self.director.close()
        records = self._records(self.rulings)
        lives = {role.name: role.lives for role in self.director.roles}
        return Outcome(self.plan, began, at_work, drained, records, [*checked(records), *proofs], lives)

    def _drain(self) -> float:
        """Wait until everything has come to rest; whoever ends by itself is still replaced."""
        began = looked = time.monotonic()
        quiet = 0
        while time.monotonic() - began < self.plan.patience:
            self.director.tend()
            quiet = quiet + 1 if self._at_rest() else 0
            if quiet > 2:
                break
            if time.monotonic() - looked > LOOKS_EVERY:
                self._find_out()
                looked = time.monotonic()
            time.sleep(1)
        return time.monotonic() - began

    def _at_rest(self) -> bool:
        with suppress(psycopg.Error), psycopg.connect(self.server.url, options="-csearch_path=soak") as connection:
            states = ", ".join(f"'{one}'" for one in sorted(UNDER_WAY - {"approved"}))
            counts = connection.execute(f"""SELECT
                (SELECT count(*) FROM action WHERE state IN ({states})),
                (SELECT count(*) FROM question WHERE state = 'open'),
                (SELECT count(*) FROM watch WHERE phase IN ('armed', 'open', 'undo')),
                (SELECT count(*) FROM resumption WHERE state NOT IN ('over', 'lost')
                    AND problem NOT LIKE 'its thread doesn''t wait%')""").fetchone()  # noqa: S608
            held = any(True for name in ("held", "sending") for _ in (self.folder / "outbox" / name).glob("*.json"))
            log.info("at rest? %s, messages held: %s", counts, held)
            return counts == (0, 0, 0, 0) and not held and self._threads_over()
        return False

    def _threads_over(self) -> bool:
        for file in self.folder.glob("threads-*"):
            if file.name != "threads-url":
                lines = file.read_text().splitlines()
                words = {line for line in lines if line.startswith("over ")}
                if sum(line.startswith("begun ") for line in lines) > len(words):
                    return False
        return True

    def _find_out(self) -> None:
        """Whatever is in doubt, also by a process that is gone, a person looks after in the world."""
        with closing(Ladder(policy=self.folder / "ladder.toml")) as ladder:
            for action in ladder.in_doubt():
                if action.state in {State.UNKNOWN, State.STARTED}:
                    there = self.rulings[action.key] = self.world.there(action.arguments["ticket"])
                    with suppress(LadderError):
                        ladder.resolve(action.key, happened=there, by=PEOPLE[0], reason="it was looked at")

    def _proofs(self) -> list[Check]:
        """What the product's own commands say."""
        return [
            self._command("`ladder verify` finds every chain whole.", "verify"),
            self._command("`ladder trust --recompute` gives what stands in the ledger.", "trust", "--recompute"),
        ]

    def _command(self, name: str, *words: str) -> Check:
        program = Program(["-m", "ladder_graph.cli", *words], self.folder, self.env)
        said = program.said()
        return Check(name, 1, [] if program.returncode == 0 else [said.strip()[-500:]])

    def _records(self, rulings: dict[str, bool]) -> Records:
        records = Records(
            tables(self.server.url), list(self.world.happenings), boxed(self.folder), written(self.folder),
            [answer for one in self.people for answer in one.answers],
            [draft for one in self.people for draft in one.drafts], list(self.director.done), rulings,
        )  # fmt: skip
        (self.folder / "ledger.json").write_text(json.dumps(records.ledger, indent=1, default=repr))
        (self.folder / "director.json").write_text(json.dumps([vars_of(act) for act in self.director.done], indent=1))
        (self.folder / "world.json").write_text(json.dumps([vars_of(one) for one in self.world.happenings], indent=1))
        return records


def vars_of(one: object) -> dict[str, object]:
    """A record as a dict."""
    return {name: getattr(one, name) for name in one.__slots__}  # type: ignore[attr-defined]
