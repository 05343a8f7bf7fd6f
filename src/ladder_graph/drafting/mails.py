"""`email`: the draft of a tool that sends a message, as an RFC 5322 file, against a template or what it replies to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, message_from_string
from email.message import EmailMessage, Message
from email.policy import SMTP
from typing import Any

from ladder_graph.drafting.drawn import Drawn, Piece, argument
from ladder_graph.drafting.written import plain_header
from ladder_graph.errors import DraftRefused

_POLICY = SMTP.clone(utf8=True)
_LONGEST_LINE = 998
"""Bytes of a line (RFC 5322, section 2.1.1); a body with longer ones is encoded."""

Original = Callable[[Mapping[str, Any]], "EmailMessage | str | bytes | None"]


@dataclass(frozen=True, slots=True)
class Email:
    """See `email`."""

    headers: Mapping[str, str]
    """Header to argument."""
    body: str
    template: str | Callable[[Mapping[str, Any]], EmailMessage | str | None] | None
    original: Original | None
    source: str
    will: str
    labels: tuple[str, ...]
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Headers that are always the same."""

    def draw(self, arguments: Mapping[str, Any]) -> Drawn:
        """The message, held against what it starts from."""
        given = {name: _value(arguments, one) for name, one in self.headers.items()}
        said = dict(self.fixed)
        said |= {name: value for name, value in given.items() if value}
        for name, value in said.items():
            plain_header(name, value)
        body, before = argument(arguments, self.body), self._base(arguments)
        captured = before is not None
        base = before or _Base()
        # A recipient and a subject that no base names go with the message; they can't be left out of it.
        known: dict[str, str] = {}
        known |= {str(name): said[name] for name in ("From", "To", "Subject") if name in said}
        known |= {name: value for name, value in base.headers.items() if name in said or name in self.headers}
        pieces = (
            Piece("headers", _lines(known), _lines(said), "headers"),
            Piece("body", base.body if captured else None, body, "prose"),
        )
        drawn = tuple(name for name in said if name in self.headers)
        return Drawn(
            "email", pieces, _message(said, base.threading, body), ".eml", title=_title(said, replies=base.reply),
            source=self.source if captured else "", facts=(*said.items(), *base.threading.items()),
            target=f"{said.get('To', '')}\n{base.threading.get('In-Reply-To', '')}", will=self.will,
            labels=self.labels,
            recipe={"form": "mail", "headers": dict(self.headers), "body": self.body, "drawn": list(drawn)},
        )  # fmt: skip

    def _base(self, arguments: Mapping[str, Any]) -> _Base | None:
        template = self.template(arguments) if callable(self.template) else self.template
        found = None if template is None else _of_template(template)
        original = None if self.original is None else _parsed(self.original(arguments))
        if original is None:
            return found
        return _of_reply(original, found)


@dataclass(frozen=True, slots=True)
class _Base:
    """What a message starts from."""

    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    threading: Mapping[str, str] = field(default_factory=dict)
    reply: bool = False


def email(
    body: str = "body",
    *,
    to: str = "to",
    subject: str = "subject",
    cc: str | None = None,
    bcc: str | None = None,
    reply_to: str | None = None,
    sender: str = "",
    template: str | Callable[[Mapping[str, Any]], EmailMessage | str | None] | None = None,
    original: Original | None = None,
    source: str = "",
    will: str = "",
    labels: tuple[str, ...] = (),
) -> Email:
    r"""The draft of a tool that sends an e-mail.

    Args:
        body: The argument that holds the text.
        to: The argument that holds the recipient, or a list of them.
        subject: The argument that holds the subject.
        cc: Likewise, where the tool has such an argument.
        bcc: Likewise.
        reply_to: Likewise.
        sender: The address that it is sent from, where that is always the same.
        template: What messages start from: a text, or a function of the arguments that returns one, or a message with
            headers of its own.
        original: A function of the arguments that returns the message that is replied to. Its sender and subject are
            the base of recipient and subject, and its id goes into the draft.
        source: What the base is, in words.
        will: What accepting does, in words.
        labels: Access labels of these drafts, beside those of the rule.

    Example:
        >>> letter = email(template="Hello,\n")
        >>> drawn = letter.draw({"to": "dana@shop.example", "subject": "Invoice", "body": "Hello Dana,\n"})
        >>> drawn.title, drawn.pieces[1].base
        ('Invoice, to dana@shop.example', 'Hello,\n')
    """
    named = {"To": to, "Cc": cc, "Bcc": bcc, "Reply-To": reply_to, "Subject": subject}
    what = source or ("the message that it replies to" if original is not None else "the template that it starts from")
    return Email(
        {name: one for name, one in named.items() if one}, body, template, original, what, will, labels,
        {"From": sender} if sender else {},
    )  # fmt: skip


