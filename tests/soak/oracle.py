"""What must hold after a soak, whatever was killed when. Nothing here asks the product what it thinks of itself.

Each check is a generator over what it looked at: None where it holds, and else what is wrong, in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from tests.soak import limits
from tests.soak.records import US, Records

Found = Iterator[str | None]

OVER = {"suggested", "drafted", "declined", "edited", "superseded", "responded", "expired", "refused", "asked"}
"""States in which nothing ran."""
UNDER_WAY = {"started", "paused", "undoing", "approved"}
"""States that nothing stays in once everybody is alive again."""
HUMAN = {"undo_conflict", "undo_failed"}
"""States that say: a person must look."""


@dataclass
class Check:
    """One thing that must hold, and what was found."""

    name: str
    looked_at: int = 0
    wrong: list[str] = field(default_factory=list)


def effects_once(records: Records) -> Found:
    """Each call of the model took effect at most once for each action that was allowed to."""
    for ticket, did in records.did.items():
        allowed = [one for one in records.meant[ticket] if records.starts(one)]
        repeats = _repeats(records, ticket)
        if len(did) > len(allowed):
            yield f"{ticket}: {len(did)} effects of {len(allowed)} actions that were claimed"
        elif len({one.call for one in did}) < len(did) and not repeats:
            yield f"{ticket}: one tool call took effect twice"
        else:
            yield None


def once_in_files(records: Records) -> Found:
    """No file was written to, and no message posted or sent, more often than actions were allowed to."""
    for ticket, lines in records.files.items():
        yield f"{ticket}: its file has {lines} lines" if lines > _claimed(records, ticket) else None
    for ticket, places in records.mails.items():
        yield f"{ticket}: posted {dict(places)}" if places.total() > _claimed(records, ticket) else None
    for ticket, came in records.came.items():
        if came["mailed"]:
            more = came["mailed"] > _claimed(records, ticket)
            yield f"{ticket}: sent {came['mailed']} times" if more else None


def second_actions(records: Records) -> Found:
    """The same thing ran under another id only after the first was gone without effect, or a person said so."""
    for ticket, actions in records.meant.items():
        began = sorted((one for one in actions if records.starts(one)), key=lambda one: records.starts(one)[0]["at_us"])
        for before, after in pairwise(began):
            if before["state"] in {"failed", "undone"} or records.yes(after) or records.yes(before):
                yield None
            else:
                yield f"{ticket}: ran as {before['key'][:8]} ({before['state']}) and as {after['key'][:8]}"


def undone_once(records: Records) -> Found:
    """No undo took anything back more often than it was done."""
    for ticket, came in records.came.items():
        if came["undid"]:
            more = came["undid"] > came["did"]
            yield f"{ticket}: undone {came['undid']} times, done {came['did']} times" if more else None


def written_down_before(records: Records) -> Found:
    """No effect is there that the ledger didn't know of before."""
    for ticket, did in records.did.items():
        begun = [start["at_us"] for one in records.meant[ticket] for start in records.starts(one)]
        yield None if begun and min(begun) <= did[0].at * US else f"{ticket}: nothing was on record before its effect"


def ends(records: Records) -> Found:
    """Each action came to an end that says what is in the world."""
    for action in records.ledger["actions"]:
        yield _mismatch(records, action)


def _mismatch(records: Records, action) -> str | None:
    state, ticket, tool = action["state"], records.ticket(action), action["tool"]
    said = f"{tool} {ticket} ({action['key'][:8]}) is {state}"
    if state in UNDER_WAY:
        again = state == "approved" and len(records.meant[ticket]) > 1
        return None if again else f"{said}, with everybody alive"
    if state in OVER and records.starts(action):
        return f"{said}, and was started"
    others = [one for one in records.meant[ticket] if one is not action and one["state"] not in OVER]
    if others or state in HUMAN:
        return None
    net = records.net(ticket, tool)
    if state in OVER | {"failed", "undone"} and net:
        return f"{said}, and its effect is there ({net})"
    return f"{said}, and its effect is not there" if state == "done" and net != 1 else None


def bad_ones(records: Records) -> Found:
    """Whatever turned bad was undone, or a person was told why not."""
    for ticket, came in records.came.items():
        if not came["bad"]:
            continue
        for action in records.meant[ticket]:
            if action["state"] in OVER | {"failed"}:
                continue
            held = any(one["action"] == action["key"] and one["phase"] == "held" for one in records.ledger["watches"])
            if (action["state"] == "undone" and records.net(ticket, action["tool"]) == 0) or (
                action["state"] in HUMAN and held
            ):
                yield None
            else:
                yield f"{action['tool']} {ticket} ({action['key'][:8]}) was bad, and is {action['state']}"


