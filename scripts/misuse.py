"""Writes `docs/misuse.md`: what comes of the same misuse under LangChain's HITL middleware and under ladder-graph.

Every cell is the outcome of a run made here: a real graph, and effects that are counted outside of it. Nothing in
the table is written by hand, so it changes when one of the products does.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import multiprocessing
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware, ToolCallLimitMiddleware
from langchain_core.messages import AIMessage
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command, Interrupt

from ladder_graph import Ladder
from ladder_graph.ledger.proof import verify_alone
from ladder_graph.testing import Answer, FrozenClock, ScriptedModel, calls, says, tool_call

PAGE = Path(__file__).parents[1] / "docs" / "misuse.md"
System = Literal["batched", "per_call", "ladder"]
SYSTEMS: dict[System, str] = {
    "batched": "HITL, `batched`", "per_call": "HITL, `per_call`", "ladder": "ladder-graph, `wrap`",
}  # fmt: skip
"""The columns: LangChain's HumanInTheLoopMiddleware in its two modes, and a wrapped graph."""

PROCESSES, CALLS, LIMIT = 4, 5, 10
"""Of the shared limit: how many processes, calls in each, and calls that are allowed."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What came of one probe under one system."""

    text: str
    harm: bool
    """Whether something happened that nobody allowed, or that nobody can find out."""

    def __str__(self) -> str:
        return f"**{self.text}**" if self.harm else self.text


# --- the stage ---------------------------------------------------------------------------------------------------


def pay_tool(note: Callable[[int], object]) -> BaseTool:
    """A tool whose effect is that it notes the amount."""

    @tool
    def pay(amount: int) -> str:
        """Pay an amount."""
        note(amount)
        return f"paid {amount}"

    return pay


class Stage:
    """An agent under one of the systems, on one thread, with what it paid and what it asks.

    Args:
        database: Where the graph's checkpoints go.
        system: Which.
        script: What its model says.
        gate: What stands about its tool in the gate's configuration, in the system's own words.
        ledger: Where the ladder keeps its ledger.
    """

    config: Any = {"configurable": {"thread_id": "1"}}  # noqa: RUF012  # nobody changes it

    def __init__(
        self, database: sqlite3.Connection, system: System, *script: Answer,
        gate: dict[str, Any] | None = None, ledger: Path | str = ":memory:",
    ) -> None:  # fmt: skip
        self.database, self.system, self.paid, self.error = database, system, list[int](), ""
        self.ladder: Ladder | None = None
        model = ScriptedModel(answers=[*script, "Done.", "Done."])
        tools, saver = [pay_tool(self.paid.append)], SqliteSaver(self.database)
        if system == "ladder":
            self.ladder = Ladder(agent="payer", rungs=gate or {"pay": "confirm"}, ledger=ledger)
            self.graph: Any = self.ladder.wrap(create_agent(model, tools, checkpointer=saver))
        else:
            hitl = HumanInTheLoopMiddleware(gate or {"pay": True}, interrupt_mode=system)
            self.graph = create_agent(model, tools, middleware=[hitl], checkpointer=saver)

    def close(self) -> None:
        """Close the ledger."""
        if self.ladder is not None:
            self.ladder.close()

    def begin(self) -> None:
        """Run until it asks, or is done."""
        self.graph.invoke({"messages": "Pay."}, self.config)

    def go_on(self, resume: Any, config: Any = None) -> None:
        """Answer, and note it where the answer is refused by an exception."""
        try:
            self.graph.invoke(Command(resume=resume), config or self.config)
        except Exception as wrong:  # noqa: BLE001  # whatever it is, the cell names it
            self.error = type(wrong).__name__

    def yes(self, **more: Any) -> Any:
        """The answer that approves, in the shape that the system documents; the ladder's bears a name."""
        return self.shaped({"type": "approve", **({"by": "ana"} if self.system == "ladder" else {}), **more})

    def shaped(self, *decisions: dict[str, Any]) -> Any:
        """Decisions as one resume value."""
        return {"decisions": list(decisions)} if self.system == "batched" else decisions[0]

    @property
    def questions(self) -> tuple[Interrupt, ...]:
        """The open questions."""
        return tuple(self.graph.get_state(self.config).interrupts)

    @property
    def asked(self) -> list[int]:
        """The amounts that open questions are about."""
        values = [question.value for question in self.questions]
        requests = [request for value in values for request in value.get("action_requests", [value])]
        return [request["args"]["amount"] for request in requests]

    def cell(self, *, allowed: list[int]) -> Cell:
        """What happened, and whether more was paid than was allowed."""
        told = [f"ran with {_listed(self.paid)}" if self.paid else "nothing ran"]
        told += [self.error] if self.error else []
        told += [f"asked about {_listed(self.asked)}"] if self.asked else []
        return Cell("; ".join(told), harm=self.paid not in ([], allowed))


