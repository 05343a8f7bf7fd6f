"""What proposed the calls of each agent of one ladder: taken whole, counted, and written down before a call is routed.

A model's answer tells the model, the prompt, the parameters and the tools that it was shown. The rest is the agent's:
the code of its tools, its middleware, its graph, its data. What was put together once is kept, so that a call costs a
look into a dict.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from ladder_graph.calls import Call, digest_of
from ladder_graph.fingerprint import EVERYWHERE, UNREAD, Environment
from ladder_graph.ledger import Journal, Store
from ladder_graph.ledger.evidence import provenance
from ladder_graph.ledger.gate import acts
from ladder_graph.policy import Policy
from ladder_graph.prompts import DYNAMIC, NO_PROMPT, WINDOW, Render, is_dynamic
from ladder_graph.waiting import waits

log = logging.getLogger("ladder_graph")
T = TypeVar("T")

KEPT = 256
"""How many environments of a ladder are kept put together."""

NOTED = 4096
"""How many things that were written down are remembered, so that they aren't written again."""

DataVersion = str | Callable[[], str]
"""A declared version of an agent's data, or what tells it."""


class Write(Protocol):
    """Runs work in a transaction of the ledger."""

    def __call__(self, work: Callable[[Journal, Any], T], *, durable: bool = True) -> T:
        """Run it and commit."""


@dataclass(frozen=True, slots=True)
class Make:
    """What a mount knows of the agent around the model."""

    middleware: tuple[str, ...] | None = None
    """Each as `class:hash of its settings`; None where the mount can't tell."""
    graph: str | None = None
    """Hash of the graph's nodes and edges; None where the mount sees none."""


UNSEEN = Make()
"""What a mount knows that sees neither."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a model's answer tells of what gave it."""

    environment: Environment
    message: str
    """The id of the message, or of the call where there is none: what came with one answer counts once."""
    prompt: Render | None = None
    """The system text; None where it is forgotten."""
    beside: Mapping[str, str] = field(default_factory=dict)
    """What the answer bore that makes no other environment."""


