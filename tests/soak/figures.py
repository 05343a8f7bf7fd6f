"""The figures of a run, as they are kept: everything that the page says, and nothing else."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from tests.soak.oracle import HUMAN, forsaken, unused
from tests.soak.records import US, Records
from tests.soak.rules import RUNGS
from tests.soak.run import Outcome


def figures(done: Outcome) -> dict[str, Any]:
    """Everything that is told of a run."""
    records, plan = done.records, done.plan
    return {
        "run": {
            "began": f"{dt.datetime.fromtimestamp(done.began, dt.UTC):%Y-%m-%d %H:%M} UTC", "seed": plan.seed,
            "seconds": round(done.seconds), "drained": round(done.drained), "workers": plan.workers,
            "watchers": plan.watchers, "gap": plan.gap, "mutant": plan.mutant, "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "acts": dict(Counter(act.what for act in records.acts)),
        "lives": done.lives,
        "calls": calls(records),
        "throughput": throughput(records, done.began, done.seconds),
        "questions": questions(records),
        "times": times(records),
        "recoveries": recoveries(records),
        "doubts": doubts(records),
        "people": people(records),
        "checks": [{"holds": check.name, "looked_at": check.looked_at, "wrong": check.wrong} for check in done.checks],
    }  # fmt: skip


def calls(records: Records) -> list[dict[str, Any]]:
    """What became of the calls of each tool."""
    found = []
    for tool, rung in RUNGS.items():
        mine = [one for one in records.ledger["actions"] if one["tool"] == tool]
        found.append({
            "tool": tool, "claims": rung, "calls": len(mine),
            "unasked": sum(bool(records.starts(one)) and not records.yes(one) for one in mine),
            "asked": sum(bool(records.asked[one["key"]]) for one in mine),
            "ran": sum(bool(records.starts(one)) for one in mine),
            "effects": sum(one.tool == tool and one.kind == "did" for one in records.happenings),
            "states": dict(sorted(Counter(one["state"] for one in mine).items())),
        })  # fmt: skip
    return found


def throughput(records: Records, began: float, seconds: float) -> dict[str, float]:
    """How much was done while processes were harmed, and in each second of that."""
    over = began + seconds
    counts = {
        "calls": sum(one["at_us"] < over * US for one in records.ledger["actions"]),
        "effects": sum(one.at < over for did in records.did.values() for one in did),
        "entries": sum(one["at_us"] < over * US for one in records.ledger["entries"]),
    }
    return {**counts, **{f"{name} a second": round(count / seconds, 1) for name, count in counts.items()}}


def questions(records: Records) -> dict[str, Any]:
    """What became of the questions."""
    asked = records.ledger["questions"]
    states = Counter("approved, not used in time" if unused(one) else str(one["state"]) for one in asked)
    unsure = sum(one.taken is None for one in records.answers)
    return {
        "states": dict(sorted(states.items())), "answers": len(records.answers),
        "taken": sum(bool(one.taken) for one in records.answers), "unsure": unsure,
        "drafts": dict(sorted(Counter(one["state"] for one in records.ledger["drafts"]).items())),
        "forsaken": sum(one["state"] != "over" and forsaken(records, one) for one in records.ledger["resumptions"]),
    }  # fmt: skip


def times(records: Records) -> dict[str, dict[str, float]]:
    """How long people waited for an agent, and an agent for people, in seconds."""
    answered, resumed, undone = [], [], []
    for question in records.ledger["questions"]:
        if question["answered_us"] and question["by"]:
            answered.append(question["answered_us"] - question["asked_us"])
            began = [entry["at_us"] for entry in records.by_action[question["action"]] if entry["kind"] == "started"]
            resumed += [at - question["answered_us"] for at in began[:1] if question["state"] == "used"]
    ended = {entry["action"]: entry["at_us"] for entry in records.ledger["entries"] if entry["kind"] == "undone"}
    bad = {}
    for one in records.happenings:
        if one.kind == "bad":
            bad.setdefault(one.ticket, one.at * US)
    for ticket, at in bad.items():
        undone += [ended[one["key"]] - at for one in records.meant[ticket] if one["key"] in ended]
    return {
        "from the question to its answer": spread(answered), "from the answer to its run": spread(resumed),
        "from a bad signal to the end of the undo": spread(undone),
    }  # fmt: skip


def spread(found: Sequence[float]) -> dict[str, float]:
    """How many, and the times in seconds that half and ninety-nine in a hundred of them stay below."""
    if not found:
        return {"count": 0}
    ordered = sorted(found)
    at = {
        name: ordered[min(len(ordered) - 1, int(len(ordered) * share))] for name, share in (("p50", 0.5), ("p99", 0.99))
    }
    return {"count": len(ordered), **{name: round(one / US, 2) for name, one in at.items()}}


def recoveries(records: Records) -> dict[str, int]:
    """What others did about actions whose process was gone."""
    entries = records.ledger["entries"]
    said = [entry for entry in entries if "takeover" in entry["said"]]
    moved: dict[str, str] = defaultdict(str)
    for entry in entries:
        moved[entry["action"]] += f" {entry['kind']}"
    again = sum(path.count("paused started") for path in moved.values())
    return {
        "actions that were taken over": len({one["action"] for one in said if one["kind"] == "started"}),
        "of them run again, since nothing had happened": again,
        "of them found to have happened": sum(
            entry["kind"] == "done" and "after a crash" in entry["said"].get("text", "") for entry in entries
        ) + sum(entry["kind"] == "done" and "before a crash" in entry["said"].get("text", "") for entry in entries),
        "undos": len({entry["action"] for entry in entries if entry["kind"] == "undone"}),
        "late words of an owner that was taken for dead": sum(entry["kind"] == "late" for entry in entries),
    }  # fmt: skip


def doubts(records: Records) -> dict[str, Any]:
    """The actions that nobody knew about, and how each ended."""
    mine = {entry["action"] for entry in records.ledger["entries"] if entry["kind"] == "unknown"}
    ended = Counter()
    for action in records.ledger["actions"]:
        if action["key"] in mine:
            took = {True: "it had taken effect", False: "it had not taken effect"}.get(
                records.rulings.get(action["key"])
            )
            ended[f"{action['tool']}: {took or action['state']}"] += 1
    return {"count": len(mine), "ended": dict(sorted(ended.items()))}


def people(records: Records) -> list[str]:
    """What was left to a person, each with its reason."""
    why = {one["action"]: one["why"] for one in records.ledger["watches"] if one["phase"] == "held"}
    return [
        f"{one['tool']} {one['key'][:8]}: {one['state']}, {why.get(one['key'], one['text'])}"
        for one in records.ledger["actions"] if one["state"] in HUMAN or one["key"] in why
    ]  # fmt: skip
