"""Signing in: by a link that the command line prints and that is good once, or by the name a trusted proxy gives."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ladder_graph.errors import AnswerRefused
from ladder_graph.facts import Person
from ladder_graph.ladder.questions import person_of
from ladder_graph.ledger import Journal
from ladder_graph.ledger.access import visits
from ladder_graph.ledger.access.visits import Visit
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.database.cursor import Cursor

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder

_INSIDE = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
"""A path of this server, and no address of another one."""


def sign_in_link(ladder: Ladder, person: str, *, by: str | Person) -> str:
    """Make a link that signs a person in to the console, once, for as long as the policy says (`console.link`).

    Args:
        ladder: Whose console.
        person: Whom it signs in, as the policy names them.
        by: Who gives it to them; a plain name is vouched for by the calling program.

    Returns:
        The link's path, from the console's root: `/signin/…`. Whoever has it is that person.

    Raises:
        AnswerRefused: The policy names people, and not this one; or nobody is named.

    Example:
        >>> from ladder_graph import Ladder
        >>> ladder = Ladder(agent="ops", rungs={}, ledger=":memory:")
        >>> sign_in_link(ladder, "ana", by="ana")[:8]
        '/signin/'
        >>> ladder.close()
    """
    policy, name, giver = ladder.refresh(), person.strip(), person_of(by)
    if not name:
        raise AnswerRefused("nobody is named; say whom the link signs in")
    if policy.people and name not in policy.people:
        raise AnswerRefused(f'the policy doesn\'t know {name}; name them: [people.{name}] console = "reviewer"')
    journal = _journal(ladder)
    ends = journal.us + int(policy.console.link * 1_000_000)
    secret = ladder.store.write(lambda cursor: visits.make_link(journal, cursor, policy.agent, name, giver, ends))
    return f"/signin/{secret}"


def whose(ladder: Ladder, secret: str) -> str | None:
    """Whom a link would sign in; None where it is none, or good no more. It stays good."""
    now = micros(ladder.clock())
    return ladder.store.read(lambda cursor: visits.link_for(cursor, secret, now))


def sign_in(ladder: Ladder, secret: str, before: Visit | None, browser: str) -> tuple[str | None, Visit] | None:
    """Use a link up.

    Args:
        ladder: Whose console.
        secret: The link's.
        before: Who is signed in with this browser so far.
        browser: How it names itself.

    Returns:
        The secret for the cookie (None where the cookie stays: the same person has shown once more that it is them) and
        the visit; None where the link is none or was used.
    """
    journal, policy = _journal(ladder), ladder.refresh()
    ends = journal.us + int(policy.console.session * 1_000_000)

    def work(cursor: Cursor) -> tuple[str | None, Visit] | None:
        name = visits.use_link(journal, cursor, secret)
        if name is None:
            return None
        if before is not None and before.person.name == name:
            visits.again(journal, cursor, policy.agent, before)
            return None, before
        # A new visit gets a new secret: what the browser brought along may be somebody else's.
        if before is not None:
            visits.end(journal, cursor, policy.agent, before.hash, before.person)
        return visits.begin(journal, cursor, policy.agent, Person(name, "console"), ends, browser)

    return ladder.store.write(work)


def sign_in_by_proxy(ladder: Ladder, name: str, browser: str) -> tuple[str, Visit]:
    """Let somebody in whom the proxy has named.

    That they sit there now is not shown by it: the proxy would name them again whoever does. A rung takes a link.
    """
    journal, policy = _journal(ladder), ladder.refresh()
    ends = journal.us + int(policy.console.session * 1_000_000)
    return ladder.store.write(
        lambda cursor: visits.begin(journal, cursor, policy.agent, Person(name, "proxy"), ends, browser, shown=False)
    )


def sign_out(ladder: Ladder, visit: Visit, by: Person) -> bool:
    """End a visit; whether it was one."""
    journal, agent = _journal(ladder), ladder.policy.agent
    return ladder.store.write(lambda cursor: visits.end(journal, cursor, agent, visit.hash, by))


def end_visit(ladder: Ladder, digest: str, by: Person) -> bool:
    """Send somebody away, by the whole hash of their visit; whether there was one."""
    journal, agent = _journal(ladder), ladder.policy.agent
    return ladder.store.write(lambda cursor: visits.end(journal, cursor, agent, digest, by))


def inside(path: str) -> str:
    """Where to go on after signing in: a path of this console, whatever was asked for."""
    return path if _INSIDE.fullmatch(path) and not path.startswith("/signin") else "/"


def _journal(ladder: Ladder) -> Journal:
    return Journal(ladder.store.owner, ladder.refresh().revision, ladder.clock())
