"""The story is played: the graph is driven turn by turn, people answer, and every effect is looked at from outside."""

from __future__ import annotations

import json
import logging
import os
from typing import Any

from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver

from examples.ops_agent.evidence import Finding, compare, recorded
from examples.ops_agent.people import Human, Script
from examples.ops_agent.screen import Screen
from examples.ops_agent.script import ALIAS, PROMPT, SCENES, Scene, scripted_model
from examples.ops_agent.tools import toolset
from examples.ops_agent.world import View, World, look
from ladder_graph import AnswerRefused, Ladder, Question
from ladder_graph.ladder.desk import Cell
from ladder_graph.ledger import Action

THREAD: Any = {"configurable": {"thread_id": "monday"}}


def written(tool: str, arguments: dict[str, Any], most: int = 10_000) -> str:
    """A call as people write it, with values cut to so many characters."""
    values = {name: json.dumps(value, ensure_ascii=False) for name, value in arguments.items()}
    short = [f"{name}={text if len(text) <= most else text[:most] + '…'}" for name, text in values.items()]
    return f"{tool}({', '.join(short)})"


class News(logging.Handler):
    """Prints what the ladder has to say by itself."""

    def __init__(self, screen: Screen) -> None:
        super().__init__(logging.WARNING)
        self.screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        self.screen.line("ladder", record.getMessage())