def _listed(amounts: list[int]) -> str:
    return " and ".join(map(str, amounts))


@contextlib.contextmanager
def staged(system: System, *script: Answer, **options: Any) -> Iterator[Stage]:
    """A stage that has begun, and is closed at the end."""
    with contextlib.closing(sqlite3.connect(":memory:", check_same_thread=False)) as database, \
            contextlib.closing(Stage(database, system, *script, **options)) as stage:  # fmt: skip
        stage.begin()
        yield stage


def paying(amount: int) -> AIMessage:
    """A model that wants to pay."""
    return calls("pay", {"amount": amount})


# --- the probes --------------------------------------------------------------------------------------------------


def swapped(system: System, *, keyed: bool) -> Cell:
    """Somebody rewrites the call in the state while the question is open; then the yes to the old one comes in."""
    with staged(system, paying(3)) as stage:
        (question,) = stage.questions
        message = stage.graph.get_state(stage.config).values["messages"][-1]
        call = {**message.tool_calls[0], "args": {"amount": 999}}
        stage.graph.update_state(stage.config, {"messages": [AIMessage("", id=message.id, tool_calls=[call])]})
        stage.go_on({question.id: stage.yes()} if keyed else stage.yes())
        return stage.cell(allowed=[3])


def clicked_twice(system: System, *, keyed: bool) -> Cell:
    """The answer to the first question is sent twice; after it the agent has a second one."""
    with staged(system, paying(3), paying(4)) as stage:
        (question,) = stage.questions
        if stage.ladder is not None:
            # A double click takes no time; how long this machine takes for the first one must not matter.
            stage.ladder.clock = FrozenClock(stage.ladder.clock())
        for _ in range(2):
            stage.go_on({question.id: stage.yes()} if keyed else stage.yes())
        return stage.cell(allowed=[3])


def replayed(system: System) -> Cell:
    """The checkpoint that asked is resumed a second time with the same yes."""
    with staged(system, paying(3)) as stage:
        (question,) = stage.questions
        asking = stage.graph.get_state(stage.config).config
        for _ in range(2):
            stage.go_on({question.id: stage.yes()}, asking)
        return stage.cell(allowed=[3])


def out_of_order(system: System) -> Cell:
    """Of two calls, 3 is approved and 4 rejected; the answers are sent in the other order than they were asked."""
    with staged(system, says(tool_call("pay", {"amount": 3}), tool_call("pay", {"amount": 4}))) as stage:
        yes, no = {"type": "approve", "by": "ana"}, {"type": "reject", "by": "ana", "message": "No."}
        if system == "batched":
            stage.go_on(stage.shaped(no, yes))
        else:
            three, four = stage.questions
            stage.go_on({four.id: no, three.id: yes})
        return stage.cell(allowed=[3])


def by_a_stranger(system: System) -> Cell:
    """Mallory approves, where only Ana may. The middleware has no list, so it gets the name with the answer."""
    gate = {"pay": {"rung": "confirm", "confirm": {"by": ["ana"]}}} if system == "ladder" else None
    with staged(system, paying(3), gate=gate) as stage:
        stage.go_on(stage.yes(by="mallory"))
        return stage.cell(allowed=[])


def edited(system: System) -> Cell:
    """The amount is edited, where a call may only be approved or rejected."""
    ladders, hitls = {"rung": "confirm", "confirm": {"decisions": ["approve", "decline"]}}, ["approve", "reject"]
    gate = {"pay": ladders if system == "ladder" else {"allowed_decisions": hitls}}
    with staged(system, paying(3), gate=gate) as stage:
        action = {"name": "pay", "args": {"amount": 999}}
        stage.go_on(stage.shaped({"type": "edit", "edited_action": action, "by": "ana"}))
        return stage.cell(allowed=[])


