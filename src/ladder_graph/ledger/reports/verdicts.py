"""Reading a digest: one verdict for each action that it shows, by people who are named. Opening it is nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, literal_column, null, select, update

from ladder_graph.answers import same
from ladder_graph.errors import AnswerRefused, UnknownQuestion
from ladder_graph.facts import Person
from ladder_graph.ledger.actions.questions import moment
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.people import outgoing
from ladder_graph.ledger.reports import digests
from ladder_graph.ledger.tables import report_rows, rows
from ladder_graph.policy import Policy

_digest, _report, _action = (
    table_of(model) for model in (report_rows.DigestRow, report_rows.ReportRow, rows.ActionRow)
)
FIND = Sql.of(select(_digest.c.id).where(_digest.c.id.startswith(bindparam("prefix"), autoescape=False)).limit(2))
SHOWN = Sql.of(
    select(_report.c.action, _report.c.verdict, _report.c.by, _action.c.tool)
    .join(_action, _action.c.key == _report.c.action)
    .where(_report.c.digest == bindparam("digest"), _report.c.place.is_not(None))
    .order_by(_report.c.place)
)
GIVE = Sql.of(
    update(_report)
    .where(_report.c.digest == bindparam("b_digest"), _report.c.action == bindparam("b_action"))
    .where(_report.c.verdict == literal_column("''"))
    .values({name: bindparam(name) for name in ("verdict", "by", "said_us", "came")})
)
OPENED = Sql.of(
    update(_digest)
    .where(_digest.c.id == bindparam("b_id"))
    .values({name: bindparam(name) for name in ("by", "note", "looked")})
)
READ = Sql.of(
    update(_digest)
    .where(_digest.c.id == bindparam("b_id"), _digest.c.read_us.is_(None))
    .values(state=literal_column("'read'"), read_us=bindparam("read_us"), next_us=null(), next_boot_us=null())
)
SINGLE = Sql.of(
    select(_digest.c.id)
    .join(_report, _report.c.digest == _digest.c.id)
    .where(_report.c.action == bindparam("action"), _digest.c.about == literal_column("'mess'"))
    .where(_digest.c.state != literal_column("'read'"))
)
LEFT = Sql.of(
    select(func.count())
    .select_from(_report)
    .where(_report.c.digest == bindparam("digest"), _report.c.place.is_not(None))
    .where(_report.c.verdict == literal_column("''"))
)

SAYINGS = ("fine", "look", "undo")


@dataclass(frozen=True, slots=True)
class Given:
    """One verdict that is to be written down."""

    action: str
    tool: str
    verdict: str
    came: str = ""
    """Why its undo isn't to be had."""


@dataclass(frozen=True, slots=True)
class Attention:
    """How a digest was looked at."""

    looked: float | None = None
    """Seconds for which it was open; None where nobody measured that."""
    characters: Mapping[str, int] | None = None
    """Action to how much there was to read of it."""
    note: str = ""


def find(cursor: Cursor, prefix: str) -> Any:
    """The row of the digest whose id begins like this.

    Raises:
        UnknownQuestion: There is none, or more than one.
    """
    found = cursor.execute(FIND, {"prefix": prefix if prefix.isalnum() else "-"}).fetchall()
    if len(found) == 1:
        return digests.row_of(cursor, found[0]["id"])
    if found:
        raise UnknownQuestion(f"more than one report begins with {prefix!r}; write more of the id")
    raise UnknownQuestion(f"there is no report {prefix!r}; `ladder report` lists them")


def meant(
    journal: Journal, cursor: Cursor, policy: Policy, prefix: str, verdicts: Mapping[str, str], person: Person,
    shown: str | None,
) -> tuple[Any, list[Given]]:  # fmt: skip
    """What verdicts are about, held against the digest; what is due about it is done first.

    Args:
        journal: The moment.
        cursor: In a transaction.
        policy: In force.
        prefix: The beginning of the digest's id.
        verdicts: Action, or the beginning of its key, to what is said of it.
        person: Who says it.
        shown: The hash of what they were shown; None where the caller vouches for that.

    Returns:
        The digest's row, and the verdicts that are new.

    Raises:
        UnknownQuestion: There is no such digest, or it doesn't show such an action.
        AnswerRefused: It isn't made or was read, they may not read it, or a verdict can't be taken.
    """
    digests.advance(journal, cursor, policy, find(cursor, prefix)["id"])
    row = find(cursor, prefix)
    _readable(policy, row, person, shown)
    items = cursor.execute(SHOWN, {"digest": row["id"]}).fetchall()
    given = [_given(items, action, verdict) for action, verdict in verdicts.items()]
    before = {one["action"]: one for one in items}
    for one in given:
        earlier = before[one.action]
        if earlier["verdict"] not in {"", one.verdict}:
            raise AnswerRefused(
                f"{earlier['by']} said {earlier['verdict']} of action {one.action[:12]}, and that stands"
            )
    return row, [one for one in given if not before[one.action]["verdict"]]


