"""What the policies of this folder say in Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def nothing_beside(mail: Mapping[str, Any]) -> bool:
    """Whether a mail goes to its recipients alone, and carries no file."""
    return not any(mail.get(name) for name in ("cc", "bcc", "attachments"))
