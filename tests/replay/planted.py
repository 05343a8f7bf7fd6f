"""A type that somebody might plant in a database; making it leaves a trace."""

from __future__ import annotations

from pydantic import BaseModel

made: list[str] = []


class Planted(BaseModel):
    """Notes that it was made."""

    name: str = ""

    def __init__(self, name: str = "", **more):
        super().__init__(name=name, **more)
        made.append(name)
