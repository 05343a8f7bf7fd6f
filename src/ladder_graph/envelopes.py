"""Answers as programs build them: for exactly one question, and signed for the person who gave them. Pure.

    graph.invoke(Command(resume=answer_to(interrupt, "approve", by="ana")), config)

An inbox that authenticates its users itself shares a key with the agent's process and signs what they answer. The key
stays in the environment; the policy only names it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from ladder_graph import answers
from ladder_graph.calls import canonical
from ladder_graph.errors import ArgumentsError
from ladder_graph.facts import Person, Verdict
from ladder_graph.policy import Policy

TAG = "ladder-graph/answer/1"
"""Keeps these signatures apart from anything else that is signed with the same key."""

SHORTEST = 16
"""Characters that a key must have at least."""


def answer_to(
    asked: Any, verdict: Verdict, *, by: str | None = None, reason: str = "", typed: str | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """An answer to exactly one question, to be given to `Command(resume=...)`.

    A bare answer is taken for whatever question is open when it comes in, unless it looks like a second click. This one
    names its question, so that it can't be taken for another.

    Args:
        asked: The interrupt, or its value.
        verdict: `"approve"`, `"decline"`, `"edit"` or `"respond"`.
        by: Who answers.
        reason: Why; for `respond`, the text for the model.
        typed: What must be typed, where the question asks for it.
        arguments: For `edit`, all arguments of the new call.

    Returns:
        The answer, as JSON.

    Raises:
        ValueError: The interrupt isn't one of ladder-graph's.

    Example:
        >>> value = {"name": "pay", "ladder": {"question": "q1", "digest": "d1", "nonce": "n1"}}
        >>> answer_to(value, "approve", by="ana")
        {'type': 'approve', 'question': 'q1', 'digest': 'd1', 'nonce': 'n1', 'by': 'ana'}
    """
    value = getattr(asked, "value", asked)
    ours = value.get("ladder") if isinstance(value, Mapping) else None
    if not isinstance(ours, Mapping):
        raise ValueError(  # noqa: TRY004  # it is the interrupt's content that is wrong
            "this interrupt asks nothing that ladder-graph could take an answer to"
        )
    answer = {"type": verdict, **{name: ours[name] for name in ("question", "digest", "nonce") if ours.get(name)}}
    said = {"by": by, "reason": reason or None, "typed": typed}
    answer |= {name: text for name, text in said.items() if text is not None}
    return (
        answer if arguments is None else {**answer, "edited_action": {"name": value["name"], "args": dict(arguments)}}
    )


def sign(
    answer: Mapping[str, Any], *, key: str, secret: str | bytes, at: dt.datetime | None = None
) -> dict[str, Any]:  # fmt: skip
    """The same answer, signed: HMAC-SHA256 over the RFC 8785 form of everything in it that counts.

    Args:
        answer: What `answer_to` built, with `by`.
        key: The key's id, as `[keys.<id>]` in the policy names it.
        secret: The key itself, at least 16 characters.
        at: When it was answered; now by default.

    Raises:
        ValueError: It isn't an answer that can be signed.

    Example:
        >>> value = {"name": "pay", "ladder": {"question": "q1", "digest": "d1", "nonce": "n1"}}
        >>> moment = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
        >>> signed = sign(answer_to(value, "approve", by="ana"), key="inbox", secret="0123456789abcdef", at=moment)
        >>> sorted(signed["signed"])
        ['at', 'key', 'mac']
    """
    seconds = int((at or dt.datetime.now(tz=dt.UTC)).timestamp())
    read = answers.read({**answer, "signed": {"key": key, "at": seconds, "mac": "-"}})
    if isinstance(read, str):
        raise ValueError(read)  # noqa: TRY004  # it is the answer's content that is wrong
    if (missing := _missing(read)) is not None:
        raise ValueError(missing)
    return {**answer, "signed": {"key": key, "at": seconds, "mac": _mac(read, _bytes(secret))}}


def signer(answer: answers.Answer, policy: Policy, now: dt.datetime, environment: Mapping[str, str]) -> Person | str:
    """Who gave a signed answer; or why its signature proves nothing, in words.

    That it is given once is a matter of the question, which takes one answer.

    Args:
        answer: An answer with a signature.
        policy: Names the keys.
        now: The moment.
        environment: Holds them.
    """
    signature = answer.signature
    key = None if signature is None else policy.keys.get(signature.key)
    if signature is None or key is None:
        return f"the policy has no key {signature.key if signature else ''!r}, so the signature proves nothing"
    secret = environment.get(key.env, "")
    if len(secret) < SHORTEST:
        problem = f"has fewer than {SHORTEST} characters" if secret else "isn't set"
        return f"the key {signature.key!r} can't be used here: the environment variable {key.env} {problem}"
    if (missing := _missing(answer)) is not None:
        return missing
    try:
        genuine = hmac.compare_digest(_mac(answer, secret.encode()).encode(), signature.mac.encode())
    except ArgumentsError as wrong:
        return f"{wrong}"
    if not genuine:
        return "the signature is wrong: it was made with another key, or the answer was changed since"
    if abs(int(now.timestamp()) - signature.at) > key.valid:
        return f"the answer was signed more than {key.valid:g} seconds from now; answer again"
    return Person(answer.by or "", "signed")


def _missing(answer: answers.Answer) -> str | None:
    parts = {"by": answer.by, "question": answer.question, "digest": answer.digest, "nonce": answer.nonce}
    missing = [name for name, value in parts.items() if not value]
    return f"a signed answer must hold {', '.join(missing)}; answer_to puts them in" if missing else None


def _mac(answer: answers.Answer, secret: bytes) -> str:
    signature = answer.signature
    arguments = None if answer.arguments is None else hashlib.sha256(canonical(answer.arguments)).hexdigest()
    signed = [
        TAG, signature.key if signature else "", signature.at if signature else 0, answer.question, answer.digest,
        answer.nonce, answer.verdict, answer.by, answer.reason, answer.typed, answer.tool, arguments,
    ]  # fmt: skip
    return hmac.new(secret, canonical(signed), hashlib.sha256).hexdigest()


def _bytes(secret: str | bytes) -> bytes:
    found = secret.encode() if isinstance(secret, str) else secret
    if len(found) < SHORTEST:
        raise ValueError(f"a key must have at least {SHORTEST} characters")
    return found
