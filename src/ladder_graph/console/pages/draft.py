"""One draft: its changes against what was there, and what becomes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ladder_graph.console.addresses import segment
from ladder_graph.console.answers import Answer, Moved, Refusal, Shown
from ladder_graph.console.attention import attention
from ladder_graph.console.changes import WORDS, Said, evidence, shown
from ladder_graph.console.entries import Entry
from ladder_graph.console.rendering import as_it_was
from ladder_graph.console.visitor import Visitor
from ladder_graph.errors import AnswerRefused, DraftMoved, UnknownQuestion
from ladder_graph.ladder.drafts import DraftView
from ladder_graph.policy.console import Access
from ladder_graph.wording import sentence, unseen

NOT_TAKEN = "Nothing was done yet: look at what is marked below."


def show(visitor: Visitor) -> Answer:
    """The draft and the decision, or what became of it."""
    return _page(visitor, _found(visitor), Said())


def take(visitor: Visitor) -> Answer:
    """Take a decision. What can't be taken comes back with everything that was filled in."""
    view = _found(visitor, Access.REVIEWER)
    if view.withheld:
        raise Refusal(403, "Not yours to decide", f"{view.withheld}.")
    work = _WAYS.get(visitor.form.get("decision"))
    if work is None:
        raise Refusal(400, "There is no such decision", "Nothing was done. Go back to the draft.")
    if view.draft.state == "waiting" and visitor.form.get("seen") != view.digest:
        text = "The draft isn't what you were shown any more. Nothing was done; this is the draft now:"
        return _page(visitor, view, Said(wrong={"form": text}), 409)
    try:
        return work(visitor, view)
    except (AnswerRefused, DraftMoved) as refused:
        return _page(visitor, _found(visitor), Said.of(visitor, form=sentence(str(refused))), 409)


def edit(visitor: Visitor) -> Answer:
    """The whole text, to be changed by hand."""
    view = _found(visitor, Access.REVIEWER)
    if view.withheld or view.draft.state != "waiting":
        return Moved(_path(view))
    return _editor(visitor, view, _texts(view))


def edited(visitor: Visitor) -> Answer:
    """Accept the draft as somebody has edited it."""
    view = _found(visitor, Access.REVIEWER)
    if view.withheld:
        raise Refusal(403, "Not yours to decide", f"{view.withheld}.")
    if visitor.form.get("decision") == "back":
        return Moved(_path(view))
    typed = {
        name: as_it_was(text, visitor.form.get(f"text-{at}")) for at, (name, text) in enumerate(_texts(view).items())
    }
    if visitor.form.get("seen") != view.digest:
        text = "The draft isn't what you were shown any more. Your text is below; look at the draft again first."
        return _editor(visitor, view, typed, text, 409)
    try:
        said: dict[str, Any] = _as_typed(view, typed)
        _accept(visitor, view, **said)
    except AnswerRefused as refused:
        return _editor(visitor, view, typed, sentence(str(refused)), 409)
    return Moved(_path(view))


# --- what the buttons do -------------------------------------------------------------------------------------------


def _discard(visitor: Visitor, view: DraftView) -> Answer:
    reason = visitor.form.get("note").strip()
    if not reason:
        return _page(visitor, view, Said.of(visitor, note="Say why: the agent reads it, and acts by it."), 422)
    seen, fault = attention(visitor, view.draft.action.key), visitor.form.get("fault")
    visitor.ladder.reject(
        view.draft.action.key, by=visitor.person, reason=reason, digest=view.digest, looked=seen.looked,
        characters=seen.characters, fault="policy" if fault == "policy" else "agent",
    )  # fmt: skip
    return Moved(_path(view))


def _use(visitor: Visitor, view: DraftView) -> Answer:
    if view.whole:
        _accept(visitor, view)
        return Moved(_path(view))
    said = Said.of(visitor)
    open_ = [change.number for change in view.changes if change.number not in said.verdicts]
    if open_:
        wrong = {f"change-{number}": "Take it, or leave it out." for number in open_}
        return _page(visitor, view, Said.of(visitor, **wrong), 422)
    chosen = {verdict: [n for n, one in said.verdicts.items() if one == verdict] for verdict in ("take", "leave")}
    if not chosen["take"]:
        text = "Everything is left out, so nothing would be used. To say that nobody wants it, discard it."
        return _page(visitor, view, Said.of(visitor, form=text), 422)
    _accept(visitor, view, **chosen)
    return Moved(_path(view))


