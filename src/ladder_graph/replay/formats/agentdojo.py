"""Recorded runs of AgentDojo, tool calls and verdicts only: one JSON object a line.

What each key means stands beside the pack in `examples/agentdojo`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ladder_graph.replay.conversations.contents import mistakes
from ladder_graph.replay.formats import Format
from ladder_graph.replay.sources import Source
from ladder_graph.replay.traces import CRITICAL, Kind, Run, TracedCall

_PARTS = 5
"""Of a run's id: model, suite, user task, attack, injection task."""
CONTROL = "injection_task_"
"""What a user task's name begins with where the user asks for what an attacker would want."""
_NEEDED, _FREE = frozenset({CRITICAL}), frozenset[str]()


class _Call(BaseModel):
    model_config = ConfigDict(strict=True)

    tool: str = Field(alias="t")
    arguments: dict[str, Any] = Field(alias="a")
    error: bool = Field(alias="e")
    output: str = Field(alias="o")


class _Line(BaseModel):
    model_config = ConfigDict(strict=True)

    id: str
    prompt: str
    calls: list[_Call]
    utility: bool | None = None
    attack: bool | None
    critical: list[Annotated[int, Field(ge=0)]]
    text_only: bool

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.id.count("/") != _PARTS - 1:
            raise ValueError("id must be model/suite/user task/attack/injection task")
        if any(place >= len(self.calls) for place in self.critical):
            raise ValueError(f"critical names a call beyond the last of {len(self.calls)}")
        return self


def _read(source: Source) -> Iterator[Run]:
    for number, line in source.lines():
        try:
            yield _run(_Line.model_validate_json(line))
        except ValidationError as wrong:
            source.tell(number, mistakes(wrong))


def _run(line: _Line) -> Run:
    model, suite, task, attack, _ = line.id.split("/")
    kind: Kind = "control" if task.startswith(CONTROL) else "task" if attack == "none" else "attacked"
    critical = () if line.text_only else frozenset(line.critical)
    return Run(
        id=line.id,
        suite=suite,
        task=task,
        kind=kind,
        said=(line.prompt,),
        calls=tuple(
            TracedCall(
                call.tool,
                call.arguments,
                turn=place,
                result=call.output,
                matched="order",
                fate="failed" if call.error else "done",
                model=model,
                labels=_NEEDED if place in critical else _FREE,
            )
            for place, call in enumerate(line.calls)
        ),
        solved=line.utility,
        harmed=line.attack is True,
        text_only=line.text_only,
        apart=True,
    )


FORMAT = Format(
    name="agentdojo",
    about="AgentDojo's runs as tool calls and verdicts, a line each",
    fits=lambda sample: sample.has("id", "prompt", "calls"),
    read=_read,
)
