"""Whether reports are read, and whether people hear of them and of what waits, for the doctor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ladder_graph.cli.findings import Finding, Point
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.people.announcing import CHANNEL, SLACK
from ladder_graph.ledger.people.outgoing import MUTE, NOBODY, Message
from ladder_graph.notifying.sending import unready
from ladder_graph.policy.ways import BySlack, Way, spelt
from ladder_graph.scale import Rung
from ladder_graph.slack.sending import unsendable

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder

READ = "`ladder report` lists them, and takes the verdicts"
SEND = "set what is missing where it is sent (`ladder watch`, `sweep`, `console`), and look at what that logs"
NAME = 'name one under [reports]: reader = "..."'
MOST = 1000
"""Unread reports that are counted at most."""


def examine(ladder: Ladder) -> Iterator[Finding]:
    """Look at the reports, and at each way of telling people of them."""
    yield _read(ladder)
    yield from _told(ladder)


def _read(ladder: Ladder) -> Finding:
    policy, now = ladder.policy, ladder.clock()
    unread = ladder.digests("unread", limit=MOST)
    if late := sum(digest.late(now) for digest in unread):
        count = f"{late} of {len(unread)} unread {'is' if late == 1 else 'are'} overdue"
        return Finding("reports", "wrong", f"{count}, so what acted in them went down a rung", (Point("", READ),))
    wanted = [
        name for name, rule in policy.tools.items() if rule.rung is Rung.REPORT and policy.reader_of(rule) is None
    ]
    if wanted:
        text = f"nobody is named to read them, and {', '.join(wanted)} should be reported"
        return Finding("reports", "wrong", text, (Point("", NAME),))
    readers = {name for stream in policy.reports.streams for name in stream.reader}
    if not readers:
        return Finding("reports", "good", "nobody is named to read them, and no tool is to be reported")
    reads = f"{', '.join(sorted(readers))} read{'s' * (len(readers) == 1)} them"
    return Finding("reports", "good", f"{reads}; {len(unread) or 'none'} unread")


def _told(ladder: Ladder) -> Iterator[Finding]:
    """Whether people can be told from here, and whether what was to be told went out: of reports, then of questions."""
    policy = ladder.policy
    ways: list[Way] = [way for stream in policy.reports.streams for way in stream.notify]
    long_ago = micros(ladder.clock()) - MUTE
    untold = [one for one in ladder.untold() if one.error or one.queued_us < long_ago]
    asked = [one for one in untold if one.channel in {CHANNEL, SLACK}]
    if ways:
        yield _heard("notify", ways, [unready(way) for way in ways], [one for one in untold if one not in asked])
    ways = [*policy.questions.notify]
    troubles = [unready(way) for way in ways]
    if any("slack" in rule.confirm.via for rule in policy.tools.values()):
        ways, troubles = [*ways, BySlack()], [*troubles, unsendable(policy)]
    if ways:
        yield _heard("notices", ways, troubles, asked)


def _heard(name: str, ways: Sequence[Way], troubles: Sequence[str], stuck: Sequence[Message]) -> Finding:
    points = [Point(f"{spelt(way)}: {trouble}", SEND) for way, trouble in zip(ways, troubles, strict=True) if trouble]
    points += [
        Point(f"{one.kind} of {one.agent}, tried {one.tries} times: {one.error or NOBODY}", SEND) for one in stuck[:3]
    ]
    said = f"{len(ways)} way{'s' * (len(ways) != 1)} of telling people; {len(stuck) or 'none'} of the messages failed"
    return Finding(name, "wrong" if stuck else "note" if points else "good", said, tuple(points))
