"""The director of a soak: it starts every process, kills, stops and restarts them by a seed, and writes it all down."""

from __future__ import annotations

import logging
import random
import signal
import socket
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

import psycopg

from tests.programs import Program

log = logging.getLogger("soak")

PAUSE = (0.3, 2.5)
"""Seconds for which a process that was stopped stands still, at least and at most."""
AWAY = (0.2, 1.5)
"""Seconds after which what was killed is started again."""

ACTS = {
    "worker killed": 6, "worker stopped": 4, "watcher killed": 3, "watcher stopped": 1, "console killed": 1,
    "console stopped": 1, "database stopped": 1, "database killed": 1, "session cut": 3,
}  # fmt: skip
"""What is done, and how often the one beside the others."""


TOGETHER = 0.4
"""How often a process is killed, too, while the database is away."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that the director did, or saw."""

    at: float
    """Seconds since 1970."""
    what: str
    """As in `ACTS`; or `back`, or `ended by itself`."""
    whom: str
    """Which process; empty for the database."""
    seconds: float = 0.0
    """For how long, where that is said."""


class Role:
    """One process that is there again after each of its deaths.

    Args:
        name: Such as `worker 3`.
        words: Its program.
        folder: Where it stands, and where what it says is kept.
        env: Its environment.
    """

    def __init__(self, name, words, folder, env):
        self.name, self.kind = name, name.partition(" ")[0]
        self._words, self._folder, self._env = words, folder, env
        self._said = folder / f"{name.replace(' ', '-')}.log"
        self.program, self.lives, self.back_at = None, 0, 0.0

    def start(self):
        """A new life."""
        self.program = Program(self._words, self._folder, self._env)
        self.lives += 1
        threading.Thread(target=self._listen, args=(self.program.stdout,), daemon=True).start()

    def _listen(self, out):
        with out, self._said.open("a") as said:
            for line in out:
                said.write(line)
                said.flush()

    @property
    def alive(self):
        """Whether its process is there."""
        return self.program is not None and self.program.returncode is None

    def send(self, number):
        """Send it a signal; it may have ended by itself a moment before."""
        with suppress(ProcessLookupError):
            self.program.send_signal(number)

    def kill(self):
        """Kill -9."""
        self.send(signal.SIGKILL)
        self.program.wait()

    def close(self):
        """The end."""
        if self.alive:
            self.send(signal.SIGCONT)
            self.kill()


class Director:
    """Whoever starts, kills and restarts.

    Args:
        roles: The processes.
        server: The database.
        seed: What everything is drawn from.
        gap: Seconds between two acts, on average.
        acts: What is done, with how often.
    """

    def __init__(self, roles, server, seed, gap, acts=ACTS):
        self.roles, self.server, self.gap, self._acts = roles, server, gap, acts
        self.dice = random.Random(seed)  # noqa: S311  # it makes no secrets
        self.done: list[Act] = []

    def open(self, ready, patience=300.0):
        """Start everything, and wait until it is ready."""
        deadline = time.monotonic() + patience
        while not ready():
            assert time.monotonic() < deadline, "nobody has begun to work"
            self.tend()
            time.sleep(0.1)

    def run(self, until):
        """Do it until that moment, by `time.monotonic`. What was stopped goes on, and what was killed is back."""
        following = time.monotonic() + self.gap
        while time.monotonic() < until:
            self.tend()
            if time.monotonic() >= following:
                following = time.monotonic() + self.dice.expovariate(1 / self.gap)
                self._act(self.dice.choices(list(self._acts), list(self._acts.values()))[0])
            time.sleep(0.05)
        self.settle()

    def settle(self, patience: float = 60.0) -> None:
        """Everything is alive again."""
        deadline = time.monotonic() + patience
        while not all(role.alive for role in self.roles) and time.monotonic() < deadline:
            for role in self.roles:
                role.back_at = min(role.back_at, time.monotonic())
            self.tend()
            time.sleep(0.05)

    def tend(self) -> None:
        """Whatever isn't there is started once its time has come; what ended by itself is written down."""
        for role in self.roles:
            if role.alive:
                continue
            if role.program is not None and role.back_at == 0.0:
                self._note("ended by itself", role.name)
                role.back_at = time.monotonic() + 0.3
            if time.monotonic() >= role.back_at:
                role.start()
                role.back_at = 0.0

    def _act(self, what: str) -> None:
        kind, _, verb = what.partition(" ")
        match kind:
            case "database":
                self._without_a_database(what, verb)
            case "session":
                self._note(what, "")
                self._tried(lambda: self.server.cut(self.dice))
            case _:
                alive = [role for role in self.roles if role.kind == kind and role.alive]
                if alive:
                    self._harm(what, verb, self.dice.choice(alive))

    def _harm(self, what: str, verb: str, role: Role) -> None:
        if verb == "killed":
            seconds = self.dice.uniform(*AWAY)
            self._note(what, role.name, seconds)
            role.kill()
            role.back_at = time.monotonic() + seconds
            return
        seconds = self.dice.uniform(*PAUSE)
        self._note(what, role.name, seconds)
        role.send(signal.SIGSTOP)
        time.sleep(seconds)
        role.send(signal.SIGCONT)

    def _without_a_database(self, what: str, verb: str) -> None:
        seconds = self.dice.uniform(*AWAY)
        self._note(what, "", seconds)
        (self.server.kill if verb == "killed" else self.server.stop)()
        time.sleep(seconds / 2)
        alive = [role for role in self.roles if role.alive]
        if alive and self.dice.random() < TOGETHER:
            role = self.dice.choice(alive)
            self._harm(f"{role.kind} killed", "killed", role)
        time.sleep(seconds / 2)
        self.server.start()
        self._note("database back", "")

    def _tried(self, work) -> None:
        try:
            work()
        except (psycopg.Error, OSError, subprocess.SubprocessError) as wrong:
            log.info("the director could not: %s", wrong)

    def _note(self, what: str, whom: str, seconds: float = 0.0) -> None:
        self.done.append(Act(time.time(), what, whom, round(seconds, 2)))

    def close(self) -> None:
        """End everything."""
        for role in self.roles:
            role.close()


def free_port() -> int:
    """A port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]