def questions(records: Records) -> Found:
    """Each question is answered, is void, or is still open; a yes ran once, and a no never."""
    actions = {one["key"]: one for one in records.ledger["actions"]}
    for question in records.ledger["questions"]:
        action, state = actions[question["action"]], question["state"]
        ran, said = bool(records.starts(action)), f"question {question['id']} about {action['tool']} is {state}"
        if state == "used" and not ran:
            yield f"{said}, and its action {action['key'][:8]} never ran"
        elif state in {"declined", "expired", "responded", "edited"} and ran and not records.yes(action):
            yield f"{said}, and its action {action['key'][:8]} ran"
        elif state == "approved" and action["state"] not in OVER and len(records.meant[records.ticket(action)]) == 1:
            yield f"{said}, and nobody went on with it"
        else:
            yield None


SAID = {"run": {"used", "approved"}, "decline": {"declined"}, "edit": {"edited"}}
"""What a question is after somebody said so."""


def unused(question) -> bool:
    """Whether somebody said yes, and its time was up before it ran: then it is void."""
    return question["state"] == "expired" and bool(question["by"])


def answers(records: Records) -> Found:
    """What the console took is what the ledger holds."""
    now = {one["id"]: one for one in records.ledger["questions"]}
    for one in records.answers:
        if one.taken:
            found = now[one.question]
            late = one.verdict == "run" and unused(found)
            kept = found["state"] in SAID[one.verdict] or late or _void(records, found)
            yield None if kept else f"{one.by} said {one.verdict} to {one.question}, and it is {found['state']}"


def _void(records: Records, question) -> bool:
    """Whether a question was asked anew since what was approved wasn't what would have run."""
    return any(entry["said"].get("void") == question["id"] for entry in records.by_action[question["action"]])


def forsaken(records: Records, resumption) -> bool:
    """Whether its thread lost the very turn that asked, and the model said the same again under another id."""
    action = next(one for one in records.ledger["actions"] if one["key"] == resumption["action"])
    return len(records.meant[records.ticket(action)]) > 1


def gone_on(records: Records) -> Found:
    """Every thread that was answered has gone on, but for one that has lost in a crash what it had asked."""
    for one in records.ledger["resumptions"]:
        if one["state"] == "over" or forsaken(records, one):
            yield None
        else:
            yield f"thread {one['thread']}, {one['tool']}, {one['why']}: {one['state']} {one['problem']}"


def accepted_drafts(records: Records) -> Found:
    """An accepted draft ran once, a discarded one never, and each waits or has an end."""
    actions = {one["key"]: one for one in records.ledger["actions"]}
    for draft in records.ledger["drafts"]:
        ran = bool(records.starts(actions[draft["runs"] or draft["action"]]))
        wrong = (draft["state"] == "accepted") != ran
        yield (
            f"draft {draft['action'][:8]} is {draft['state']}, and {'ran' if ran else 'did not run'}" if wrong else None
        )
    said = {draft["action"]: draft["state"] for draft in records.ledger["drafts"]}
    for action, verdict, taken in records.drafts:
        if taken:
            wanted = "accepted" if verdict == "use" else "rejected"
            yield None if said[action] == wanted else f"draft {action[:8]}: {verdict}, and it is {said[action]}"


def reports(records: Records) -> Found:
    """Whatever ran on rung 5 is in a report."""
    filed = {one["action"] for one in records.ledger["reports"]}
    for action in records.ledger["actions"]:
        if action["rung"] == 5 and records.starts(action):
            yield None if action["key"] in filed else f"{action['key'][:8]} ran on rung 5, and is in no report"


def on_its_rung(records: Records) -> Found:
    """What asks, drafts or only suggests never ran unasked."""
    for action in records.ledger["actions"]:
        if action["tool"] in {"advise", "propose", "pay"}:
            unasked = bool(records.starts(action)) and not records.yes(action)
            yield f"{action['tool']} {action['key'][:8]} ran unasked" if unasked else None


def windows_over(records: Records) -> Found:
    """Every window has come to an end, or is a person's."""
    for one in records.ledger["watches"]:
        ended = one["phase"] not in {"armed", "open", "undo"}
        yield None if ended else f"the window of {one['tool']} {one['action'][:8]} is still {one['phase']}"


def _claimed(records: Records, ticket: str) -> int:
    return sum(bool(records.starts(one)) for one in records.meant[ticket])


def _repeats(records: Records, ticket: str) -> bool:
    """Whether several actions of one ticket bear the same tool call id."""
    calls = [one["call_id"] for one in records.meant[ticket]]
    return len(set(calls)) < len(calls)


CHECKS: tuple[Callable[[Records], Found], ...] = (
    effects_once, once_in_files, second_actions, undone_once, written_down_before, ends, bad_ones, questions, answers,
    gone_on, accepted_drafts, reports, on_its_rung, windows_over, *limits.CHECKS,
)  # fmt: skip


def checked(records: Records) -> list[Check]:
    """Everything that must hold, with what was found."""
    done = []
    for look in CHECKS:
        check = Check((look.__doc__ or "").strip())
        for wrong in look(records):
            check.looked_at += 1
            if wrong is not None:
                check.wrong.append(wrong)
        done.append(check)
    return done