def _accept(visitor: Visitor, view: DraftView, **said: Any) -> None:
    seen = attention(visitor, view.draft.action.key)
    visitor.ladder.accept(
        view.draft.action.key, by=visitor.person, digest=view.digest, looked=seen.looked,
        characters=seen.characters, reason=visitor.form.get("note").strip(), **said,
    )  # fmt: skip


def _look(visitor: Visitor, view: DraftView) -> Answer:
    """Nothing was pressed: somebody has hit Enter on a field."""
    text = "Nothing was decided: press one of the two buttons for that."
    return _page(visitor, view, Said.of(visitor, form=text), 422)


_WAYS: dict[str, Callable[[Visitor, DraftView], Answer]] = {"discard": _discard, "use": _use, "look": _look}


# --- what is shown ---------------------------------------------------------------------------------------------------


def _found(visitor: Visitor, access: Access = Access.VIEWER) -> DraftView:
    """The draft that the address names, for somebody who may look at its agent's."""
    key = visitor.params["action"]
    try:
        view = visitor.ladder.draft(key, by=visitor.person)
    except AnswerRefused as refused:
        raise UnknownQuestion(str(refused)) from refused
    visitor.need(access, view.draft.action.agent)
    return view


def _page(visitor: Visitor, view: DraftView, said: Said, status: int = 200) -> Answer:
    waiting = view.draft.state == "waiting"
    may = waiting and not view.withheld and visitor.may(Access.REVIEWER, view.draft.action.agent)
    context = {
        "view": view, "draft": view.draft, "changes": shown(view.changes), "said": said, "may": may, "words": WORDS,
        "now": visitor.ladder.clock(), "wrong": said.wrong, "to": _path(view), "not_taken": NOT_TAKEN,
        "looks": evidence(visitor, view) if may else {},
    }  # fmt: skip
    return Shown("draft.html", context, status)


def _editor(visitor: Visitor, view: DraftView, texts: dict[str, str], wrong: str = "", status: int = 200) -> Answer:
    context = {
        "view": view, "draft": view.draft, "texts": list(texts.items()), "wrong": wrong, "to": f"{_path(view)}/edit",
        "back": _path(view), "looks": evidence(visitor, view), "json": not view.editable,
        "hidden": any(map(unseen, texts.values())),
    }  # fmt: skip
    return Shown("draft_edit.html", context, status)


def _texts(view: DraftView) -> dict[str, str]:
    """What can be edited, by name: the texts; or the arguments, where nothing says how a text goes back into them."""
    if view.editable and view.texts is not None:
        return {name: text or "" for name, text in view.texts.items()}
    return {"arguments": json.dumps(view.arguments or {}, indent=2, ensure_ascii=False, default=str)}


def _as_typed(view: DraftView, typed: dict[str, str]) -> dict[str, Any]:
    """An edited draft, as the desk takes it.

    Raises:
        AnswerRefused: Nothing was changed, or the arguments are none.
    """
    if typed == _texts(view):
        raise AnswerRefused("nothing was changed; to use the draft as it is, go back and take its changes")
    if view.editable and view.texts is not None:
        # A text that isn't there, as of a file that would be removed, stays away unless somebody writes one.
        return {"text": {name: text or (None if view.texts[name] is None else "") for name, text in typed.items()}}
    try:
        found = json.loads(typed["arguments"])
    except ValueError as wrong:
        raise AnswerRefused(f"this is no JSON: {wrong}") from None
    except RecursionError:
        raise AnswerRefused("this is nested deeper than any arguments") from None
    if not isinstance(found, dict):
        raise AnswerRefused("this is no JSON object with the arguments")
    return {"arguments": found}


def _path(view: DraftView) -> str:
    return f"/drafts/{segment(view.draft.action.key)}"


ENTRIES = (
    Entry("/drafts/{action}", show=show, take=take),
    Entry("/drafts/{action}/edit", show=edit, take=edited, looks=Access.REVIEWER),
)
