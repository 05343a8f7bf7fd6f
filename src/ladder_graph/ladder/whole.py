"""The ladder: policy, ledger and clock, and how agents act under them. What people do stands in `desk`."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ladder_graph import lockfile
from ladder_graph.calls import Call
from ladder_graph.errors import PolicyError, ProviderToolsRefused
from ladder_graph.facts import Known, Person, Question, Reason, Reply, Route
from ladder_graph.fingerprint import Environment
from ladder_graph.flow import find_out
from ladder_graph.ladder.environments import DataVersion, Environments
from ladder_graph.ladder.gating import Gating
from ladder_graph.ladder.pins import Source
from ladder_graph.ladder.refreshing import PolicyFile
from ladder_graph.ladder.sagas import WRONG
from ladder_graph.ladder.seats import Seat
from ladder_graph.ledger import Reading, Store
from ladder_graph.ledger.database.sqlite import MEMORY
from ladder_graph.policy import Policy, load_policy
from ladder_graph.policy.scene import Scene
from ladder_graph.rungs import draft
from ladder_graph.rungs.acting import Plan
from ladder_graph.scale import Rung
from ladder_graph.tools import Declaration
from ladder_graph.turns.driving import adrive, drive
from ladder_graph.turns.found import Found
from ladder_graph.turns.hosting import Host
from ladder_graph.turns.turn import Turn
from ladder_graph.turns.workspace import Workspace
from ladder_graph.watcher import Watcher
from ladder_graph.watcher.assessor import Assessor
from ladder_graph.watcher.sweeps import SOON, Sweeps

if TYPE_CHECKING:
    from langchain.agents.middleware import AgentMiddleware
    from langchain_core.tools import BaseTool

    from ladder_graph.hosts.graph import Builder, Compiled
    from ladder_graph.hosts.shadowing import Shadowing

log = logging.getLogger("ladder_graph")
Scenery = Callable[[dt.datetime], Scene]


class Ladder(Gating):
    """Puts every tool call of an agent on one of six rungs. Fails closed: what it can't decide doesn't run.

    Args:
        agent: The agent's name; the ledger keeps one chain for each.
        rungs: The one-line form: tool names to rungs, such as `{"read_status": "report", "send_email": "confirm"}`,
            or to mappings of a rule's fields. A tool that isn't listed gets the lowest rung.
        policy: A `ladder.toml`, whose edits count from the next call on, or a `Policy`; instead of `agent` and `rungs`.
        ledger: Where the ledger lives: a file, or `":memory:"`. The policy says it otherwise, `ladder.db` by default.
        lock: The environment that the start rungs are granted for; `ladder.lock` beside the policy file if there is
            one, and else the first environment seen.
        data_version: The version of the data that the agent works on, or a function that tells it; it is asked at every
            call. The policy says it otherwise.
        clock: Returns the present moment as an aware datetime; for tests.

    Raises:
        PolicyError: The policy has problems; all are listed.
        LedgerError: The ledger can't be used.

    Example:
        >>> ladder = Ladder(agent="ops", rungs={"send_email": "confirm"}, ledger=":memory:")
        >>> [(cell.tool, str(cell.claimed)) for cell in ladder.status()]
        [('send_email', 'confirm (2)')]
        >>> ladder.close()
    """

    def __init__(
        self,
        agent: str | None = None,
        rungs: Mapping[str, Any] | None = None,
        *,
        policy: Policy | Source | None = None,
        ledger: Source | None = None,
        lock: Source | None = None,
        data_version: DataVersion | None = None,
        clock: Callable[[], dt.datetime] | None = None,
    ) -> None:
        if policy is not None and (agent is not None or rungs is not None):
            raise PolicyError(["give either policy=, or agent= and rungs=, not both"], "Ladder(...)")
        file = None if policy is None or isinstance(policy, Policy) else Path(policy)
        self._file = None if file is None else PolicyFile(file, names_ledger=ledger is None)
        if isinstance(policy, Policy):
            self.policy = policy
        elif file is not None:
            self.policy = load_policy(file)
        else:
            self.policy = Policy.from_rungs(agent or "agent", rungs or {})
        self._locked = lockfile.read(Path(lock) if lock is not None else file and file.with_name("ladder.lock"))
        source = os.fspath(ledger) if ledger is not None else self.policy.ledger
        self.store = Store(source, lane=self.policy.agent)
        self.reading = Reading(self.store)
        self.clock = clock or _now
        self.watcher = Watcher(
            self.store,
            self.clock,
            lambda: self.policy,
            lambda agent, tool: self.seat_of(agent, tool).declaration,
            sweep=self.sweep_hourly,
            reports=self._bring_up,
            tell=self.send_messages,
            observers=self.observers,
        )
        self.assessor = Assessor(self.refresh_assessments)
        self._looks = {}
        self.workspace = Workspace(self._drafts_directory())
        self.seats: dict[str, Seat] = {}
        self._seats_of: dict[tuple[str, str], Seat] = {}
        self._declared: dict[str, Declaration] = {}
        self.environs = Environments(self.store, self._write, lambda: self.policy, self._locked, data_version)
        self._said: set[str] = set()
        self._met: set[tuple[str, str]] = set()
        self._shadowing: Shadowing | None = None

    def _drafts_directory(self) -> Path:
        """Beside the ledger, unless the policy names a place of its own; drafts of a ledger in memory go with it."""
        drafts = Path(self.policy.drafts)
        if drafts.is_absolute():
            return drafts
        if self.store.source == MEMORY:
            return Path(tempfile.gettempdir()) / f"ladder-drafts-{secrets.token_hex(8)}"
        # A ledger on a server has no place on this machine.
        return drafts.absolute() if "://" in self.store.source else Path(self.store.source).parent / drafts

    def notarize(self) -> None:
        """Let this process's watcher make checkpoints: `ladder watch` does, agents don't, so that they need no key."""
        self.watcher.checkpoints = Sweeps(self.sweep_checkpoints, SOON, 2 * SOON)

    # --- agents ----------------------------------------------------------------------------------------------

    def wrap(self, graph: Compiled | Builder, *, checkpointer: Any = None, agent: str | None = None) -> Compiled:
        """Put a graph under the ladder: its ToolNode becomes the gate, with the six rungs behind it.

        Args:
            graph: A compiled `create_agent` or `create_deep_agent` graph, or a raw `StateGraph` (compiled or not) with
                a `ToolNode`. It is left as it is; a new graph comes back.
            checkpointer: Replaces the graph's own; `"host"` says that a LangGraph server or a parent graph brings one.
            agent: The name to act under, where it isn't the policy's: one below that, as `"ops/research"`.

        Returns:
            A compiled graph with the nodes `suggest draft confirm bounded rollback report`.

        Raises:
            NoCheckpointer: A tool stands on a rung that must ask, and nothing can wait for the answer.
            MountError: The graph has no ToolNode, or one that can't be gated, or the name isn't below the policy's.
        """
        from ladder_graph.hosts.graph import wrap

        return wrap(self, graph, checkpointer=checkpointer, agent=self.acting(agent))

    def shadow(self, graph: Compiled | Builder, *, agent: str | None = None) -> Compiled:
        """Take down what the gate would decide about a graph's calls, beside it, and change nothing.

        Args:
            graph: As for `wrap`, and left as it is; no checkpointer is needed. What comes back runs as it does.
            agent: The name that it would act under, where it isn't the policy's; one below that.

        Raises:
            MountError: The graph has no ToolNode, or one that can't be gated, or the name isn't below the policy's.
        """
        from ladder_graph.hosts.shadow import shadow

        return shadow(self, graph, agent=self.acting(agent))

    @property
    def shadowing(self) -> Shadowing:
        """What takes down the calls of all graphs that have a shadow: its counts of what went wrong, and `flush`."""
        from ladder_graph.hosts.shadowing import Shadowing

        self._shadowing = self._shadowing or Shadowing(self)
        return self._shadowing

    def __enter__(self) -> Self:
        """The ladder itself; at the end of a `with` it is closed."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the ledger, once what shadows saw is written; what lived in memory is gone, its drafts included."""
        if self._shadowing is not None:
            self._shadowing.stop()
        super().close()

    def middleware(
        self, *others: AgentMiddleware[Any, Any, Any], agent: str | None = None
    ) -> list[AgentMiddleware[Any, Any, Any]]:
        """The ladder as middleware for `create_agent(middleware=…)`, around the agent's other middleware.

        Args:
            others: The agent's own middleware, in its order. The gate goes outside it, so that what it repeats isn't
                asked twice, and the seal inside, so that what runs is what was allowed.
            agent: The name to act under, where it isn't the policy's: each of several agents gets its own, as
                `"ops/research"`.

        Raises:
            MountError: The name isn't below the policy's.
        """
        from ladder_graph.hosts.middleware import LadderMiddleware, SealMiddleware

        seal = SealMiddleware()
        return [LadderMiddleware(self, agent=agent, seal=seal, others=others), *others, seal]

    def guard(self, tool: BaseTool | Callable[..., Any], *, agent: str | None = None) -> BaseTool:
        """A sealed copy of a tool that can't run past the ladder, whoever calls it.

        For tools that are handed to sub-agents, to agents inside other tools, or to graphs that no mount reaches. Under
        a rung's permit it runs exactly what was allowed. Called without one, in a task that holds one tool call, the
        call goes through its whole life right there, questions included. Called by hand it raises `NotPermitted`.

        Args:
            tool: A tool, or a function to make one of.
            agent: The name to act under, where it isn't the policy's: one below that. Inside another agent, the inner
                one's name is added to it, as in `"ops/research"`.

        Raises:
            MountError: It can't be sealed, or runs an agent whose own tools aren't guarded, or the name isn't below the
                policy's.

        Example:
            >>> def wipe(disk: str) -> str:
            ...     "Wipe a disk."
            ...     return f"wiped {disk}"
            >>> with Ladder(agent="ops", rungs={"wipe": "confirm"}, ledger=":memory:") as ladder:
            ...     guarded = ladder.guard(wipe)
            >>> guarded.invoke({"disk": "sda"})
            Traceback (most recent call last):
            ladder_graph.errors.NotPermitted: wipe is guarded, and was called by hand: ...
        """
        from ladder_graph.hosts.guard import guard

        return guard(self, tool, self.acting(agent))

    def masks(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What is known of prompts: the declared templates, and the names of run-time values that are masked."""
        return self.policy.prompts, self.policy.prompt_values

    def run(
        self, call: Call, environment: Environment | None, host: Host, at_most: Rung = Rung.REPORT,
        found: Found | None = None,
    ) -> Reply:  # fmt: skip
        """Take one call through its whole life.

        Args:
            call: The call.
            environment: What proposed it.
            host: Runs it.
            at_most: The rung the graph already sent it to.
            found: Its route, if it was found a moment ago.

        Raises:
            LedgerError: The ledger refused. Nothing ran, unless it says that the call was started.
        """
        gate, turn = self._entered(call, environment, host, at_most, found)
        reply = drive(self._life(call, gate, found and found.routed), turn)
        return self.told(_acted(call, turn), reply) if _concerns_a_scope(turn, reply) else reply

    async def arun(
        self, call: Call, environment: Environment | None, host: Host, at_most: Rung = Rung.REPORT,
        found: Found | None = None,
    ) -> Reply:  # fmt: skip
        """As `run`, on the event loop, which never waits for a disk or a server."""
        if found is not None and found.turn.policy is self.policy:
            gate, turn = self._entered(call, environment, host, at_most, found)
        else:
            gate, turn = await asyncio.to_thread(self._entered, call, environment, host, at_most, found)
        reply = await adrive(self._life(call, gate, found and found.routed), turn)
        if not _concerns_a_scope(turn, reply):
            return reply
        return await asyncio.to_thread(self.told, _acted(call, turn), reply)

    def refuse(self, agent: str, thread: str, call: Mapping[str, Any], text: str) -> None:
        """Write down a call that could not even be considered: no id, no such tool, malformed arguments."""
        raw = {"call": str(call.get("id")), "tool": str(call.get("name")), "arguments": repr(call.get("args"))[:2000]}
        body = {"thread": thread, "text": text, **raw}
        # What is malformed may hold what JSON can't: repr has escaped it in the arguments, and this does in the rest.
        plain = {key: value.encode("utf-8", "backslashreplace").decode() for key, value in body.items()}
        self._write(lambda journal, cursor: journal.append(cursor, agent, "refused", "", dict(plain)), durable=False)

    def meet_provider_tools(self, agent: str, tools: Sequence[str]) -> None:
        """A model is given tools that its provider runs by itself: refuse it or report it, as the policy says.

        Args:
            agent: Whose request it is.
            tools: Their names.

        Raises:
            ProviderToolsRefused: The request must not be sent.
        """
        met = self.policy.provider_tools
        named = ", ".join(sorted(tools))
        if (agent, named) not in self._met:
            self._met.add((agent, named))
            body = {"tools": sorted(tools), "met": met}
            if self._write(
                lambda journal, cursor: journal.append_once(cursor, agent, "provider_tools", body), durable=False
            ):
                log.warning(
                    "a model of %s is given tools that its provider runs past every gate: %s (%s)", agent, named, met
                )
        if met == "refuse":
            raise ProviderToolsRefused(
                f"a model of {agent} is given tools that its provider runs by itself, where no rung sees their calls: "
                f'{named}. The request was not sent. Take them off, or say provider_tools = "report" in the policy'
            )

    # --- accepted drafts -----------------------------------------------------------------------------------

    def to_slack(self, policy: Policy, question: Question) -> None:
        """Send one question to Slack.

        Raises:
            NotSent: Slack didn't take it.
        """
        from ladder_graph.slack.sending import tell

        tell(policy, question)

    def take_up(self, call: Call, person: Person) -> Reply | None:
        """Run an accepted draft's call, as this person's act; None where the tool isn't known in this process."""
        seat = self.seat_of(call.agent, call.tool)
        if seat.host is None:
            return None
        policy = self.refresh()
        route = Route(Rung.DRAFT, (Reason("accepted", f"{person.name} accepted its draft"),))
        taken = self.observers.over(call, draft.take_up(call, route, Plan(policy.rule(call.tool)), person))
        return drive(taken, self._turn(call, seat.host(), policy))

    def take_up_again(self, known: Known, person: Person, moved: str) -> Reply | None:
        """Find out about an accepted draft's call whose process is gone; None where its tool isn't known here."""
        call = known.call
        seat = self.seat_of(call.agent, call.tool)
        if seat.host is None:
            return None
        policy = self.refresh()
        route = Route(Rung.DRAFT, (Reason("accepted", f"{person.name} accepted its draft"),))
        life = draft.take_up_again(call, route, Plan(policy.rule(call.tool)), known, person, moved, find_out)
        return drive(self.observers.over(call, life), self._turn(call, seat.host(), policy))

    # --- in a notebook -------------------------------------------------------------------------------------

    def _repr_html_(self) -> str:
        """The six rungs with each tool where it stands; `%load_ext ladder_graph` does so for the rest."""
        from ladder_graph.notebook.standings import ladder

        return ladder(self)


def _acted(call: Call, turn: Turn) -> str:
    """The key of what ran: the call's own, or that of the one in its place."""
    return call.key if turn.claim is None else turn.claim.call.key


def _concerns_a_scope(turn: Turn, reply: Reply) -> bool:
    """Whether a call may have to tell of its scope: it ran in one, or went wrong in whatever it belongs to."""
    return not turn.terms.rule.read_only and ((turn.saga != "" and turn.claim is not None) or reply.state in WRONG)


def _now() -> dt.datetime:
    return dt.datetime.now(tz=dt.UTC)
