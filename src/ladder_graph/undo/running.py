"""Making an undo before the action and running it after, without ever overwriting what somebody else changed.

The artifact names the functions of the undo by import path, so that any process that has it can undo.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

from ladder_graph.calls import Call
from ladder_graph.errors import UndoConflict
from ladder_graph.policy.units import spell_seconds
from ladder_graph.references import at_home, reference, resolve
from ladder_graph.states import State
from ladder_graph.steps import LATE, NOTHING_TO_UNDO, UndoOutcome, Unprepared
from ladder_graph.tools import Arguments, Declaration

FORM = 1
"""The form of the artifact; another one is not run."""
FOREIGN = "it was changed by somebody else after the action"
"""The text of a conflict that the fingerprint shows."""
SKIPPED = "skipped: "
"""How the text of an undo starts that wasn't tried."""

Came = Literal["undone", "no-op", "conflict", "failed", "skipped"]
"""What came of an undo, in one word more than its state tells."""


def word_of(outcome: UndoOutcome) -> Came:
    """What came of an undo.

    Example:
        >>> word_of(UndoOutcome(State.UNDONE, NOTHING_TO_UNDO))
        'no-op'
    """
    if outcome.text.startswith(SKIPPED):
        return "skipped"
    match outcome.state:
        case State.UNDONE:
            return "no-op" if outcome.text == NOTHING_TO_UNDO else "undone"
        case State.UNDO_CONFLICT:
            return "conflict"
        case _:
            return "failed"


def prepare(call: Call, declaration: Declaration) -> dict[str, Any] | Unprepared:
    """Make the undo artifact.

    Returns:
        A JSON value, or why there is none. In the artifact stand `state` (what the tool's prepare returned), `before`
        (the resource's fingerprint), `undo` and `fingerprint` (import paths, None where another process can't run the
        undo), `conditional`, `kind`, `ttl` (seconds), `resource`, `version` and `home` as declared, and `form`.
    """
    # A copy, since what runs is what was decided about, whatever the tool's author does to it here.
    return prepared(declaration, copy.deepcopy(call.arguments))


def prepared(declaration: Declaration, arguments: Arguments) -> dict[str, Any] | Unprepared:
    """As `prepare`, from the arguments alone, which may be changed."""
    if declaration.prepare is None or declaration.undo is None:
        return Unprepared("the tool declares no undo")
    try:
        state = declaration.prepare(arguments)
        artifact = _artifact(declaration, state)
        # What doesn't survive JSON can't be undone by another process.
        survived: dict[str, Any] = json.loads(json.dumps(artifact))
    except Exception as wrong:  # noqa: BLE001  # any tool author's code; whatever it raises, nothing runs
        return Unprepared(f"{type(wrong).__name__}: {wrong}")
    return survived


def _artifact(declaration: Declaration, state: Any) -> dict[str, Any]:
    undo, fingerprint = declaration.undo, declaration.fingerprint
    portable = declaration.portable
    return {
        "form": FORM,
        "state": state,
        "before": _text("fingerprint", fingerprint, state),
        "undo": reference(undo) if undo and portable else None,
        "fingerprint": reference(fingerprint) if fingerprint and portable else None,
        "conditional": declaration.conditional,
        "kind": declaration.nature,
        "ttl": declaration.ttl,
        "resource": _text("resource", declaration.resource, state),
        "version": declaration.version,
        "home": declaration.home,
    }


def _text(name: str, part: Callable[[Any], Any] | None, state: Any) -> str | None:
    """What names a thing is text; after the action, nothing could be done about anything else any more."""
    found = part(state) if part else None
    if found is not None and not isinstance(found, str):
        raise TypeError(f"{name} must give text, as json.dumps does, and gave {type(found).__name__}")
    return found


def touched(declaration: Declaration, artifact: Mapping[str, Any]) -> str | None:
    """The resource's fingerprint right after the action; None where the tool declares none or can't tell."""
    if declaration.fingerprint is None:
        return None
    try:
        return _text("fingerprint", declaration.fingerprint, artifact["state"])
    except Exception:  # noqa: BLE001  # not knowing is an answer, and the undo deals with it
        return None


