"""Telling an agent what became of its drafts and suggestions, in the conversation in which it made them.

At the next turn of its model a message is put before the answer, and into the graph's state with it. Where no model
node can be reached, the next tool reply carries it. A crash may make it be told twice; it is never lost: the ledger
takes it for heard only once the conversation holds it, or went on from where it was told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig

from ladder_graph.hosts.conversation import CHECKPOINTER, TASK, checkpoint_of
from ladder_graph.hosts.replies import NOTE_ID, decode, noted
from ladder_graph.hosts.resumes import run_of
from ladder_graph.hosts.scenery import MADE
from ladder_graph.ledger.people.notices import Due, Told

if TYPE_CHECKING:
    from ladder_graph.calls import Call
    from ladder_graph.ladder import Ladder

SOURCE = "ladder"
"""Whose message it is, where LangChain marks what middleware made."""
LONGEST = 2_000
"""Characters of a tool's answer that are told."""
FARTHEST = 50
"""Checkpoints that are looked through for a message that was cut."""
MOST = 20
"""How many things are told at once; the others at the turns after."""


@dataclass(frozen=True, slots=True)
class News:
    """What an agent is about to be told."""

    id: str
    text: str
    due: tuple[Due, ...]

    @property
    def message(self) -> HumanMessage:
        """As a message. No provider takes a system message in the midst of a conversation; it is marked as nobody's."""
        return HumanMessage(self.text, id=self.id, additional_kwargs={MADE: SOURCE})


def may_hear(messages: Sequence[Any]) -> bool:
    """Whether a message may follow these: a call must be answered before anything else is said."""
    last = messages[-1] if messages else None
    if isinstance(last, HumanMessage):
        return True
    if not isinstance(last, ToolMessage):
        return False
    answered: set[str] = set()
    for message in reversed(messages):
        if isinstance(message, ToolMessage):
            answered.add(message.tool_call_id)
        else:
            return isinstance(message, AIMessage) and {str(call["id"]) for call in message.tool_calls} <= answered
    return False


def news(ladder: Ladder, agent: str, thread: str, config: RunnableConfig, messages: Sequence[Any]) -> News | None:
    """What an agent has to hear now; None where there is nothing.

    Args:
        ladder: In whose ledger.
        agent: Who.
        thread: In which thread.
        config: The task's own config.
        messages: Its conversation.
    """
    due, told = ladder.hears(agent, thread, run_of(config))
    lost: list[Due] = []
    for one in told:
        if _reached(one, config, messages):
            ladder.mark_heard(one)
        elif not _is_being_told(one, config):
            lost.append(one.due)
    found = tuple([*lost, *due][:MOST])
    if not found:
        return None
    place = place_of(config)
    name = hashlib.sha256("\n".join([place, *(f"{one.action} {one.word}" for one in found)]).encode()).hexdigest()[:12]
    said = "\n".join(f"- {_said(ladder, one)}" for one in found)
    head = f"Note {name} from the ladder that this agent is under, and not from the user. Since your last turn:"
    return News(f"ladder-{name}", f"{head}\n{said}", found)


def place_of(config: RunnableConfig) -> str:
    """Where a conversation stands, and which task of it this is."""
    return f"{checkpoint_of(config)}#{config.get('configurable', {}).get(TASK) or ''}"


def _reached(one: Told, config: RunnableConfig, messages: Sequence[Any]) -> bool:
    """Whether a conversation holds what it was told, or held it and cut it since."""
    if any(_holds(message, one.note) for message in messages):
        return True
    before, _, _ = one.place.partition("#")
    if before == checkpoint_of(config):
        return False
    saver = config.get("configurable", {}).get(CHECKPOINTER)
    if saver is None:
        return True
    with suppress(Exception):  # Any checkpointer's error; it is told again then.
        return _held_since(saver, config, before.partition("@")[0], one.note)
    return False


