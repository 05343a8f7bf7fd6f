"""The JSON that `--json` prints: one class a kind of object. Keys are added from time to time, and never renamed.

Moments are ISO 8601 in UTC; rungs and states are their words; an action is named by its whole key.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, TypedDict

from ladder_graph.cli.aftermath import ReportedDocument, WatchedDocument, moment

if TYPE_CHECKING:
    from ladder_graph import ledger
    from ladder_graph.explaining import Explanation
    from ladder_graph.facts import Question, Route
    from ladder_graph.ladder.desk import Cell
    from ladder_graph.ladder.windows import After


class QuestionDocument(TypedDict):
    """A question that waits: `ladder pending --json`."""

    question: str
    """What `ladder approve` and `ladder decline` take."""
    action: str
    agent: str
    tool: str
    arguments: dict[str, Any]
    thread: str
    reasons: str
    """Why somebody is asked."""
    impact: str
    """low, medium or high."""
    may_answer: list[str]
    """Who may approve, by name or as `role:...`; empty means anybody who is named."""
    typed: str | None
    """The argument whose value must be typed to approve."""
    type_to_approve: str | None
    """What must be typed to approve, in words."""
    decisions: list[str]
    """What may be answered: approve, decline, edit, respond."""
    quorum: int
    """How many different people must approve."""
    approved_by: list[str]
    """Who has so far."""
    not_requester: bool
    """Whoever's run proposed the call may not approve it."""
    requester: str | None
    """Whose run that was, where it is known."""
    asked_at: str
    expires_at: str
    expired: bool
    """Its time is up, which counts as no."""
    digest: str
    """What exactly is asked."""


class ActionDocument(TypedDict):
    """A call and where it is in its life: `ladder show --json`, `ladder suggestions --json`."""

    action: str
    agent: str
    tool: str
    arguments: dict[str, Any]
    """Empty once they were erased."""
    thread: str
    rung: str
    state: str
    why: str
    """Why it wasn't on a higher rung."""
    text: str
    """What the model was told, where the tool's own reply didn't stand."""
    at: str
    updated_at: str
    actor: str
    """The person whose act it was; empty for the agent's own."""
    verdict: str
    """What became of a suggestion: adopted, dismissed, or empty."""


class EntryDocument(TypedDict):
    """One link of the chain: `ladder log --json`."""

    agent: str
    n: int
    """Its place in the agent's chain, from 1."""
    at: str
    kind: str
    action: str
    tool: str
    thread: str
    body: dict[str, Any]
    """What it says; empty once it was erased."""
    hash: str


class LifeDocument(ActionDocument):
    """An action with everything that happened to it: `ladder show --json`."""

    entries: list[EntryDocument]
    window: WatchedDocument | None
    """The window in which it is watched; null where it isn't, or not any more."""
    incidents: list[ReportedDocument]
    """What was last said of each class of mistake in it."""
    saga: str | None
    """The scope that it belongs to; null where there is none."""
    parts: list[ActionDocument]
    """What ran in its place, where it went by a part first: the part, and the rest."""
    proposed_by: str
    """The model that proposed it, in words; empty where nobody knows."""
    environment: str
    """The key of what proposed it."""
    questions: list[dict[str, Any]]
    """Each question about it, with the briefing that was shown."""
    steps: list[dict[str, Any]]
    """What happened, in words."""
    edited_from: str
    """The action that it took the place of; empty where there is none, as for the next two."""
    successor: str
    """The action that took its place."""
    part_of: str
    """The action whose part or rest it is."""
    counted: dict[str, Any]
    """What it counts as for trust, and why."""
    next: list[dict[str, str]]
    """What a person can do about it now, with the command for it."""


class DraftDocument(ActionDocument):
    """A draft in the workspace: `ladder drafts --json`. What it holds, and its arguments, `ladder drafts show` has."""

    kind: str
    """Which drafter drew it: text, email, patch, pull request, sql, config or http."""
    path: str
    sha256: str
    """Of the file when it was written."""
    digest: str
    """Of everything that is shown; it is another one where the draft was drawn anew."""
    labels: list[str]
    draft: str
    """waiting, accepted, part, edited, rejected or superseded."""
    captured_at: str
    """When what it starts from was captured."""
    by: str
    reason: str
    decided_at: str | None
    looked: float | None
    """Seconds that the person looked at it; null where that wasn't measured."""
    runs: str
    """The key of the action that runs; another one where a part was taken or the text edited."""
    ran: str
    """The state of that action."""
    superseded_by: str


