"""What must hold of a policy as a whole: mistakes that span several of its parts, each told at one of them.

They are looked for in a policy that was read, and in what is left of one with other mistakes: there a part that isn't
right has no value, and whatever needs it isn't looked for.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from ladder_graph.policy import globs
from ladder_graph.policy.mistakes import BESIDE, Mistake
from ladder_graph.policy.ways import spelt

if TYPE_CHECKING:
    from ladder_graph.policy.model import Policy
    from ladder_graph.policy.rules import Rule

ROLE = "role:"
"""What a role begins with, where it stands among the names of people."""


def tied(entries: Iterable[str]) -> Iterator[Mistake]:
    """Globs of which neither wins over the other for some name."""
    for one, other in globs.ties(entries):
        text = f"is as specific as {BESIDE}, and one name can fit both; make one of them longer"
        yield Mistake(("tools", one), text, ("tools", other))


def unanswerable(policy: Policy) -> Iterator[Mistake]:
    """Tools whose questions nobody could answer: by roles, by numbers, or by labels."""
    for tool, rule in policy.tools.items():
        for look in (_roles, _number, _cleared):
            with suppress(AttributeError):
                # Too few people are a consequence of a role that nobody has.
                if found := list(look(policy, tool, rule)):
                    yield from found
                    break


def unheard(policy: Policy) -> Iterator[Mistake]:
    """Tools whose reports would go nowhere."""
    for tool, rule in policy.tools.items():
        with suppress(AttributeError):
            known = list(policy.reports.channels)
            if rule.channel is not None and rule.channel not in known:
                hint = near(rule.channel, known) or f'add one, as in [reports.channels.{rule.channel}] reader = "…"'
                yield Mistake(("tools", tool, "channel"), f"there is no report channel {rule.channel!r}; {hint}")


def let_in(policy: Policy) -> Iterator[Mistake]:
    """A proxy that lets people in to the console, and nobody named who may do something there."""
    with suppress(AttributeError):
        if policy.console.proxy_header and not policy.people:
            text = 'lets in nobody, for the policy names no people; name them, as in [people.ana] console = "reviewer"'
            yield Mistake(("console", "proxy_header"), text)


def chatted(policy: Policy) -> Iterator[Mistake]:
    """Tools that are to be answered in Slack and can't be: too much is at stake, or nothing is set up for it."""
    with suppress(AttributeError):
        for tool, rule in policy.tools.items():
            if "slack" in rule.confirm.via and (text := _unfit(policy, rule)):
                yield Mistake(("tools", tool, "confirm", "via"), text)
    with suppress(AttributeError):
        known: dict[str, str] = {}
        for name, person in policy.people.items():
            if person.slack is not None and (first := known.setdefault(person.slack, name)) != name:
                text = f"is the same member of Slack as {BESIDE}; an answer from there would be both of them"
                yield Mistake(("people", first, "slack"), text, ("people", name, "slack"))


def twice_told(policy: Policy) -> Iterator[Mistake]:
    """Ways of telling people of questions that stand there twice, of which the second tells nothing more."""
    known: dict[str, int] = {}
    for place, way in enumerate(getattr(getattr(policy, "questions", None), "notify", ())):
        with suppress(AttributeError):
            if (first := known.setdefault(spelt(way), place)) != place:
                text = f"is the same way as {BESIDE}; keep one, and say in its on what it tells"
                yield Mistake(("questions", "notify", first), text, ("questions", "notify", place))


def _unfit(policy: Policy, rule: Rule) -> str:
    """Why a tool's questions can't be answered in Slack; empty where they can."""
    if rule.impact != "low":
        return f"answers are taken in Slack for low impact only, and this tool's is {rule.impact}; take the via away"
    if rule.confirm.type is not None:
        return f"nobody can type the {rule.confirm.type} in a message; take the type or the via away"
    if not policy.slack.sends:
        return 'there is nowhere to send a question to; add [slack] webhook_env = "…", or token_env and channel'
    if policy.slack.signing_secret_env is None:
        return 'nobody could tell a genuine answer; add [slack] signing_secret_env = "…"'
    if not any(person.slack for person in policy.people.values()):
        return 'nobody is known in Slack; say who is who, as in [people.ana] slack = "U0123ABCD"'
    return ""


def near(name: str, known: Iterable[str]) -> str:
    """Which known name was probably meant, as a question; empty where none is near."""
    found = difflib.get_close_matches(name, list(known), 1)
    return f"did you mean {found[0]!r}?" if found else ""


def _roles(policy: Policy, tool: str, rule: Rule) -> Iterator[Mistake]:
    asked = [(place, one.removeprefix(ROLE)) for place, one in enumerate(rule.confirm.by) if one.startswith(ROLE)]
    known = sorted({role for person in policy.people.values() for role in person.roles}) if asked else []
    for place, role in asked:
        if role not in known:
            hint = near(role, known) or 'give it to somebody, as in [people.ana] roles = ["…"]'
            yield Mistake(("tools", tool, "confirm", "by", place), f"nobody has the role {role!r}; {hint}")


def _number(policy: Policy, tool: str, rule: Rule) -> Iterator[Mistake]:
    able = policy.able(rule.confirm.by)
    if rule.confirm.by and rule.confirm.quorum > len(able):
        text = f"{rule.confirm.quorum} people must approve, and only {', '.join(sorted(able))} may"
        yield Mistake(("tools", tool, "confirm", "quorum"), text)


def _cleared(policy: Policy, tool: str, rule: Rule) -> Iterator[Mistake]:
    able = {name for name in policy.people if not policy.withheld(rule, name)}
    able &= policy.able(rule.confirm.by) or able
    if rule.labels and len(able) < rule.confirm.quorum:
        held = f"only {', '.join(sorted(able))} may" if able else "nobody may"
        text = (
            f"{rule.confirm.quorum} must answer and hold {', '.join(rule.labels)}, and {held}; give them to somebody, "
            'as in [people.ana] labels = ["…"]'
        )
        yield Mistake(("tools", tool, "labels"), text)
