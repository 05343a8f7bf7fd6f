"""A draft on the screen and in the editor. Whatever is in it is printed so that nothing of it acts."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from ladder_graph.cli import documents
from ladder_graph.cli.aftermath import moment
from ladder_graph.cli.screen import QUIET, clock, span
from ladder_graph.errors import AnswerRefused, ArgumentsError, LadderError
from ladder_graph.wording import inert

if TYPE_CHECKING:
    import datetime as dt

    from ladder_graph.cli.screen import Screen
    from ladder_graph.drafting import Change, Line
    from ladder_graph.ladder.drafts import DraftView
    from ladder_graph.ledger import Draft

WORDS = {
    "waiting": "waiting", "accepted": "accepted", "part": "accepted in part", "edited": "edited and accepted",
    "rejected": "rejected", "superseded": "superseded",
}  # fmt: skip
"""What became of a draft, in words."""
_SIGNS = {"same": (" ", ""), "gone": ("-", "red"), "new": ("+", "green")}


def card(out: Screen, draft: Draft, now: dt.datetime) -> None:
    """One draft of a list, without what it holds."""
    action = draft.action
    out.heading(f"{action.agent} drafted {action.tool}", action.short)
    out.fields([(label, value) for label, value in _facts(draft, now) if value])


def _facts(draft: Draft, now: dt.datetime) -> list[tuple[str, str]]:
    state = WORDS[draft.state]
    if draft.ran:
        state = f"{state}, not run yet" if draft.ran == "approved" else f"{state}, and it is {draft.ran}"
    if draft.superseded_by:
        state = f"{state} by {draft.superseded_by[:12]}"
    looked = "" if draft.looked is None else span(draft.looked)
    return [
        ("state", state), ("labels", ", ".join(draft.labels)), ("file", draft.path),
        ("captured", f"{clock(draft.made)}, {span((now - draft.made).total_seconds())} ago"), ("by", draft.by),
        ("decided", "" if draft.decided is None else clock(draft.decided)), ("looked", looked),
        ("reason", draft.reason), ("digest", draft.digest[:12]),
    ]  # fmt: skip


def show(out: Screen, view: DraftView, now: dt.datetime) -> None:
    """A whole draft: facts, changes, what accepting does, and what became of it."""
    out.heading(view.title, view.draft.action.short)
    facts = _facts(view.draft, now)
    facts.insert(0, ("drafted by", f"{view.draft.action.agent}, with {view.draft.action.tool}"))
    if view.source:
        facts.insert(1, ("against", view.source))
    if view.withheld:
        out.fields([(label, value) for label, value in facts if value and label in _OPEN])
        out.gap()
        out.note(f"It isn't shown: {view.withheld}.")
        out.gap()
        return
    out.fields([(label, value) for label, value in facts if value])
    if view.facts:
        out.gap()
        out.fields([(name, inert(value)) for name, value in view.facts])
    for note in (*view.notes, *_file(view)):
        out.gap()
        out.note(note)
    for change in view.changes:
        _change(out, change, numbered=not view.whole)
    out.gap()
    if view.texts is not None:
        out.note(_ask(view))
    if view.draft.state == "waiting":
        out.note(view.will)
    _record(out, view)
    out.gap()


_OPEN = frozenset({"drafted by", "state", "labels", "captured", "by", "decided"})
"""What everybody sees of a draft."""


def _ask(view: DraftView) -> str:
    count = len(view.changes)
    if view.whole:
        return "It can only be accepted whole, edited, or rejected."
    return f"{count} change{'s' * (count != 1)}. Take or leave each one; what is left out is told to the agent."


def _file(view: DraftView) -> list[str]:
    """What is to be said of the file in the workspace: it is a copy, and nothing is decided by it."""
    try:
        data = Path(view.draft.path).read_bytes()
    except OSError as wrong:
        return [f"Its file can't be read: {wrong.strerror}. The recorded call is what accepting would run."]
    if hashlib.sha256(data).hexdigest() == view.draft.sha256:
        return []
    return ["The file was changed since it was written. Accepting runs the recorded call, not what the file says now."]


def _change(out: Screen, change: Change, *, numbered: bool) -> None:
    out.gap()
    where = inert(change.heading)
    out.line(Text(f"{change.number}  {where}" if numbered else where, style="bold"))
    for line in change.lines:
        out.line(_line(line), 4)


def _line(line: Line) -> Text:
    sign, style = _SIGNS[line.sign]
    found, at = Text(f"{sign} ", style=style), 0
    for begin, end in line.marks:
        found.append(inert(line.text[at:begin]), style=style)
        found.append(inert(line.text[begin:end]), style=f"bold underline {style}")
        at = end
    found.append(inert(line.text[at:]), style=style)
    if not line.ended and line.sign != "same":
        found.append("  (no line end)", style=QUIET)
    return found


def _record(out: Screen, view: DraftView) -> None:
    record = view.record
    if record is None or record.state == "waiting":
        return
    rows = [("left out", inert(one)) for one in record.left]
    rows += [("it came to", f"{record.ran} {inert(record.ran_text)}".strip())] if record.ran else []
    rows += [("runs as", record.runs[:12])] if record.runs not in {"", view.draft.action.key} else []
    rows += [("told", "the agent was not told yet" if record.told is None else f"the agent, {clock(record.told)}")]
    out.gap()
    out.fields(rows)


def document(view: DraftView) -> dict[str, Any]:
    """A draft with everything in it, as JSON; what is withheld is null."""
    record = view.record
    return {
        **documents.draft(view.draft), "title": view.title, "withheld": view.withheld or None, "source": view.source,
        "facts": [list(one) for one in view.facts], "notes": list(view.notes), "whole": view.whole, "will": view.will,
        "changes": [
            {"number": one.number, "piece": one.piece, "heading": one.heading,
             "lines": [{"sign": line.sign, "text": line.text, "marks": [list(mark) for mark in line.marks],
                        "ended": line.ended} for line in one.lines]}
            for one in view.changes
        ],
        "texts": None if view.texts is None else dict(view.texts), "artifact": view.artifact,
        "arguments": view.arguments or {},
        "record": None if record is None else {
            "left_out": list(record.left), "ran": record.ran, "ran_text": record.ran_text,
            "told_at": None if record.told is None else moment(record.told),
            "events": [{"at": moment(one.at), "kind": one.kind, "by": one.by} for one in record.events],
        },
    }  # fmt: skip


# --- the editor --------------------------------------------------------------------------------------------------


def piece_of(view: DraftView, name: str | None) -> str:
    """The piece of a draft that is edited.

    Raises:
        AnswerRefused: There are several and none was named, or there is no such one.
    """
    names = [*(view.texts or {})]
    if name is None and len(names) == 1:
        return names[0]
    if name not in names:
        raise AnswerRefused(f"say which text with --piece: {', '.join(inert(one) for one in names)}")
    return str(name)


def typed(text: str, path: str) -> str:
    """A text as a person left it in their editor.

    Raises:
        LadderError: There is no editor, it failed, or nothing was changed.
    """
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not command:
        raise LadderError("no editor is named; set EDITOR, as in EDITOR=vi ladder drafts edit ACTION")
    with tempfile.TemporaryDirectory(prefix="ladder-draft-") as directory:
        file = Path(directory) / f"draft{Path(path).suffix}"
        file.write_bytes(text.encode())
        file.chmod(0o600)
        try:
            done = subprocess.run([*shlex.split(command), str(file)], check=False)  # noqa: S603  # the person's own editor
        except (OSError, ValueError) as wrong:
            raise LadderError(f"the editor {command!r} can't be run: {wrong}") from wrong
        if done.returncode:
            raise LadderError(f"the editor {command!r} ended with {done.returncode}; nothing was done")
        try:
            found = file.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as wrong:
            raise LadderError(f"what the editor left can't be read: {wrong}; nothing was done") from wrong
    if found == text:
        raise LadderError("nothing was changed; to accept the draft as it is, use `ladder drafts accept`")
    return found


def typed_arguments(arguments: Any) -> dict[str, Any]:
    """Arguments as a person left them in their editor.

    Raises:
        ArgumentsError: They are no JSON object.
    """
    said = typed(json.dumps(arguments, indent=2, ensure_ascii=False, default=str) + "\n", "arguments.json")
    try:
        found = json.loads(said)
    except ValueError as wrong:
        raise ArgumentsError(f"what the editor left is no JSON: {wrong}") from wrong
    if not isinstance(found, dict):
        raise ArgumentsError("what the editor left is no JSON object with the arguments")
    return found