def undo(
    declaration: Declaration, artifact: Mapping[str, Any], after: str | None, *, age: float = 0.0
) -> UndoOutcome:  # fmt: skip
    """Undo, unless there is nothing to do or somebody else changed the resource meanwhile.

    Args:
        declaration: The tool's.
        artifact: As `prepare` made it.
        after: The fingerprint right after the action, or None where the process died before it was taken.
        age: Seconds since the action started. Beyond the ttl nothing is touched.
    """
    if declaration.undo is None:
        return UndoOutcome(State.UNDO_FAILED, "the tool's undo isn't declared in this process")
    with at_home(str(artifact.get("home") or "")):
        return _undo(declaration.undo, declaration.fingerprint, artifact, after, age)


def undo_from(artifact: Mapping[str, Any], after: str | None, *, age: float = 0.0) -> UndoOutcome:
    """As `undo`, in any process, from the artifact alone."""
    if artifact.get("form") != FORM or not artifact.get("undo"):
        return UndoOutcome(State.UNDO_FAILED, "the artifact names no undo that another process could run")
    try:
        with at_home(str(artifact["home"])):
            put_back = resolve("undo", artifact["undo"])
            now = resolve("fingerprint", artifact["fingerprint"]) if artifact["fingerprint"] else None
            return _undo(put_back, now, artifact, after, age)
    except Exception as wrong:  # noqa: BLE001  # a tampered artifact, or a module that can't be imported
        return UndoOutcome(State.UNDO_FAILED, f"{type(wrong).__name__}: {wrong}")


def touched_from(artifact: Mapping[str, Any]) -> str | None:
    """The resource's fingerprint at this moment, in any process, from the artifact alone; None where it can't tell."""
    try:
        with at_home(str(artifact["home"])):
            return _text("fingerprint", resolve("fingerprint", artifact["fingerprint"]), artifact["state"])
    except Exception:  # noqa: BLE001  # as in `touched`
        return None


def _undo(
    put_back: Callable[..., Any], fingerprint: Callable[[Any], str] | None, artifact: Mapping[str, Any],
    after: str | None, age: float,
) -> UndoOutcome:  # fmt: skip
    ttl = artifact.get("ttl")
    if ttl is not None and age > ttl:
        late = f"{LATE}it could be undone for {spell_seconds(ttl)}, and {age:.0f}s have passed"
        return UndoOutcome(State.UNDO_FAILED, late)
    # Neither can change the artifact that a later try needs.
    state = copy.deepcopy(artifact["state"])
    try:
        if artifact.get("conditional"):
            return UndoOutcome(State.UNDONE, "" if put_back(state, after) else NOTHING_TO_UNDO)
        return _compared(put_back, fingerprint, state, artifact["before"], after)
    except UndoConflict as conflict:
        return UndoOutcome(State.UNDO_CONFLICT, str(conflict))
    except Exception as wrong:  # noqa: BLE001  # any tool author's code; a person is told
        return UndoOutcome(State.UNDO_FAILED, f"{type(wrong).__name__}: {wrong}")


def _compared(
    put_back: Callable[..., Any], fingerprint: Callable[[Any], str] | None, state: Any, before: str | None,
    after: str | None,
) -> UndoOutcome:  # fmt: skip
    """Compare for an undo that doesn't by itself; between the look and the undo somebody may still come in."""
    now = fingerprint(state) if fingerprint else None
    if now is not None and now == before:
        return UndoOutcome(State.UNDONE, NOTHING_TO_UNDO)
    if now is not None and after is not None and now != after:
        return UndoOutcome(State.UNDO_CONFLICT, FOREIGN)
    put_back(state)
    if (fingerprint(state) if fingerprint else before) != before:
        return UndoOutcome(State.UNDO_FAILED, "the undo ran, and things are still not as they were")
    return UndoOutcome(State.UNDONE)