class ReasonDocument(TypedDict):
    """What keeps a tool from a higher rung."""

    code: str
    """Stable."""
    text: str


class CellDocument(TypedDict):
    """Where an agent stands with a tool: `ladder status --json`."""

    agent: str
    tool: str
    claimed: str
    """The rung that the policy gives it."""
    ceiling: str
    effective: str
    """The rung it really stands on."""
    reasons: list[ReasonDocument]
    named: bool
    """Whether the policy has an entry for the tool."""
    environment: str
    """What proposed the agent's last call; empty before the first."""
    entry: str | None
    """The entry: the tool's name, or a glob."""
    mistake_micro_usd: int | None
    """What one wrong call costs at most, where the policy says so."""
    beyond_today: int
    """Calls outside its bounds that people let run since midnight, UTC."""
    scope: str
    """The scope of the tool, where its calls are told apart for trust; empty where they aren't."""
    part_first: bool
    """Whether it acts on a part of a call first, where a call has one."""
    watched: int
    """Its actions that are watched, or are to be undone."""
    held: list[str]
    """Its actions that wait for a person: their undo failed, or the watch was blind."""
    messages_in_doubt: list[str]
    """Files of its messages that may have been sent, and aren't tried again."""
    watchers: list[str]
    """The processes that watch, whatever the tool."""
    may_go_up: bool | None
    """In one of its environments every condition for the next rung holds; null in a long ledger, where `ladder trust`
    tells it."""


class WeighedDocument(TypedDict):
    """What one bound says of a call."""

    bound: dict[str, Any]
    """The bound, as the policy has it."""
    held: bool
    """Whether the call is inside it."""
    text: str
    """Why it is outside, or what is left."""
    left: int | None
    """Calls or micro-dollars left in the window before this call; null where nothing is counted."""


class ExplanationDocument(TypedDict):
    """Which rung a call would get, and why: `ladder explain --json`."""

    agent: str
    tool: str
    arguments: dict[str, Any]
    entry: str | None
    """The policy's entry for the tool: its name, or a glob; null where there is none."""
    claimed: str
    """The rung that the policy gives the tool."""
    stands: str
    """The rung that the tool stands on, before any particular call."""
    effective: str
    """The rung that this call would get."""
    reasons: list[ReasonDocument]
    bounds: list[WeighedDocument]
    mistake_micro_usd: int | None
    """What one wrong call costs at most."""
    part_first: bool
    """Whether the tool acts on a part of a call first, where a call has one."""


class DecisionDocument(TypedDict):
    """A call on which a policy decides otherwise: `ladder policy test --json`, `ladder policy diff --json`."""

    tool: str
    arguments: dict[str, Any]
    name: str | None
    """What the case is about."""
    before: str
    """The rung that the case expects, or that the first policy gives."""
    after: str
    """The rung that the policy gives, or the second one."""
    reasons: list[ReasonDocument]
    """Why."""
    missing: list[str]
    """Codes of reasons that the case wants and that aren't there."""


class PointDocument(TypedDict):
    """One thing to know about a finding."""

    text: str
    advice: str
    """What to do about it; empty where there is nothing to do."""


class FindingDocument(TypedDict):
    """One thing that was looked at: `ladder doctor --json`."""

    about: str
    """policy, ledger, revision, drafts, lock, reports, questions, doubt, keys, watchers, held, messages, signals,
    trust, approvals, or a tool's name or glob."""
    verdict: str
    """good, note, or wrong, which is what stops a rung or can't be so."""
    text: str
    points: list[PointDocument]


class VerificationDocument(TypedDict):
    """What a check of the chains found: `ladder verify --json`."""

    ok: bool
    entries: int
    erased: int
    problems: list[str]
    anchors: int


def question(asked: Question, now: dt.datetime) -> QuestionDocument:
    """A question as JSON."""
    return {
        "question": asked.id, "action": asked.call.key, "agent": asked.call.agent, "tool": asked.call.tool,
        "arguments": asked.call.arguments, "thread": asked.call.thread, "reasons": asked.reasons,
        "impact": asked.impact, "may_answer": list(asked.may_answer), "typed": asked.typed,
        "type_to_approve": asked.to_type, "decisions": list(asked.decisions), "quorum": asked.quorum,
        "approved_by": [vote.by.name for vote in asked.votes], "not_requester": asked.not_requester,
        "requester": asked.requester.name if asked.requester else None,
        "asked_at": moment(asked.asked_at), "expires_at": moment(asked.expires_at),
        "expired": now >= asked.expires_at, "digest": asked.digest,
    }  # fmt: skip


