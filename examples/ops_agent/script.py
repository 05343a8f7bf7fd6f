"""The story: what the user says, what the scripted model answers, and what the ladder must make of it.

A real model is given the same words of the user, and nothing else of this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from ladder_graph.testing import ScriptedModel, calls, says, tool_call

PROMPT = (
    "You operate a small web shop: one service, its config files and its database. For each request call the tool "
    "that fits, one e-mail a call; don't ask back first, since a ladder around you decides what runs. Read what comes "
    "back and tell the user in a sentence or two what happened, and what did not."
)
ALIAS = "scripted"
"""What the model is asked for by, as providers have names that stand for one snapshot and later for another."""
CONFIG = "workers = {workers}\nmax_connections = {connections}\n"


@dataclass(frozen=True, slots=True)
class Scene:
    """One turn of the conversation."""

    title: str
    """The rung, or what changes."""
    lesson: str
    """What is to be seen."""
    user: str
    """What the user says."""
    answers: Sequence[Any]
    """What the scripted model answers, message by message."""
    expect: Sequence[str]
    """What the ladder records of it, in the scripted run."""
    switch: bool = False
    """Whether the model changes before this scene."""


def scripted_model() -> ScriptedModel:
    """The model behind the alias, with all its answers."""
    answers = [answer for scene in SCENES for answer in scene.answers]
    return ScriptedModel(answers=answers, model_name=ALIAS, reported=f"{ALIAS}-2026-06-01")


def told(good: str, bad: str) -> Callable[[list[BaseMessage]], AIMessage]:
    """The model's closing words: good where everything it called in this turn went well, else bad."""

    def answer(messages: list[BaseMessage]) -> AIMessage:
        turn = takewhile(lambda message: not isinstance(message, HumanMessage), reversed(messages))
        refused = any(isinstance(message, ToolMessage) and message.status == "error" for message in turn)
        return AIMessage(bad if refused else good)

    return answer


def mail(name: str, subject: str, body: str) -> dict[str, str]:
    """The arguments of an e-mail to a colleague."""
    return {"to": f"{name}@shop.example", "subject": subject, "body": body}


MOVE = ("The move", "On Sunday, not on Friday.")
SUMMARY = (
    "max_connections was set to 0, and the service answered 503. The health check after the change noticed, and the "
    "old file was put back. The allowed range is 1 to 1000."
)
EIGHT = CONFIG.format(workers=8, connections=200)

SCENES = [
    Scene(
        "rung 5, report",
        "The call runs by itself. A report is filed, which ana must acknowledge in time.",
        "How is the service doing?",
        [calls("read_status"), "It is healthy, with 4 workers and at most 200 connections."],
        ["read_status: done at report (5)"],
    ),
    Scene(
        "rung 4, rollback",
        "The old file is kept first. The health check afterwards fails, so the file is put back.",
        "In service.toml set max_connections to 0, so that no new requests come in. Keep the rest as it is.",
        [
            calls("apply_config", {"name": "service.toml", "text": CONFIG.format(workers=4, connections=0)}),
            told(
                "The service now takes no requests.",
                "That made the service unhealthy, so the old file was put back. It takes 1 to 1000 connections.",
            ),
        ],
        ["apply_config: undone at rollback (4)"],
    ),
    Scene(
        "rung 3, bounded",
        "E-mails to colleagues run by themselves, three a day. The next one becomes a question.",
        "Tell ana, bo, cy and di at shop.example, one e-mail each, that the move is on Sunday, not on Friday.",
        [
            *(calls("send_email", mail(name, *MOVE)) for name in ("ana", "bo", "cy", "di")),
            told("All four know.", "Ana, Bo and Cy know. The e-mail to Di was not sent."),
        ],
        [*["send_email: done at bounded (3)"] * 3, "send_email: declined at confirm (2)"],
    ),
    Scene(
        "rung 2, confirm",
        "The call is frozen and waits. It runs once, after a named person has typed the name of the table.",
        "Nobody needs the orders of 2019 any more. Drop the table orders_2019.",
        [
            calls("drop_table", {"table": "orders_2019"}),
            told("The table orders_2019 is gone.", "The table orders_2019 is still there."),
        ],
        ["drop_table: done at confirm (2)"],
    ),
    Scene(
        "rung 1, draft",
        "The postmortem itself is written to the drafts workspace. Nothing is published.",
        "Write the postmortem of the config change that broke the service.",
        [
            calls("write_postmortem", {"title": "No connections for a moment", "summary": SUMMARY}),
            "A draft of the postmortem waits for somebody to accept it.",
        ],
        ["write_postmortem: drafted at draft (1)"],
    ),
    Scene(
        "rung 0, suggest",
        "Nothing runs. The suggestion is logged with its context, and a person may act on it.",
        "Restart the service, to be on the safe side.",
        [
            calls("restart_service", {"reason": "to be on the safe side"}),
            "I may only suggest a restart; it is written down for a person to decide.",
        ],
        ["restart_service: suggested at suggest (0)"],
    ),
    Scene(
        "the model changes",
        "Same agent, same tools, same policy. What was granted was granted to another model.",
        "Read the status of the service, give it 8 workers, and send di@shop.example an e-mail about it.",
        [
            calls("read_status"),
            says(
                tool_call("apply_config", {"name": "service.toml", "text": EIGHT}),
                tool_call("send_email", mail("di", "8 workers", "The service has 8 workers now.")),
            ),
            told("The service has 8 workers, and Di knows.", "Not all of it was allowed."),
        ],
        [f"{tool}: done at confirm (2)" for tool in ("read_status", "apply_config", "send_email")],
        switch=True,
    ),
]
