"""Processes that do one thing at the same moment, round after round, on one SQLite checkpointer and one ledger."""
# ruff: noqa: S311  # the dice only decide who comes first

from __future__ import annotations

import json
import multiprocessing
import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from ladder_graph import Ladder
from ladder_graph.testing import ScriptedModel, says, tool_call

RACERS = 2
"""How many processes race."""
PATIENCE = 60
"""Seconds after which a racer that doesn't come is given up."""

Turns = Sequence[Sequence[int]]
"""What an agent wants to pay: in each turn, any number of amounts at once."""


def script(messages: list[BaseMessage]) -> AIMessage:
    """The turns that the first message tells, one after the other; the same in every process."""
    turns = json.loads(str(messages[0].content))
    said = sum(isinstance(message, AIMessage) for message in messages)
    return says(*(tool_call("pay", {"amount": n}) for n in turns[said])) if said < len(turns) else AIMessage("Done.")


def agent(folder: Path, ladder: Ladder, saver: Any) -> Any:
    """An agent that pays, under the ladder. Each payment is a line in a file: the thread and the amount."""

    def note(amount: int, config: RunnableConfig) -> str:
        # Long enough that whoever else comes finds it running.
        time.sleep(random.uniform(0, 0.005))
        line = f"{config['configurable']['thread_id']} {amount}\n"
        file = os.open(folder / "effects", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, line.encode())
        os.close(file)
        return f"paid {amount}"

    @tool
    def pay(amount: int, config: RunnableConfig) -> str:
        """Pay."""
        return note(amount, config)

    return ladder.wrap(create_agent(ScriptedModel(answers=[script] * 10**5), [pay], checkpointer=saver))


def ladder_in(folder: Path) -> Ladder:
    """The ladder of everybody in this folder; its ledger is a file there, or where another file says."""
    elsewhere = folder / "ledger-url"
    ledger = elsewhere.read_text() if elsewhere.exists() else folder / "ladder.db"
    return Ladder(agent="payer", rungs={"pay": "confirm"}, ledger=ledger)


def config_of(thread: str) -> Any:
    """The config of a thread."""
    return {"configurable": {"thread_id": thread}}


def effects(folder: Path) -> Counter[tuple[str, int]]:
    """How often each thread paid each amount."""
    file = folder / "effects"
    lines = file.read_text().splitlines() if file.exists() else []
    return Counter((thread, int(amount)) for thread, amount in map(str.split, lines))