def misspelt_tool(system: System) -> Cell:
    """The tool's name has a typo in the gate's configuration."""
    with staged(system, paying(3), gate={"pya": "confirm" if system == "ladder" else True}) as stage:
        return stage.cell(allowed=[])


def misspelt_setting(system: System) -> Cell:
    """The name of a setting has a typo."""
    ladders, hitls = {"rung": "confirm", "confrim": {"by": ["ana"]}}, {"allowed_decisons": ["reject"]}
    try:
        with staged(system, paying(3), gate={"pay": ladders if system == "ladder" else hitls}) as stage:
            return stage.cell(allowed=[])
    except Exception as wrong:  # noqa: BLE001  # whatever it is, the cell names it
        return Cell(f"refused at once, {type(wrong).__name__}", harm=False)


def who_approved(system: System) -> Cell:
    """Ana approves, with an answer in the documented shape. Can her name be found afterwards?"""
    with staged(system, paying(3)) as stage:
        stage.go_on(stage.yes())
        found = any("ana" in line for line in stage.database.iterdump())
        if stage.ladder is not None:
            found = any(entry.kind == "approved" and entry.body["by"] == "ana" for entry in stage.ladder.log())
        return Cell("recorded" if found else "not recorded", harm=not found)


def tail_cut(system: System) -> Cell:
    """The last records of a run are deleted, and whatever says how many there were is adjusted."""
    with tempfile.TemporaryDirectory() as folder, staged(system, paying(3), ledger=Path(folder) / "ladder.db") as stage:
        before = stage.graph.get_state(stage.config).config["configurable"]["checkpoint_id"]
        stage.go_on(stage.yes())
        if stage.ladder is None:
            stage.database.execute("DELETE FROM checkpoints WHERE checkpoint_id > ?", (before,))
            list(stage.graph.get_state_history(stage.config))  # it would raise if it noticed
            return Cell("not noticed", harm=True)
        stage.ladder.close()
        noticed = _cut(Path(folder) / "ladder.db")
        return Cell("found by `scripts/verify_ledger.py --head`" if noticed else "not noticed", harm=not noticed)


def _cut(ledger: Path) -> tuple[str, ...]:
    """Cut the last three entries of a ledger and cover it up; what the verifier says, given an earlier head."""
    _, heads = verify_alone.check(ledger, ())
    with contextlib.closing(sqlite3.connect(ledger)) as database, database:
        database.executescript("""
            DROP TRIGGER entry_delete;
            DELETE FROM entry WHERE n > (SELECT n - 3 FROM head);
            DELETE FROM payload WHERE hash NOT IN (SELECT payload FROM entry);
            DELETE FROM action;
            UPDATE head SET (n, hash) = (SELECT n, hash FROM entry ORDER BY n DESC LIMIT 1);
        """)
    return verify_alone.check(ledger, heads)[0].problems


# --- the limit, in several processes -----------------------------------------------------------------------------


def work(folder: Path, name: str, barrier: Any) -> None:
    """One process of the shared limit: it tries its calls when all the others do, under one system and the other."""
    logging.disable()
    rule = {"rung": "bounded", "bounds": [{"kind": "volume", "limit": LIMIT, "per": "day"}]}
    limit: Any = ToolCallLimitMiddleware(tool_name="pay", thread_limit=LIMIT)
    turn: Answer = says(*(tool_call("pay", {"amount": n}) for n in range(CALLS)))

    def agent(where: str, middleware: tuple[Any, ...] = ()) -> Any:
        def note(amount: int) -> None:
            with (folder / where).open("a") as file:
                file.write(f"{amount}\n")

        model = ScriptedModel(answers=[turn, "Done."])
        return create_agent(model, [pay_tool(note)], middleware=middleware, checkpointer=InMemorySaver())

    with contextlib.closing(Ladder(agent="payer", rungs={"pay": rule}, ledger=folder / "ladder.db")) as ladder:
        for graph in (agent("langchain", (limit,)), ladder.wrap(agent("ladder"))):
            barrier.wait(60)
            graph.invoke({"messages": "Pay."}, {"configurable": {"thread_id": name}})