def _value(arguments: Mapping[str, Any], name: str) -> str:
    """A header's value; a list of addresses with commas."""
    value = arguments.get(name)
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        if not all(isinstance(one, str) for one in value):
            raise DraftRefused(f"the argument {name} is no list of addresses")
        return ", ".join(value)
    return argument(arguments, name)


def _lines(headers: Mapping[str, str]) -> str:
    return "".join(f"{name}: {value}\n" for name, value in headers.items())


def _title(said: Mapping[str, str], *, replies: bool) -> str:
    subject = said.get("Subject") or "no subject"
    return f"{'Reply: ' if replies else ''}{subject}, to {said.get('To') or 'nobody'}"[:200]


def _of_template(template: EmailMessage | str) -> _Base:
    if isinstance(template, str):
        return _Base(body=template)
    if not isinstance(template, Message):
        raise DraftRefused(f"the template is a {type(template).__name__}, and no text or message")
    return _Base(_plain(template), _body(template))


def _of_reply(original: Message, found: _Base | None) -> _Base:
    """What a reply starts from: the recipient and subject of what it replies to, and the template's text."""
    asked = _plain(original)
    subject = asked.get("Subject", "")
    subject = subject if subject.casefold().startswith("re:") else f"Re: {subject}"
    base = found or _Base()
    headers = {"To": asked.get("Reply-To") or asked.get("From", ""), "Subject": subject, **base.headers}
    name = _one_line(original.get("Message-ID"))
    threading = {"In-Reply-To": name, "References": f"{_one_line(original.get('References'))} {name}".strip()}
    return _Base(headers, base.body, threading if name else {}, reply=True)


def _plain(message: Message) -> dict[str, str]:
    """A message's headers of the kinds that a draft has, each on one line."""
    kinds = ("From", "To", "Cc", "Bcc", "Reply-To", "Subject")
    return {name: value for name in kinds if (value := _one_line(message.get(name)))}


def _one_line(value: object) -> str:
    return " ".join(str(value or "").split())


def _parsed(original: EmailMessage | str | bytes | None) -> Message | None:
    if isinstance(original, str):
        return message_from_string(original, policy=_POLICY)
    if isinstance(original, bytes):
        return message_from_bytes(original, policy=_POLICY)
    return original


def _body(message: Message) -> str:
    part = message.get_body(("plain",)) if isinstance(message, EmailMessage) else None
    return str(part.get_content()) if part is not None else ""


def _message(headers: Mapping[str, str], threading: Mapping[str, str], body: str) -> str:
    """The message as a file."""
    message = EmailMessage(policy=_POLICY)
    try:
        for name, value in {**headers, **threading}.items():
            message[name] = value
        message["X-Unsent"] = "1"  # Mail programs open it as a draft.
        longest = max((len(line.encode()) for line in body.split("\n")), default=0)
        message.set_content(body, cte="8bit" if longest < _LONGEST_LINE else "base64")
        return message.as_bytes().decode("utf-8", "backslashreplace")
    except (ValueError, IndexError, AttributeError) as wrong:  # What email's own parser of headers raises.
        raise DraftRefused(f"no message can be made of it: {wrong}") from wrong
