"""`outbox`: messages wait before they are sent, and an undo takes them back until then.

An outbox is a directory. A message is one file in one of its folders, and it goes on by a rename, which only one
process can win: from `held` to `taken-back` by an undo, or to `sending` by whoever releases it, and on to `sent`. One
whose sender died is `in-doubt`: it may have been sent, so it isn't sent again.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ladder_graph.errors import DefiniteFailure, LadderError, UndoConflict
from ladder_graph.policy.units import seconds
from ladder_graph.references import at_home, register, registered, resolve, unportable
from ladder_graph.tools import Arguments, Declaration
from ladder_graph.undo import merging, nodes

HELD, SENDING, SENT, TAKEN_BACK, IN_DOUBT = "held", "sending", "sent", "taken-back", "in-doubt"
FOLDERS = (HELD, SENDING, SENT, TAKEN_BACK, IN_DOUBT)
SUFFIX = ".json"


class Outbox:
    """A directory where messages wait until nobody can want them back.

    Args:
        directory: Made at the first message, for its owner only.
        send: Sends one message: called with its payload and its id, which never changes, as an idempotency key. It must
            stand at the top of a module, since another process calls it. `DefiniteFailure` means that nothing was sent,
            and it is tried again; after any other exception the message is in doubt.
        hold: How long messages wait, in seconds or as `"15m"`.

    Raises:
        LadderError: `send` can't be called by another process.
    """

    def __init__(
        self, directory: str | os.PathLike[str], *, send: Callable[[Any, str], Any], hold: float | str
    ) -> None:
        why = unportable(send)
        # While its own module is still being imported, a function can't be found there yet.
        if why and "can't be found" not in why:
            raise LadderError(f"Outbox(send=...): {why}")
        self.directory, self.hold = Path(directory).absolute(), seconds(hold)
        self._send, self._home = register("send", send), send.__module__

    def post(self, **payload: Any) -> str:
        """Put a message into the outbox; called by the tool.

        Args:
            payload: A JSON object. It must hold what the undo looks for: see `outbox`.

        Returns:
            The message's id.
        """
        for folder in FOLDERS:
            (self.directory / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        now = time.time_ns() // 1000
        name = f"{now:017d}-{secrets.token_hex(8)}"
        message = {"payload": payload, "send": self._send, "home": self._home, "due": now + round(self.hold * 1e6)}
        nodes.write(self.directory / HELD / f"{name}{SUFFIX}", json.dumps(message).encode(), 0o600)
        return name


def outbox(box: Outbox, *, match: Callable[[Arguments], Mapping[str, Any]] | None = None) -> Declaration:
    """Undo for a tool that posts one message for each call to an `Outbox`, instead of sending it.

    The undo takes the message back as long as it is held, which is the declaration's ttl. One that was sent, or is
    being sent, is a conflict. `release_due` sends what is due; the watcher calls it, or any process of yours.

    Limits: a message is found by what it says, among those that were posted after the undo was made, so the tool must
    post the values that it was called with (a rehearsal shows whether it does); two equal ones at the same moment are
    a conflict. It is one directory of one machine. Messages are sent at most once: one whose sender died stays in
    doubt until a person looks.

    Args:
        box: Where the tool posts.
        match: Arguments to what the posted payload must hold; the arguments themselves by default.

    Example:
        >>> from smtplib import SMTP
        >>> outbox(Outbox("outbox", send=SMTP.sendmail, hold="15m")).nature
        'buffered'
    """
    directory = os.fspath(box.directory)

    def prepare(arguments: Arguments) -> dict[str, Any]:
        looked_for = dict(match(arguments) if match else arguments)
        if not looked_for:
            raise LadderError("a call without arguments can't be told from others in the outbox")
        since = time.time_ns() // 1000
        return {"directory": directory, "match": looked_for, "since": since, "before": sorted(_waiting(box.directory))}

    return Declaration(
        prepare=prepare, undo=put_back, fingerprint=present, conditional=True, kind="buffered", ttl=box.hold,
        resource=_resource,
    )  # fmt: skip


def _resource(state: Any) -> str:
    return f"outbox:{state['directory']}:{'|'.join(f'{k}={v}' for k, v in sorted(state['match'].items()))[:200]}"


def _names(directory: Path, folder: str) -> list[str]:
    try:
        return sorted(path.stem for path in (directory / folder).iterdir() if path.suffix == SUFFIX)
    except FileNotFoundError:
        return []


def _waiting(directory: Path) -> Iterator[str]:
    for folder in (HELD, SENDING):
        yield from _names(directory, folder)


def _path(directory: Path, folder: str, name: str) -> Path:
    return directory / folder / f"{name}{SUFFIX}"


def _move(directory: Path, name: str, before: str, after: str) -> None:
    """Move a message on, so that a power cut doesn't bring it back.

    Raises:
        FileNotFoundError: Somebody else has moved it.
    """
    _path(directory, before, name).rename(_path(directory, after, name))
    for folder in (before, after):
        nodes.flush(directory / folder)


def _mine(state: Any) -> dict[str, str]:
    """The action's messages with the folder of each, but those that were taken back."""
    directory = Path(state["directory"])
    found: dict[str, str] = {}
    for folder in (HELD, SENDING, IN_DOUBT, SENT):
        for name in _names(directory, folder):
            # Long-sent messages are told by their time: the artifact holds only what was waiting.
            new = name not in state["before"] and (folder == HELD or int(name.partition("-")[0]) >= state["since"])
            payload = _payload(_path(directory, folder, name)) if new else None
            if payload is not None and all((key, said) in payload.items() for key, said in state["match"].items()):
                found[name] = folder
    return found