@functools.cache
def shared() -> dict[str, int]:
    """How many calls ran in all processes together, by system."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        barrier = spawn.Barrier(PROCESSES)
        workers = [spawn.Process(target=work, args=(Path(folder), str(n), barrier)) for n in range(PROCESSES)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if any(worker.exitcode for worker in workers):
            raise RuntimeError("a process of the shared limit failed")
        return {name: len((Path(folder) / name).read_text().splitlines()) for name in ("langchain", "ladder")}


def over_the_limit(system: System) -> Cell:
    """Four processes share a limit of ten calls a day. LangChain's nearest is the ToolCallLimitMiddleware."""
    ran = shared()["ladder" if system == "ladder" else "langchain"]
    return Cell(f"{ran} of {PROCESSES * CALLS} ran", harm=ran > LIMIT)


PROBES: tuple[tuple[str, Callable[[System], Cell]], ...] = (
    (
        "The call is rewritten in the state (3 becomes 999) while the question is open; then a plain yes comes in",
        functools.partial(swapped, keyed=False),
    ),
    ("The same, and the yes is keyed by the question's interrupt id", functools.partial(swapped, keyed=True)),
    (
        "A double click: a plain yes to 3 is sent twice; the agent's next call is 4",
        functools.partial(clicked_twice, keyed=False),
    ),
    ("The same, and the yes is keyed by its question's interrupt id", functools.partial(clicked_twice, keyed=True)),
    ("A yes is replayed: the checkpoint that asked is resumed twice", replayed),
    ("Yes to 3 and no to 4, sent in the other order", out_of_order),
    ("A yes by somebody who isn't on the list of approvers", by_a_stranger),
    ("An edit to 999 of a call that may only be approved or rejected", edited),
    ("A typo in the tool's name in the gate's configuration", misspelt_tool),
    ("A typo in the name of a setting", misspelt_setting),
    (f"A limit of {LIMIT} calls a day, shared by {PROCESSES} processes", over_the_limit),
    ("Who approved, looked for afterwards", who_approved),
    ("The tail of the record is deleted", tail_cut),
)
"""The rows."""

Outcomes = list[tuple[str, dict[System, Cell]]]
"""What came of each probe, by system."""


# --- the page ----------------------------------------------------------------------------------------------------

TEXT = """\
# Misuse

The same misuse, tried on three agents with a tool `pay(amount)`: two under LangChain's `HumanInTheLoopMiddleware`, in
each of its modes, and one under ladder-graph. **Bold is harm**: something ran that nobody allowed, or it can't be
found out who allowed it. `make docs` runs `scripts/misuse.py`, which tries everything and writes this page; no cell is
written by hand.

{table}

- Made with langchain {langchain}. It has no list of approvers, so that probe sends the name along with the answer. Its
  nearest to a shared limit is `ToolCallLimitMiddleware(thread_limit={limit})`, which counts in the state of one thread.
- A plain yes is the answer alone, as `Command(resume=answer)`. LangGraph takes it for an answer to the question that is
  open when it comes in. ladder-graph does too, unless it repeats the last answer within a quarter of a second.
- A ledger whose tail is cut, with everything adjusted to it, looks whole by itself. It shows against a head that was
  exported before, with `scripts/verify_ledger.py --export-heads`.
"""


def outcomes() -> Outcomes:
    """Run every probe under every system."""
    return [(row, {system: probe(system) for system in SYSTEMS}) for row, probe in PROBES]


def table(found: Outcomes) -> str:
    """The outcomes as a Markdown table."""
    rows = [["", *SYSTEMS.values()], ["---"] * (1 + len(SYSTEMS))]
    rows += [[row, *(str(cells[system]) for system in SYSTEMS)] for row, cells in found]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def page(found: Outcomes) -> str:
    """The whole page as it should stand in `docs/misuse.md`."""
    return TEXT.format(table=table(found), langchain=version("langchain"), limit=LIMIT)


if __name__ == "__main__":
    logging.disable()
    PAGE.write_text(page(outcomes()), encoding="utf-8")
