"""What carries a label that somebody doesn't hold: no address shows anything of it, whatever they may do otherwise."""

from __future__ import annotations

import datetime as dt
import itertools
import re

import pytest
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph.console.guarding import Rates
from ladder_graph.console.pages import ENTRIES
from ladder_graph.testing import FrozenClock, calls
from tests.hosts.graphs import on, raw_graph

HIDDEN = "Rumpelstiltskin"
RUNGS = {"pay": "confirm", "write": "draft", "look": "report", "hint": "suggest"}
POLICY = {
    "tools": {
        name: {"rung": rung, "labels": ["payroll"], **({"read_only": True} if rung == "report" else {})}
        for name, rung in RUNGS.items()
    },
    "reports": {"reader": ["ana", "cy"]},
    "people": {
        "ana": {"console": "admin", "labels": ["payroll"], "roles": ["promoter"]},
        "cy": {"console": "admin", "roles": ["promoter"]}, "vi": {"console": "viewer"},
    },
}  # fmt: skip


@pytest.fixture
def made(console):
    """A console on which each kind of thing with a label waits, and has been decided."""
    made = console(policy=POLICY, clock=FrozenClock())

    def tools():
        for name in RUNGS:

            def run(who: str) -> str:
                """Do it."""
                return f"done for {who}"

            yield tool(name)(run)

    said = [calls(name, {"who": HIDDEN}, text=f"It is for {HIDDEN}.") for name in RUNGS for _ in range(2)]
    answers = list(itertools.chain.from_iterable((one, f"So it is, {HIDDEN}.") for one in said))
    graph = made.ladder.wrap(raw_graph(answers + answers, list(tools())), checkpointer=InMemorySaver())
    for number, _ in enumerate(said):
        graph.invoke({"messages": [("user", f"See to {HIDDEN}.")]}, on(f"t{number}"))
    made.ladder.decline(made.ladder.pending()[0].id, by="ana", reason=f"Not for {HIDDEN}")
    made.ladder.reject(made.ladder.drafts()[0].action.key, by="ana", reason=f"Not to {HIDDEN}")
    made.ladder.demote("look", "rollback", reason=f"It told {HIDDEN}", by="ana")
    acted = made.ladder.actions()[0]
    made.ladder.incident(acted.key, "S1", by="ana", kind="wrong", text=f"It was about {HIDDEN}")
    made.ladder.clock.advance(dt.timedelta(days=1))
    return made


def addresses(made):
    """Each address to look at, with everything there is in place of what varies."""
    ladder = made.ladder
    actions = [one.key for one in ladder.actions()]
    questions = {found for entry in ladder.log() for found in [entry.body.get("question")] if isinstance(found, str)}
    reports = [one.id for place in ("unread", "read", "gathering") for one in ladder.digests(place)]
    known = {
        "question": [*questions, *(one.id for one in ladder.pending())], "action": actions, "key": actions,
        "digest": reports, "agent": ["ops"], "tool": list(RUNGS),
    }  # fmt: skip
    for entry in ENTRIES:
        if entry.show is None:
            continue
        names = re.findall(r"\{(\w+)\}", entry.path)
        for values in itertools.product(*(known[name] for name in names)):
            path = entry.path
            for name, value in zip(names, values, strict=True):
                path = path.replace(f"{{{name}}}", value)
            yield path


@pytest.mark.parametrize("who", ["cy", "vi"])
def test_no_address_shows_what_somebody_may_not_see(made, monkeypatch, who):
    """Not in a title, a list, a file, a reason, what the agent said, nor by looking for it."""
    monkeypatch.setattr(Rates, "allow", lambda self, sender: True)
    queries = ["", "?show=decided", "?show=read", "?tool=pay", "?mine=1", f"?thread={HIDDEN}"]
    browser, paths = made.visitor(who), list(addresses(made))
    assert len(paths) > len(ENTRIES) / 2
    for path, query in itertools.product(paths, queries):
        answer = browser.get(f"{path}{query}")
        assert answer.status_code < 500, path
        typed = answer.text.replace(f"thread={HIDDEN}", "").replace(f'value="{HIDDEN}"', "")
        assert HIDDEN not in typed, f"{path}{query}"


def test_whoever_holds_the_label_sees_it(made):
    """So that it is the label which makes the difference."""
    ana = made.visitor("ana")
    shown = [path for path in list(addresses(made))[:90] if HIDDEN in ana.get(path).text]
    assert {path.split("/")[1] for path in shown} >= {"confirm", "drafts", "history", "reports"}