def _held_since(saver: Any, config: RunnableConfig, told: str, note: str) -> bool:
    """Whether a checkpoint between this one and the one it was told from holds a message, so that it was cut since."""
    at, _, namespace = checkpoint_of(config).partition("@")
    place = {"thread_id": config.get("configurable", {}).get("thread_id"), "checkpoint_ns": namespace}
    for _ in range(FARTHEST):
        found = saver.get_tuple({"configurable": {**place, "checkpoint_id": at}})
        if found is None:
            return False
        values = found.checkpoint["channel_values"].values()
        if any(_holds(one, note) for value in values if isinstance(value, list) for one in value):
            return True
        if at == told or found.parent_config is None:
            return False
        at = found.parent_config["configurable"]["checkpoint_id"]
    return False


def _is_being_told(one: Told, config: RunnableConfig) -> bool:
    """Whether another task of this very step tells it."""
    before, _, task = one.place.partition("#")
    return before == checkpoint_of(config) and task != place_of(config).partition("#")[2]


def _holds(message: Any, note: str) -> bool:
    if not isinstance(message, BaseMessage):
        return False
    return message.id == note or message.additional_kwargs.get(NOTE_ID) == note


def in_reply(
    ladder: Ladder, agent: str, call: Call, output: Any, config: RunnableConfig, messages: Sequence[Any]
) -> Any:  # fmt: skip
    """A tool's reply, with what its agent has to hear before it."""
    found = news(ladder, agent, call.thread, config, messages)
    if found is None or not ladder.mark_told(found.due, found.id, place_of(config)):
        return output
    return noted(output, call, f"{found.text}\n\nThe answer of {call.tool}:", found.id)


# --- in words ----------------------------------------------------------------------------------------------------


def _said(ladder: Ladder, one: Due) -> str:
    row, what = one.row, f"{one.tool} (action {one.action[:12]})"
    if row["draft"] is None:
        why = ladder.verdict_on(one)
        acted = "acted on it themselves" if one.word == "adopted" else "does not want it"
        return f"Your suggestion of {what}: {row['actor']} {acted}{_because(why)}."
    by, because = row["by"], _because(row["reason"])
    match row["draft"]:
        case "rejected":
            return f"Your draft of {what} was REJECTED by {by}{because}. It did not run. Do not draft the same again."
        case "superseded":
            later = row["superseded_by"][:12]
            return f"Your draft of {what} was SUPERSEDED by your later draft {later}. It did not run."
        case "accepted":
            how = f"was ACCEPTED by {by}{because}"
        case "part":
            how = f"was ACCEPTED IN PART by {by}{because}. Left out: {'; '.join(ladder.left_out(one)) or 'not kept'}"
        case _:
            how = f"was EDITED by {by}{because}, and accepted so: {'; '.join(ladder.left_out(one)) or 'not kept'}"
    return f"Your draft of {what} {how}. {_ran(row)}"


def _because(reason: str) -> str:
    return f", who says: {' '.join(reason.split())}" if reason.strip() else ""


def _ran(row: Any) -> str:
    """What came of the call."""
    match row["ran"]:
        case "done":
            return f"It ran: {row['ran_text'] or _answer(row['ran_reply']) or 'its answer was not kept'}"
        case "failed" | "unknown" | "refused" | "undone" | "undo_conflict" | "undo_failed" | "expired" | "declined":
            return f"It came to {row['ran']}: {row['ran_text'] or _answer(row['ran_reply']) or 'nothing more is known'}"
        case "started":
            return "It was started, and nobody knows yet whether it took effect. Do not do it yourself."
        case _:
            return "It has not run yet. Do not do it yourself."


def _answer(reply: bytes | None) -> str:
    """What a tool answered, as text."""
    if not reply:
        return ""
    try:
        found = decode(reply)
    except Exception:  # noqa: BLE001  # what another version wrote; the state says enough
        return ""
    text = str(found.text) if isinstance(found, BaseMessage) else str(found)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
