"""Telling people: sends the notices that the ledger holds, by apprise, by a signed webhook, or into a file."""

from __future__ import annotations

from ladder_graph.notifying.post import Post

__all__ = ["Post"]
