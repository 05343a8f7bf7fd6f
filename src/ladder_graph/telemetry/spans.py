"""Spans for OpenTelemetry: one for each turn of a call at the gate, and inside it one for each run and each undo.

No span is held open while somebody is asked. The turn that asks ends with the event `ladder.asked`; the one that goes
on, in whatever process, has a link to it, which the question was kept with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanContext, Status, StatusCode, TraceFlags, Tracer

from ladder_graph.calls import Call, normalise
from ladder_graph.facts import Outcome, Route
from ladder_graph.states import State
from ladder_graph.steps import Claim, Claimed, Execute, Step, Undo, UndoOutcome
from ladder_graph.telemetry.account import BAD, BROKEN, Account
from ladder_graph.telemetry.catalog import AGENT, REASON, RUNG, STATE, TOOL, VERDICT

_PARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


class Spans:
    """Makes spans of calls.

    Args:
        provider: Makes the tracer; None for the global one.
        arguments: Says which arguments of a call a span carries; None for none.
        threads: Whether a span carries the LangGraph thread.
    """

    def __init__(
        self,
        provider: trace.TracerProvider | None,
        arguments: Callable[[Call], Mapping[str, Any]] | None,
        *,
        threads: bool,
    ) -> None:
        self._tracer = trace.get_tracer("ladder_graph", version("ladder-graph"), provider)
        self._arguments, self._threads = arguments, threads

    def meets(self, call: Call, *, found: bool) -> Turn | None:
        """A turn of a call begins; nobody looks on at one that isn't sampled."""
        del found
        span = self._tracer.start_span(f"ladder {call.tool}")
        if not span.is_recording():
            return None
        said = {AGENT: call.agent, TOOL: call.tool, "gen_ai.tool.call.id": call.id}
        if self._threads:
            said["gen_ai.conversation.id"] = call.thread
        span.set_attributes({**said, "ladder.action": call.key, "ladder.digest": call.digest})
        return Turn(self._tracer, span, call, said, self._arguments)

    def routed(self, call: Call, route: Route, seconds: float) -> None:
        """Nothing: the turn that follows says where the call went."""


class Turn:
    """The span of one turn."""

    def __init__(
        self, tracer: Tracer, span: Span, call: Call, said: Mapping[str, str],
        arguments: Callable[[Call], Mapping[str, Any]] | None,
    ) -> None:  # fmt: skip
        self._tracer, self._span, self._said, self._arguments = tracer, span, said, arguments
        self._account = Account(call)
        self._asked = False
        self._inner: Span | None = None
        self._token: Any = None

    @property
    def trace(self) -> str:
        """The span as a W3C `traceparent`."""
        here = self._span.get_span_context()
        return f"00-{here.trace_id:032x}-{here.span_id:016x}-{here.trace_flags:02x}" if here.is_valid else ""

    def before(self, step: Step) -> None:
        """A run or an undo begins."""
        self._account.before(step)
        match step:
            case Execute():
                self._enter(f"execute_tool {step.call.tool}", {
                    "gen_ai.operation.name": "execute_tool", "gen_ai.tool.type": "function", **self._shown(step.call),
                })  # fmt: skip
            case Undo():
                self._enter(f"undo {step.call.tool}", {})

    def after(self, step: Step, answer: Any) -> None:
        """What came of a step, where it is worth an event or ends a span."""
        self._account.after(step, answer)
        if self._account.question is not None and not self._asked:
            self._posed()
        match step, answer:
            case Claim(), Claimed():
                self._span.add_event("ladder.started")
            case Execute(), Outcome():
                self._leave(answer.kind)
            case Undo(), UndoOutcome():
                self._leave(str(answer.state))

    def over(self, came: Any, *, cut: bool) -> None:
        """The turn is over."""
        account, state = self._account, self._account.state(came, cut=cut)
        self._leave(BROKEN)
        self._span.set_attributes({RUNG: account.rung, STATE: state, REASON: list(account.reasons)})
        if account.earned:
            self._span.set_attribute("ladder.standing", account.earned)
        if account.decided is not None:
            self._span.set_attribute("ladder.decision.seconds", account.decided)
        if state != State.ASKED and (answered := account.answered()) is not None:
            self._span.add_event("ladder.answered", {VERDICT: answered.verdict, "ladder.waited": answered.seconds})
        _judged(self._span, state)
        self._span.end()

    def _posed(self) -> None:
        """A question was asked, or one goes on that an earlier turn asked."""
        question = self._account.question
        assert question is not None  # noqa: S101  # narrows the type
        self._asked = True
        if question.fresh:
            left = (question.expires_at - question.asked_at).total_seconds()
            self._span.add_event("ladder.asked", {"ladder.expires": left})
        elif (asked := _context(question.trace)) is not None:
            self._span.add_link(asked, {"ladder.link": "asked"})

    def _enter(self, name: str, more: Mapping[str, str]) -> None:
        """A span inside, which whatever runs now sees as its parent."""
        inside = trace.set_span_in_context(self._span)
        self._inner = self._tracer.start_span(name, inside, attributes={**self._said, **more})
        self._token = context.attach(trace.set_span_in_context(self._inner))

    def _leave(self, state: str) -> None:
        inner, self._inner = self._inner, None
        if inner is None:
            return
        context.detach(self._token)
        _judged(inner, state)
        inner.end()

    def _shown(self, call: Call) -> dict[str, str]:
        if self._arguments is None:
            return {}
        try:
            said = json.dumps(normalise(self._arguments(call)), ensure_ascii=False)
        except Exception as wrong:  # noqa: BLE001  # a function of the user's, which costs the span its arguments alone
            said = f"{type(wrong).__name__}: they can't be told"
        return {"gen_ai.tool.call.arguments": said}


def _judged(span: Span, state: str) -> None:
    """Say of a span what came of it. What was said in words isn't told: it may quote an argument."""
    span.set_attribute(STATE, state)
    if state in BAD:
        span.set_attribute("error.type", state)
        span.set_status(Status(StatusCode.ERROR))


def _context(parent: str) -> SpanContext | None:
    """The span that a `traceparent` names; None where it names none."""
    found = _PARENT.fullmatch(parent)
    if found is None:
        return None
    ids = int(found[1], 16), int(found[2], 16)
    named = SpanContext(*ids, is_remote=True, trace_flags=TraceFlags(int(found[3], 16)))
    return named if named.is_valid else None