class Racer:
    """One process's view of the agent.

    Each act is a generator that gets ready up to its `yield`, and then does it.
    """

    def __init__(self, folder: Path, number: int, saver: SqliteSaver) -> None:
        self.number = number
        self.ladder = ladder_in(folder)
        self.graph = agent(folder, self.ladder, saver)

    def ask(self, thread: str, turns: Turns) -> None:
        """Start a thread; it stops at its first questions."""
        self.graph.invoke({"messages": json.dumps(turns)}, config_of(thread))

    def questions(self, thread: str) -> dict[int, Any]:
        """The open interrupts of a thread, by the amount they are about."""
        found = self.graph.get_state(config_of(thread)).interrupts
        return {question.value["action_requests"][0]["args"]["amount"]: question for question in found}

    def open_ids(self, thread: str) -> list[str]:
        """The open questions of a thread, as the ledger has them."""
        return [question.id for question in self.ladder.pending() if question.call.thread == thread]

    def go_on(self, thread: str, resume: Any = None) -> Any:
        """Answer in band, or go on with what the ledger says."""
        return self.graph.invoke(None if resume is None else Command(resume=resume), config_of(thread))

    # --- acts ------------------------------------------------------------------------------------------------

    def resume(self, thread: str) -> Iterator[None]:
        """Go on, as a worker does that found the thread waiting."""
        yield
        self.go_on(thread)

    def answer(self, thread: str) -> Iterator[None]:
        """Say yes in band."""
        yield
        self.go_on(thread, self.verdict("approve"))

    def answer_by_id(self, thread: str) -> Iterator[None]:
        """Say yes in band, to the first of the interrupts that are open now."""
        first = self.questions(thread)[1]
        yield
        self.go_on(thread, {first.id: self.verdict("approve")})

    def answer_by_digest(self, thread: str) -> Iterator[None]:
        """Say yes in band to what was shown, by its digest."""
        first = self.questions(thread)[1]
        yield
        self.go_on(thread, {**self.verdict("approve"), "digest": first.value["ladder"]["digest"]})

    def approve(self, thread: str) -> Iterator[None]:
        """Say yes at the ledger, then go on whoever has said it."""
        (question,) = self.open_ids(thread)
        yield
        try:
            self.ladder.approve(question, by=f"racer {self.number}")
        finally:
            self.go_on(thread)

    def contradict(self, thread: str) -> Iterator[None]:
        """One says yes, the other says no."""
        yield
        self.go_on(thread, self.verdict("decline" if self.number else "approve"))

    def share(self, thread: str) -> Iterator[None]:
        """Say yes to every second question that is open now: one to the odd amounts, the other to the even ones."""
        mine = [question for amount, question in self.questions(thread).items() if amount % RACERS == self.number]
        yield
        for question in mine:
            self.go_on(thread, {question.id: self.verdict("approve")})

    def verdict(self, kind: str) -> dict[str, str]:
        """An answer in this racer's name."""
        return {"type": kind, "by": f"racer {self.number}", "reason": "it races"}


@contextmanager
def racer(folder: Path, number: int) -> Iterator[Racer]:
    """A racer with its own connections."""
    with SqliteSaver.from_conn_string(str(folder / "threads.db")) as saver:
        one = Racer(folder, number, saver)
        with closing(one.ladder):
            yield one


def serve(folder: Path, number: int, barrier: Any, pipe: Any) -> None:
    """A racer's process: it does what comes through the pipe, each when everybody is ready."""
    with racer(folder, number) as one:
        pipe.send("ready")
        while (order := pipe.recv()) is not None:
            pipe.send([_raced(one, act, thread, barrier) for act, thread in order])


def _raced(one: Racer, act: str, thread: str, barrier: Any) -> str:
    """Do one act; what it raised, in words."""
    doing = getattr(one, act)(thread)
    next(doing)
    barrier.wait(PATIENCE)
    time.sleep(random.choice([0, random.uniform(0, 0.02)]))
    try:
        next(doing, None)
    except Exception as wrong:  # noqa: BLE001  # it is told to the test
        return f"{type(wrong).__name__}: {wrong}"
    return ""


@contextmanager
def field(folder: Path) -> Iterator[list[Any]]:
    """All racers' processes, up and ready; what they are sent through their pipes they do at the same moment."""
    # Forked from a process that has imported everything once, and has no thread and no database of the test's own.
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([__name__])
    barrier, pipes = server.Barrier(RACERS), [server.Pipe() for _ in range(RACERS)]
    processes = [server.Process(target=serve, args=(folder, n, barrier, there)) for n, (_, there) in enumerate(pipes)]
    for process in processes:
        process.start()
    here = [pipe for pipe, _ in pipes]
    try:
        for pipe in here:
            _received(pipe)
        yield here
        for pipe in here:
            pipe.send(None)
    finally:
        for process in processes:
            process.join(PATIENCE)
            process.kill()


def race(pipes: list[Any], order: list[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Let all racers do the same acts on the same threads; what each round raised, racer by racer."""
    for pipe in pipes:
        pipe.send(order)
    return list(zip(*(_received(pipe) for pipe in pipes), strict=True))


def _received(pipe: Any) -> Any:
    if not pipe.poll(PATIENCE * 5):
        raise TimeoutError("a racer didn't finish")
    return pipe.recv()