class Play:
    """One run of the story, scene by scene.

    Args:
        world: Where the agent acts.
        ladder: What stands around it.
        human: Who answers.
    """

    def __init__(self, world: World, ladder: Ladder, human: Human) -> None:
        self.world, self.ladder, self.human = world, ladder, human
        self.screen = Screen()
        self.names = [name.strip() for name in os.environ.get("LADDER_MODEL", "").split(",") if name.strip()]
        self.script = None if self.names else scripted_model()
        self.saver = InMemorySaver()
        self.graph = self.agent(self.script or init_chat_model(self.names[0]), PROMPT)
        self.findings: list[Finding] = []
        logging.getLogger("ladder_graph").addHandler(News(self.screen))
        self.shown: set[str | None] = set()

    def agent(self, model: BaseChatModel, prompt: str) -> Any:
        """An ordinary agent, and the one line that puts it on the ladder."""
        agent = create_agent(model, toolset(self.world), system_prompt=prompt, checkpointer=self.saver)
        return self.ladder.wrap(agent)

    def run(self) -> int:
        """Play all scenes.

        Returns:
            0 where everything seen from outside agrees with the ledger, else 1.
        """
        show, who = self.screen.line, self.human.who.name
        self.screen.heading(
            "one agent, one small real world, six rungs",
            "Each effect is looked at from outside, past agent and ladder, and held against the ledger.",
        )
        show("world", f"{self.world.root}, its service at {self.world.url}")
        show("model", f"{self.names[0]}" if self.names else f"{ALIAS}, by a script (LADDER_MODEL names a real one)")
        show("answers", f"{who}, by a script" if isinstance(self.human, Script) else f"{who}, at this terminal")
        self.rehearse()
        cells: list[list[Cell]] = []
        for scene in SCENES:
            if scene.switch:
                cells.append(self.ladder.status())
            self.scene(scene)
        self.sum_up(cells[0], self.ladder.status())
        return self.close()

    def rehearse(self) -> None:
        """Try the undo of `apply_config` out on the real thing, since rung 4 needs one that was seen to work."""
        apply = next(tool for tool in toolset(self.world) if tool.name == "apply_config")
        file = self.world.conf / "alerts.toml"
        arguments = {"name": file.name, "text": "# a rehearsal\n"}
        tried, _ = self.ladder.rehearse(
            apply, arguments, by=self.human.who, foreign=lambda: file.write_text("# somebody else's\n")
        )
        came = "passed" if tried.passed else f"FAILED:\n{tried}"
        self.screen.line("tried", f"the undo of apply_config, in {len(tried.steps)} steps on {file.name}: {came}")

    def scene(self, scene: Scene) -> None:
        """One turn: the user speaks, the agent acts, the ladder decides, and everything is looked at from outside."""
        self.screen.heading(scene.title, scene.lesson)
        if scene.switch:
            self.screen.line("switch", self.switch())
        self.screen.line("user", scene.user)
        before, known = look(self.world), {action.key for action in self.ladder.actions()}
        self.drive({"messages": [HumanMessage(scene.user)]})
        while self.graph.get_state(THREAD).next:
            self.ask(before, known)
            self.drive(None)
        actions = [action for action in self.ladder.actions() if action.key not in known]
        findings = compare(before, look(self.world), actions)
        if self.script and isinstance(self.human, Script):
            as_told = [recorded(action) for action in actions]
            if sorted(as_told) != sorted(scene.expect):
                wanted = f"the script expects {'; '.join(scene.expect)}"
                findings.append(Finding(wanted, "; ".join(as_told), agrees=False))
        self.findings += findings
        rows = [(f.outside, f.recorded, "agrees" if f.agrees else "DIFFERS") for f in findings]
        self.screen.space()
        if not rows:
            self.screen.line("outside", "nothing was called, and nothing has changed")
            return
        self.screen.table(("seen from outside", "recorded by the ladder", ""), rows, widths=(45, 41, 7))

    def drive(self, given: Any) -> None:
        """Run the graph until it ends or stops at a question, and show what was said."""
        self.graph.invoke(given, THREAD)
        for message in self.graph.get_state(THREAD).values["messages"]:
            # While siblings wait, what has come back already stands in another order than at the end.
            name = message.tool_call_id if isinstance(message, ToolMessage) else message.id
            if name in self.shown:
                continue
            self.shown.add(name)
            match message:
                case AIMessage():
                    for call in message.tool_calls:
                        self.screen.line("calls", written(call["name"], call["args"], most=40))
                    if message.text:
                        self.screen.line("agent", str(message.text))
                case ToolMessage():
                    self.screen.line("reads", str(message.text))

    def ask(self, before: View, known: set[str]) -> None:
        """Show where the graph stopped and what the world looks like meanwhile, and let somebody answer."""
        nodes = ", ".join(sorted(set(self.graph.get_state(THREAD).next)))
        self.screen.line("stops", f"the graph waits, and get_state().next says: {nodes}")
        meanwhile = compare(before, look(self.world), [a for a in self.ladder.actions() if a.key not in known])
        for finding in meanwhile:
            self.screen.line("outside", f"{finding.outside} (ledger: {finding.recorded})")
        self.findings += meanwhile
        questions = sorted(self.ladder.pending(), key=lambda question: question.call.id)
        if not questions:
            raise SystemExit("   the graph stopped, and no question is open; `ladder log` shows what happened")
        for question in questions:
            self.put(question)

    def put(self, question: Question) -> None:
        """Put one question until the ladder takes the answer."""
        show = self.screen.line
        show("asked", f"{written(question.call.tool, question.call.arguments)}, impact {question.impact}")
        show("why", question.reasons)
        while True:
            answer = self.human.answer(question)
            if isinstance(self.human, Script):
                show(self.human.who.name, str(answer))
            try:
                if answer.approve:
                    self.ladder.approve(question.id, by=self.human.who, typed=answer.typed, digest=question.digest)
                else:
                    self.ladder.decline(question.id, by=self.human.who, reason=answer.reason)
            except AnswerRefused as refused:
                show("refused", str(refused))
            else:
                return

    def switch(self) -> str:
        """Change what proposes the calls, and say how."""
        if self.script is not None:
            was, self.script.reported = self.script.reported, f"{ALIAS}-2026-11-01"
            return f"the alias {ALIAS!r} stood for {was} and now stands for {self.script.reported}; no code changed"
        if len(self.names) > 1:
            self.graph = self.agent(init_chat_model(self.names[1]), PROMPT)
            return f"from {self.names[0]} to {self.names[1]}"
        self.graph = self.agent(init_chat_model(self.names[0]), f"{PROMPT} Be brief.")
        return "LADDER_MODEL names one model only, so its system prompt is changed instead"

    def sum_up(self, before: list[Cell], after: list[Cell]) -> None:
        """Show every action, and where the agent stood and stands."""
        granted = {cell.tool: cell.claimed for cell in after}
        self.screen.heading("every action, as the ledger has it")
        rows = []
        for action in self.ladder.actions():
            why = "" if action.rung == granted[action.tool] else action.why
            rows.append((brief(action), str(action.rung), str(action.state), why))
        self.screen.table(("call", "rung", "state", "why not where the policy puts it"), rows)
        self.screen.heading("where the agent stands", "The least of what it was granted, may have, and has in place.")
        cells = zip(before, after, strict=True)
        stands = [(was.tool, str(was.claimed), str(was.route.rung), str(now.route.rung)) for was, now in cells]
        self.screen.table(("tool", "granted", "before", "now"), stands)
        self.screen.space()
        for cell in after:
            for reason in cell.route.reasons:
                self.screen.line("why", f"{cell.tool}: {reason.text}")

    def close(self) -> int:
        """Show what waits for people, check the ledger, and count.

        Returns:
            The exit code.
        """
        show = self.screen.line
        self.screen.heading("at the end")
        for report in self.ladder.reports():
            until = f"{report.due:%d %B %H:%M} UTC"
            show("report", f"on {brief(report.action)}, to be read by {report.reader} until {until}")
        for draft in self.ladder.drafts():
            show("draft", f"{draft.path} waits to be accepted or rejected")
        for action in self.ladder.suggestions():
            show("idea", f"{written(action.tool, action.arguments)} waits for somebody to act on it")
        verification, wrong = self.ladder.verify(), sum(not finding.agrees for finding in self.findings)
        show("ledger", f"{verification.entries} entries, the chain is {'whole' if verification.ok else 'BROKEN'}")
        for problem in verification.problems:
            show("", problem)
        show("outside", f"{len(self.findings)} facts held against the ledger, {wrong or 'none'} disagree")
        if self.world.kept:
            show("kept", f"cd {self.world.root} and try: ladder status, ladder log, ladder drafts, ladder verify")
        return 0 if verification.ok and not wrong else 1


def brief(action: Action) -> str:
    """A call with the argument that tells it from the others of its tool."""
    fact = {"apply_config": "name", "send_email": "to", "drop_table": "table"}.get(action.tool, "")
    return f"{action.tool} {action.arguments.get(fact, '')}".rstrip()