class Environments:
    """The environments of one ladder's agents.

    Args:
        store: The ledger.
        write: Runs work in a transaction of it.
        policy: The policy in force.
        locked: The environments in `ladder.lock`, by agent.
        data: The data version that was declared in code.
    """

    def __init__(
        self, store: Store, write: Write, policy: Callable[[], Policy], locked: Mapping[str, Environment],
        data: DataVersion | None,
    ) -> None:  # fmt: skip
        self._store, self._write, self._policy, self._locked, self._data = store, write, policy, locked, data
        self._lock = threading.Lock()
        self._code: dict[str, dict[str, str]] = defaultdict(dict)
        self._whole: OrderedDict[Any, Environment] = OrderedDict()
        self._latest: dict[str, Environment] = {}
        self._untold: OrderedDict[tuple[str, Environment], Proposed] = OrderedDict()
        self._counts: dict[str, _Count] = {}
        self._noted: OrderedDict[Any, Any] = OrderedDict()

    def know(self, agent: str, tool: str, code: str, version: str) -> None:
        """Take down the code of a tool.

        Args:
            agent: Whose tool it is.
            tool: Its name.
            code: A digest of its code.
            version: What its declaration says.
        """
        made = digest_of("implementation", code, version)
        if self._code[agent].get(tool) != made:
            with self._lock:
                self._code[agent][tool] = made
                self._whole.clear()

    def attributed(self, agent: str, proposed: Proposed | None, make: Make = UNSEEN) -> Environment | None:
        """The whole environment of a call that was just proposed; `observe` writes it down, once the call is routed.

        Args:
            agent: Who acts.
            proposed: What the answer told; None where nobody knows.
            make: What the mount knows of the agent.
        """
        if proposed is None or proposed.environment.model is None:
            return None if proposed is None else proposed.environment
        said, counted = proposed.environment, self._counted(agent, proposed)
        environment = self.present(agent, said if counted == said.prompt else replace(said, prompt=counted), make)
        with self._lock:
            self._untold[agent, environment] = proposed
            while len(self._untold) > KEPT:
                self._untold.popitem(last=False)
        return environment

    def present(self, agent: str, environment: Environment, make: Make = UNSEEN) -> Environment:
        """An environment with the code, the data and the make of the agent as they are here and now.

        Args:
            agent: Who acts.
            environment: Its model, prompt, parameters and tools stay as they are.
            make: What the mount knows of the agent.
        """
        policy, data = self._policy(), self._data_version()
        key = agent, environment, policy.revision, data, make
        with self._lock:
            found = self._whole.get(key)
            if found is None:
                found = self._whole[key] = self._put_together(agent, environment, policy, data, make)
                while len(self._whole) > KEPT:
                    self._whole.popitem(last=False)
        return found

    def _put_together(
        self, agent: str, environment: Environment, policy: Policy, data: str | None, make: Make
    ) -> Environment:
        # An agent inside another may call a tool that was guarded for the outer one.
        known = {**self._code.get(agent.partition("/")[0], {}), **self._code.get(agent, {})}
        names = environment.tools or self._code.get(agent, {})
        own = {name: version for name in names if (version := policy.rule(name).data_version) is not None}
        return replace(
            environment,
            implementations={name: known[name] for name in names if name in known},
            data=own if data is None else {**own, EVERYWHERE: data},
            middleware=make.middleware,
            graph=make.graph,
        )

    def _data_version(self) -> str | None:
        declared = self._data if self._data is not None else self._policy().data_version
        if not callable(declared):
            return declared
        waits()  # Anybody's function.
        try:
            return str(declared()) or UNREAD
        except Exception:  # noqa: BLE001  # a function of the user's; what it didn't say isn't known
            self._once("data", lambda: log.exception("the declared data version can't be read"))
            return UNREAD

    def locked(self, agent: str) -> Environment | None:
        """The environment in `ladder.lock`; None where it names none for this agent."""
        return self._locked.get(agent)

    # --- answers whose calls another process may route ------------------------------------------------------

    def keep(self, message: str, environment: Environment, calls: Collection[str]) -> None:
        """Keep what proposed the calls of a message, until its thread is resumed.

        Args:
            message: The name that the message is kept by.
            environment: What proposed them.
            calls: Digests of them.
        """
        self._write(
            lambda journal, cursor: provenance.keep(journal, cursor, message, calls, environment), durable=False
        )

    def recall(self, message: str, call: str) -> Environment | None:
        """What proposed a call of a message that was kept; None where it wasn't, or the call is another one now."""
        return self._store.read(lambda cursor: provenance.kept(cursor, message, call))

    def routed(self, call: Call) -> str | None:
        """The environment key under which the ledger has a call; None where it has none."""
        return self._store.read(lambda cursor: provenance.routed(cursor, call.key))

    # --- prompts that keep changing --------------------------------------------------------------------------

    def _counted(self, agent: str, proposed: Proposed) -> str | None:
        """The prompt component, or that the agent's prompt is dynamic; each answer is counted once."""
        component = proposed.environment.prompt
        if component is None:
            return None
        if agent not in self._counts:
            last = self._store.read(lambda cursor: provenance.last_prompt(cursor, agent))
            self._counts.setdefault(agent, _Count(left=WINDOW if last == DYNAMIC else 0))
        with self._lock:
            return DYNAMIC if self._counts[agent].of(proposed.message, component) else component

    # --- what is written down --------------------------------------------------------------------------------

    def observe(self, agent: str, environment: Environment | None) -> None:
        """Write a new environment down, and say so, before any of its calls runs."""
        if environment is None or environment.model is None:
            return
        if self._latest.get(agent) != environment:
            self._observe(agent, environment)
        if (proposed := self._untold.get((agent, environment))) is not None:
            self._note(agent, environment, proposed)
            with self._lock:
                if self._untold.get((agent, environment)) is proposed:
                    del self._untold[agent, environment]

    def _observe(self, agent: str, environment: Environment) -> None:
        locked, policy = self._locked.get(agent), self._policy()

        def work(journal: Journal, cursor: Any) -> str:
            return acts.observe(journal, cursor, agent, environment, locked, lambda tool: policy.rule(tool).rung)

        news = self._write(work, durable=False)
        self._latest[agent] = environment
        if news:
            log.warning("%s", news)

    def _note(self, agent: str, environment: Environment, proposed: Proposed) -> None:
        """Write down the prompt's text and what came beside it, as far as that is new."""
        component, seen = environment.prompt, proposed.prompt
        fixed = component not in {None, NO_PROMPT, DYNAMIC}
        if fixed and seen is not None and seen.values != self._seen(agent, component):
            self._prompt(agent, str(component), seen)
        fresh = {n: v for n, v in proposed.beside.items() if (agent, environment, n, v) not in self._noted}
        if fresh:
            self._write(
                lambda journal, cursor: provenance.beside(journal, cursor, agent, environment, fresh), durable=False
            )
            for name, value in fresh.items():
                self._remember((agent, environment, name, value), value)

    def _prompt(self, agent: str, component: str, seen: Render) -> None:
        """Write a prompt down, unless nothing but masks that are known to change has changed."""
        known: provenance.Prompt | None = self._noted.get((agent, component))
        if known is None or known.tells(seen):
            known = self._write(
                lambda journal, cursor: provenance.prompt(journal, cursor, agent, component, seen), durable=False
            )
            self._remember((agent, component), known)

    def _seen(self, agent: str, component: str | None) -> tuple[str, ...] | None:
        known: provenance.Prompt | None = self._noted.get((agent, component))
        return None if known is None else known.render.values

    def _remember(self, key: Any, value: Any) -> None:
        with self._lock:
            self._noted[key] = value
            while len(self._noted) > NOTED:
                self._noted.popitem(last=False)

    def _once(self, key: str, say: Callable[[], None]) -> None:
        if key not in self._noted:
            self._remember(key, key)
            say()


@dataclass(slots=True)
class _Count:
    """The prompts of an agent's last answers."""

    left: int
    """Answers for which it stays dynamic, since it was when it was last seen."""
    answers: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=WINDOW))
    dynamic: bool = False
    """Whether they are too many different ones."""

    def of(self, message: str, component: str) -> bool:
        """Count an answer, and tell whether the prompt is dynamic."""
        if (message, component) not in self.answers:
            same = len({component, self.answers[0][1], self.answers[-1][1]}) == 1 if self.answers else False
            self.answers.append((message, component))
            self.left = max(0, self.left - 1)
            # Where nothing comes in that wasn't there, and nothing else goes out, they stay as they were.
            self.dynamic = self.dynamic if same else is_dynamic(prompt for _, prompt in self.answers)
        return self.left > 0 or self.dynamic