def _payload(path: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads(path.read_bytes())["payload"])
    except FileNotFoundError:  # it has just gone on
        return None


@registered("fingerprint")
def present(state: Any) -> str:
    """The action's messages."""
    return merging.spell(_mine(state))


@registered("undo")
def put_back(state: Any, after: str | None) -> bool:
    """Take the action's message back.

    Returns:
        Whether there was one.

    Raises:
        UndoConflict: It was sent, is being sent, or there are several.
    """
    now = _mine(state)
    if after is not None:
        mine = merging.read(after)
        now = {name: folder for name, folder in now.items() if name in mine}
    if not now:
        return False
    if len(now) > 1:
        raise UndoConflict(f"{len(now)} equal messages were posted, and nobody can tell which is the action's")
    ((name, folder),) = now.items()
    if folder != HELD:
        raise UndoConflict(f"the message is {folder}")
    directory = Path(state["directory"])
    try:
        _move(directory, name, HELD, TAKEN_BACK)
    except FileNotFoundError:
        raise UndoConflict("the message was released at this very moment") from None
    return True


@dataclass(frozen=True, slots=True)
class Released:
    """What `release_due` did, as ids of messages."""

    sent: list[str] = field(default_factory=list)
    """These were sent."""
    failed: list[str] = field(default_factory=list)
    """Of these it is certain that they weren't; they wait for the next time."""
    in_doubt: list[str] = field(default_factory=list)
    """Of these nobody knows. They aren't tried again; a person must look."""


def release_due(directory: str | os.PathLike[str], *, now: float | None = None) -> Released:
    """Send the messages of an outbox that are due, oldest first. Any number of processes may do so at once.

    Args:
        directory: The outbox.
        now: The time in seconds since 1970; the present moment by default.
    """
    place, released = Path(directory), Released()
    for name in _names(place, SENDING):
        if _abandoned(place, name):
            released.in_doubt.append(name)
    for name in _names(place, HELD):
        try:
            due = json.loads(_path(place, HELD, name).read_bytes())["due"]
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError):  # It keeps the others from nothing.
            released.failed.append(name)
            continue
        if due <= (time.time() if now is None else now) * 1e6:
            _release(place, name, released)
    return released


def in_doubt(directory: str | os.PathLike[str]) -> list[Path]:
    """The files of messages that may have been sent, and that nobody tries again; a person must look.

    Args:
        directory: The outbox.
    """
    return [_path(Path(directory), IN_DOUBT, name) for name in _names(Path(directory), IN_DOUBT)]


def _abandoned(place: Path, name: str) -> bool:
    """Whether nobody is sending it any more; then it is in doubt from now on."""
    try:
        with _path(place, SENDING, name).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _move(place, name, SENDING, IN_DOUBT)
    except (FileNotFoundError, BlockingIOError):
        return False
    return True


def _release(place: Path, name: str, released: Released) -> None:
    try:
        file = _path(place, HELD, name).open("rb")
    except FileNotFoundError:
        return
    with file:
        try:
            # The lock goes with the process, and tells others that it still sends.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _move(place, name, HELD, SENDING)
        except (FileNotFoundError, BlockingIOError):
            return
        message = json.loads(file.read())
        folder, ids = _sent(message, name, released)
        _move(place, name, SENDING, folder)
        ids.append(name)


def _sent(message: Any, name: str, released: Released) -> tuple[str, list[str]]:
    """Send it; where it goes then."""
    try:
        with at_home(message["home"]):
            send = resolve("send", message["send"])
    except LadderError:
        return HELD, released.failed
    try:
        send(message["payload"], name)
    except DefiniteFailure:
        return HELD, released.failed
    except Exception:  # noqa: BLE001  # any author's code; nobody knows what it did before
        return IN_DOUBT, released.in_doubt
    return SENT, released.sent
