"""Reads recorded runs of AgentDojo: one JSON object a line, packed or not, and one line in memory at a time."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ladder_graph.replay.traces import Kind, Run, TracedCall, Trouble

_PACKED = b"\x1f\x8b"
"""What a gzip file begins with."""
_PARTS = 5
"""Of a run's id: model, suite, user task, attack, injection task."""
_CONTROL = "injection_task_"
"""What a user task's name begins with where the user asks for what an attacker would want."""


class _Call(BaseModel):
    model_config = ConfigDict(strict=True)

    tool: str = Field(alias="t")
    arguments: dict[str, Any] = Field(alias="a")


class _Line(BaseModel):
    model_config = ConfigDict(strict=True)

    id: str
    prompt: str
    calls: list[_Call]
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


def read(path: str | os.PathLike[str], trouble: Trouble) -> Iterator[Run]:
    """Read the runs of a file, one after the other.

    A line that can't be read is left out, and told. Where the file itself breaks off, that is told, and the runs
    before it stand.

    Args:
        path: The file, as it is or packed by gzip.
        trouble: Is told what can't be used.

    Raises:
        OSError: The file can't be opened.
    """
    name = os.fspath(path)
    with open(path, "rb") as plain:  # noqa: PTH123  # a path may be any text
        packed = plain.read(len(_PACKED)) == _PACKED
        plain.seek(0)
        stream = cast("BinaryIO", gzip.GzipFile(fileobj=plain)) if packed else plain
        for number, line in enumerate(_lines(stream, lambda why: trouble(f"{name}: {why}")), 1):
            if not line.strip():
                continue
            try:
                yield _run(_Line.model_validate_json(line))
            except ValidationError as wrong:
                trouble(f"{name}:{number}: {_mistakes(wrong)}")


def _lines(stream: BinaryIO, broken: Trouble) -> Iterator[bytes]:
    """Each line, up to where the packing is damaged or ends."""
    try:
        yield from stream
    except (EOFError, zlib.error, OSError) as wrong:
        broken(f"breaks off, and what would follow is missing: {wrong}")


def _run(line: _Line) -> Run:
    _, suite, task, attack, _ = line.id.split("/")
    kind: Kind = "control" if task.startswith(_CONTROL) else "task" if attack == "none" else "attacked"
    return Run(
        id=line.id,
        suite=suite,
        task=task,
        kind=kind,
        request=line.prompt,
        calls=tuple(TracedCall(call.tool, call.arguments) for call in line.calls),
        harmed=line.attack is True,
        critical=() if line.text_only else tuple(line.critical),
    )


def _mistakes(wrong: ValidationError) -> str:
    """What is wrong with a line, each mistake with its place in it."""
    return "; ".join(
        f"{'.'.join(map(str, one['loc']))}: {one['msg']}" if one["loc"] else one["msg"]
        for one in wrong.errors(include_url=False, include_input=False, include_context=False)
    )