def _readable(policy: Policy, row: Any, person: Person, shown: str | None) -> None:
    """Whether this person may give verdicts on this digest now.

    Raises:
        AnswerRefused: They may not.
    """
    short = row["id"][:12]
    if row["made_us"] is None:
        ends = moment(row["ends_us"])
        raise AnswerRefused(f"report {short} is open until {ends:%Y-%m-%d %H:%M %Z}; nothing is shown of it before")
    if row["read_us"] is not None:
        raise AnswerRefused(f"report {short} was read before, by {row['by']}")
    if shown is not None and shown != row["hash"]:
        raise AnswerRefused(f"report {short} is not what you were shown; look at it again")
    able = digests.readers_of(policy, row)
    if person.auth == "unverified":
        raise AnswerRefused(f"nobody checked that this is {person.name}, so it can't be said who read report {short}")
    if same(person.name) not in {same(name) for name in able}:
        named = ", ".join(sorted(able)) or "nobody"
        raise AnswerRefused(f"{person.name} may not read report {short} for others: the policy names {named}")
    if same(person.name) in {same(row["agent"]), same(policy.agent)}:
        raise AnswerRefused("an agent never reads the reports on itself")


def _given(items: Sequence[Any], action: str, verdict: str) -> Given:
    if verdict not in SAYINGS:
        raise AnswerRefused(f"{verdict!r} is no verdict; they are {', '.join(SAYINGS)}")
    found = [one for one in items if action and one["action"].startswith(action)]
    if len(found) != 1:
        raise UnknownQuestion(
            f"{len(found) or 'none'} of the actions that the report shows begin{'s' * (not found)} with {action!r}"
        )
    return Given(found[0]["action"], found[0]["tool"], verdict)


def give(
    journal: Journal, cursor: Cursor, row: Any, given: Sequence[Given], person: Person, attention: Attention
) -> bool:
    """Write verdicts down; whether the digest is read by them.

    Args:
        journal: The moment.
        cursor: In a transaction.
        row: The digest's.
        given: The verdicts that are new.
        person: Who says it.
        attention: How they looked.
    """
    each = None if attention.looked is None or not given else attention.looked / len(given)
    for one in given:
        cursor.execute(GIVE, {
            "b_digest": row["id"], "b_action": one.action, "verdict": one.verdict, "by": person.name,
            "said_us": journal.us, "came": one.came,
        })  # fmt: skip
        journal.append(cursor, row["agent"], "acknowledged", one.action, {
            **digests.signed(person), "verdict": one.verdict, "digest": row["id"], "shown": row["hash"], "looked": each,
            "characters": (attention.characters or {}).get(one.action, 0), "reason": attention.note,
            **({"came": one.came} if one.came else {}),
        })  # fmt: skip
    names = list(dict.fromkeys([*filter(None, row["by"].split(", ")), person.name]))
    looked = row["looked"] if attention.looked is None else attention.looked + (row["looked"] or 0.0)
    note = "\n".join(filter(None, [row["note"], attention.note]))
    cursor.execute(OPENED, {
        "b_id": row["id"], "by": ", ".join(names), "note": note,
        "looked": looked,
    })  # fmt: skip
    left = cursor.execute(LEFT, {"digest": row["id"]}).fetchone()[0]
    return not left and _read(journal, cursor, row, names, looked)


def _read(journal: Journal, cursor: Cursor, row: Any, names: list[str], looked: float | None) -> bool:
    """Every verdict is given: it is read, and nothing is at stake any more."""
    cursor.execute(READ, {"b_id": row["id"], "read_us": journal.us})
    if cursor.rowcount != 1:
        return False
    cursor.execute(digests.AWAIT_NO_MORE, {"digest": row["id"]})
    outgoing.settled(cursor, row["id"])
    journal.append(cursor, row["agent"], "read", "", {
        "digest": row["id"], "shown": row["hash"], "by": names, "looked": looked, "due_us": row["due_us"],
    })  # fmt: skip
    return True


def single(cursor: Cursor, action: str) -> str | None:
    """The digest about this one action that waits to be read; None where there is none."""
    row = cursor.execute(SINGLE, {"action": action}).fetchone()
    return None if row is None else str(row["id"])
