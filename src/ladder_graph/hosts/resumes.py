"""Which answer is for which question: LangGraph hands them out by position, and the ladder by what was asked.

LangGraph gives a task's answers to its interrupts in the order in which these come, from the start, each time the
task starts over; and an answer to the thread as a whole stays with the checkpoint, where the next resume, with
whatever input, hands it to the next interrupt. Here three things are kept apart:

- An answer to the ladder's question is marked as spent before the tool runs, so that the tool's own first interrupt
  isn't handed somebody's "approve".
- An answer that lay about before a question was asked is no answer to it.
- An answer that came with an earlier run is no answer in this one.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import langgraph.types
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

MARK = "ladder_spent"
"""Stands in a task's list of answers where one of ours was, around that answer."""

ANSWERED = "__ladder_answered"
"""Says in a run's config whether the run was started with an answer to the thread as a whole."""

RUN = "__ladder_run"
"""Says in a run's config which one it is of all that this process has started."""

STARTED = "__ladder_started"
"""Says in a run's config when the run was started, by the ladder's clock."""

CONTINUED = "__ladder_continued"
"""Says in a run's config whether the run only goes on with what an earlier one began."""

SCRATCHPAD = "__pregel_scratchpad"
"""Where LangGraph's config keeps the answers that a task got."""

SEND = "__pregel_send"
"""Where LangGraph's config keeps the function that takes the task's writes."""

RESUME_MAP = "__pregel_resume_map"
"""Where LangGraph's config keeps this run's answers by interrupt id."""

NAMESPACE = "checkpoint_ns"
"""Where LangGraph's config keeps the namespace that a task's interrupt ids are made from."""

RESUME = "__resume__"
"""LangGraph's channel for a task's answers."""

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

ID_LENGTH = 32
"""The length of an interrupt id in hex digits; a dict of nothing but such keys answers by id."""


def is_answer(value: Any) -> bool:
    """Whether a run's input answers the thread as a whole, and not single interrupts by their ids."""
    if not isinstance(value, Command) or value.resume is None:
        return False
    resume = value.resume
    return not (isinstance(resume, dict) and all(isinstance(key, str) and len(key) == ID_LENGTH for key in resume))


def goes_on(value: Any) -> bool:
    """Whether a run's input asks for nothing new: it is none, or answers what was asked and nothing besides.

    New words may come with an answer, and whoever sends them has asked for what they lead to.
    """
    if not isinstance(value, Command):
        return value is None
    return value.resume is not None and value.update is None and not value.goto


def continued(config: RunnableConfig) -> bool:
    """Whether the run of this task only goes on with what an earlier one began."""
    return config.get("configurable", {}).get(CONTINUED) is True


def forget_old_answers(config: RunnableConfig) -> None:
    """Drop what earlier runs left behind, before anything in this task can take it for an answer.

    Only the outermost graph knows what a run was started with; where that isn't a ladder's, nothing is dropped.
    """
    configurable: dict[str, Any] = config.get("configurable", {})
    pad = configurable.get(SCRATCHPAD)
    if pad is not None and configurable.get(ANSWERED) is False:
        _take_loose_answer(pad)


def forget_a_repeated_answer(config: RunnableConfig, taken: int) -> None:
    """Drop the answer to the thread as a whole, where it is the very one that was taken last.

    For graphs of which nobody knows what a run was started with. Whoever really gives a tool's own question the same
    answer as the ladder's must give it by the interrupt's id there.
    """
    configurable: dict[str, Any] = config.get("configurable", {})
    pad = configurable.get(SCRATCHPAD)
    if pad is None or ANSWERED in configurable or not taken:
        return
    consume = False
    if _marked(pad.get_null_resume(consume)) == pad.resume[taken - 1]:
        _take_loose_answer(pad)