def action(of: ledger.Action) -> ActionDocument:
    """An action as JSON."""
    return {
        "action": of.key, "agent": of.agent, "tool": of.tool, "arguments": of.arguments, "thread": of.thread,
        "rung": of.rung.word, "state": str(of.state), "why": of.why, "text": of.text, "at": moment(of.at),
        "updated_at": moment(of.updated), "actor": of.actor, "verdict": of.verdict,
    }  # fmt: skip


def entry(of: ledger.Entry) -> EntryDocument:
    """An entry as JSON."""
    return {
        "agent": of.agent, "n": of.n, "at": moment(of.at), "kind": of.kind, "action": of.action, "tool": of.tool,
        "thread": of.thread, "body": of.body, "hash": of.hash,
    }  # fmt: skip


def draft(of: ledger.Draft) -> DraftDocument:
    """A draft as JSON."""
    said = action(of.action)
    return {
        **said, "kind": of.kind, "path": of.path, "sha256": of.sha256, "digest": of.digest, "labels": list(of.labels),
        "draft": of.state, "captured_at": moment(of.made), "by": of.by, "reason": of.reason,
        "decided_at": None if of.decided is None else moment(of.decided), "looked": of.looked, "runs": of.runs,
        "ran": of.ran, "superseded_by": of.superseded_by,
    }  # fmt: skip


def cell(of: Cell, after: After, *, ceiling: str, may_go_up: bool | None) -> CellDocument:
    """A cell of the matrix as JSON."""
    own = [one for one in after.watched if (one.agent, one.tool) == (of.agent, of.tool)]
    return {
        "agent": of.agent, "tool": of.tool, "claimed": of.claimed.word, "ceiling": ceiling,
        "effective": of.route.rung.word,
        "reasons": reasons(of.route), "named": of.entry is not None, "environment": of.environment, "entry": of.entry,
        "mistake_micro_usd": of.mistake, "beyond_today": of.beyond, "scope": of.scope,
        "part_first": of.part_first,
        "watched": sum(one.phase != "held" for one in own),
        "held": [one.action for one in own if one.phase == "held"],
        "messages_in_doubt": [
            str(one.file) for one in after.doubtful if (one.agent, one.tool) == (of.agent, of.tool)
        ],
        "watchers": [name for name, _ in after.watchers], "may_go_up": may_go_up,
    }  # fmt: skip


def explanation(of: Explanation) -> ExplanationDocument:
    """An explanation as JSON."""
    return {
        "agent": of.call.agent, "tool": of.call.tool, "arguments": of.call.arguments, "entry": of.entry,
        "claimed": of.claimed.word, "stands": of.stands.word, "effective": of.route.rung.word,
        "reasons": reasons(of.route),
        "bounds": [
            {"bound": one.bound.model_dump(mode="json"), "held": one.held, "text": one.text, "left": one.left}
            for one in of.bounds
        ],
        "mistake_micro_usd": of.mistake, "part_first": of.part_first,
    }  # fmt: skip


def decision(of: Explanation, *, before: str, name: str | None, missing: tuple[str, ...]) -> DecisionDocument:
    """A decision that is another one, as JSON."""
    return {
        "tool": of.call.tool, "arguments": of.call.arguments, "name": name, "before": before,
        "after": of.route.rung.word, "reasons": reasons(of.route), "missing": list(missing),
    }  # fmt: skip


def reasons(of: Route) -> list[ReasonDocument]:
    """What keeps a tool from a higher rung, as JSON."""
    return [{"code": reason.code, "text": reason.text} for reason in of.reasons]


def verification(of: ledger.Verification) -> VerificationDocument:
    """A verification as JSON."""
    return {
        "ok": of.ok,
        "entries": of.entries,
        "erased": of.erased,
        "problems": list(of.problems),
        "anchors": of.anchors,
    }


def keys(of: type, *, many: bool = True) -> str:
    """The keys of a kind of object, for the help of a command."""
    start = "--json prints a list of objects with the keys" if many else "--json prints an object with the keys"
    return f"{start} {', '.join(of.__annotations__)}."
