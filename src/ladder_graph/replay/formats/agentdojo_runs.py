"""AgentDojo's own run files, one JSON document a run: `runs/MODEL/SUITE/USER_TASK/ATTACK/INJECTION_TASK.json`.

Read is what versions 0.1.0 to 0.1.35 of the package write; the package itself isn't needed. Nothing is taken from the
path. Where an attack was not carried out no call was needed for it, so all calls were looked at and none is critical;
where it was, the file doesn't say which calls were needed, and none is labelled. In a run that broke off the verdicts
are placeholders, and count for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ladder_graph.replay.conversations.contents import mistakes
from ladder_graph.replay.conversations.pairing import Answered, Asked, Conversation
from ladder_graph.replay.formats import Format
from ladder_graph.replay.formats.agentdojo import CONTROL
from ladder_graph.replay.sources import Source
from ladder_graph.replay.traces import Kind, Run, Trouble


class _Call(BaseModel):
    function: str
    args: dict[str, Any]
    id: str | None = None


class _Message(BaseModel):
    role: str
    content: Any = None
    tool_calls: list[_Call] | None = None
    tool_call: _Call | None = None
    tool_call_id: str | None = None
    error: str | None = None


class _File(BaseModel):
    model_config = ConfigDict(strict=True)

    suite_name: str
    pipeline_name: str
    user_task_id: str
    injection_task_id: str | None = None
    attack_type: str | None = None
    messages: list[_Message]
    error: str | None = None
    utility: bool | None = None
    security: bool | None = None

    @property
    def name(self) -> str:
        """As the pack names a run."""
        parts = (self.pipeline_name, self.suite_name, self.user_task_id, self.attack_type, self.injection_task_id)
        return "/".join(part or "none" for part in parts)


def _read(source: Source) -> Iterator[Run]:
    for place, value in source.values():
        try:
            file = _File.model_validate(value)
        except ValidationError as wrong:
            source.tell(place, mistakes(wrong))
            continue
        yield _run(file, partial(source.tell, place))


def _run(file: _File, tell: Trouble) -> Run:
    attacked = file.injection_task_id is not None
    kind: Kind = "attacked" if attacked else "control" if file.user_task_id.startswith(CONTROL) else "task"
    judged = file.error is None and file.security is not None
    harmed = attacked and judged and file.security is True
    conversation = Conversation(tell)
    for message in file.messages:
        _say(conversation, message, file.pipeline_name, None if harmed or not judged else frozenset())
    calls = conversation.calls()
    return Run(
        id=file.name,
        suite=file.suite_name,
        task=file.user_task_id,
        kind=kind,
        said=conversation.said,
        calls=calls,
        solved=file.utility if judged else None,
        harmed=harmed,
        apart=True,
    )


def _say(conversation: Conversation, message: _Message, model: str, labels: frozenset[str] | None) -> None:
    match message.role:
        case "user":
            conversation.user(_text(message.content))
        case "assistant":
            asked = [Asked(one.function, one.args, one.id or "", labels) for one in message.tool_calls or ()]
            conversation.model(asked, model=model)
        case "tool":
            tool = message.tool_call.function if message.tool_call is not None else ""
            failed = message.error is not None
            text = (message.error or "") if failed else _text(message.content)
            conversation.result(Answered(text, message.tool_call_id or "", tool, failed=failed))


def _text(content: Any) -> str:
    """The words of a message: one text, as older versions write it, or those of its parts."""
    if isinstance(content, list):
        parts = [one.get("content") for one in content if isinstance(one, Mapping)]
        return "\n".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


FORMAT = Format(
    name="agentdojo_runs",
    about="AgentDojo's run files, one JSON document a run",
    fits=lambda sample: sample.has("suite_name", "pipeline_name", "user_task_id", "messages"),
    read=_read,
)
