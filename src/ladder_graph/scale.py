"""The scale: six rungs, by number and name."""

from __future__ import annotations

from enum import IntEnum


class Rung(IntEnum):
    """How far a call may go by itself.

    | rung | name | what happens to a call |
    |---|---|---|
    | 0 | suggest | nothing runs; the suggestion and its context are logged |
    | 1 | draft | the artifact is written to the drafts workspace; a person accepts or rejects it |
    | 2 | confirm | frozen, described, asked; runs once after an answer by a named person |
    | 3 | bounded | runs inside bounds on type, scope, volume and cost; asks outside them |
    | 4 | rollback | as 3, with the undo stored before the action and a health check after it |
    | 5 | report | as 4, and a named reader must acknowledge a report within its SLA |
    """

    SUGGEST = 0
    """Nothing runs."""
    DRAFT = 1
    """The artifact is made, nothing is sent or applied."""
    CONFIRM = 2
    """Runs once, after an answer."""
    BOUNDED = 3
    """Runs unasked inside its bounds."""
    ROLLBACK = 4
    """Runs unasked, and can be undone."""
    REPORT = 5
    """Runs unasked, and is reported afterwards."""

    @property
    def word(self) -> str:
        """The rung's name in lower case, as used in policies, graphs and pages."""
        return self.name.lower()

    def __str__(self) -> str:
        return f"{self.word} ({self.value})"

    @classmethod
    def parse(cls, value: object) -> Rung:
        """Read a rung from its word or its number.

        Raises:
            ValueError: It is neither; the message names the six words.

        Example:
            >>> Rung.parse("confirm") is Rung.parse(2) is Rung.CONFIRM
            True
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= len(cls) - 1:
            return cls(value)
        # Only ASCII: other letters have upper cases that look the same.
        if isinstance(value, str) and value.isascii() and value.upper() in cls.__members__:
            return cls[value.upper()]
        raise ValueError(f"{value!r} is no rung; the rungs are {', '.join(r.word for r in cls)} (0 to 5)")