def spend(config: RunnableConfig, taken: int, *, marked_only: bool = False) -> int:
    """Mark answers as spent, so that no later interrupt in this task is handed one of them.

    Args:
        config: The task's own config.
        taken: How many interrupts of the task have been answered in this run; they are marked too.
        marked_only: Pass over those that are marked already, and leave the rest to the tool that asked for them.

    Returns:
        How many interrupts count as answered now.
    """
    configurable: dict[str, Any] = config.get("configurable", {})
    pad = configurable.get(SCRATCHPAD)
    if pad is None:
        return taken
    answers: list[Any] = pad.resume
    if marked_only and _answers_an_earlier_one(configurable, len(answers) - 1):
        answers.pop()
    answers[:taken] = [_marked(answer) for answer in answers[:taken]]
    while taken < len(answers) and (not marked_only or _is_marked(answers[taken])):
        answers[taken] = _marked(answers[taken])
        taken += 1
        pad.interrupt_counter()
    if not marked_only and (loose := _take_loose_answer(pad)) is not None:
        answers.append(_marked(loose))
        taken += 1
        pad.interrupt_counter()
    if taken and SEND in configurable:
        configurable[SEND]([(RESUME, answers[:taken])])
    return taken


def _take_loose_answer(pad: Any) -> Any:
    """Take the answer to the thread as a whole, which else the next interrupt would get, whatever it asks."""
    consume = True
    return pad.get_null_resume(consume)


def answers_by_id(config: RunnableConfig, at: int) -> bool:
    """Whether this run answers the interrupt with this place in the task by its very id."""
    configurable: dict[str, Any] = config.get("configurable", {})
    by_id = configurable.get(RESUME_MAP) or {}
    id_of = getattr(langgraph.types, "_interrupt_id", None)
    return bool(by_id) and at >= 0 and id_of is not None and id_of(configurable.get(NAMESPACE, ""), at) in by_id


def run_of(config: RunnableConfig) -> int | None:
    """What tells a run of a wrapped graph from every other one of this process; None where nobody counted it."""
    found = config.get("configurable", {}).get(RUN)
    return found if isinstance(found, int) else None


def started(config: RunnableConfig) -> dt.datetime | None:
    """When the run was started, or on a LangGraph server requested, as its time-ordered id says; None if nobody knows.

    The earlier of the two counts: a request may have waited in a queue.
    """
    configurable: dict[str, Any] = config.get("configurable", {})
    known = configurable.get(STARTED)
    requested = moment_of(configurable.get("run_id") or config.get("metadata", {}).get("run_id"))
    moments = [moment for moment in (known, requested) if isinstance(moment, dt.datetime)]
    return min(moments, default=None)


def moment_of(run_id: object) -> dt.datetime | None:
    """The moment in a UUID of version 6 or 7; None for any other id.

    Example:
        >>> moment_of("019a0000-0000-7000-8000-000000000000").year
        2025
    """
    try:
        found = uuid.UUID(str(run_id))
    except ValueError:
        return None
    if found.version == 7:  # noqa: PLR2004  # RFC 9562, section 5.7: 48 bits of milliseconds
        return EPOCH + dt.timedelta(milliseconds=found.int >> 80)
    if found.version == 6:  # noqa: PLR2004  # RFC 9562, section 5.6: 60 bits of 100 ns since 1582
        ticks = (found.int >> 80) << 12 | (found.int >> 64) & 0xFFF
        return dt.datetime(1582, 10, 15, tzinfo=dt.UTC) + dt.timedelta(microseconds=ticks // 10)
    return None


def _answers_an_earlier_one(configurable: dict[str, Any], at: int) -> bool:
    """Whether a task's last answer bears the id of its first interrupt, which LangGraph accepts for any later one."""
    by_id = configurable.get(RESUME_MAP) or {}
    id_of = getattr(langgraph.types, "_interrupt_id", None)
    if at <= 0 or not by_id or id_of is None:
        return False
    namespace = configurable.get(NAMESPACE, "")
    return id_of(namespace, at) not in by_id and id_of(namespace, 0) in by_id


def _marked(answer: Any) -> Any:
    return answer if _is_marked(answer) else {MARK: answer}


def _is_marked(answer: Any) -> bool:
    return isinstance(answer, dict) and set(answer) == {MARK}
